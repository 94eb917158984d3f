-- The life of an account: changing its address, opening it at the counter, joining two, closing.

-- A change of address under way: done once both addresses have agreed.
create table email_change (
  authority_id uuid not null,
  account_id uuid not null,
  -- The new address.
  email text not null,
  asked_at {time} not null,
  new_agreed_at {time},
  -- Agreed at the former address, or by the agent who checked the owner's identity.
  old_agreed_at {time},
  expires_at {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index email_change_expiry on email_change (authority_id, expires_at);

-- Which of its codes a request without account is followed by; no row: the first, number zero.
create table tracking_code (
  authority_id uuid not null,
  request_id uuid not null,
  generation bigint not null,
  primary key (authority_id, request_id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);

-- The printed code that opens an account made at the counter: the latest one, kept like a password.
create table activation (
  authority_id uuid not null,
  account_id uuid not null,
  code_hash text not null,
  expires_at {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Why an account closed, and the account that took up what it held.
alter table account add column closed_reason text;
alter table account add column merged_into uuid;
create index account_merged on account (authority_id, merged_into) where merged_into is not null;

-- Names by which applications knew an account that was merged, when they knew the kept one too.
create table sso_alias (
  authority_id uuid not null,
  client_id text not null,
  subject text not null,
  account_id uuid not null,
  since {time} not null,
  primary key (authority_id, client_id, subject),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, client_id) references sso_client (authority_id, id) on delete cascade
);
create index sso_alias_account on sso_alias (authority_id, account_id);
