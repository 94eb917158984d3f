-- Civil identities that somebody other than their owner has checked: an agent at the counter, a letter,
-- a provider such as FranceConnect. One by account: a new check replaces the last.

create table verified_identity (
  authority_id uuid not null,
  account_id uuid not null,
  -- counter, post, or provider:<id>.
  source text not null,
  -- In the shape of the field kind « identity ».
  identity {json} not null,
  verified_at {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
