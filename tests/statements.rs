//! Every SQL text of the program: understood by both engines, bound to one authority.

use std::collections::BTreeSet;

use db::{STATEMENTS, Statement};
use guichet::migrations;

use crate::harness::{Engine, Portal, both};

both! {
    async fn every_statement_is_understood(portal: Portal) {
        assert!(STATEMENTS.iter().filter(|statement| statement.file.starts_with("src/")).count() > 80);
        assert_eq!(portal.app.db.prepare_all().await.unwrap(), Vec::<String>::new());
    }
}

/// Statements that work for the whole installation, by the beginning of their text, and why.
const EXEMPT: &[(&str, &str)] = &[
    (
        "update job set lease = $1, leased_until = $2",
        "a worker takes jobs of every authority, each with its authority's id",
    ),
    ("select 1 from job where done_at is null", "is there work for any authority?"),
    ("select count(*) from job where done_at is null", "unfinished jobs of the installation, for tests and metrics"),
    ("select a.id, a.slug, a.name, a.settings from authority_host", "this is where the authority is found, by host"),
    ("select distinct authority_id from journal where sealed = false", "which journals have lines to seal"),
    (
        "insert into request_search (authority_id, request_id, number, place, names, answers, messages) values ($1, $2, coalesce(",
        "SQLite's index of searches has one numbering for every authority",
    ),
    ("insert into authority_host", "creates the authority's own host"),
];

/// Tables that have an `authority_id`, read from the migrations.
fn tenant_tables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for migration in migrations::ALL {
        for text in [Some(migration.sql), migration.sqlite, migration.postgres].into_iter().flatten() {
            for table in text.split("create table ").skip(1) {
                let (name, rest) = table.split_once('(').unwrap();
                if rest.split_once("\n);").map_or(rest, |(body, _)| body).contains("authority_id uuid not null") {
                    found.insert(name.trim().to_owned());
                }
            }
        }
    }
    // Views of them.
    for view in migrations::ALL.iter().flat_map(|migration| migration.sql.split("create view ").skip(1)) {
        found.insert(view.split_whitespace().next().unwrap().to_owned());
    }
    assert!(
        found.contains("request") && found.contains("staff") && found.contains("job") && found.len() > 15,
        "{found:?}"
    );
    found
}

fn words(text: &str) -> Vec<String> {
    let spaced = text.to_lowercase().replace('(', " ( ").replace(')', " ) ").replace(',', " , ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// (table, alias) of each tenant table that is read, changed or deleted from.
fn mentioned(words: &[String], tables: &BTreeSet<String>) -> Vec<(String, Option<String>)> {
    const AFTER: [&str; 17] = [
        "on", "where", "set", "join", "left", "inner", "cross", "order", "group", "limit", "union", ")", ",", "(",
        "values", "for", "as",
    ];
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some(table) = words.get(index + 1).filter(|next| tables.contains(*next)) else { continue };
        if ["from", "join", "update"].contains(&word.as_str()) {
            let alias = words.get(index + 2).filter(|alias| !AFTER.contains(&alias.as_str())).cloned();
            found.push((table.clone(), alias));
        }
    }
    found
}

/// What is wrong with a statement's text; nothing when it binds the authority everywhere.
fn unbound(text: &str, tables: &BTreeSet<String>) -> Option<String> {
    let words = words(text);
    let plain = words.join(" ");
    for (index, _) in words.iter().enumerate().filter(|(_, word)| *word == "into") {
        if words.get(index + 1).is_some_and(|table| tables.contains(table))
            && words.get(index + 3).is_none_or(|first| first != "authority_id")
        {
            return Some("the first column of an insertion is not authority_id".to_owned());
        }
    }
    let mentioned = mentioned(&words, tables);
    if mentioned.is_empty() {
        return None;
    }
    let bound =
        plain.split("authority_id = $").skip(1).any(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()));
    if !bound {
        return Some("authority_id is bound nowhere".to_owned());
    }
    let times = plain.matches("authority_id").count();
    if times < mentioned.len() {
        return Some(format!("{} tables, authority_id {times} times", mentioned.len()));
    }
    mentioned.iter().filter_map(|(table, alias)| alias.as_ref().map(|alias| (table, alias))).find_map(
        |(table, alias)| {
            let named = format!("{alias}.authority_id");
            (!plain.contains(&named)).then(|| format!("{table} {alias} is not bound by {named}"))
        },
    )
}

#[test]
fn every_statement_binds_its_authority() {
    let tables = tenant_tables();
    // Measurements fill databases of their own, where there is one authority.
    let ours = |statement: &&Statement| {
        statement.file.starts_with("src/")
            && !statement.file.contains("tests")
            && !statement.file.starts_with("src/bench/")
    };
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for statement in STATEMENTS.iter().filter(ours) {
        for text in [statement.postgres, statement.sqlite] {
            let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((exempt, _)) = EXEMPT.iter().find(|(start, _)| plain.starts_with(start)) {
                used.insert(*exempt);
            } else if let Some(reason) = unbound(text, &tables) {
                wrong.push(format!("{statement}: {reason}: {plain}"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let useless: Vec<_> = EXEMPT.iter().filter(|(start, _)| !used.contains(start)).collect();
    assert!(useless.is_empty(), "exemptions without use: {useless:?}");
}

#[test]
fn the_rule_finds_what_it_must() {
    let tables = tenant_tables();
    let good = [
        "select id from request where authority_id = $1 and id = $2",
        "select s.id from session s left join account a on a.authority_id = s.authority_id and a.id = s.account_id where s.authority_id = $1",
        "insert into fact (authority_id, id) values ($1, $2)",
        "select id from authority",
    ];
    let bad = [
        "select id from request where id = $1",
        "select s.id from session s join account a on a.id = s.account_id where s.authority_id = $1",
        "insert into fact (id, authority_id) values ($1, $2)",
        "delete from draft where authority_id = $1 and id in (select id from request where id = $2 and account_id = $3)",
        "update job set done_at = $1 where id = $2",
    ];
    for text in good {
        assert_eq!(unbound(text, &tables), None, "{text}");
    }
    for text in bad {
        assert!(unbound(text, &tables).is_some(), "{text}");
    }
}

/// Queries built piece by piece have no text to look at: the code around them must name the authority
/// or go through the functions that do.
#[test]
fn every_built_query_binds_its_authority() {
    let tables = tenant_tables();
    let mut looked_at = 0;
    crate::harness::routes::sources(&mut |path, text| {
        for (index, _) in text.match_indices("Query::new(").filter(|(index, _)| !text[..*index].ends_with("fn ")) {
            let body = text[index..].split("\n}").next().unwrap_or_default();
            let names = words(body);
            let names_table = names
                .windows(2)
                .any(|pair| ["from", "join", "\"from"].contains(&pair[0].as_str()) && tables.contains(&pair[1]));
            if names_table {
                looked_at += 1;
                let bound = ["authority_id = {}", "access::scope", "restrict("].iter().any(|way| body.contains(way));
                assert!(bound, "{}: a query on a tenant table that names no authority:\n{body}", path.display());
            }
        }
    });
    assert!(looked_at >= 4, "queries are built in another way: {looked_at}");
}
