-- Counters by day and by month. `start`: the day, or the first of the month.
create table tally (
  authority_id uuid not null,
  span text not null,
  department_id text not null,
  measure text not null,
  start date not null,
  procedure_id text not null,
  what text not null,
  channel text not null,
  many bigint not null,
  -- Of answers: « days:requests », by days, separated by spaces.
  delays text not null,
  primary key (authority_id, span, department_id, measure, start, procedure_id, what, channel) include (many, delays)
);
