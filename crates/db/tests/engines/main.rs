//! The behaviour the application counts on, on both engines.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod failures;
mod migrations;
mod statements;
mod values;
mod writes;

use db::Migration;

pub const TABLES: &[Migration] = &[Migration {
    name: "0001_tables",
    sql: "
        create table authority (id {uuid} primary key) {strict};
        create table account (
            authority_id {uuid} not null references authority (id),
            id {uuid} not null,
            email text not null,
            code text not null,
            alias text,
            age {int} check (age >= 0),
            primary key (authority_id, id),
            unique (authority_id, code)
        ) {strict};
        create unique index account_email_key on account (authority_id, email);
        create unique index account_alias_key on account (lower(alias));
        create table late (
            id {int} primary key,
            authority_id {uuid} references authority (id) deferrable initially deferred
        ) {strict};
        create table counter (id {int} primary key, n {int} not null) {strict};
        create table cell (
            id {int} primary key,
            flag {bool}, whole {int}, small integer, amount {real}, title text,
            bytes {bytes}, key {uuid}, at {time}, day {date}, data {json}
        ) {strict};
        insert into counter (id, n) values (1, 0);
    ",
    sqlite: None,
    postgres: None,
}];
