//! Which department receives what.

use std::{collections::BTreeMap, sync::Arc};

use forms::{
    answers::{self, Problem, Raw},
    journey::FieldReading,
    kinds::{
        DayBound, Kind, address::Address, choices::Choices, date::DateKind, email::Email, phone::Phone, text::Text,
        yes_no::YesNo,
    },
    model::Field,
};
use jiff::civil::Date;

use crate::household::addresses::CONFIDENTIAL_HELP;

/// A part of somebody's coordinates, as the setting `receives_changes` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Address,
    Name,
    Email,
    Phone,
    /// The people of the household who change too.
    Members,
}

impl Part {
    const ALL: [Self; 5] = [Self::Address, Self::Name, Self::Email, Self::Phone, Self::Members];

    /// In the setting, and in the procedure's field « changements ».
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "adresse",
            Self::Name => "nom",
            Self::Email => "courriel",
            Self::Phone => "telephone",
            Self::Members => "membres",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Address => "adresse",
            Self::Name => "nom",
            Self::Email => "courriel",
            Self::Phone => "téléphone",
            Self::Members => "personnes du foyer",
        }
    }
}

/// What a department that says nothing receives, when the usager has a request there: never the household.
const USUAL: [Part; 4] = [Part::Address, Part::Name, Part::Email, Part::Phone];

/// A department that may be told of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    pub id: String,
    pub name: String,
    pub parts: Vec<Part>,
}

impl Receiver {
    /// « Service des déchets (adresse, nom) ».
    fn label(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.label()).collect();
        format!("{} ({})", self.name, parts.join(", "))
    }
}

/// The departments that may be told, out of `all` (ids and names): those that the authority's settings name, and
/// those with which the usager has requests.
pub fn receivers(
    all: Vec<(String, String)>,
    settings: &BTreeMap<String, Vec<String>>,
    with_requests: &[String],
) -> Vec<Receiver> {
    let parts = |id: &String| match settings.get(id) {
        Some(named) => Part::ALL.into_iter().filter(|part| named.iter().any(|name| name == part.name())).collect(),
        None if with_requests.contains(id) => USUAL.to_vec(),
        None => Vec::new(),
    };
    let known = all.into_iter().map(|(id, name)| Receiver { parts: parts(&id), id, name });
    known.filter(|receiver| receiver.parts.iter().any(|part| *part != Part::Members)).collect()
}

/// What a form declares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    pub from: Date,
    pub address: Option<answers::Json>,
    pub confidential: bool,
    pub name: Option<String>,
    pub email: Option<String>,
    /// As `+33612345678`.
    pub phone: Option<String>,
    /// Ids of members of the household, ticked.
    pub members: Vec<String>,
    /// Ids of departments, ticked.
    pub departments: Vec<String>,
}

impl Change {
    fn changed(&self) -> Vec<Part> {
        let given = [
            (Part::Address, self.address.is_some()),
            (Part::Name, self.name.is_some()),
            (Part::Email, self.email.is_some()),
            (Part::Phone, self.phone.is_some()),
        ];
        given.into_iter().filter_map(|(part, given)| given.then_some(part)).collect()
    }

    /// What of it this department is sent; nothing when none of it is for them.
    pub fn sent_to(&self, receiver: &Receiver) -> Vec<Part> {
        self.changed().into_iter().filter(|part| receiver.parts.contains(part)).collect()
    }
}

const ADDRESS: &str = "adresse";
pub const FROM: &str = "depuis";
const CONFIDENTIAL: &str = "confidentielle";
const NAME: &str = "nom";
const PHONE: &str = "telephone";
const EMAIL: &str = "courriel";
const MEMBERS: &str = "membres";
const SERVICES: &str = "services";

fn asked(id: &str, ask: &str, help: &str, kind: Arc<dyn Kind>) -> Field {
    Field { help: (!help.is_empty()).then(|| help.to_owned()), ..Field::plain(id, ask, kind) }
}

/// `members`: ids and names of those who may change too.
pub fn questions(members: Vec<(String, String)>, receivers: &[Receiver]) -> Vec<Field> {
    let day = DateKind {
        min: "today - 12 months".parse::<DayBound>().ok(),
        max: "today + 24 months".parse::<DayBound>().ok(),
        ..DateKind::default()
    };
    let mut all = vec![
        Field { optional: false, ..asked(FROM, "À partir de quel jour ?", "", Arc::new(day)) },
        asked(ADDRESS, "Nouvelle adresse", "", Arc::new(Address)),
        asked(CONFIDENTIAL, "Cette adresse est-elle confidentielle ?", CONFIDENTIAL_HELP, Arc::new(YesNo)),
        asked(NAME, "Nouveau nom d’usage", "", Arc::new(Text { max: 100, ..Text::default() })),
        asked(PHONE, "Nouveau numéro de téléphone", "", Arc::new(Phone)),
        asked(
            EMAIL,
            "Nouvelle adresse électronique",
            "Pour les services. L’adresse de connexion se change dans « Mon compte ».",
            Arc::new(Email),
        ),
    ];
    let choices = |options| Arc::new(Choices { options, min: None, max: None });
    if !members.is_empty() {
        let help = "Une personne majeure doit être d’accord. Seuls les services qui indiquent « personnes du foyer » reçoivent leurs noms.";
        all.push(asked(MEMBERS, "Qui d’autre change avec vous ?", help, choices(members)));
    }
    if !receivers.is_empty() {
        let options = receivers.iter().map(|one| (one.id.clone(), one.label())).collect();
        let help = "Chaque service coché reçoit son propre message, avec seulement ce qui est entre parenthèses.";
        all.push(asked(SERVICES, "Quels services prévenir ?", help, choices(options)));
    }
    all
}

fn answer<'r>(readings: &'r [FieldReading<'_>], id: &str) -> Option<&'r answers::Json> {
    readings.iter().find(|reading| reading.name == id)?.answer.as_ref()
}

fn text(readings: &[FieldReading<'_>], id: &str) -> Option<String> {
    answer(readings, id)?.as_str().map(str::to_owned)
}

fn list(readings: &[FieldReading<'_>], id: &str) -> Vec<String> {
    let ticked = answer(readings, id).and_then(answers::Json::as_array).into_iter().flatten();
    ticked.filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

fn refuse(readings: &mut [FieldReading<'_>], id: &str, problem: Problem) {
    if let Some(reading) = readings.iter_mut().find(|reading| reading.name == id) {
        reading.problems.push(problem);
    }
}

/// The change declared; none, with what is wrong told in `readings`, when something is.
pub fn change(readings: &mut [FieldReading<'_>], receivers: &[Receiver]) -> Option<Change> {
    let change = Change {
        from: text(readings, FROM).and_then(|day| day.parse().ok()).unwrap_or_default(),
        address: answer(readings, ADDRESS).cloned(),
        confidential: answer(readings, CONFIDENTIAL).and_then(answers::Json::as_bool).unwrap_or_default(),
        name: text(readings, NAME),
        email: text(readings, EMAIL),
        phone: text(readings, PHONE),
        members: list(readings, MEMBERS),
        departments: list(readings, SERVICES),
    };
    if change.address.is_some() && answer(readings, CONFIDENTIAL).is_none() {
        refuse(readings, CONFIDENTIAL, Problem::new("Répondez Oui ou Non : cette adresse est-elle confidentielle ?"));
    }
    if readings.iter().all(|reading| reading.problems.is_empty())
        && let Some((question, problem)) = useless(&change, receivers)
    {
        refuse(readings, question, problem);
    }
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    right.then_some(change)
}

/// What makes of a well-typed change one that tells somebody nothing: the question to point at, and what to say.
fn useless(change: &Change, receivers: &[Receiver]) -> Option<(&'static str, Problem)> {
    if change.changed().is_empty() {
        let nothing = "Donnez ce qui change : adresse, nom d’usage, téléphone ou adresse électronique";
        return Some((ADDRESS, Problem::at("numero_voie", nothing)));
    }
    let ticked: Vec<&Receiver> = receivers.iter().filter(|one| change.departments.contains(&one.id)).collect();
    let idle: Vec<&str> =
        ticked.iter().filter(|one| change.sent_to(one).is_empty()).map(|one| one.name.as_str()).collect();
    if !idle.is_empty() {
        let told = format!("Décochez ceux que ce changement ne concerne pas : {}", idle.join(", "));
        return Some((SERVICES, Problem::new(told)));
    }
    if ticked.is_empty() && change.address.is_none() && change.phone.is_none() {
        let kept = "Cochez au moins un service : seules l’adresse et le téléphone sont gardés dans votre compte";
        let question = if receivers.is_empty() { ADDRESS } else { SERVICES };
        return Some((question, Problem::new(kept)));
    }
    let told_of_members = ticked.iter().any(|one| one.parts.contains(&Part::Members));
    (!change.members.is_empty() && !told_of_members).then(|| {
        let nobody =
            "Aucun service coché ne reçoit les personnes du foyer : décochez-les, ou cochez un service qui l’indique";
        (MEMBERS, Problem::new(nobody))
    })
}

/// What the request of a department holds, as it would have been typed in the procedure. `old`: the present
/// address; `members`: their identities.
pub fn typed(
    change: &Change,
    receiver: &Receiver,
    (first_name, last_name): (&str, &str),
    old: Option<&answers::Json>,
    members: &[answers::Json],
) -> Raw {
    let parts = change.sent_to(receiver);
    let mut raw = Raw::default();
    raw.set("demandeur.nom_naissance", last_name);
    raw.set("demandeur.prenoms", first_name);
    raw.0.insert("changements".to_owned(), parts.iter().map(|part| part.name().to_owned()).collect());
    DateKind::default().fill("date_changement", &change.from.to_string().into(), &mut raw);
    for part in &parts {
        match part {
            Part::Address => {
                let addresses = [("ancienne_adresse", old), ("adresse", change.address.as_ref())];
                for (name, address) in addresses.into_iter().filter_map(|(name, it)| Some((name, it?))) {
                    Address.fill(name, address, &mut raw);
                }
                YesNo.fill("adresse_confidentielle", &change.confidential.into(), &mut raw);
            }
            Part::Name => raw.set("nouveau_nom", change.name.as_deref().unwrap_or_default()),
            Part::Email => raw.set("courriel", change.email.as_deref().unwrap_or_default()),
            Part::Phone => raw.set("telephone", change.phone.as_deref().unwrap_or_default()),
            Part::Members => {}
        }
    }
    let members = if receiver.parts.contains(&Part::Members) { members } else { &[] };
    YesNo.fill("foyer", &(!members.is_empty()).into(), &mut raw);
    for (index, identity) in members.iter().enumerate() {
        crate::household::model::identity_kind().fill(&format!("membres.{index}.membre"), identity, &mut raw);
    }
    raw
}
