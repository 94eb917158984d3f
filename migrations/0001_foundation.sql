-- Every table of an authority begins its primary key with the authority's id: pooling today,
-- sharding tomorrow. {json}, {time} and {bytes} are the only types that differ by engine.

create table authority (
  id uuid not null primary key,
  slug text not null,
  name text not null,
  settings {json} not null,
  created_at {time} not null
);
create unique index authority_slug_key on authority (slug);

create table authority_host (
  host text not null primary key,
  authority_id uuid not null references authority (id)
);

create table department (
  authority_id uuid not null references authority (id),
  id text not null,
  name text not null,
  email text,
  phone text,
  address text,
  hours text,
  primary key (authority_id, id)
);

-- Usagers and agents sign in apart: one person may be both, with the same e-mail.
create table account (
  authority_id uuid not null references authority (id),
  id uuid not null,
  kind text not null,
  -- What its owner signs in with: their address, or a name made for them at the counter. One account each.
  login text not null,
  login_key text not null,
  -- Where we write, proved by its mailbox: several people may share one. None: they read the site.
  email text,
  email_key text,
  -- None: its owner enters by another way.
  password_hash text,
  first_name text not null,
  last_name text not null,
  phone text,
  quality text,
  created_at {time} not null,
  confirmed_at {time},
  closed_at {time},
  primary key (authority_id, id)
);
create unique index account_login_key on account (authority_id, kind, login_key);
create index account_email on account (authority_id, kind, email_key);
create index account_unconfirmed on account (authority_id, kind, created_at) where confirmed_at is null;

create table membership (
  authority_id uuid not null,
  account_id uuid not null,
  department_id text not null,
  role text not null,
  primary key (authority_id, account_id, department_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id)
);

create table session (
  authority_id uuid not null references authority (id),
  id uuid not null,
  token_hash {bytes} not null,
  kind text not null,
  account_id uuid,
  created_at {time} not null,
  seen_at {time} not null,
  expires_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index session_token_key on session (authority_id, token_hash);
create index session_expiry on session (expires_at);

-- Single-use links sent by e-mail (address confirmation, password reset, new address), and where to.
create table link (
  authority_id uuid not null,
  token_hash {bytes} not null,
  purpose text not null,
  account_id uuid not null,
  email text not null,
  expires_at {time} not null,
  used_at {time},
  primary key (authority_id, token_hash),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Failed attempts, counted across replicas.
create table attempt (
  authority_id uuid not null references authority (id),
  subject text not null,
  failures bigint not null,
  last_at {time} not null,
  primary key (authority_id, subject)
);

create table procedure_version (
  authority_id uuid not null references authority (id),
  procedure_id text not null,
  version bigint not null,
  hash text not null,
  format bigint not null,
  body text not null,
  published_at {time} not null,
  retired_at {time},
  primary key (authority_id, procedure_id, version)
);

-- What somebody is filling in: exactly what was typed, page after page.
create table draft (
  authority_id uuid not null references authority (id),
  id uuid not null,
  procedure_id text not null,
  procedure_version bigint not null,
  reference text not null,
  account_id uuid,
  session_id uuid,
  -- Who it is for, as typed so far; none when that is the filer.
  beneficiary text,
  raw {json} not null,
  created_at {time} not null,
  updated_at {time} not null,
  expires_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, procedure_id, procedure_version) references procedure_version (authority_id, procedure_id, version),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index draft_reference_key on draft (authority_id, reference);
create index draft_account on draft (authority_id, account_id, updated_at);
create index draft_session on draft (authority_id, session_id, updated_at);
create index draft_expiry on draft (expires_at);

-- The request's id is its draft's id: sending twice makes one request.
create table request (
  authority_id uuid not null references authority (id),
  id uuid not null,
  reference text not null,
  procedure_id text not null,
  procedure_version bigint not null,
  department_id text not null,
  account_id uuid,
  filer_name text,
  -- Who it is for, when that is not the filer.
  beneficiary text,
  email text,
  answers {json} not null,
  state text not null,
  status text not null,
  ended boolean not null,
  holder_id uuid,
  submitted_at {time} not null,
  updated_at {time} not null,
  due_at {time} not null,
  completed_at {time},
  suspended_at {time},
  ended_at {time},
  -- From when it is an archive: ended, and no longer in current use; none as long as that is not known.
  archive_at {time},
  version bigint not null,
  primary key (authority_id, id),
  foreign key (authority_id, procedure_id, procedure_version) references procedure_version (authority_id, procedure_id, version),
  foreign key (authority_id, department_id) references department (authority_id, id),
  foreign key (authority_id, holder_id) references account (authority_id, id)
);
create unique index request_reference_key on request (authority_id, reference);
create index request_desk on request (authority_id, department_id, ended, due_at, id);
create index request_desk_sent on request (authority_id, department_id, ended, submitted_at, id);
create index request_account on request (authority_id, account_id, submitted_at);
create index request_archive on request (authority_id, archive_at, id) where archive_at is not null;
create index request_holder on request (authority_id, holder_id, ended, due_at);

-- Sessions without account that proved they know a request: they sent it, or gave its code.
create table request_grant (
  authority_id uuid not null,
  session_id uuid not null,
  request_id uuid not null,
  primary key (authority_id, session_id, request_id),
  foreign key (authority_id, session_id) references session (authority_id, id) on delete cascade,
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);

-- Append-only history: ids, codes and times; texts live in rows that can be erased.
create table request_event (
  authority_id uuid not null,
  request_id uuid not null,
  seq bigint not null,
  at {time} not null,
  actor text not null,
  actor_id uuid,
  code text not null,
  from_state text,
  to_state text,
  subject_id uuid,
  primary key (authority_id, request_id, seq),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);

-- Messages between usager and department, and internal notes.
create table message (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  author text not null,
  author_id uuid,
  internal boolean not null,
  body text not null,
  at {time} not null,
  read_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index message_request on message (authority_id, request_id, at);

-- What the department asked the usager to supply or to correct.
create table request_ask (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  kind text not null,
  target text not null,
  until date,
  asked_at {time} not null,
  answered_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index request_ask_request on request_ask (authority_id, request_id);

-- A decision carries its author's name, quality and service as they were that day (CRPA L212-1).
create table decision (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  favourable boolean not null,
  author_id uuid not null,
  author_name text not null,
  author_quality text not null,
  author_department text not null,
  ground text,
  facts text,
  appeal text,
  at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index decision_request on decision (authority_id, request_id, at);

-- Uploaded files of a draft, then of its request: owner_id is the id of both.
create table file (
  authority_id uuid not null references authority (id),
  id uuid not null,
  owner_id uuid not null,
  slot text not null,
  name text not null,
  media_type text not null,
  size bigint not null,
  sha256 {bytes} not null,
  at {time} not null,
  primary key (authority_id, id)
);
create index file_owner on file (authority_id, owner_id, slot);

-- Effects to carry out, at least once; one row per effect.
create table job (
  authority_id uuid not null references authority (id),
  id uuid not null,
  kind text not null,
  format bigint not null,
  effect text not null,
  request_id uuid,
  payload {json} not null,
  run_at {time} not null,
  attempts bigint not null,
  lease uuid,
  leased_until {time},
  last_error text,
  created_at {time} not null,
  done_at {time},
  failed_at {time},
  primary key (authority_id, id)
);
create unique index job_effect_key on job (authority_id, effect);
create index job_ready on job (run_at, id) where done_at is null and failed_at is null;
create index job_failed on job (authority_id, failed_at) where failed_at is not null;
create index job_request on job (authority_id, request_id, id);

-- The outbox of a portal without mail server: what would have been sent.
create table outbox (
  authority_id uuid not null references authority (id),
  id uuid not null,
  message_id text not null,
  recipient text not null,
  subject text not null,
  body text not null,
  at {time} not null,
  primary key (authority_id, id)
);
create unique index outbox_message_key on outbox (authority_id, message_id);
