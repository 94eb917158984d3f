alter table request add column active_at timestamptz not null default 'epoch';
update request set active_at = updated_at;
create index request_desk_active on request (authority_id, department_id, ended, active_at, id);
