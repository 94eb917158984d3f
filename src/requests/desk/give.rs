//! What an agent gives along with a transition: the form, and what is missing in it.

use std::collections::BTreeSet;

use forms::{answers::Raw, model::Procedure, workflow::Need};
use serde_json::{Value as Json, json};

use super::{LONGEST, Opened};
use crate::{
    authorities::Authority,
    platform::clock,
    requests::{access::Process, files, model::File},
    visit::Agent,
};

/// Days that the usager has to complete, unless the agent says otherwise.
const DAYS: &str = "30";
const MOST_DAYS: u16 = 365;

/// As typed.
#[derive(Debug, Default, Clone)]
pub struct Typed {
    pub message: String,
    pub pieces: BTreeSet<String>,
    pub fields: BTreeSet<String>,
    pub days: String,
    pub ground: String,
    pub facts: String,
    pub appeal: String,
}

impl Typed {
    pub fn fresh(site: &Authority, procedure: &Procedure) -> Self {
        Self { days: DAYS.to_owned(), appeal: appeal(site, procedure), ..Self::default() }
    }

    pub fn read(raw: &Raw) -> Self {
        let (text, all) = (|name| raw.text(name).to_owned(), |name| raw.all(name).map(str::to_owned).collect());
        Self {
            message: text("message"),
            pieces: all("pieces"),
            fields: all("champs"),
            days: text("jours"),
            ground: text("motif"),
            facts: text("faits"),
            appeal: text("recours"),
        }
    }

    /// How many days the usager has; none when it is not a number of days.
    pub fn days(&self) -> Option<u16> {
        self.days.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days))
    }
}

/// How a decision is contested: as its procedure says, else as the authority does, else the routes that fit most
/// municipal decisions (CRPA L411-2, L231-4; CJA R421-1, R421-2). The agent corrects them where the law has others.
pub fn appeal(site: &Authority, procedure: &Procedure) -> String {
    appeal_from(site, procedure, "sa réception")
}

/// The same from another day than that of a letter: « la date de ce refus ».
pub fn appeal_from(site: &Authority, procedure: &Procedure, from: &str) -> String {
    let own = procedure.appeal.as_ref().or(Some(&site.settings.appeal));
    if let Some(own) = own.filter(|own| !own.trim().is_empty()) {
        return own.clone();
    }
    let tribunal = Some(site.settings.tribunal.trim()).filter(|named| !named.is_empty());
    let tribunal = tribunal.unwrap_or("tribunal administratif");
    format!(
        "Si vous contestez cette décision, vous pouvez, dans les deux mois qui suivent {from}\u{a0}:\n\
         – demander au maire de la revoir (recours gracieux), par lettre adressée à\u{a0}: {}, {}\u{a0};\n\
         – ou saisir le {tribunal}, par courrier ou sur www.telerecours.fr.\n\
         Si vous adressez d’abord un recours gracieux dans ce délai, vous aurez de nouveau deux mois pour saisir le tribunal, à compter de la réponse ou, sans réponse, de la fin d’un délai de deux mois.",
        site.name, site.settings.address
    )
}

/// What is wrong, with the field to point at.
pub fn problems(needs: &[Need], typed: &Typed) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut check = |field: &'static str, text: &str, missing: Option<&str>| {
        let length = text.chars().count();
        match missing {
            Some(missing) if length == 0 => found.push((field, missing.to_owned())),
            _ if length > LONGEST => found.push((
                field,
                format!("Ce texte compte {length} caractères\u{a0}: raccourcissez-le à 10\u{202f}000 au plus."),
            )),
            _ => {}
        }
    };
    for need in needs {
        match need {
            Need::Message => check("message", &typed.message, Some("Écrivez le message que l’usager lira.")),
            Need::Ask => {
                if typed.pieces.is_empty() && typed.fields.is_empty() {
                    check("demande", "", Some("Cochez au moins une pièce à envoyer ou une réponse à corriger."));
                }
                check("message", &typed.message, Some("Expliquez à l’usager ce que vous lui demandez."));
                if typed.days().is_none() {
                    check("jours", "", Some("Indiquez un nombre de jours, de 1 à 365."));
                }
            }
            Need::Decision => {
                check("faits", &typed.facts, None);
                check("motif", &typed.ground, None);
            }
            Need::Refusal => {
                check(
                    "motif",
                    &typed.ground,
                    Some("Indiquez le motif de droit\u{a0}: le texte et l’article sur lesquels se fonde le refus."),
                );
                check("faits", &typed.facts, Some("Indiquez les faits qui, dans ce dossier, conduisent au refus."));
                check(
                    "recours",
                    &typed.appeal,
                    Some("Indiquez les voies et délais de recours\u{a0}: sans eux, le refus ne peut pas être notifié."),
                );
            }
        }
    }
    found
}

/// What may be asked of the usager: every piece of the procedure, and the questions they were asked.
pub struct Choices {
    /// (id, title).
    pub pieces: Vec<(String, String)>,
    /// (id, question, page).
    pub fields: Vec<(String, String, String)>,
}

impl Choices {
    pub fn of(agent: &Agent, file: &Opened<Process>, sent: &[File]) -> Self {
        let procedure = &file.procedure;
        let day = clock::day(file.request.submitted_at, &agent.site.zone);
        let filled = procedure.fill(&file.request.answers.0);
        let reading = procedure.read(&filled, &files::by_piece(sent), day);
        let mut fields = Vec::new();
        for page in reading.shown_pages() {
            for shown in page.shown_fields().filter(|shown| !shown.field.kind.silent()) {
                fields.push((shown.field.id.clone(), shown.field.ask.clone(), page.page.title.clone()));
            }
        }
        Self { pieces: procedure.pieces.iter().map(|piece| (piece.id.clone(), piece.title.clone())).collect(), fields }
    }

    /// Forgets what was ticked and is not offered: an old page, or an invented one.
    pub fn keep_offered(&self, typed: &mut Typed) {
        typed.pieces.retain(|ticked| self.pieces.iter().any(|(id, _)| id == ticked));
        typed.fields.retain(|ticked| self.fields.iter().any(|(id, ..)| id == ticked));
    }

    /// The chosen ones, as (`piece` or `field`, id).
    pub fn chosen<'a>(&'a self, typed: &Typed) -> Vec<(&'static str, &'a str)> {
        let pieces =
            self.pieces.iter().filter(|(id, _)| typed.pieces.contains(id)).map(|(id, _)| ("piece", id.as_str()));
        let fields =
            self.fields.iter().filter(|(id, ..)| typed.fields.contains(id)).map(|(id, ..)| ("field", id.as_str()));
        pieces.chain(fields).collect()
    }

    pub fn pieces_json(&self, typed: &Typed) -> Json {
        json!(
            self.pieces
                .iter()
                .map(|(id, title)| json!({"id": id, "title": title, "checked": typed.pieces.contains(id)}))
                .collect::<Vec<_>>()
        )
    }

    pub fn fields_json(&self, typed: &Typed) -> Json {
        json!(self.fields.iter().map(|(id, title, page)| json!({"id": id, "title": title, "section": page, "checked": typed.fields.contains(id)})).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(needs: &[Need], typed: &Typed) -> Vec<&'static str> {
        problems(needs, typed).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_refusal_has_ground_facts_and_appeal() {
        let mut typed = Typed {
            ground: "Article L2223-3 du CGCT".into(),
            facts: "Décès hors de la commune".into(),
            ..Typed::default()
        };
        assert_eq!(fields(&[Need::Refusal], &typed), ["recours"]);
        typed.appeal = "Deux mois".into();
        assert!(fields(&[Need::Refusal], &typed).is_empty());
        assert_eq!(fields(&[Need::Refusal], &Typed::default()), ["motif", "faits", "recours"]);
        assert!(fields(&[Need::Decision], &Typed::default()).is_empty());
    }

    #[test]
    fn asking_names_something_and_explains_it() {
        let mut typed = Typed { days: "0".into(), ..Typed::default() };
        assert_eq!(fields(&[Need::Ask], &typed), ["demande", "message", "jours"]);
        typed.fields.insert("adresse".into());
        typed.message = "Numéro de rue ?".into();
        typed.days = "15".into();
        assert!(fields(&[Need::Ask], &typed).is_empty());
        typed.message = "é".repeat(LONGEST + 1);
        assert_eq!(fields(&[Need::Ask], &typed), ["message"]);
    }
}
