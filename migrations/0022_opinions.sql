-- What usagers think of requests that ended.

-- One for each request, with its comment; it goes with the request.
create table opinion (
  authority_id uuid not null,
  request_id uuid not null,
  procedure_id text not null,
  department_id text not null,
  -- From 1 (not satisfied at all) to 5 (very satisfied).
  score bigint not null,
  comment text not null,
  -- silent (no comment), waiting (for its reading), published or hidden.
  state text not null,
  -- Why it is hidden, told to its author.
  reason text not null,
  given_on date not null,
  judged_by uuid,
  primary key (authority_id, request_id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index opinion_waiting on opinion (authority_id, state, department_id, given_on);
create index opinion_published on opinion (authority_id, procedure_id, state, given_on);
