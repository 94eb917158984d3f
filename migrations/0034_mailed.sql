-- What left about a request, as it was written: mails here, SMS beside what becomes of them.

create table request_mail (
  authority_id uuid not null,
  -- Of the job that sent it.
  id uuid not null,
  request_id uuid not null,
  recipient text not null,
  subject text not null,
  body text not null,
  -- sent (its server took it), refused (it never will), returned (it came back).
  state text not null,
  at {time} not null,
  primary key (authority_id, id),
  foreign key (authority_id, request_id) references request (authority_id, id) on delete cascade
);
create index request_mail_request on request_mail (authority_id, request_id, at);

-- Empty for a code, and for what left before.
alter table sms add column body text not null default '';
