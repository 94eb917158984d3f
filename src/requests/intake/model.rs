//! What is kept beside a draft that an agent fills in, and the rules on what is asked before.

use forms::{
    answers::Raw,
    model::{Identification, Procedure},
};
use jiff::{Timestamp, ToSpan, civil::Date};
use uuid::Uuid;

use crate::{
    accounts::session::Account,
    identity,
    platform::french,
    requests::{channel::Channel, model::Request},
    visit::{Agent, Visit},
};

/// Days after which what was received is no longer entered here: an older day is a year typed wrong.
const OLDEST: i32 = 180;

/// A draft of a department.
#[derive(Debug, Clone)]
pub struct Intake {
    pub department: String,
    /// Who began it.
    pub agent: Uuid,
    /// Whom it is for, when they have an account.
    pub account: Option<Account>,
    pub channel: Channel,
    pub received_on: Date,
    /// Kind of paper by which the agent checked who it is for.
    pub paper: Option<String>,
    /// The contact that it was begun from, which goes with the request.
    pub contact: Option<Uuid>,
}

impl Intake {
    /// When the city received it: from then on delays run.
    pub fn received(&self, visit: &Visit) -> Timestamp {
        received_at(self.received_on, visit)
    }

    /// When the city received the answer to what was asked of `request`: never before it was asked.
    pub fn answered(&self, visit: &Visit, request: &Request) -> Timestamp {
        self.received(visit).max(request.suspended_at.unwrap_or(request.submitted_at))
    }

    /// « Pièce d’identité vue au guichet : Passeport », a note for agents.
    pub fn note(&self) -> Option<String> {
        let label = identity::document_label(self.paper.as_deref()?)?;
        Some(format!("Identité vérifiée au dépôt de la demande\u{a0}: {label}."))
    }
}

/// What was asked that day is not answered before.
pub fn not_before(asked: Date, told: Option<Told>, wrong: &mut Vec<Wrong>) {
    if told.is_some_and(|told| told.received_on < asked) {
        let day = french::date(asked);
        wrong.push(("recu", format!("C’est demandé depuis le {day}\u{a0}: la réponse ne peut pas être arrivée avant")));
    }
}

/// The moment of what was received that day: of a day gone by, its noon, since nobody knows the hour.
pub fn received_at(day: Date, visit: &Visit) -> Timestamp {
    if day >= visit.today() {
        return visit.now;
    }
    let noon = day.at(12, 0, 0, 0).to_zoned(visit.site.zone.clone());
    noon.map_or(visit.now, |noon| noon.timestamp())
}

/// What was typed before the first page, read; what is wrong goes to `wrong` (field, sentence).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub channel: Channel,
    pub received_on: Date,
    pub paper: Option<&'static str>,
}

pub type Wrong = (&'static str, String);

/// Reads how and when it came.
pub fn read(typed: &Raw, today: Date, wrong: &mut Vec<Wrong>) -> Option<Told> {
    let channel = Channel::FILED.into_iter().find(|channel| channel.id() == typed.text("canal"));
    if channel.is_none() {
        wrong.push(("canal", "Choisissez par où la demande est arrivée".to_owned()));
    }
    let received_on = reception(typed.text("recu"), today).map_err(|text| wrong.push(("recu", text))).ok();
    let paper = identity::documents().find(|(code, _)| *code == typed.text("piece")).map(|(code, _)| code);
    if paper.is_some() && channel.is_some_and(|channel| channel != Channel::Counter) {
        wrong.push(("piece", "Un document d’identité ne se vérifie qu’au guichet".to_owned()));
    }
    Some(Told { channel: channel?, received_on: received_on?, paper })
}

/// A day that is not to come, nor older than [`OLDEST`].
pub fn reception(typed: &str, today: Date) -> Result<Date, String> {
    let day = french::day(typed.trim())
        .ok_or_else(|| "Écrivez la date de réception comme 27/03/2026, un jour qui existe".to_owned())?;
    let oldest = today.checked_sub(OLDEST.days()).unwrap_or(today);
    if day > today {
        Err("La date de réception est à venir\u{a0}: écrivez aujourd’hui ou un jour passé".to_owned())
    } else if day < oldest {
        Err(format!(
            "La date de réception est trop ancienne\u{a0}: elle ne peut être avant le {} ({OLDEST} jours). Vérifiez l’année",
            french::date(oldest)
        ))
    } else {
        Ok(day)
    }
}

/// Whether who is there, or what their account has, is enough for what the procedure demands: at the counter, an
/// agent who has seen a paper stands in for a verified account, and whoever files stands in for an account.
pub fn identified(procedure: &Procedure, told: &Told, verified: bool, wrong: &mut Vec<Wrong>) {
    if procedure.identification != Identification::Verified || verified || told.paper.is_some() {
        return;
    }
    wrong.push(if told.channel == Channel::Counter {
        ("piece", "Cette démarche demande une identité vérifiée\u{a0}: dites quel document la personne vous a présenté".to_owned())
    } else {
        (
            "canal",
            "Cette démarche demande une identité vérifiée\u{a0}: la personne vient au guichet avec un document d’identité, ou son compte a une identité vérifiée".to_owned(),
        )
    });
}

/// Whether this account is the agent's own: what one asks for oneself is filed as everybody does.
pub fn own(agent: &Agent, account: &Account) -> bool {
    let own = agent.account.email.as_deref().unwrap_or(&agent.account.login);
    [account.email.as_deref(), Some(account.login.as_str())]
        .into_iter()
        .flatten()
        .any(|one| one.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 11, 22);

    fn told(canal: &str, recu: &str, piece: &str) -> (Option<Told>, Vec<&'static str>) {
        let mut typed = Raw::default();
        typed.set("canal", canal);
        typed.set("recu", recu);
        typed.set("piece", piece);
        let mut wrong = Vec::new();
        let read = read(&typed, TODAY, &mut wrong);
        (read, wrong.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn the_day_of_reception_has_bounds() {
        for (recu, fine) in [
            ("22/11/2026", true),
            ("23/11/2026", false),
            ("26/05/2026", true),
            ("25/05/2026", false),
            ("22/11/2025", false),
            ("31/02/2026", false),
            ("", false),
        ] {
            let (read, wrong) = told("courrier", recu, "");
            assert_eq!((read.is_some(), wrong.is_empty()), (fine, fine), "{recu}: {wrong:?}");
        }
    }

    #[test]
    fn a_paper_is_seen_at_the_counter_only() {
        assert_eq!(told("guichet", "22/11/2026", "passeport").0.and_then(|told| told.paper), Some("passeport"));
        assert_eq!(told("telephone", "22/11/2026", "passeport").1, ["piece"]);
        assert_eq!(told("guichet", "22/11/2026", "abonnement").0.and_then(|told| told.paper), None);
        assert_eq!(told("web", "22/11/2026", "").1, ["canal"]);
    }
}
