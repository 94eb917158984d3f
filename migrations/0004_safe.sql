-- One safe per account or organisation (0021): a key pair whose public half is in clear, whose secret half is kept only sealed.
create table safe (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid,
  -- The age recipient (age1…), so that anybody may put something in.
  recipient text not null,
  created_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index safe_account_key on safe (authority_id, account_id);

-- The secret key, sealed once for each secret that opens it.
create table safe_wrap (
  authority_id uuid not null,
  safe_id uuid not null,
  -- password; own: a code that the owner chose; code: of recovery
  kind text not null,
  salt {bytes} not null,
  sealed {bytes} not null,
  -- The account's password is another one since: only the old one opens this.
  stale boolean not null,
  made_at {time} not null,
  primary key (authority_id, safe_id, kind),
  foreign key (authority_id, safe_id) references safe (authority_id, id) on delete cascade
);

-- Safes open at this moment: the secret key, sealed under a secret that only a cookie holds.
create table safe_opening (
  authority_id uuid not null,
  session_id uuid not null,
  safe_id uuid not null,
  sealed {bytes} not null,
  used_at {time} not null,
  primary key (authority_id, session_id),
  foreign key (authority_id, session_id) references session (authority_id, id) on delete cascade,
  foreign key (authority_id, safe_id) references safe (authority_id, id) on delete cascade
);
create index safe_opening_used on safe_opening (authority_id, used_at);

-- A document: its content is the stored object of the same id. Name and media type are in the label,
-- encrypted like the content.
create table safe_document (
  authority_id uuid not null,
  id uuid not null,
  safe_id uuid not null,
  kind text not null,
  label {bytes} not null,
  size bigint not null,
  issued_on date not null,
  -- As written on it; none when the rule of its kind decides.
  until_on date,
  -- What the city put in, so that it is put in once; none for what the usager added.
  deposit text,
  added_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, safe_id) references safe (authority_id, id) on delete cascade
);
create index safe_document_safe on safe_document (authority_id, safe_id, added_at);
create unique index safe_document_deposit_key on safe_document (authority_id, safe_id, deposit);

-- Which files of requests are copies of a document.
create table safe_use (
  authority_id uuid not null,
  document_id uuid not null,
  file_id uuid not null,
  at {time} not null,
  primary key (authority_id, document_id, file_id),
  foreign key (authority_id, document_id) references safe_document (authority_id, id) on delete cascade
);
