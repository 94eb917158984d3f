-- Administrators of an authority, and applications registered in the administration pages.

-- Who may administer the authority; no right on requests comes with it.
create table administrator (
  authority_id uuid not null,
  account_id uuid not null,
  since {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Counts the changes: a form filled in from an older one is refused.
alter table sso_client add column version bigint not null default 1;
-- The secret before the present one, still good until then.
alter table sso_client add column old_secret_hash {bytes};
alter table sso_client add column old_secret_until {time};

-- Who changed an application, when, and what it then was. Outlives the application; holds no secret.
create table sso_change (
  authority_id uuid not null references authority (id),
  id uuid not null,
  client_id text not null,
  at {time} not null,
  code text not null,
  -- None from the command line. The name stays as it was that day.
  actor_id uuid,
  actor_name text,
  declaration {json} not null,
  primary key (authority_id, id)
);
create index sso_change_client on sso_change (authority_id, client_id, id);
create index sso_consent_client on sso_consent (authority_id, client_id);
create index sso_visit_client on sso_visit (authority_id, client_id);

-- How a session was opened: password, code, recovery, provider, provider-code, passkey or synced-passkey; none
-- without account.
alter table session add column means text;
-- The same for what was authorized from it, and the level that was asked for and reached.
alter table sso_grant add column means text;
alter table sso_grant add column acr text;
