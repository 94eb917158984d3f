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
