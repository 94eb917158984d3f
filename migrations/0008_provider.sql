-- Identity providers: others that usagers and agents may sign in with (OpenID Connect).

-- A provider, as its file declares it.
create table provider (
  authority_id uuid not null references authority (id),
  id text not null,
  declaration {json} not null,
  -- What we prove ourselves with there, sealed under the installation's secret.
  sealed_secret {bytes} not null,
  created_at {time} not null,
  updated_at {time} not null,
  primary key (authority_id, id)
);

-- Whose account a provider's identity opens. The names are those that the provider gave last.
create table provider_link (
  authority_id uuid not null,
  provider_id text not null,
  subject text not null,
  account_id uuid not null,
  first_name text not null,
  last_name text not null,
  linked_at {time} not null,
  used_at {time},
  primary key (authority_id, provider_id, subject),
  foreign key (authority_id, provider_id) references provider (authority_id, id) on delete cascade,
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create unique index provider_link_account on provider_link (authority_id, account_id, provider_id);

-- Agents who took a provider's identity away from their account: no address gives it back, only their password.
create table provider_unlinked (
  authority_id uuid not null,
  account_id uuid not null,
  provider_id text not null,
  at {time} not null,
  primary key (authority_id, account_id, provider_id),
  foreign key (authority_id, provider_id) references provider (authority_id, id) on delete cascade,
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Somebody on their way: sent to a provider, or back from it and not yet signed in. Sealed, bound to one
-- browser, taken away when it serves, gone after half an hour.
create table provider_attempt (
  authority_id uuid not null,
  hash {bytes} not null,
  provider_id text not null,
  -- Hash of what a cookie of the browser holds.
  browser {bytes} not null,
  -- asked (sent there), arrived (back, without an account here), code (back, the second factor is awaited).
  stage text not null,
  sealed {bytes} not null,
  expires_at {time} not null,
  primary key (authority_id, hash),
  foreign key (authority_id, provider_id) references provider (authority_id, id) on delete cascade
);
create index provider_attempt_age on provider_attempt (authority_id, expires_at);

-- Sessions opened through a provider, with the sealed ID token that ends the session there too.
create table provider_session (
  authority_id uuid not null,
  session_id uuid not null,
  provider_id text not null,
  sealed {bytes} not null,
  -- When credentials were given there; none when nobody said so.
  proved_at {time},
  primary key (authority_id, session_id),
  foreign key (authority_id, session_id) references session (authority_id, id) on delete cascade,
  foreign key (authority_id, provider_id) references provider (authority_id, id) on delete cascade
);
create index provider_session_provider on provider_session (authority_id, provider_id);
