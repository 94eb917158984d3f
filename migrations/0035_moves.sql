-- Requests moved from a department to another (CRPA L114-2). The one before keeps this line, and nothing else of them.
create table request_move (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  from_department text not null,
  to_department text not null,
  -- What the usager was told; none: a rule of its circuit.
  reason text,
  moved_at {time} not null,
  moved_by uuid,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade,
  foreign key (authority_id, from_department) references department (authority_id, id),
  foreign key (authority_id, to_department) references department (authority_id, id)
);
create index request_move_request on request_move (authority_id, request_id, moved_at);
