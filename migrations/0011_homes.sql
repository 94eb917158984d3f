-- Where usagers live, and since when. Private to the account: a request holds only what was typed in it.

create table account_address (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  -- main or other.
  kind text not null,
  -- In the shape of the field kind « address ».
  address {json} not null,
  from_day date not null,
  until_day date,
  -- Never shown to another member of a shared household, never typed by itself, told as such to agents.
  confidential boolean not null,
  declared_at {time} not null,
  primary key (authority_id, account_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- Whether an answer holds an address that its filer keeps confidential.
alter table request add column confidential_address boolean not null default false;

-- « Je change de coordonnées »: what was declared on one day, and the request that each department got.
create table coordinate_change (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  declared_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index coordinate_change_account on coordinate_change (authority_id, account_id, declared_at);

create table coordinate_change_request (
  authority_id uuid not null,
  change_id uuid not null,
  request_id uuid not null,
  primary key (authority_id, change_id, request_id),
  foreign key (authority_id, change_id) references coordinate_change (authority_id, id) on delete cascade,
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index coordinate_change_request_request on coordinate_change_request (authority_id, request_id);

-- Somebody whom the account's owner protects: tutelle, curatelle and the like, and its period.
alter table household_member add column measure text;
alter table household_member add column measure_from date;
alter table household_member add column measure_until date;

-- What somebody shows another adult of their household, once invited and accepted. Refused or ended, the row is
-- gone: nothing is kept of it.
create table household_share (
  authority_id uuid not null,
  id uuid not null,
  -- Who invites, and the address invited.
  owner_id uuid not null,
  email text not null,
  email_key text not null,
  -- Both whole households, or only the owner's children named in household_share_member.
  whole boolean not null,
  -- Of the link in the mail; none before it is sent and once it has served.
  token_hash {bytes},
  created_at {time} not null,
  expires_at {time} not null,
  guest_id uuid,
  accepted_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, owner_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, guest_id) references account (authority_id, id) on delete cascade
);
create unique index household_share_token_key on household_share (authority_id, token_hash) where token_hash is not null;
create index household_share_owner on household_share (authority_id, owner_id, created_at);
create index household_share_expiry on household_share (authority_id, expires_at) where guest_id is null;
create index household_share_guest on household_share (authority_id, guest_id);

create table household_share_member (
  authority_id uuid not null,
  share_id uuid not null,
  owner_id uuid not null,
  member_id uuid not null,
  primary key (authority_id, share_id, member_id),
  foreign key (authority_id, share_id) references household_share (authority_id, id) on delete cascade,
  foreign key (authority_id, owner_id, member_id) references household_member (authority_id, account_id, id) on delete cascade
);
create index household_share_member_member on household_share_member (authority_id, owner_id, member_id);
