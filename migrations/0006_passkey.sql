-- Passkeys (WebAuthn) of usagers and of agents.

create table passkey (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  -- The id that the authenticator chose.
  credential {bytes} not null,
  -- Public key, counter and flags, as the WebAuthn library keeps them.
  public_key {json} not null,
  name text not null,
  created_at {time} not null,
  used_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index passkey_credential_key on passkey (authority_id, credential);
create index passkey_account on passkey (authority_id, account_id);

-- Challenges that were answered, until they expire by themselves: none is answered twice. Those that are
-- only asked leave nothing here.
create table passkey_answer (
  authority_id uuid not null,
  digest {bytes} not null,
  expires_at {time} not null,
  primary key (authority_id, digest),
  foreign key (authority_id) references authority (id) on delete cascade
);

-- The passkey that opened the session, or was added in it: it counts as both factors.
alter table session add column passkey_id uuid;
