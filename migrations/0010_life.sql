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
