//! The index that agents search. Folding and stemming happen here, when a text is written and when it is looked
//! for, so that both engines hold and seek the same tokens: SQLite in FTS5, PostgreSQL in a `tsvector`. A
//! token's first letter says what it is: `a` an authority, `d` a department of it, `p` a procedure, `n` a word of the
//! filer's or the beneficiary's name, `w` a stem of a name, an answer or a message. Sensitive answers are never
//! given to it. See docs/decisions/0023.

use std::collections::BTreeSet;

use db::{Db, Tx, args, sql, sql_pg_sqlite};
use jiff::Timestamp;
use uuid::Uuid;

use super::store::New;
use crate::platform::french;

/// Words of a search beyond these are ignored.
const MOST_WORDS: usize = 6;
/// Longest token, in characters: what is longer is not a word that anybody types.
const LONGEST: usize = 40;
/// Messages of one request are indexed up to this many characters of tokens.
const MESSAGES: i64 = 100_000;
/// From so many places on, the index is asked for the authority, and the query drops what is elsewhere: a list of
/// many places costs more than it saves.
const MANY: usize = 4;
/// Numbers that one millisecond may use.
const EACH_MS: i64 = 1024;

/// The place of what was sent at this instant among all: newer is greater.
pub fn number(at: Timestamp) -> i64 {
    at.as_millisecond().saturating_mul(EACH_MS)
}

fn token(kind: char, word: &str) -> String {
    std::iter::once(kind).chain(word.chars().take(LONGEST)).collect()
}

fn department(authority: Uuid, department: &str) -> String {
    let plain = department.chars().filter(|letter| letter.is_ascii_alphanumeric());
    std::iter::once('d').chain(authority.simple().to_string().chars()).chain(plain).collect()
}

fn authority_token(authority: Uuid) -> String {
    format!("a{}", authority.simple())
}

fn procedure(id: &str) -> String {
    token('p', &id.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
}

fn of_names(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<String> = french::fold(text).split_whitespace().map(|word| token('n', word)).collect();
    words.into_iter()
}

/// Stems, and numbers in one word however they are cut: « 06 39 98 12 34 ».
fn of_texts(text: &str) -> impl Iterator<Item = String> {
    let stems = french::stems(text).into_iter();
    stems.chain(numbers(text)).map(|stem| token('w', &stem)).collect::<Vec<_>>().into_iter()
}

/// From so many digits on, what is cut is one number.
const LONG: usize = 8;

fn in_number(letter: char) -> bool {
    letter.is_ascii_digit() || " .-+/\u{a0}\u{202f}".contains(letter)
}

fn numbers(text: &str) -> Vec<String> {
    let runs = text.split(|letter| !in_number(letter)).filter(|run| run.len() > LONG);
    runs.map(|run| run.chars().filter(char::is_ascii_digit).collect::<String>())
        .filter(|digits| (LONG..=LONGEST).contains(&digits.len()))
        .collect()
}

fn joined(tokens: impl Iterator<Item = String>) -> String {
    tokens.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// The tokens of a request as it is sent: place, names, answers.
pub fn tokens(authority: Uuid, new: &New<'_>) -> (String, String, String) {
    let name = new.filer_name.unwrap_or_default();
    let place = [authority_token(authority), department(authority, new.department_id), procedure(new.procedure_id)];
    (joined(place.into_iter()), names(name, new.email.unwrap_or_default()), answers(new.words, new.beneficiary))
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

fn answers(texts: &str, beneficiary: Option<&str>) -> String {
    let name = beneficiary.unwrap_or_default();
    joined(of_texts(texts).chain(of_names(name)).chain(of_texts(name)))
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
pub async fn correct(tx: &mut Tx, request: Uuid, texts: &str, beneficiary: Option<&str>) -> Result<(), db::Error> {
    tx.run(
        sql!("update request_search set answers = $1 where authority_id = $2 and request_id = $3"),
        args![answers(texts, beneficiary), tx.authority(), request],
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

/// Where to look: a department, or one procedure of it.
pub type Where<'a> = (&'a str, Option<&'a str>);

/// What is looked for: each part in its places (each: all of its tokens), all of its words in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    authority: String,
    parts: Vec<(Vec<Vec<String>>, Vec<String>)>,
}

impl Wanted {
    /// `contents`: where the agent may see the content; `others`: where they may see names only.
    /// `person` is a name; `None` when there is no word to look for.
    pub fn new(
        authority: Uuid,
        contents: &[Where<'_>],
        others: &[Where<'_>],
        text: &str,
        person: &str,
    ) -> Option<Self> {
        let mut parts = Vec::new();
        for (wheres, all) in [(contents, true), (others, false)] {
            let mut words: Vec<String> = of_names(person).take(MOST_WORDS).collect();
            words.extend(if all { texts(text) } else { of_names(text).take(MOST_WORDS).collect() });
            if words.is_empty() {
                return None;
            }
            if !wheres.is_empty() {
                let place = |(place, one): &Where<'_>| {
                    std::iter::once(department(authority, place)).chain(one.map(procedure)).collect()
                };
                parts.push((wheres.iter().map(place).collect(), words));
            }
        }
        Some(Self { authority: authority_token(authority), parts }).filter(|wanted| !wanted.parts.is_empty())
    }

    /// As FTS5 reads it. Tokens hold letters and digits only.
    pub fn fts5(&self) -> String {
        self.written(&|token| format!("\"{token}\""), " OR ", " AND ")
    }

    /// As PostgreSQL reads a `tsquery`.
    pub fn tsquery(&self) -> String {
        self.written(&|token| format!("'{token}'"), " | ", " & ")
    }

    fn written(&self, quoted: &dyn Fn(&str) -> String, or: &str, and: &str) -> String {
        let all = |tokens: &[String]| tokens.iter().map(|token| quoted(token)).collect::<Vec<_>>().join(and);
        let place = |tokens: &Vec<String>| match tokens.as_slice() {
            [_, _, ..] => format!("({})", all(tokens)),
            _ => all(tokens),
        };
        let alone = self.parts.len() == 1;
        let part = |(places, words): &(Vec<Vec<String>>, Vec<String>)| {
            let places: Vec<String> = match places.len() {
                MANY.. if alone => vec![quoted(&self.authority)],
                _ => places.iter().map(place).collect(),
            };
            format!("(({}){and}{})", places.join(or), all(words))
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join(or)
    }
}

/// Words of a search in contents. A telephone number is one word, however it was cut; words too common to be in
/// the index count only as names, when nothing else was typed.
fn texts(text: &str) -> Vec<String> {
    // Answers say « 12 mai 1980 ».
    let day = french::day(text.trim()).map(french::date);
    let text = day.as_deref().unwrap_or(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= LONG && text.chars().all(in_number) {
        return vec![token('w', &digits)];
    }
    let stems: Vec<String> = of_texts(text).take(MOST_WORDS).collect();
    if stems.is_empty() { of_names(text).take(MOST_WORDS).collect() } else { stems }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_finds_what_was_written() {
        let written: BTreeSet<String> =
            of_texts("J’ai demandé des actes de naissance, 12 rue de l’Église. Tél. 06.39 98-12 34 ou +33 6 39 98 12 35, né le 12 mai 1980").collect();
        for typed in [
            "ACTE",
            "demande",
            "église naissances",
            "0639981234",
            "06 39 98 12 34",
            "+33 639981235",
            "eglise",
            "12/05/1980",
            "1980-05-12",
        ] {
            assert!(
                texts(typed).iter().all(|token| written.contains(token)),
                "{typed}: {:?} in {written:?}",
                texts(typed)
            );
        }
        assert!(!texts("mariage").iter().all(|token| written.contains(token)));
        assert_eq!(texts("le"), ["nle"], "a name may be a common word");
        assert!(texts("%").is_empty());
    }

    #[test]
    fn nothing_typed_is_syntax() {
        let wanted = Wanted::new(
            Uuid::nil(),
            &[("etat-civil", None)],
            &[("voirie", Some("velo-42"))],
            "l’acte\" OR 'x' & ! ( *",
            "",
        )
        .unwrap();
        let nil = "0".repeat(32);
        assert_eq!(
            wanted.fts5(),
            format!(
                "((\"d{nil}etatcivil\") AND \"wacte\" AND \"wor\" AND \"wx\") OR (((\"d{nil}voirie\" AND \"pvelo42\")) AND \"nl\" AND \"nacte\" AND \"nor\" AND \"nx\")"
            )
        );
        assert!(wanted.tsquery().starts_with(&format!("(('d{nil}etatcivil') & 'wacte' & ")));
        assert_eq!(Wanted::new(Uuid::nil(), &[("etat-civil", None)], &[], " %", ""), None);
    }
}
