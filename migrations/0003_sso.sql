-- Guichet as the single sign-on of the authority's other applications (CAS and OpenID Connect).

-- An application that usagers may sign in to with their account here, as its file declares it.
create table sso_client (
  authority_id uuid not null references authority (id),
  id text not null,
  declaration {json} not null,
  secret_hash {bytes},
  created_at {time} not null,
  updated_at {time} not null,
  primary key (authority_id, id)
);

-- Under which name an application knows an account: random, so that two of them cannot join their files.
create table sso_subject (
  authority_id uuid not null,
  account_id uuid not null,
  client_id text not null,
  subject text not null,
  created_at {time} not null,
  primary key (authority_id, account_id, client_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);
create unique index sso_subject_key on sso_subject (authority_id, client_id, subject);

-- What an usager agreed to give to an application.
create table sso_consent (
  authority_id uuid not null,
  account_id uuid not null,
  client_id text not null,
  claims {json} not null,
  given_at {time} not null,
  primary key (authority_id, account_id, client_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);

-- CAS: service tickets (ST), proxy tickets (PT), proxy-granting tickets (PGT). Gone with their session.
create table sso_ticket (
  authority_id uuid not null,
  hash {bytes} not null,
  kind text not null,
  client_id text not null,
  service text not null,
  session_id uuid not null,
  -- Obtained by presenting credentials, not from a session that was there.
  renewed boolean not null,
  -- Addresses of the proxies it went through, latest first.
  proxies {json} not null,
  expires_at {time} not null,
  primary key (authority_id, hash),
  foreign key (authority_id, session_id) references session (authority_id, id) on delete cascade,
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);
create index sso_ticket_session on sso_ticket (authority_id, session_id);
create index sso_ticket_expiry on sso_ticket (authority_id, expires_at);

-- OpenID Connect: one authorization. Its code, then its tokens; gone with its session.
create table sso_grant (
  authority_id uuid not null,
  id uuid not null,
  client_id text not null,
  account_id uuid not null,
  session_id uuid not null,
  code_hash {bytes} not null,
  code_until {time} not null,
  code_used boolean not null,
  redirect_uri text not null,
  challenge text,
  nonce text,
  claims {json} not null,
  auth_time {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, session_id) references session (authority_id, id) on delete cascade,
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);
create unique index sso_grant_code_key on sso_grant (authority_id, code_hash);
create index sso_grant_session on sso_grant (authority_id, session_id);
create index sso_grant_account on sso_grant (authority_id, account_id, client_id);

create table sso_token (
  authority_id uuid not null,
  hash {bytes} not null,
  grant_id uuid not null,
  kind text not null,
  expires_at {time} not null,
  used boolean not null,
  primary key (authority_id, hash),
  foreign key (authority_id, grant_id) references sso_grant (authority_id, id) on delete cascade
);
create index sso_token_grant on sso_token (authority_id, grant_id);
create index sso_token_expiry on sso_token (authority_id, expires_at);

-- Applications entered in a session, to be told when it ends: no foreign key to the session, which goes first.
create table sso_visit (
  authority_id uuid not null,
  id uuid not null,
  session_id uuid not null,
  client_id text not null,
  -- CAS: where the ticket was for, and the ticket, used up and so worth nothing. OpenID Connect: none.
  service text,
  ticket text,
  subject text not null,
  at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);
create index sso_visit_session on sso_visit (authority_id, session_id);

-- Keys that sign what applications get; the private part is sealed with the installation's secret.
create table sso_key (
  authority_id uuid not null references authority (id),
  id text not null,
  sealed {bytes} not null,
  created_at {time} not null,
  -- Published from its making on, used from then.
  signs_from {time} not null,
  primary key (authority_id, id)
);
