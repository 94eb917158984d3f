//! What is looked for in the index of [`super::search`], as each engine reads it.

use jiff::civil::Date;
use uuid::Uuid;

use super::search::{self, LONG, department, in_number, of_names, of_texts, procedure, token};
use crate::platform::french;

/// Words of a search beyond these are ignored.
const MOST_WORDS: usize = 6;
/// From so many places on, the index is asked for the authority, and the query drops what is elsewhere: a list of
/// many places costs more than it saves.
const MANY: usize = 4;
/// Fewer letters are no beginning of a word: it would find everything.
const LEAST: usize = 3;

/// Where to look: a department, or one procedure of it.
pub type Where<'a> = (&'a str, Option<&'a str>);

/// What was typed and chosen; empty for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sought<'a> {
    pub text: &'a str,
    /// A name.
    pub person: &'a str,
    pub address: &'a str,
    pub procedure: &'a str,
    /// By question.
    pub answers: &'a [(&'a str, Answer<'a>)],
}

/// What answers to a question are looked for.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    One(&'a str),
    Words(&'a str),
    Days(Option<Date>, Option<Date>),
}

impl Sought<'_> {
    /// Whether the index is needed.
    pub fn is_none(&self) -> bool {
        self.text.is_empty() && self.person.is_empty() && self.address.is_empty() && self.answers.is_empty()
    }

    /// In the contents, all of these; none when something has no word that can be looked for.
    fn contents(&self) -> Option<Vec<Word>> {
        let mut words: Vec<Word> = names(self.person);
        words.extend(texts(self.text));
        let typed = !self.text.is_empty() || !self.person.is_empty();
        if typed && words.is_empty() {
            return None;
        }
        let address = ended(self.address, &|text| search::of_addresses(text).collect(), 'r');
        if address.is_empty() && !self.address.is_empty() {
            return None;
        }
        words.extend(address);
        for (question, answer) in self.answers {
            let found: Vec<Word> = match answer {
                Answer::One(id) => vec![Word::one(search::of_choice(question, id))],
                Answer::Words(text) => search::of_answer(question, text).take(MOST_WORDS).map(Word::one).collect(),
                Answer::Days(from, until) => {
                    let any = search::of_span(question, *from, *until);
                    if any.is_empty() { Vec::new() } else { vec![Word { any, begins: None }] }
                }
            };
            if found.is_empty() {
                return None;
            }
            words.extend(found);
        }
        Some(words)
    }

    /// Among the names only; none when what is looked for is not only a name.
    fn names(&self) -> Option<Vec<Word>> {
        let only = self.address.is_empty() && self.answers.is_empty();
        let words: Vec<Word> = names(self.person).into_iter().chain(names(self.text)).collect();
        Some(words).filter(|words| only && !words.is_empty())
    }
}

/// One of some tokens, or any that begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    any: Vec<String>,
    begins: Option<String>,
}

impl Word {
    fn one(token: String) -> Self {
        Self { any: vec![token], begins: None }
    }
}

/// What is looked for: each part in its places (each: all of its tokens), all of its words in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    authority: String,
    parts: Vec<(Vec<Vec<String>>, Vec<Word>)>,
}

impl Wanted {
    /// `contents`: where the agent may see the content; `others`: where they may see names only.
    /// `None` when there is nothing to look for.
    pub fn new(authority: Uuid, contents: &[Where<'_>], others: &[Where<'_>], sought: &Sought<'_>) -> Option<Self> {
        let all = sought.contents()?;
        let mut parts = Vec::new();
        for (wheres, words) in [(contents, Some(all)), (others, sought.names())] {
            let Some(mut words) = words.filter(|_| !wheres.is_empty()) else { continue };
            let place = |(place, one): &Where<'_>| {
                std::iter::once(department(authority, place)).chain(one.map(procedure)).collect()
            };
            words.extend(Some(sought.procedure).filter(|id| !id.is_empty()).map(|id| Word::one(procedure(id))));
            parts.push((wheres.iter().map(place).collect(), words));
        }
        let wanted = Self { authority: search::authority_token(authority), parts };
        Some(wanted).filter(|wanted| !wanted.parts.is_empty())
    }

    /// As FTS5 reads it. Tokens hold letters and digits only.
    pub fn fts5(&self) -> String {
        let quoted = |token: &str| format!("\"{token}\"");
        self.written(&Syntax { quoted: &quoted, begins: "*", or: " OR ", and: " AND " })
    }

    /// As PostgreSQL reads a `tsquery`.
    pub fn tsquery(&self) -> String {
        let quoted = |token: &str| format!("'{token}'");
        self.written(&Syntax { quoted: &quoted, begins: ":*", or: " | ", and: " & " })
    }

    fn written(&self, syntax: &Syntax<'_>) -> String {
        let all =
            |tokens: &[String]| tokens.iter().map(|token| (syntax.quoted)(token)).collect::<Vec<_>>().join(syntax.and);
        let place = |tokens: &Vec<String>| match tokens.as_slice() {
            [_, _, ..] => format!("({})", all(tokens)),
            _ => all(tokens),
        };
        let alone = self.parts.len() == 1;
        let part = |(places, words): &(Vec<Vec<String>>, Vec<Word>)| {
            let places: Vec<String> = match places.len() {
                MANY.. if alone => vec![(syntax.quoted)(&self.authority)],
                _ => places.iter().map(place).collect(),
            };
            let words: Vec<String> = words.iter().map(|word| syntax.word(word)).collect();
            format!("(({}){}{})", places.join(syntax.or), syntax.and, words.join(syntax.and))
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join(syntax.or)
    }
}

/// How an engine writes what is looked for.
struct Syntax<'a> {
    quoted: &'a dyn Fn(&str) -> String,
    /// After what begins a word.
    begins: &'a str,
    or: &'a str,
    and: &'a str,
}

impl Syntax<'_> {
    fn word(&self, word: &Word) -> String {
        let begins = word.begins.iter().map(|begins| format!("{}{}", (self.quoted)(begins), self.begins));
        let any: Vec<String> = word.any.iter().map(|token| (self.quoted)(token)).chain(begins).collect();
        if any.len() == 1 { any.concat() } else { format!("({})", any.join(self.or)) }
    }
}

/// The words of a text, the last of which may be the beginning of one: `of` gives tokens, which begin with `kind`.
fn ended(text: &str, of: &dyn Fn(&str) -> Vec<String>, kind: char) -> Vec<Word> {
    let folded = french::fold(text);
    let (before, last) = folded.trim_end().rsplit_once(' ').unwrap_or(("", folded.trim_end()));
    let mut words: Vec<Word> = of(before).into_iter().map(Word::one).collect();
    let any = of(last);
    // A word too common to be in the index begins none either.
    if !any.is_empty() {
        let begins = (last.chars().count() >= LEAST).then(|| token(kind, last));
        words.push(Word { any: any.into_iter().filter(|one| Some(one) != begins.as_ref()).collect(), begins });
    }
    words.truncate(MOST_WORDS);
    words
}

fn names(text: &str) -> Vec<Word> {
    ended(text, &|text| of_names(text).collect(), 'n')
}

/// Words of a search in contents. A telephone number is one word, however it was cut; words too common to be in
/// the index count only as names, when nothing else was typed.
fn texts(text: &str) -> Vec<Word> {
    // Answers say « 12 mai 1980 ».
    let day = french::day(text.trim()).map(french::date);
    let text = day.as_deref().unwrap_or(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= LONG && text.chars().all(in_number) {
        return vec![Word::one(token('w', &digits))];
    }
    let stems = ended(text, &|text| of_texts(text).collect(), 'w');
    if stems.is_empty() { names(text) } else { stems }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Whether a request that says `written` is found by what is typed.
    fn finds(written: &BTreeSet<String>, typed: &str) -> bool {
        let one = |word: &Word| {
            let begins = |token: &String| word.begins.as_ref().is_some_and(|begins| token.starts_with(begins));
            word.any.iter().any(|token| written.contains(token)) || written.iter().any(begins)
        };
        let words = texts(typed);
        !words.is_empty() && words.iter().all(one)
    }

    #[test]
    fn what_is_typed_finds_what_was_written() {
        let written: BTreeSet<String> =
            of_texts("J’ai demandé des actes de naissance, 12 rue de l’Église. Tél. 06.39 98-12 34 ou +33 6 39 98 12 35, né le 12 mai 1980, Zéphyrine").collect();
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
            "Zéph",
            "naissance zeph",
            "naissan",
        ] {
            assert!(finds(&written, typed), "{typed}: {:?} in {written:?}", texts(typed));
        }
        for typed in ["mariage", "zeph naissance rose", "zephyr naissa rose", "na", "zeph a"] {
            assert!(!finds(&written, typed), "{typed}: {:?}", texts(typed));
        }
        assert!(finds(&["nle".to_owned()].into(), "le"), "a name may be a common word");
        assert!(texts("%").is_empty());
    }

    fn wanted(sought: &Sought<'_>) -> Option<Wanted> {
        Wanted::new(Uuid::nil(), &[("etat-civil", None)], &[("voirie", Some("velo-42"))], sought)
    }

    #[test]
    fn nothing_typed_is_syntax() {
        let sought = Sought { text: "l’acte\" OR 'x' & ! ( *", ..Sought::default() };
        let found = wanted(&sought).unwrap();
        let nil = "0".repeat(32);
        assert_eq!(
            found.fts5(),
            format!(
                "((\"d{nil}etatcivil\") AND \"wacte\" AND \"wor\" AND \"wx\") OR (((\"d{nil}voirie\" AND \"pvelo42\")) AND \"nl\" AND \"nacte\" AND \"nor\" AND \"nx\")"
            )
        );
        assert!(found.tsquery().starts_with(&format!("(('d{nil}etatcivil') & 'wacte' & ")));
        assert_eq!(wanted(&Sought { text: " %", ..Sought::default() }), None);
    }

    #[test]
    fn a_word_may_be_begun_only() {
        let found = wanted(&Sought { text: "acte naissances", ..Sought::default() }).unwrap();
        assert!(found.fts5().contains("AND \"wacte\" AND (\"wnaissanc\" OR \"wnaissances\"*))"), "{}", found.fts5());
        assert!(found.tsquery().contains("& 'nacte' & 'nnaissances':*)"), "{}", found.tsquery());
    }

    #[test]
    fn answers_are_looked_for_where_they_may_be_read() {
        let answers = [("format", Answer::One("copie"))];
        let sought = Sought { answers: &answers, procedure: "acte-naissance", ..Sought::default() };
        let found = wanted(&sought).unwrap().fts5();
        assert!(found.contains("\"pactenaissance\"") && !found.contains("voirie"), "{found}");
        assert_eq!(Wanted::new(Uuid::nil(), &[], &[("voirie", None)], &sought), None);
        let day: Date = "2026-03-27".parse().unwrap();
        let none = [("jour", Answer::Days(Some(day), day.yesterday().ok()))];
        assert_eq!(wanted(&Sought { answers: &none, ..Sought::default() }), None, "a span without days");
    }
}
