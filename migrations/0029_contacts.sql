-- What was said or received otherwise than on the portal's pages.

-- A visit, a call, a letter, a fax, an SMS, a mail: on a request, or to qualify. It goes with its request.
create table contact (
  authority_id uuid not null references authority (id),
  id uuid not null,
  -- Who answers for it.
  department_id text not null,
  request_id uuid,
  -- visit, call, letter, fax, sms or email.
  channel text not null,
  -- True: from the usager.
  incoming boolean not null,
  -- When it happened, and when it was written down.
  at {time} not null,
  recorded_at {time} not null,
  -- None: it arrived by itself.
  recorded_by uuid,
  -- Who, and their address or number, as they say: it proves nothing.
  who text not null,
  address text not null,
  subject text not null,
  body text not null,
  -- What a mail repeats of earlier ones.
  quoted text not null,
  -- The usager sees it on the page of their request.
  shared boolean not null,
  -- The message of the same id holds its text, on the request that it answers.
  as_message boolean not null,
  -- waiting, tied or closed.
  state text not null,
  reason text not null,
  settled_at {time},
  settled_by uuid,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index contact_request on contact (authority_id, request_id, at);
create index contact_waiting on contact (authority_id, department_id, at, id) where state = 'waiting';
create index contact_closed on contact (authority_id, department_id, settled_at, id) where state = 'closed';
create index contact_old on contact (authority_id, recorded_at) where request_id is null;
create index file_contact on file (authority_id, at) where slot = 'contact';
