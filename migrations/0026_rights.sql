-- Rights given to an agent beside those of their departments: for the days of a leave, or on some procedures only
-- (a partner, a specialist). Never the rights of a manager.
create table entitlement (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  department_id text not null,
  -- reader, processor or decider
  role text not null,
  -- Ids of procedures between spaces; empty for all of the department.
  procedures text not null,
  from_day date not null,
  -- Last day; none: until it is withdrawn.
  until_day date,
  reason text not null,
  given_by uuid not null,
  given_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index entitlement_account on entitlement (authority_id, account_id);
create index entitlement_department on entitlement (authority_id, department_id);
create index entitlement_until on entitlement (authority_id, until_day);

-- Who works in a department: its members, and whoever was given a right on the whole of it, on its days.
create view staff as
  select authority_id, account_id, department_id, role, cast(null as date) as from_day, cast(null as date) as until_day from membership
  union all
  select authority_id, account_id, department_id, role, from_day, until_day from entitlement where procedures = '';
