-- How identities are verified at the counter and by post, and what a request keeps of it.

-- Kind of paper shown at the counter (« passeport »); never its number nor a copy.
alter table verified_identity add column document text;

-- An identity declared, waiting for the code that a letter brings to the address declared with it. One by
-- account. The code is derived from the installation's secret and the letter's id: nothing of it is kept.
create table identity_letter (
  authority_id uuid not null,
  account_id uuid not null,
  id uuid not null,
  -- In the shape of the field kinds « identity » and « address »; none once cancelled.
  identity {json},
  address {json},
  asked_at {time} not null,
  posted_at {time},
  posted_by uuid,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

create index identity_letter_queue on identity_letter (authority_id, asked_at, id) where posted_at is null;
create index identity_letter_posted on identity_letter (authority_id, posted_at);

-- Which parts of which answers of a request were certified when it was sent, by what source and when; and
-- what its filer says is wrong with them. The parts themselves are in the answers.
create table request_certified (
  authority_id uuid not null,
  request_id uuid not null,
  field text not null,
  source text not null,
  verified_at {time} not null,
  -- Names of members of the answer: ["nom_naissance", "prenoms"].
  parts {json} not null,
  remark text,
  primary key (authority_id, request_id, field),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
