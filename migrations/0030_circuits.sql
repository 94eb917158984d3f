-- Circuits of approvals (« parapheur »): what is about to be decided on a request, as it was shown, and who approves.
create table approval (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  -- Its name in the workflow.
  circuit text not null,
  title text not null,
  asked_at {time} not null,
  -- Of the request when it was asked: which circuit came after which.
  version bigint not null,
  asked_by uuid not null,
  -- Whether who asked may approve as well.
  asker_too boolean not null,
  -- open, approved, declined, void (what was to be approved has changed), or recalled (an agent took the request back, or it ended).
  state text not null,
  settled_at {time},
  -- Of the answers of the usager and of agents, as they were shown.
  fingerprint {bytes} not null,
  -- The letter as it was shown; null when the decision makes none.
  letter {json} not null,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index approval_request on approval (authority_id, request_id, version);

create table approval_step (
  authority_id uuid not null,
  -- The subject of what the history says of it.
  id uuid not null,
  approval_id uuid not null,
  -- From 0, in the order of the workflow.
  position bigint not null,
  -- By which function.
  title text not null,
  -- It may be gone since.
  department_id text not null,
  -- processor or decider: what its approver may do there, at least.
  role text not null,
  -- later, open, approved, declined, or closed with its circuit.
  state text not null,
  -- Last day to answer, once it is its turn.
  until date,
  -- When to remind somebody of it next.
  remind_at {time},
  decided_at {time},
  decided_by uuid,
  reason text not null default '',
  primary key (authority_id, id),
  foreign key (authority_id, approval_id) references approval (authority_id, id) on delete cascade
);
create index approval_step_approval on approval_step (authority_id, approval_id, position);
create index approval_step_department on approval_step (authority_id, department_id, state, until);
create index approval_step_decided on approval_step (authority_id, decided_by, decided_at) where decided_by is not null;
create index approval_step_remind on approval_step (authority_id, remind_at) where remind_at is not null;

-- What usagers may go on with, as a transition of a request offered it. No answer is kept here: they are carried over
-- when its draft is begun.
create table linked_request (
  authority_id uuid not null,
  -- Of the draft and of the request that it becomes.
  id uuid not null,
  -- The request that offered it.
  request_id uuid not null,
  -- Its name in the workflow of that request: offered once.
  start text not null,
  procedure_id text not null,
  title text not null,
  offered_at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create unique index linked_request_once on linked_request (authority_id, request_id, start);
