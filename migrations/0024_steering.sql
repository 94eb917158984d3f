-- What is counted, as it happens: appended by whoever files or processes, so that nobody waits for a common
-- row; folded into `tally` by a worker, a minute later. Neither names a request or a person.
create table fact (
  authority_id uuid not null references authority (id),
  id uuid not null,
  day date not null,
  department_id text not null,
  procedure_id text not null,
  measure text not null,
  -- A transition, two steps of a form, a mark.
  what text not null,
  channel text not null,
  -- Of an answer: « days:1 », whole days since the request was sent (see `steering::bucket`).
  delays text not null,
  primary key (authority_id, id)
);
create index fact_tail on fact (authority_id, department_id, measure, day);

-- Who folds adds to what is there: one at a time.
create table tally_turn (
  authority_id uuid not null references authority (id),
  at {time} not null,
  primary key (authority_id)
);

-- How far a draft has gone in its form: steps are counted once.
alter table draft add column furthest bigint not null default 0;

-- Who gets the figures of a department by mail, how often, and the first day of the last period told.
create table statistics_mail (
  authority_id uuid not null,
  department_id text not null,
  account_id uuid not null,
  every text not null,
  told date not null,
  primary key (authority_id, department_id, account_id),
  foreign key (authority_id, department_id) references department (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- What agents chose about reminders of late requests; who chose nothing gets them each working day.
create table reminder_choice (
  authority_id uuid not null,
  account_id uuid not null,
  every text not null,
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- The last day for which reminders and escalations were made.
create table reminder_round (
  authority_id uuid not null references authority (id),
  day date not null,
  primary key (authority_id)
);

-- « Retards »: what waits for the department, by the day when it is due.
create index request_late on request (authority_id, department_id, ended, status, due_at, procedure_id) where ended = false and status in ('sent', 'in-progress');
