-- Second factor, recovery codes, and what an account's owner may look back at.

-- One authenticator application for an account. Its secret is encrypted under the installation's.
create table factor (
  authority_id uuid not null,
  account_id uuid not null,
  sealed {bytes} not null,
  -- The step of 30 seconds of the latest code taken: no code serves twice, nor an older one after it.
  last_step bigint not null,
  created_at {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Codes for who has lost their application; each serves once.
create table recovery_code (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  hash text not null,
  used_at {time},
  primary key (authority_id, account_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- « Firefox sur Windows », at the time it was opened.
alter table session add column device text;

-- What happened at an account's door: codes, times, truncated network addresses; kept six months.
create table sign_in_event (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  at {time} not null,
  code text not null,
  device text not null,
  network text not null,
  -- The agent who did it, and why, when it was not the owner.
  actor_id uuid,
  reason text,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index sign_in_event_account on sign_in_event (authority_id, account_id, at);
create index sign_in_event_age on sign_in_event (authority_id, at);
