-- Opinions (« avis ») asked on a request: of another department, or of somebody outside by mail.
create table consultation (
  authority_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  -- The department that is asked, which may be gone since; none: somebody outside, by their address.
  department_id text,
  expert_name text not null,
  expert_email text not null,
  question text not null,
  -- All that is shown of the request: ids of questions and of pieces.
  fields {json} not null,
  pieces {json} not null,
  -- Last day to answer.
  until date not null,
  asked_at {time} not null,
  -- None: by the workflow.
  asked_by uuid,
  -- open, given, withdrawn (by an agent), or closed (with its request).
  state text not null,
  -- favourable, reserves, unfavourable or none.
  verdict text,
  answer text,
  answered_at {time},
  answered_by uuid,
  -- When to remind somebody of it next.
  remind_at {time},
  -- Of somebody outside: their link, the code that they asked for, the one browser that gave it.
  -- How many links came before the present one.
  links bigint not null default 0,
  token_hash {bytes},
  code_at {time},
  browser_hash {bytes},
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index consultation_request on consultation (authority_id, request_id, asked_at);
create index consultation_department on consultation (authority_id, department_id, state, until);
create index consultation_remind on consultation (authority_id, remind_at) where remind_at is not null;
create unique index consultation_token on consultation (authority_id, token_hash) where token_hash is not null;

-- To whom a department's requests went last, where a rule gives them in turn.
create table assignment_turn (
  authority_id uuid not null,
  department_id text not null,
  account_id uuid not null,
  primary key (authority_id, department_id),
  foreign key (authority_id, account_id) references account (authority_id, id) on delete cascade
);

-- What goes to others than the usager keeps nothing waiting: their mails stay in order, these go when they can.
alter table job add column apart boolean not null default false;
