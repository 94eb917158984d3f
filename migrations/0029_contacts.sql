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

-- The mailbox that an authority reads, as its operator declared it; its password is sealed.
create table mailbox (
  authority_id uuid not null primary key references authority (id),
  declaration {json} not null,
  sealed {bytes} not null,
  -- Which worker reads it now.
  lease uuid,
  leased_until {time},
  read_at {time},
  last_error text
);

-- What came once and must not come twice: a keyed hash of the Message-ID, or of what stands for it.
create table received (
  authority_id uuid not null references authority (id),
  kind text not null,
  print {bytes} not null,
  at {time} not null,
  primary key (authority_id, kind, print)
);
create index received_at on received (authority_id, at);

-- The gateway by which an authority sends SMS, as its operator declared it; its password is sealed.
create table sms_gateway (
  authority_id uuid not null primary key references authority (id),
  declaration {json} not null,
  sealed {bytes} not null
);

-- The number where a usager chose to be told, once they typed the code that it received.
create table sms_number (
  authority_id uuid not null,
  account_id uuid not null,
  -- None until one is confirmed; their consent: since when.
  number text,
  confirmed_at {time},
  -- Another to confirm: the code that it was sent then is good for a while.
  asked text,
  asked_at {time} not null,
  tries bigint not null,
  -- Refused SMS in a row; after some, the number is left alone.
  failures bigint not null,
  refused_at {time},
  primary key (authority_id, account_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index sms_number_number on sms_number (authority_id, number);

-- SMS that left, to hear what became of them. Their text is of a template: it is not kept.
create table sms (
  authority_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  request_id uuid,
  what text not null,
  number text not null,
  parts bigint not null,
  -- leaving, sent, delivered or refused.
  state text not null,
  at {time} not null,
  told_at {time},
  primary key (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade,
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index sms_request on sms (authority_id, request_id, at);
create index sms_account on sms (authority_id, account_id, at);
