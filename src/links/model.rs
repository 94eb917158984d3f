//! What a linked service is, as its department declares it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use db::{Json, row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kind::Kind;
use crate::platform::declaration;

/// Links that one account may have: more than any person.
pub const MOST: i64 = 50;

/// A file of `guichet admin add-service`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    pub id: String,
    pub department: String,
    /// In the usager's words: « Ma facture d’eau ».
    pub label: String,
    /// What linking opens, in a sentence or two.
    pub intro: String,
    pub reference: Reference,
    /// What is asked beside the reference; all of it must be right.
    pub proof: Vec<Item>,
    /// Columns that the usager sees.
    #[serde(default)]
    pub data: Vec<Item>,
    #[serde(default)]
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// As the bill calls it: « Référence web ».
    pub label: String,
    #[serde(default)]
    pub hint: String,
    pub pattern: Pattern,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Name of the column.
    pub id: String,
    pub label: String,
    #[serde(default)]
    pub hint: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub label: String,
    pub href: String,
}

/// How a reference is written: `#` a digit, `@` a letter, `*` either, anything else itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Letters and digits of what was typed, in capitals, when they follow the pattern.
    pub fn canonical(&self, typed: &str) -> Option<String> {
        let letters: Vec<char> =
            typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
        let signs: Vec<char> = self.signs().collect();
        let fits = |(sign, letter): (&char, &char)| match sign {
            '#' => letter.is_ascii_digit(),
            '@' => letter.is_ascii_alphabetic(),
            '*' => true,
            sign => sign.eq_ignore_ascii_case(letter),
        };
        (letters.len() == signs.len() && signs.iter().zip(&letters).all(fits)).then(|| letters.iter().collect())
    }

    fn signs(&self) -> impl Iterator<Item = char> {
        self.0.chars().filter(|sign| sign.is_ascii_alphanumeric() || "#@*".contains(*sign))
    }

    /// Places that are not always the same.
    fn open(&self) -> usize {
        self.signs().filter(|sign| "#@*".contains(*sign)).count()
    }

    /// `EAU-000000`.
    pub fn example(&self) -> String {
        self.0.replace('#', "0").replace(['@', '*'], "A")
    }
}

impl Declaration {
    /// Reads a file, TOML or JSON by its name.
    ///
    /// # Errors
    /// The first mistake, named.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let found: Self = declaration::read(name, text)?;
        found.check().with_context(|| name.to_owned())?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        ensure!(plain(&self.id), "id: small letters, digits and dashes, 60 at most");
        for (key, text) in [("label", &self.label), ("intro", &self.intro), ("reference.label", &self.reference.label)]
        {
            ensure!(!text.trim().is_empty() && text.chars().count() <= 300, "{key}: 1 to 300 characters");
        }
        // What somebody types at random must hardly ever be a reference.
        ensure!(self.reference.pattern.open() >= 6, "reference.pattern: six places (#, @ or *) at least");
        ensure!((1..=3).contains(&self.proof.len()), "proof: one to three items");
        let mut names = BTreeSet::from(["reference"]);
        for item in self.proof.iter().chain(&self.data) {
            ensure!(plain(&item.id), "{}: small letters, digits and dashes, 60 at most", item.id);
            ensure!(!item.label.trim().is_empty(), "{}: label", item.id);
        }
        for items in [&self.proof, &self.data] {
            let mut own = BTreeSet::new();
            ensure!(items.iter().all(|item| item.id != "reference" && own.insert(&item.id)), "an id is there twice");
        }
        names.extend(self.proof.iter().map(|item| item.id.as_str()));
        // A column may be both proof and shown, of one kind.
        for item in self.data.iter().filter(|item| names.contains(item.id.as_str())) {
            let same = self.proof.iter().any(|proof| proof.id == item.id && proof.kind == item.kind);
            ensure!(same, "{}: proof and data are of two kinds", item.id);
        }
        let inside = |href: &str| href.starts_with("https://") || (href.starts_with('/') && !href.starts_with("//"));
        ensure!(self.links.iter().all(|link| inside(&link.href)), "links: https://… or /…");
        Ok(())
    }

    /// The names of all columns of its file.
    pub fn columns(&self) -> Vec<&str> {
        let mut all = vec!["reference"];
        for item in self.proof.iter().chain(&self.data) {
            if !all.contains(&item.id.as_str()) {
                all.push(&item.id);
            }
        }
        all
    }
}

fn plain(id: &str) -> bool {
    let letters = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-_".contains(&letter);
    !id.is_empty() && id.len() <= 60 && id.bytes().all(letters)
}

row! {
    #[derive(Debug, Clone)]
    pub struct Service {
        pub id: String,
        pub department_id: String,
        pub department_name: String,
        pub declaration: Json<Declaration>,
        pub load_id: Option<Uuid>,
        pub loaded_at: Option<Timestamp>,
    }
}

/// What is shown of a reference.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Told {
    /// As the department writes it.
    pub reference: String,
    /// By column.
    pub values: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../docs/examples/dechets.toml");

    #[test]
    fn the_example_is_a_declaration() {
        let found = Declaration::read("dechets.toml", FILE).unwrap();
        assert_eq!(found.columns(), ["reference", "naissance", "titulaire", "adresse", "solde", "echeance"]);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::to_string(&Declaration::read("a.JSON", &json).unwrap()).unwrap(), json);
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |from: &str, to: &str| {
            let text = FILE.replace(from, to);
            assert_ne!(text, FILE, "{from}");
            format!("{:#}", Declaration::read("dechets.toml", &text).unwrap_err())
        };
        assert!(wrong("id = \"dechets\"", "id = \"Eau\"").contains("id:"));
        assert!(wrong("DEC-######", "DEC-####").contains("six places"));
        assert!(wrong("id = \"solde\"", "id = \"reference\"").contains("twice"));
        assert!(wrong("id = \"solde\"", "id = \"naissance\"").contains("two kinds"));
        assert!(wrong("https://", "http://").contains("links:"));
        assert!(wrong("kind = \"date\"", "kind = \"jour\"").contains("jour"));
    }

    #[test]
    fn references_are_read_forgivingly() {
        let pattern = Pattern("EAU-####@*".to_owned());
        for typed in ["EAU-1234B7", " eau 1234 b7", "eau1234b7"] {
            assert_eq!(pattern.canonical(typed).as_deref(), Some("EAU1234B7"), "{typed}");
        }
        for typed in ["", "EAU-1234", "EAU-12345B7", "GAZ-1234B7", "EAU-123AB7", "EAU-1234-7B", "ÉAU-1234B7"] {
            assert_eq!(pattern.canonical(typed), None, "{typed}");
        }
        assert_eq!(pattern.example(), "EAU-0000AA");
    }
}
