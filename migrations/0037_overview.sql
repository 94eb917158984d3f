-- Who sees the figures of every department, and no request: the general direction, elected people.
create table observer (
  authority_id uuid not null,
  account_id uuid not null,
  since {time} not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
