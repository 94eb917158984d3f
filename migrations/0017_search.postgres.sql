create index request_search_number on request_search (authority_id, number, request_id);
-- Lexemes are the tokens as they are: no dictionary, no position.
alter table request_search add column tokens tsvector
  generated always as (array_to_tsvector(array_remove(string_to_array(place || ' ' || names || ' ' || answers || ' ' || messages, ' '), ''))) stored;
create index request_search_tokens on request_search using gin (tokens) with (fastupdate = off);
