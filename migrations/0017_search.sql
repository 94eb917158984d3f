-- What requests are found by: tokens made by the program (folded, stemmed), the same for both engines, whose
-- own indexes are in the two files beside. A row goes with its request. `number` tells newest from oldest.
create table request_search (
  authority_id uuid not null,
  request_id uuid not null,
  number bigint not null,
  -- Department (with its authority) and procedure.
  place text not null,
  names text not null,
  answers text not null,
  messages text not null,
  primary key (authority_id, request_id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);

-- Lists narrowed by one thing: without these a rare value would have the whole table read.
create index request_desk_status on request (authority_id, department_id, ended, status, submitted_at, id);
create index request_desk_procedure on request (authority_id, department_id, procedure_id, ended, submitted_at, id);
create index request_desk_holder on request (authority_id, department_id, holder_id, ended, submitted_at, id);

-- Lists saved under a name: their owner's, or shared with a department.
create table desk_view (
  authority_id uuid not null references authority (id),
  id uuid not null,
  account_id uuid not null,
  department_id text,
  name text not null,
  query text not null,
  created_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index desk_view_account on desk_view (authority_id, account_id);
create index desk_view_department on desk_view (authority_id, department_id);
