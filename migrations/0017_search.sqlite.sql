create unique index request_search_number_key on request_search (number);

-- No positions: nobody searches for phrases. The tokens are letters and digits as Rust knows them, signs that its own
-- tables (of Unicode 6.1) call marks or symbols among them, so this tokenizer only cuts at spaces. Three to five letters that begin a word,
-- after the one that says what it is, have lists of their own: a beginning is looked for as fast as a word.
create virtual table request_fts using fts5 (
  place, names, answers, messages,
  content = 'request_search', content_rowid = 'number', detail = none, columnsize = 0, prefix = '4 5 6', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Cn M* S*'"
);
-- What is taken out is overwritten, not only marked.
insert into request_fts (request_fts, rank) values ('secure-delete', 1);

create trigger request_search_added after insert on request_search begin
  insert into request_fts (rowid, place, names, answers, messages) values (new.number, new.place, new.names, new.answers, new.messages);
end;
create trigger request_search_gone after delete on request_search begin
  insert into request_fts (request_fts, rowid, place, names, answers, messages)
  values ('delete', old.number, old.place, old.names, old.answers, old.messages);
end;
create trigger request_search_changed after update on request_search begin
  insert into request_fts (request_fts, rowid, place, names, answers, messages)
  values ('delete', old.number, old.place, old.names, old.answers, old.messages);
  insert into request_fts (rowid, place, names, answers, messages) values (new.number, new.place, new.names, new.answers, new.messages);
end;
