//! `address`: structured, in France or abroad.

use serde_json::json;

use super::{
    Kind, Narrows, Options, Paper, Today,
    clean::{self, member, set_part},
    french::quoted,
    place::{self, FRANCE, LONGEST},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &[];

const PARTS: [&str; 8] =
    ["numero_voie", "complement", "lieu_dit", "code_postal", "commune", "pays", "ban_id", "code_insee"];

/// What expressions see: their name, our member.
const SEEN: [(&str, &str); 4] =
    [("voie", "numero_voie"), ("code_postal", "code_postal"), ("commune", "commune"), ("pays", "pays")];

#[derive(Debug, Clone, Default)]
pub struct Address;

impl Address {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

/// The lines being read, and what is wrong with them.
struct Reader<'a> {
    input: Input<'a>,
    ask: String,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn line(&mut self, part: &str, label: &str) -> String {
        let found = clean::checked_line(self.input.part(part), label, LONGEST);
        self.kept(part, found)
    }

    fn kept(&mut self, part: &str, found: Result<String, String>) -> String {
        found.unwrap_or_else(|message| {
            self.problems.push(Problem::at(part, message));
            // Not empty, so that it is not said to be missing as well.
            "?".to_owned()
        })
    }

    fn problem(&mut self, part: &str, what: &str) {
        self.problems.push(Problem::at(part, format!("{what} pour {}", self.ask)));
    }

    fn postcode(&mut self, home: bool) -> String {
        let typed = self.line("code_postal", "Code postal");
        if !home || typed == "?" {
            return typed;
        }
        let digits = clean::compact(&typed);
        if digits.len() != 5 || !clean::all_digits(&digits) {
            self.problem(
                "code_postal",
                "Saisissez un code postal de 5 chiffres, comme 13100 ou 20000, ou changez le pays,",
            );
        }
        digits
    }
}

/// An identifier set by the suggestions, dropped when it was tampered with.
fn hidden(input: Input<'_>, part: &str, shape: fn(&str) -> bool) -> String {
    Some(input.part(part)).filter(|it| shape(it)).unwrap_or("").to_owned()
}

/// Of the national address base: `13001_5680_00012_bis`.
fn ban_id(text: &str) -> bool {
    text.len() <= 60 && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

/// Of the commune: `13001`, `2A004`, `97411`.
fn code_insee(text: &str) -> bool {
    text.len() == 5
        && text.bytes().enumerate().all(|(at, it)| it.is_ascii_digit() || (at == 1 && (it == b'A' || it == b'B')))
}

impl Kind for Address {
    fn name(&self) -> &'static str {
        "address"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let typed = PARTS.iter().filter(|part| !matches!(**part, "pays" | "ban_id" | "code_insee"));
        if typed.into_iter().all(|part| input.part(part).is_empty()) {
            return Ok(None);
        }
        let mut reader = Reader { input, ask: quoted(&field.ask), problems: Vec::new() };
        let street = reader.line("numero_voie", "Numéro et voie");
        let complement = reader.line("complement", "Complément d’adresse");
        let hamlet = reader.line("lieu_dit", "Lieu-dit");
        let country = place::country(input.part("pays"));
        let country = reader.kept("pays", country);
        let postcode = reader.postcode(country == FRANCE);
        let town = reader.line("commune", "Commune");
        if street.is_empty() && hamlet.is_empty() {
            reader.problem("numero_voie", "Saisissez le numéro et la voie, ou le lieu-dit,");
        }
        if town.is_empty() {
            reader.problem("commune", "Saisissez la commune");
        }
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        let mut answer = json!({"numero_voie": street, "code_postal": postcode, "commune": town, "pays": country});
        let optional = [
            ("complement", complement),
            ("lieu_dit", hamlet),
            ("ban_id", hidden(input, "ban_id", ban_id)),
            ("code_insee", hidden(input, "code_insee", code_insee)),
        ];
        if let Some(members) = answer.as_object_mut() {
            let given = optional.into_iter().filter(|(_, value)| !value.is_empty());
            members.extend(given.map(|(key, value)| (key.to_owned(), value.into())));
        }
        Ok(Some(answer))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.clear(name);
        for part in PARTS {
            set_part(raw, name, part, member(answer, part));
        }
    }

    fn paper(&self) -> Paper {
        Paper::Parts(vec!["Numéro et voie", "Complément (facultatif)", "Code postal et commune", "Pays"])
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        let town = format!("{} {}", member(answer, "code_postal"), member(answer, "commune"));
        let country = Some(member(answer, "pays")).filter(|it| *it != FRANCE).unwrap_or("");
        let lines = [
            member(answer, "numero_voie"),
            member(answer, "complement"),
            member(answer, "lieu_dit"),
            town.trim(),
            country,
        ];
        lines.into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::Address
    }

    fn expr_type(&self) -> Type {
        Type::Parts(SEEN.iter().map(|(name, _)| ((*name).to_owned(), Type::Text)).collect())
    }

    fn missing_parts(&self) -> &'static [&'static str] {
        &["voie", "code_postal", "pays"]
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_object()?;
        let known = SEEN.iter().filter(|(_, key)| !member(answer, key).is_empty());
        Some(Value::Parts(
            known.map(|(name, key)| ((*name).to_owned(), Value::Text(member(answer, key).to_owned()))).collect(),
        ))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = clean::composite(input, &PARTS);
        place::prefill_country(&mut view, input);
        let more = !input.part("complement").is_empty() || !input.part("lieu_dit").is_empty();
        view.insert("more".to_owned(), more.into());
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        let parts = [
            ("numero_voie", "12 bis rue des Lilas"),
            ("code_postal", "13100"),
            ("commune", "Aix-en-Provence"),
            ("pays", FRANCE),
        ];
        for (part, value) in parts {
            set_part(raw, name, part, value);
        }
    }

    fn missing(&self, field: &Field) -> String {
        clean::missing(field, || format!("Saisissez une adresse pour {}", quoted(&field.ask)))
    }
}
