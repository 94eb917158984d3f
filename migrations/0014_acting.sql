-- Acting in somebody's name: organisations and their representatives, mandates, and who did what.

-- A company, an association or another body that files requests as such. Its number is checked for its
-- form only, until an agent has seen its papers.
create table organisation (
  authority_id uuid not null references authority (id),
  id uuid not null,
  -- company, association, other.
  kind text not null,
  siret text,
  rna text,
  name text not null,
  address text not null,
  declared_at {time} not null,
  -- When an agent checked its papers at the counter; none: declared only.
  verified_at {time},
  -- The representative to whom the president proposed the presidency.
  successor_id uuid,
  primary key (authority_id, id)
);
create unique index organisation_siret_key on organisation (authority_id, siret);
create unique index organisation_rna_key on organisation (authority_id, rna);

-- One president at most; what a role may is in the code.
create table representative (
  authority_id uuid not null,
  organisation_id uuid not null,
  account_id uuid not null,
  -- president, delegate, reader.
  role text not null,
  since {time} not null,
  primary key (authority_id, organisation_id, account_id),
  foreign key (authority_id, organisation_id) references organisation (authority_id, id) on delete cascade,
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index representative_account on representative (authority_id, account_id);
create unique index representative_president_key on representative (authority_id, organisation_id) where role = 'president';

-- The principal's account lets the helper's act for it.
create table mandate (
  authority_id uuid not null,
  id uuid not null,
  principal_id uuid not null,
  -- None until the helper has accepted, or since they closed their account.
  helper_id uuid,
  -- family, social, digital.
  kind text not null,
  -- Themes and procedures; both empty: everything.
  scope {json} not null,
  -- Codes of what the helper may do, joined by commas.
  may text not null,
  -- Last day.
  until date not null,
  offered_at {time} not null,
  accepted_at {time},
  ended_at {time},
  -- The agent who recorded it from a signed paper.
  recorded_by uuid,
  primary key (authority_id, id),
  foreign key (authority_id, principal_id) references account (authority_id, id) on delete cascade
);
create index mandate_principal on mandate (authority_id, principal_id, offered_at);
create index mandate_helper on mandate (authority_id, helper_id, offered_at) where helper_id is not null;
create index mandate_end on mandate (authority_id, until) where ended_at is null;

-- Awaits the answer of whoever reads this mailbox. The token is only in the mail.
create table invitation (
  authority_id uuid not null references authority (id),
  id uuid not null,
  -- organisation or mandate, and which.
  kind text not null,
  subject_id uuid not null,
  email text not null,
  -- What a representative is invited to be.
  role text,
  token_hash {bytes},
  expires_at {time} not null,
  primary key (authority_id, id)
);
create index invitation_subject on invitation (authority_id, subject_id);
create unique index invitation_token_key on invitation (authority_id, token_hash);
create index invitation_expiry on invitation (authority_id, expires_at);

-- What was done about an organisation or a mandate, or with it. Requests have their own history.
create table acting_event (
  authority_id uuid not null references authority (id),
  id uuid not null,
  kind text not null,
  subject_id uuid not null,
  at {time} not null,
  -- Whose account, and their name that day: it outlives the account.
  actor_id uuid not null,
  actor_name text not null,
  code text not null,
  -- A reference, a name, or the reason that an agent wrote.
  detail text not null,
  primary key (authority_id, id)
);
create index acting_event_subject on acting_event (authority_id, subject_id, at);

-- In whose name the session's person acts; none: their own.
alter table session add column acting_kind text;
alter table session add column acting_id uuid;

-- Whose a draft or a request is: an account, an organisation, or nobody (filed without account).
alter table draft add column organisation_id uuid;
alter table draft add column acted_by uuid;
create index draft_organisation on draft (authority_id, organisation_id, updated_at) where organisation_id is not null;
alter table request add column organisation_id uuid;
-- The account that sent it in somebody's name, and by what right, as it was that day.
alter table request add column acted_by uuid;
alter table request add column acted_as text;
create index request_organisation on request (authority_id, organisation_id, submitted_at) where organisation_id is not null;
-- mandate or organisation, when its actor acted in somebody's name.
alter table request_event add column acted text;
