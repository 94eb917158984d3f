-- What usagers see of their data: which department read their requests, and the linked services.

-- On which days a department opened a request, for the person it is about: no agent's name, no hour.
create table request_reading (
  authority_id uuid not null,
  request_id uuid not null,
  department_id text not null,
  day date not null,
  primary key (authority_id, request_id, department_id, day),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index request_reading_age on request_reading (authority_id, day);
