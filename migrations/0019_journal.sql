-- The journal: who read or wrote what about whom, for which request, when.

-- One line, as its writer leaves it: ids and codes, no text. Its hash is chained by a worker within seconds;
-- erasing it removes it whole, salt included, and the chain keeps a hash that nobody can try values against.
create table journal (
  authority_id uuid not null references authority (id),
  id uuid not null,
  at {time} not null,
  -- Of a reading of a request by its department: the local day, which its owner sees.
  day date,
  action text not null,
  -- agent, usager, system, operator (command line)
  actor_kind text not null,
  actor_id uuid,
  department_id text,
  -- What it is about, beside the request: account, file, organisation, mandate…
  subject_kind text,
  subject_id uuid,
  request_id uuid,
  detail text not null,
  salt {bytes} not null,
  sealed boolean not null default false,
  primary key (authority_id, id)
);
create index journal_unsealed on journal (authority_id, id) where sealed = false;
create index journal_at on journal (authority_id, at, id);
create index journal_action on journal (authority_id, action, at);
create index journal_actor on journal (authority_id, actor_id, at);
create index journal_subject on journal (authority_id, subject_id, at);
create index journal_request on journal (authority_id, request_id, at);

-- The chain: one link for each sealed line, numbered from 1 without a hole.
create table journal_link (
  authority_id uuid not null references authority (id),
  seq bigint not null,
  entry_id uuid not null,
  -- SHA-256 of the line and its salt.
  hash {bytes} not null,
  -- Signed: the line was erased by us.
  erased {bytes},
  primary key (authority_id, seq)
);
create unique index journal_link_entry on journal_link (authority_id, entry_id);

-- Where the chain stands (head) and from where it is kept (checkpoint), signed.
create table journal_head (
  authority_id uuid not null references authority (id),
  kind text not null,
  seq bigint not null,
  hash {bytes} not null,
  at {time} not null,
  signature {bytes} not null,
  primary key (authority_id, kind)
);
