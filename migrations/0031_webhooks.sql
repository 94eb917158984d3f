-- Applications that an authority lets its procedures call, as its operator declared them; their secret is sealed.
create table webhook (
  authority_id uuid not null references authority (id),
  id text not null,
  declaration {json} not null,
  sealed {bytes} not null,
  -- The secret before, which signs beside the new one until then.
  old_sealed {bytes},
  old_until {time},
  declared_at {time} not null,
  -- It does not answer: calls wait until then.
  rest_until {time},
  primary key (authority_id, id)
);
