-- The post of a day, scanned: batches of pages that agents cut into documents, each to its request.

create table scan_batch (
  authority_id uuid not null references authority (id),
  id uuid not null,
  department_id text not null,
  -- Who sent it.
  agent_id uuid not null,
  -- The day the city received it: that of each of its letters.
  received_on date not null,
  created_at {time} not null,
  -- Of the last thing done with it.
  touched_at {time} not null,
  -- All of its pages, and those that wait.
  pages bigint not null,
  waiting bigint not null,
  -- Counts what agents change: two of them never overwrite one another.
  version bigint not null,
  primary key (authority_id, id),
  foreign key (authority_id, department_id) references department (authority_id, id)
);
create index scan_batch_waiting on scan_batch (authority_id, department_id, created_at, id) where waiting > 0;
create index scan_batch_done on scan_batch (authority_id, department_id, touched_at, id) where waiting = 0;
create index scan_batch_touched on scan_batch (authority_id, touched_at);

create table scan_page (
  authority_id uuid not null,
  batch_id uuid not null,
  -- From 1.
  number bigint not null,
  -- The file it is in, and where in it, from 1.
  file_id uuid not null,
  place bigint not null,
  -- A document begins here.
  begins boolean not null,
  -- Nothing on it, as far as its pictures tell; none before they are made.
  blank boolean,
  -- To recognise it, and to read it; none when it cannot be drawn.
  small_id uuid,
  large_id uuid,
  -- What became of it: request, contact, filing or aside; empty while it waits.
  fate text not null,
  -- The contact that its document became.
  contact_id uuid,
  settled_by uuid,
  settled_at {time},
  primary key (authority_id, batch_id, number),
  foreign key (authority_id, batch_id) references scan_batch (authority_id, id) on delete cascade
);

-- What a filing was begun from: it goes with the request.
alter table intake add column contact_id uuid;
create index intake_contact on intake (authority_id, contact_id) where contact_id is not null;
