-- The secret key of a safe, sealed under what a passkey derives from the salt (WebAuthn level 3, `prf`).
create table safe_passkey (
  authority_id uuid not null,
  passkey_id uuid not null,
  safe_id uuid not null,
  salt {bytes} not null,
  sealed {bytes} not null,
  made_at {time} not null,
  primary key (authority_id, passkey_id),
  foreign key (authority_id, passkey_id) references passkey (authority_id, id) on delete cascade,
  foreign key (authority_id, safe_id) references safe (authority_id, id) on delete cascade
);
create index safe_passkey_safe on safe_passkey (authority_id, safe_id);
