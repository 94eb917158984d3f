-- « Mon foyer »: the people that a usager declares, for themselves only. No agent reads this table.

create table household_member (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  -- child, partner, parent, other: what the member is to the account's owner.
  relation text not null,
  -- Civil identity, in the shape of the field kind « identity ».
  identity {json} not null,
  -- Whether the owner says they are legally responsible for a minor; none for an adult.
  responsible boolean,
  -- A day, a month or a year: as far as it is known.
  deceased_on text,
  declared_at {time} not null,
  changed_at {time} not null,
  primary key (authority_id, account_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
