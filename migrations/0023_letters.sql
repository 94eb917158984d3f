-- Templates of letters and mails, the letters made of them, and who may sign.

-- Of one department. `code`: what workflows call a letter; of a mail, `courriel-` and the message it stands for.
create table letter_template (
  authority_id uuid not null,
  department_id text not null,
  code text not null,
  -- letter, certificate or mail.
  genre text not null,
  -- The present one of its versions.
  version bigint not null,
  primary key (authority_id, department_id, code),
  foreign key (authority_id, department_id) references department (authority_id, id)
);

-- Never changed, never removed: letters name the version they were made of.
create table letter_version (
  authority_id uuid not null,
  department_id text not null,
  code text not null,
  version bigint not null,
  title text not null,
  subject text not null,
  body text not null,
  saved_at {time} not null,
  -- None: it came with a procedure.
  saved_by uuid,
  primary key (authority_id, department_id, code, version),
  foreign key (authority_id, department_id, code) references letter_template (authority_id, department_id, code)
);

-- A letter as it was read before it was sent. Its file has the same id, once it is made.
create table letter (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  department_id text not null,
  code text not null,
  version bigint not null,
  title text not null,
  content {json} not null,
  written_on date not null,
  -- None: the platform made it by itself.
  author_id uuid,
  made_at {time},
  -- To print and post, beside the usager's page.
  to_post boolean not null,
  posted_at {time},
  posted_by uuid,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index letter_request on letter (authority_id, request_id);
create index letter_waiting on letter (authority_id, department_id, id) where to_post and posted_at is null;

-- Who may sign which decisions, since when and until when, by which act. A line is ended, never changed.
create table delegation (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  department_id text not null,
  -- « Adjointe au maire déléguée à l'état civil ».
  quality text not null,
  -- Ids of procedures; none: every one of the department.
  procedures {json} not null,
  -- all, favourable or refusal.
  decisions text not null,
  -- False: signs in their own right, as the mayor does.
  delegated boolean not null,
  act_number text not null,
  act_date date not null,
  from_on date not null,
  until_on date,
  created_at {time} not null,
  created_by uuid not null,
  ended_by uuid,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id),
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index delegation_department on delegation (authority_id, department_id, from_on);
create index delegation_account on delegation (authority_id, account_id);
alter table decision add column delegation_id uuid;
