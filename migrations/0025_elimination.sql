-- What is kept no longer: lists of requests whose time is over, which an archivist's visa lets go.

-- Who keeps the archives of the authority; no right on requests comes with it.
create table archivist (
  authority_id uuid not null,
  account_id uuid not null,
  since {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- « Bordereau d'élimination »: what one department proposes to eliminate. It outlives what it lists.
create table disposal (
  authority_id uuid not null references authority (id),
  id uuid not null,
  number bigint not null,
  department_id text not null,
  made_at {time} not null,
  made_by uuid not null,
  -- Given up: nothing of it is eliminated.
  dropped_at {time},
  -- The visa: who signed, under which number, on which day; when and by whom it was noted here.
  visa_by text,
  visa_number text,
  visa_on date,
  noted_at {time},
  noted_by uuid,
  -- When the last of its requests was eliminated.
  done_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create unique index disposal_number_key on disposal (authority_id, number);

-- The procedures of a list, with the retention that their users were told of.
create table disposal_part (
  authority_id uuid not null,
  disposal_id uuid not null,
  procedure_id text not null,
  procedure_version bigint not null,
  title text not null,
  -- « 1 an », and on what ground.
  dua text not null,
  basis text not null,
  -- destroy or sample
  fate text not null,
  primary key (authority_id, disposal_id, procedure_id, procedure_version),
  foreign key (authority_id, disposal_id) references disposal (authority_id, id) on delete cascade
);

-- A request of a list: no personal data beside its reference. It names the request for as long as that is there.
create table disposal_line (
  authority_id uuid not null,
  disposal_id uuid not null,
  request_id uuid not null,
  reference text not null,
  procedure_id text not null,
  procedure_version bigint not null,
  submitted_at {time} not null,
  ended_at {time} not null,
  -- Taken out of the list: the last day it is kept for that, and why.
  kept_until date,
  kept_reason text not null default '',
  done_at {time},
  primary key (authority_id, disposal_id, request_id),
  foreign key (authority_id, disposal_id, procedure_id, procedure_version) references disposal_part (authority_id, disposal_id, procedure_id, procedure_version) on delete cascade
);
-- In one list at a time.
create unique index disposal_line_request_key on disposal_line (authority_id, request_id) where kept_until is null;
create index disposal_line_request on disposal_line (authority_id, request_id);
create index disposal_line_reference on disposal_line (authority_id, disposal_id, reference);
create index disposal_line_left on disposal_line (authority_id, disposal_id, request_id) where done_at is null and kept_until is null;

-- A request that must stay, whatever its time (« gel »): litigation, inquiry.
create table legal_hold (
  authority_id uuid not null,
  request_id uuid not null,
  reason text not null,
  at {time} not null,
  by_id uuid not null,
  primary key (authority_id, request_id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index legal_hold_at on legal_hold (authority_id, at);

-- What goes with a request.
create index safe_use_file on safe_use (authority_id, file_id);
create index request_grant_request on request_grant (authority_id, request_id);

-- What ended under one version of a procedure, oldest first: its time of retention is the same for all.
create index request_ended on request (authority_id, procedure_id, procedure_version, department_id, ended_at, id) where ended_at is not null;
