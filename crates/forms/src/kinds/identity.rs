//! `identity`: a person. Never their civility; a use name, a birth date, a birth place only when
//! the procedure asks for them.

use serde_json::json;

use super::{
    Kind, Narrows, Options, Paper, Today,
    clean::{self, member, set_part},
    date,
    french::quoted,
    identity_view,
    partial_date::{self, PartialDate},
    person_name,
    place::{self, FRANCE, LONGEST},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["birth-date", "birth-place", "use-name", "autocomplete", "deceased"];

#[derive(Debug, Clone)]
pub struct Identity {
    pub birth_date: bool,
    pub birth_place: bool,
    /// Offers a use name (« nom d'usage »), never mandatory.
    pub use_name: bool,
    /// The person is the filer: browsers may fill it in.
    pub autocomplete: bool,
    /// The person is dead: nothing known of a living one is offered.
    pub deceased: bool,
}

impl Default for Identity {
    fn default() -> Self {
        Self { birth_date: false, birth_place: false, use_name: true, autocomplete: false, deceased: false }
    }
}

impl Identity {
    pub fn read(keys: &mut dyn Options) -> Self {
        Self {
            birth_date: keys.flag("birth-date").unwrap_or(false),
            birth_place: keys.flag("birth-place").unwrap_or(false),
            use_name: keys.flag("use-name").unwrap_or(true),
            autocomplete: keys.flag("autocomplete").unwrap_or(false),
            deceased: keys.flag("deceased").unwrap_or(false),
        }
    }

    /// The parts that this field asks for, but the country, which comes filled in.
    fn asked(&self) -> impl Iterator<Item = &'static str> {
        let names = [("nom_naissance", true), ("nom_usage", self.use_name), ("prenoms", true), ("sans_prenom", true)];
        let date = partial_date::PARTS.map(|part| (part, self.birth_date));
        let place = [("lieu", self.birth_place), ("departement", self.birth_place)];
        names.into_iter().chain(date).chain(place).filter(|(_, asked)| *asked).map(|(part, _)| part)
    }
}

/// The parts being read, and what is wrong with them.
struct Reader<'a> {
    input: Input<'a>,
    ask: String,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, part: &str, what: &str) {
        self.problems.push(Problem::at(part, format!("{what} pour {}", self.ask)));
    }

    fn name(&mut self, part: &str, what: &str, label: &str) -> Option<String> {
        let typed = self.input.part(part);
        let Some(name) = person_name::regular(typed, part == "prenoms") else {
            self.problem(part, &format!("Écrivez {what} en lettres latines, comme sur un papier d’identité,"));
            return None;
        };
        if let Err(message) = clean::within(&name, label, LONGEST) {
            self.problems.push(Problem::at(part, message));
            return None;
        }
        Some(name)
    }

    fn birth_name(&mut self) -> Option<String> {
        let name = self.name("nom_naissance", "le nom de naissance", "Nom de naissance");
        if name.as_deref() == Some("") {
            self.problem("nom_naissance", "Saisissez le nom de naissance, ou le seul nom de la personne,");
        }
        name
    }

    /// Empty when the person has none.
    fn first_names(&mut self) -> Option<String> {
        let names = self.name("prenoms", "les prénoms", "Prénoms")?;
        let none = !self.input.part("sans_prenom").is_empty();
        match (names.is_empty(), none) {
            (true, false) => self.problem("prenoms", "Saisissez les prénoms, ou cochez «\u{a0}Sans prénom\u{a0}»,"),
            (false, true) => self.problem("prenoms", "Effacez les prénoms, ou décochez «\u{a0}Sans prénom\u{a0}»,"),
            _ => {}
        }
        Some(names)
    }

    fn birth_date(&mut self, today: Today) -> Option<PartialDate> {
        let found = match partial_date::read(self.input, "Date de naissance", true) {
            Ok(found) => found,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        match found.map(|it| (it, it.span())) {
            None => {
                let what = "Saisissez la date de naissance, comme 27 3 2021, ou l’année si le jour est inconnu,";
                self.problem("jour", what);
                None
            }
            Some((_, Some((first, _)))) if first > today.0 => {
                self.problem("jour", "Saisissez une date de naissance passée");
                None
            }
            Some((date, _)) => Some(date),
        }
    }

    fn place_line(&mut self, part: &str, label: &str) -> Option<String> {
        let found = if part == "pays" {
            place::country(self.input.part(part))
        } else {
            clean::checked_line(self.input.part(part), label, LONGEST)
        };
        found.map_err(|message| self.problems.push(Problem::at(part, message))).ok()
    }

    fn birth_place(&mut self) -> Option<Json> {
        let town = self.place_line("lieu", "Lieu de naissance")?;
        let area = self.place_line("departement", "Département de naissance")?;
        let country = self.place_line("pays", "Pays de naissance")?;
        if town.is_empty() {
            self.problem("lieu", "Saisissez la commune de naissance, ou le nom du lieu,");
        }
        let mut place = json!({"commune": town, "pays": country});
        if let Some(members) = place.as_object_mut().filter(|_| !area.is_empty()) {
            members.insert("departement".to_owned(), area.into());
        }
        Some(place)
    }
}

/// Inputs that are certified together or not at all.
struct Certifiable {
    asked: fn(&Identity) -> bool,
    /// Members of the answer, each of them known.
    keys: &'static [&'static str],
    inputs: &'static [&'static str],
    read: fn(&mut Reader<'_>, Today),
}

const CERTIFIABLE: [Certifiable; 4] = [
    Certifiable {
        asked: |_| true,
        keys: &["nom_naissance", "prenoms"],
        inputs: &["nom_naissance", "prenoms", "sans_prenom"],
        read: |reader, _| {
            reader.birth_name();
            reader.first_names();
        },
    },
    Certifiable {
        asked: |kind| kind.use_name,
        keys: &["nom_usage"],
        inputs: &["nom_usage"],
        read: |reader, _| {
            reader.name("nom_usage", "le nom d’usage", "Nom d’usage");
        },
    },
    Certifiable {
        asked: |kind| kind.birth_date,
        keys: &["date_naissance"],
        inputs: &partial_date::PARTS,
        read: |reader, today| {
            reader.birth_date(today);
        },
    },
    Certifiable {
        asked: |kind| kind.birth_place,
        keys: &["lieu_naissance"],
        inputs: &["lieu", "departement", "pays"],
        read: |reader, _| {
            reader.birth_place();
        },
    },
];

impl Kind for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn parse(&self, field: &Field, input: Input<'_>, today: Today) -> Result<Option<Json>, Vec<Problem>> {
        if self.asked().all(|part| input.part(part).is_empty()) {
            return Ok(None);
        }
        let mut reader = Reader { input, ask: quoted(&field.ask), problems: Vec::new() };
        let mut answer = serde_json::Map::new();
        let birth_name = reader.birth_name();
        let use_name = if self.use_name { reader.name("nom_usage", "le nom d’usage", "Nom d’usage") } else { None };
        let first_names = reader.first_names();
        let date = if self.birth_date { reader.birth_date(today) } else { None };
        let place = if self.birth_place { reader.birth_place() } else { None };
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        answer.insert("nom_naissance".to_owned(), birth_name.unwrap_or_default().into());
        answer.insert("prenoms".to_owned(), first_names.unwrap_or_default().into());
        let optional = [
            ("nom_usage", use_name.filter(|it| !it.is_empty()).map(Json::from)),
            ("date_naissance", date.map(|it| it.to_string().into())),
            ("lieu_naissance", place),
        ];
        let given = optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        answer.extend(given);
        Ok(Some(answer.into()))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        // Of an answer given elsewhere, only what this question asks for.
        raw.clear(name);
        set_part(raw, name, "nom_naissance", member(answer, "nom_naissance"));
        if self.use_name {
            set_part(raw, name, "nom_usage", member(answer, "nom_usage"));
        }
        set_part(raw, name, "prenoms", member(answer, "prenoms"));
        if member(answer, "prenoms").is_empty() {
            set_part(raw, name, "sans_prenom", "oui");
        }
        if let Some(date) = answer.get("date_naissance").and_then(date::value).filter(|_| self.birth_date) {
            date.fill(name, raw);
        }
        if let Some(place) = answer.get("lieu_naissance").filter(|_| self.birth_place) {
            set_part(raw, name, "lieu", member(place, "commune"));
            set_part(raw, name, "departement", member(place, "departement"));
            set_part(raw, name, "pays", member(place, "pays"));
        }
    }

    fn certify(&self, name: &str, identity: &Json, today: Today, raw: &mut Raw) -> Vec<&'static str> {
        let mut known = Raw::default();
        self.fill(name, identity, &mut known);
        let mut certified = Vec::new();
        for part in &CERTIFIABLE {
            let has = |key: &&str| identity.get(key).is_some_and(|it| !it.is_null());
            let mut reader = Reader { input: Input { raw: &known, name }, ask: String::new(), problems: Vec::new() };
            if !(part.asked)(self) || !part.keys.iter().all(has) {
                continue;
            }
            (part.read)(&mut reader, today);
            // What this field would refuse is left to be typed: a wrong certificate must not block anybody.
            if !reader.problems.is_empty() {
                continue;
            }
            for input in part.inputs {
                let input = format!("{name}.{input}");
                raw.0.remove(&input);
                raw.0.extend(known.0.get_key_value(&input).map(|(input, typed)| (input.clone(), typed.clone())));
            }
            certified.extend(part.keys);
        }
        // A whole date may be typed under the field's own name.
        raw.0.remove(name);
        certified
    }

    fn paper(&self) -> Paper {
        let parts = [
            ("Nom de naissance", true),
            ("Nom d’usage (facultatif)", self.use_name),
            ("Prénoms", true),
            ("Date de naissance", self.birth_date),
            ("Lieu de naissance", self.birth_place),
        ];
        Paper::Parts(parts.into_iter().filter(|(_, asked)| *asked).map(|(label, _)| label).collect())
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        identity_view::display(answer)
    }

    /// « Martin, Camille ».
    fn export(&self, answer: &Json) -> String {
        let cells = [member(answer, "nom_naissance"), member(answer, "nom_usage"), member(answer, "prenoms")];
        let date = member(answer, "date_naissance");
        let given: Vec<&str> = cells.into_iter().chain([date]).filter(|it| !it.is_empty()).collect();
        given.join(", ")
    }

    fn words(&self, answer: &Json) -> String {
        ["nom_naissance", "nom_usage", "prenoms"].map(|key| member(answer, key)).join(" ")
    }

    fn person(&self) -> Option<fn(Input<'_>) -> String> {
        Some(identity_view::name)
    }

    fn takes_up(&self) -> bool {
        !self.deceased
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::Name
    }

    fn expr_type(&self) -> Type {
        let seen = [
            ("nom_naissance", true, Type::Text),
            ("nom_usage", self.use_name, Type::Text),
            ("prenoms", true, Type::Text),
            ("date_naissance", self.birth_date, Type::Date),
            ("lieu_naissance", self.birth_place, Type::Text),
            ("pays_naissance", self.birth_place, Type::Text),
        ];
        Type::Parts(seen.into_iter().filter(|it| it.1).map(|(name, _, sort)| (name.to_owned(), sort)).collect())
    }

    fn missing_parts(&self) -> &'static [&'static str] {
        &["nom_usage", "prenoms", "pays_naissance"]
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_object()?;
        let text = |text: &str| Some(text).filter(|it| !it.is_empty()).map(|it| Value::Text(it.to_owned()));
        let place = |key| answer.get("lieu_naissance").map_or("", |it| member(it, key));
        let date = answer.get("date_naissance").and_then(date::value).and_then(PartialDate::expr_value);
        let known = [
            ("nom_naissance", text(member(answer, "nom_naissance"))),
            ("nom_usage", text(member(answer, "nom_usage"))),
            ("prenoms", text(member(answer, "prenoms"))),
            ("date_naissance", date),
            ("lieu_naissance", text(place("commune"))),
            ("pays_naissance", text(place("pays"))),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Some(Value::Parts(known.collect()))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        identity_view::view(self, input)
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        set_part(raw, name, "nom_naissance", "Martin");
        set_part(raw, name, "prenoms", "Camille");
        if self.birth_date {
            PartialDate::whole(jiff::civil::Date::constant(1980, 5, 17)).fill(name, raw);
        }
        if self.birth_place {
            set_part(raw, name, "lieu", "Lyon");
            set_part(raw, name, "departement", "Rhône");
            set_part(raw, name, "pays", FRANCE);
        }
    }
}
