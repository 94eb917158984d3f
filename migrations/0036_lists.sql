-- What lists are put in order by, beside the columns of a request (see the files of each engine): `filer_key`, the
-- filer's name as it sorts, folded, family name first; `active_at`, the time of the last entry of the history.
alter table request add column filer_key text not null default '';
update request set filer_key = lower(coalesce(filer_name, ''));
create index request_desk_name on request (authority_id, department_id, ended, filer_key, id);

-- The states of a procedure's own circuit.
create index request_desk_state on request (authority_id, department_id, procedure_id, state, ended, submitted_at, id);
