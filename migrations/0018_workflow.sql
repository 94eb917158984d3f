-- What the clocks of a request count with, its open timers among them; and when the platform has to look at
-- it again, the earliest of those.
alter table request add column clocks {json} not null default '{}';
alter table request add column wake_at {time};
create index request_wake on request (authority_id, wake_at, id) where wake_at is not null;

-- What an agent answered to the form of a transition, by its entry in the history; and the latest answer to
-- each question, for conditions.
create table request_form (
  authority_id uuid not null,
  request_id uuid not null,
  seq bigint not null,
  transition text not null,
  answers {json} not null,
  primary key (authority_id, request_id, seq),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
alter table request add column given {json} not null default '{}';
