-- Requests that agents file for somebody, and by which way each request came.

-- A draft that an agent fills in: of a department, seen by nobody else. The draft itself has neither account nor
-- session.
create table intake (
  authority_id uuid not null,
  draft_id uuid not null,
  department_id text not null,
  -- Who began it.
  agent_id uuid not null,
  -- The usager it is for, when they have an account.
  account_id uuid,
  -- guichet, telephone, courrier, telecopie, courriel or sms
  channel text not null,
  -- The day the city received it.
  received_on date not null,
  -- Kind of paper that the agent saw, when they checked who it is for: passeport.
  paper text,
  primary key (authority_id, draft_id),
  foreign key (authority_id, draft_id) references draft (authority_id, id) on delete cascade,
  foreign key (authority_id, department_id) references department (authority_id, id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);
create index intake_department on intake (authority_id, department_id);
create index intake_account on intake (authority_id, account_id) where account_id is not null;

-- web, or one of the above.
alter table request add column channel text not null default 'web';
-- What came otherwise than through the portal is the smaller part.
create index request_desk_channel on request (authority_id, department_id, channel, ended, submitted_at, id) where channel <> 'web';
