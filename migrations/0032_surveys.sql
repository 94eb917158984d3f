-- Surveys: their present definition, and what was answered.

create table survey (
  authority_id uuid not null,
  id text not null,
  department_id text not null,
  -- The canonical form of its file.
  body text not null,
  hash text not null,
  published_at timestamptz not null,
  -- Since when everybody may read its results, and by whom.
  results_at timestamptz,
  results_by uuid,
  -- What they read.
  results json,
  primary key (authority_id, id),
  foreign key (authority_id, department_id) references department (authority_id, id)
);
