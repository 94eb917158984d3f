-- What usagers see of their data: which department read their requests, and the linked services.

-- A department's account or contract that usagers may link to theirs (« service rattaché »), as its file declares it.
create table linked_service (
  authority_id uuid not null references authority (id),
  id text not null,
  department_id text not null,
  declaration {json} not null,
  -- The load whose references count; none before the first.
  load_id uuid,
  loaded_at {time},
  created_at {time} not null,
  updated_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, department_id) references department (authority_id, id)
);

-- One import of all references of a service: it counts once it is whole.
create table linked_load (
  authority_id uuid not null,
  service_id text not null,
  id uuid not null,
  started_at {time} not null,
  primary key (authority_id, service_id, id),
  foreign key (authority_id, service_id) references linked_service (authority_id, id) on delete cascade
);
create index linked_load_age on linked_load (authority_id, started_at);

-- Reference and proof as keyed hashes; what is shown encrypted, bound to its reference.
create table linked_reference (
  authority_id uuid not null,
  service_id text not null,
  load_id uuid not null,
  ref_key {bytes} not null,
  proof {bytes} not null,
  sealed {bytes} not null,
  primary key (authority_id, service_id, load_id, ref_key),
  foreign key (authority_id, service_id, load_id) references linked_load (authority_id, service_id, id) on delete cascade
);

-- Who linked which reference. Each service knows a person by a random key of its own.
create table linked_account (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  service_id text not null,
  ref_key {bytes} not null,
  name text not null,
  person_key text not null,
  linked_at {time} not null,
  -- Since when the service no longer knows the reference.
  gone_at {time},
  primary key (authority_id, account_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, service_id) references linked_service (authority_id, id) on delete cascade
);
create unique index linked_account_key on linked_account (authority_id, service_id, ref_key, account_id);

-- Refused tries, by day, for the department's manager.
create table linked_failure (
  authority_id uuid not null,
  service_id text not null,
  day date not null,
  failures bigint not null,
  primary key (authority_id, service_id, day),
  foreign key (authority_id, service_id) references linked_service (authority_id, id) on delete cascade
);
create index linked_failure_age on linked_failure (authority_id, day);
