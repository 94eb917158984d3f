//! The index that agents search. Folding and stemming happen here, when a text is written and when it is looked
//! for, so that both engines hold and seek the same tokens: SQLite in FTS5, PostgreSQL in a `tsvector`. A
//! token's first letter says what it is: `a` an authority, `d` a department of it, `p` a procedure, `n` a word of the
//! filer's or the beneficiary's name, `w` a stem of a name, an answer or a message, `r` a stem of an address. Answers
//! that lists are narrowed by have `v`, `f` or `t` (what was chosen, a stem, a day or a span of days), then the
//! question. Sensitive answers are never given to it. What is looked for: [`super::sought`]. See docs/decisions/0023
//! and 0040.

use std::{collections::BTreeSet, ops::RangeInclusive};

use data_encoding::BASE32_NOPAD;
use db::{Db, Tx, args, sql, sql_pg_sqlite};
use forms::journey::{Said, Told};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::store::New;
use crate::platform::{french, secret};

/// Longest token, in characters: what is longer is not a word that anybody types.
const LONGEST: usize = 40;
/// Messages of one request are indexed up to this many characters of tokens.
const MESSAGES: i64 = 100_000;
/// Numbers that one millisecond may use.
const EACH_MS: i64 = 1024;

/// The place of what was sent at this instant among all: newer is greater.
pub fn number(at: Timestamp) -> i64 {
    at.as_millisecond().saturating_mul(EACH_MS)
}

pub(super) fn token(kind: char, word: &str) -> String {
    std::iter::once(kind).chain(word.chars().take(LONGEST)).collect()
}

pub(super) fn department(authority: Uuid, department: &str) -> String {
    let plain = department.chars().filter(|letter| letter.is_ascii_alphanumeric());
    std::iter::once('d').chain(authority.simple().to_string().chars()).chain(plain).collect()
}

pub(super) fn authority_token(authority: Uuid) -> String {
    format!("a{}", authority.simple())
}

pub(super) fn procedure(id: &str) -> String {
    token('p', &id.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
}

pub(super) fn of_names(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<String> = french::fold(text).split_whitespace().map(|word| token('n', word)).collect();
    words.into_iter()
}

/// Stems, and numbers in one word however they are cut: « 06 39 98 12 34 ».
pub(super) fn of_texts(text: &str) -> impl Iterator<Item = String> {
    let stems = french::stems(text).into_iter();
    stems.chain(numbers(text)).map(|stem| token('w', &stem)).collect::<Vec<_>>().into_iter()
}

/// From so many digits on, what is cut is one number.
pub(super) const LONG: usize = 8;

pub(super) fn in_number(letter: char) -> bool {
    letter.is_ascii_digit() || " .-+/\u{a0}\u{202f}".contains(letter)
}

fn numbers(text: &str) -> Vec<String> {
    let runs = text.split(|letter| !in_number(letter)).filter(|run| run.len() > LONG);
    runs.map(|run| run.chars().filter(char::is_ascii_digit).collect::<String>())
        .filter(|digits| (LONG..=LONGEST).contains(&digits.len()))
        .collect()
}

pub(super) fn of_addresses(text: &str) -> impl Iterator<Item = String> {
    french::stems(text).into_iter().map(|stem| token('r', &stem))
}

/// Eight letters that stand for a text of any length.
fn key(text: &str) -> String {
    let digest = secret::digest(text);
    BASE32_NOPAD.encode(digest.get(..5).unwrap_or_default()).to_lowercase()
}

/// What was chosen, to a question.
pub(super) fn of_choice(question: &str, id: &str) -> String {
    token('v', &format!("{}{}", key(question), key(id)))
}

/// The stems of an answer to a question.
pub(super) fn of_answer(question: &str, text: &str) -> impl Iterator<Item = String> {
    let key = key(question);
    french::stems(text).into_iter().map(move |stem| token('f', &format!("{key}{stem}")))
}

/// The day answered to a question, with the month, the year, the decade and the century that it is in.
fn of_day(question: &str, day: Date) -> [String; 5] {
    let (key, digits) = (key(question), day.strftime("%Y%m%d").to_string());
    [2, 3, 4, 6, 8].map(|length| token('t', &format!("{key}{}", digits.get(..length).unwrap_or_default())))
}

/// Days that a search can tell apart.
const DAYS: RangeInclusive<Date> = Date::constant(1800, 1, 1)..=Date::constant(2199, 12, 31);

/// The fewest days, months, years, decades and centuries that make up this span, as answers to a question.
pub(super) fn of_span(question: &str, from: Option<Date>, until: Option<Date>) -> Vec<String> {
    let (first, last) = (*DAYS.start(), *DAYS.end());
    let (mut day, until) = (from.unwrap_or(first).max(first), until.unwrap_or(last).min(last));
    let (key, mut tokens) = (key(question), Vec::new());
    while day <= until {
        let (end, length) = widest(day, until);
        let digits = day.strftime("%Y%m%d").to_string();
        tokens.push(token('t', &format!("{key}{}", digits.get(..length).unwrap_or_default())));
        let Ok(next) = end.tomorrow() else { break };
        day = next;
    }
    tokens
}

/// The last day of the widest span that begins on `day` and does not go beyond `until`; how many digits name it.
fn widest(day: Date, until: Date) -> (Date, usize) {
    let years = |count: i16| {
        let whole = day.day_of_year() == 1 && day.year() % count == 0;
        whole.then(|| Date::new(day.year() + count - 1, 12, 31).ok()).flatten()
    };
    let month = (day.day() == 1).then(|| day.last_of_month());
    let spans = [(years(100), 2), (years(10), 3), (years(1), 4), (month, 6)];
    let found = spans.into_iter().find_map(|(end, length)| Some((end.filter(|end| *end <= until)?, length)));
    found.unwrap_or((day, 8))
}

fn of_told(question: &str, told: &Told) -> Vec<String> {
    match told {
        Told::One(id) => vec![of_choice(question, id)],
        Told::Day(day) => of_day(question, *day).into(),
        Told::Words(text) => of_answer(question, text).collect(),
    }
}

fn joined(tokens: impl Iterator<Item = String>) -> String {
    tokens.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// The tokens of a request as it is sent: place, names, answers.
pub fn tokens(authority: Uuid, new: &New<'_>) -> (String, String, String) {
    let name = new.filer_name.unwrap_or_default();
    (
        place(authority, new.department_id, new.procedure_id),
        names(name, new.email.unwrap_or_default()),
        answers(new.said, new.beneficiary),
    )
}

fn place(authority: Uuid, department_id: &str, procedure_id: &str) -> String {
    let tokens = [authority_token(authority), department(authority, department_id), procedure(procedure_id)];
    joined(tokens.into_iter())
}

/// It went to another department: it is looked for there.
pub async fn relocate(tx: &mut Tx, request: Uuid, department_id: &str, procedure_id: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update request_search set place = $1 where authority_id = $2 and request_id = $3"),
        args![place(tx.authority(), department_id, procedure_id), tx.authority(), request],
    )
    .await?;
    Ok(())
}

fn names(name: &str, email: &str) -> String {
    joined(of_names(name).chain(of_texts(name)).chain(of_texts(email)))
}

/// The filer's name or address was erased.
pub async fn rename(tx: &mut Tx, request: Uuid, name: Option<&str>, email: Option<&str>) -> Result<(), db::Error> {
    tx.run(
        sql!("update request_search set names = $1 where authority_id = $2 and request_id = $3"),
        args![names(name.unwrap_or_default(), email.unwrap_or_default()), tx.authority(), request],
    )
    .await?;
    Ok(())
}

fn answers(said: &Said, beneficiary: Option<&str>) -> String {
    let name = beneficiary.unwrap_or_default();
    let told = said.told.iter().flat_map(|(question, told)| of_told(question, told));
    let words = of_texts(&said.words).chain(of_addresses(&said.addresses)).chain(told);
    joined(words.chain(of_names(name)).chain(of_texts(name)))
}

pub async fn insert(tx: &mut Tx, new: &New<'_>) -> Result<(), db::Error> {
    let (place, names, answers) = tokens(tx.authority(), new);
    // SQLite's index has one numbering for every authority. Its one writer may ask for the next; on PostgreSQL
    // that would set concurrent submissions against each other, and equals are told apart by their id.
    let within =
        i64::from(new.id.as_bytes().iter().rev().fold(0_u16, |sum, byte| (sum << 1) ^ u16::from(*byte))) % EACH_MS;
    tx.run(
        sql_pg_sqlite!(
            pg: "insert into request_search (authority_id, request_id, number, place, names, answers, messages)
                 values ($1, $2, cast($3 as bigint) + cast($4 as bigint), $5, $6, $7, '')",
            sqlite: "insert into request_search (authority_id, request_id, number, place, names, answers, messages)
                 values ($1, $2, coalesce((select max(number) + 1 from request_search where number >= $3 and number < $3 + 1024 and $4 >= 0), $3), $5, $6, $7, '')"
        ),
        args![tx.authority(), new.id, number(new.life.submitted), within, place, names, answers],
    )
    .await?;
    Ok(())
}

/// The answers were corrected: what they said before is found no more.
pub async fn correct(tx: &mut Tx, request: Uuid, said: &Said, beneficiary: Option<&str>) -> Result<(), db::Error> {
    tx.run(
        sql!("update request_search set answers = $1 where authority_id = $2 and request_id = $3"),
        args![answers(said, beneficiary), tx.authority(), request],
    )
    .await?;
    Ok(())
}

/// Adds what a message says.
pub async fn add(tx: &mut Tx, request: Uuid, message: &str) -> Result<(), db::Error> {
    let tokens = joined(of_texts(message));
    if !tokens.is_empty() {
        tx.run(
            sql!(
                "update request_search set messages = messages || ' ' || cast($1 as text)
                 where authority_id = $2 and request_id = $3 and length(messages) < $4"
            ),
            args![tokens, tx.authority(), request, MESSAGES],
        )
        .await?;
    }
    Ok(())
}

/// The place of a request in the index.
pub async fn number_of(db: &Db, request: Uuid) -> Result<Option<i64>, db::Error> {
    let sql = sql!("select number from request_search where authority_id = $1 and request_id = $2");
    db.first(sql, args![db.authority(), request]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_its_days_and_no_other() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (from, until, most) in [
            (Some("2026-03-27"), Some("2026-03-27"), 1),
            (Some("2026-03-27"), Some("2026-04-02"), 7),
            (Some("2026-01-01"), Some("2026-12-31"), 1),
            (Some("2019-12-31"), Some("2031-01-01"), 4),
            (Some("1999-02-02"), None, 60),
            (None, Some("2026-11-22"), 60),
            (None, None, 4),
            (Some("2026-03-02"), Some("2026-03-01"), 0),
        ] {
            let (from, until) = (from.map(day), until.map(day));
            let span = of_span("debut", from, until);
            assert!(span.len() <= most, "{from:?} {until:?}: {span:?}");
            for other in [
                "1999-02-01",
                "1999-02-02",
                "2019-12-31",
                "2026-03-26",
                "2026-03-27",
                "2026-04-02",
                "2026-04-03",
                "2031-01-01",
                "2031-01-02",
            ] {
                let other = day(other);
                let within = from.is_none_or(|from| from <= other) && until.is_none_or(|until| other <= until);
                let found = of_day("debut", other).iter().filter(|token| span.contains(token)).count();
                assert_eq!(found, usize::from(within), "{from:?} {until:?}: {other}");
            }
        }
        assert!(of_span("fin", None, None).iter().all(|token| !of_day("debut", day("2026-03-27")).contains(token)));
    }
}
