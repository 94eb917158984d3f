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

-- The authority's directory of agents (LDAP).
create table directory (
  authority_id uuid not null references authority (id),
  declaration {json} not null,
  -- The password that reads it, encrypted under the installation's secret.
  sealed {bytes} not null,
  synced_at {time},
  -- A reading that would cut too many is held until somebody has looked: how many, of how many.
  held_at {time},
  held_lost bigint,
  held_of bigint,
  -- Why the last reading failed; none when it did not.
  last_error text,
  primary key (authority_id)
);

-- Accounts that the directory gives: their password is there.
create table directory_account (
  authority_id uuid not null,
  account_id uuid not null,
  -- What names them in the directory for ever; mail:ADDRESS until they are found there.
  key text not null,
  -- When they were no longer in it: the access comes back with them.
  left_at {time},
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index directory_account_key on directory_account (authority_id, key);
