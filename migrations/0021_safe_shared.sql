-- A safe is an account's or an organisation's: one of the two is there.
alter table safe add column organisation_id uuid;
create unique index safe_organisation_key on safe (authority_id, organisation_id);

-- The secret key of an organisation's safe, encrypted by age to the public key of a representative's own safe.
-- It goes with the representative and with their own safe.
create table safe_shared (
  authority_id uuid not null,
  safe_id uuid not null,
  organisation_id uuid not null,
  account_id uuid not null,
  -- Whose key opens it: the representative's own safe.
  reader_id uuid not null,
  sealed {bytes} not null,
  made_at {time} not null,
  primary key (authority_id, safe_id, account_id),
  foreign key (authority_id, safe_id) references safe (authority_id, id) on delete cascade,
  foreign key (authority_id, reader_id) references safe (authority_id, id) on delete cascade,
  foreign key (authority_id, organisation_id, account_id) references representative (authority_id, organisation_id, account_id) on update cascade on delete cascade
);
create index safe_shared_reader on safe_shared (authority_id, reader_id);
create index safe_shared_representative on safe_shared (authority_id, organisation_id, account_id);
