-- Agents' accounts end: on a day, or at once (closed_at).

-- Last day of access, in the authority's zone; none: no end is set.
alter table account add column ends_on date;
-- The end that its owner and the managers were told of.
alter table account add column end_told date;
create index account_end on account (authority_id, ends_on) where ends_on is not null;
create index membership_department on membership (authority_id, department_id);
create index session_account on session (authority_id, account_id);

-- Whether the directory gives it, and takes it back.
alter table membership add column from_directory boolean not null default false;

-- Who holds running requests of a department.
create index request_held on request (authority_id, department_id, holder_id) where holder_id is not null and ended = false;
