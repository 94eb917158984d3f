-- Of an anonymous survey: no account, no session, no hour, and an id that tells nothing of when; nor does the order in
-- which rows are kept, which is that of this key.
create table survey_answer (
  authority_id uuid not null,
  survey_id text not null,
  id uuid not null,
  account_id uuid,
  answers json not null,
  day date not null,
  primary key (authority_id, survey_id, id),
  foreign key (authority_id, survey_id) references survey (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
) without rowid;
create unique index survey_answer_once on survey_answer (authority_id, account_id, survey_id) where account_id is not null;
