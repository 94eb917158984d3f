//! What the administration's silence will mean to its usager, and when (CRPA L112-3, R112-5, L114-5).

use forms::{
    due,
    model::{Procedure, Silence},
    step::{Context, Life},
};

use crate::{
    platform::french,
    requests::{fire, model::Request},
    visit::Visit,
};

/// Sentences on the legal delay of a request as it stands; none where the law gives silence no meaning, or once there
/// is an answer.
pub fn of_request(visit: &Visit, procedure: &Procedure, request: &Request) -> Vec<String> {
    let known = fire::known(procedure, &request.answers.0, &request.given.0);
    words(procedure, &request.life(), &request.status, fire::context(visit, &known))
}

fn words(procedure: &Procedure, life: &Life, status: &str, cx: Context<'_>) -> Vec<String> {
    let waits = life.ended.is_none() && matches!(status, "sent" | "in-progress" | "action-needed");
    let Some(legal) = procedure.legal.as_ref().filter(|_| waits) else { return Vec::new() };
    let means = match legal.silence {
        Silence::Acceptation => "acceptée",
        Silence::Rejet => "refusée",
        Silence::None => return Vec::new(),
    };
    let today = cx.day(cx.now);
    if legal.silence == Silence::Acceptation && life.completed.is_none() {
        let begins = if life.suspended.is_some() {
            "Le délai légal n’a pas commencé\u{a0}: nous attendons d’abord votre réponse."
        } else {
            "Le délai légal commence quand votre dossier est complet."
        };
        let end = format!("Sans réponse {} après, votre demande sera réputée {means}.", legal.delay);
        return vec![begins.to_owned(), end];
    }
    // For the time given to complete, and no longer: then the delay runs again.
    let until = life.clocks.until;
    if let Some(since) = life.suspended.filter(|_| until.is_none_or(|until| today <= until)) {
        let since = french::date(cx.day(since));
        let last = until.map(|until| format!(", au plus tard le {}", french::date(until))).unwrap_or_default();
        return vec![
            format!("Le délai légal est suspendu depuis le {since}\u{a0}: nous attendons votre réponse{last}."),
            format!(
                "Il reprend dès que nous la recevons\u{a0}; sans réponse à sa fin, votre demande sera réputée {means}."
            ),
        ];
    }
    match due::legal_end(procedure, life, cx) {
        Some(end) if end >= today => {
            vec![format!("Sans réponse au plus tard le {}, votre demande sera réputée {means}.", french::date(end))]
        }
        Some(end) => {
            vec![format!(
                "Le délai légal a pris fin le {} sans réponse\u{a0}: votre demande est réputée {means}.",
                french::date(end)
            )]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use forms::{calendar::Calendar, load};
    use jiff::Timestamp;

    use super::*;
    use crate::{catalogue, platform::clock};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// For a request sent on 12 November 2026 with a delay of two months, read on 20 November.
    fn says(silence: Silence, now: &str, change: impl FnOnce(&mut Life)) -> Vec<String> {
        let sources = catalogue::shipped().unwrap();
        let (file, text) =
            sources.procedures.iter().find(|(name, _)| name == "stationnement-demenagement.yaml").unwrap();
        let mut procedure = load::procedure(file, text, &sources.shared).unwrap();
        procedure.legal.as_mut().unwrap().silence = silence;
        let (zone, calendar, known) = (clock::zone("Europe/Paris"), Calendar::default(), BTreeMap::new());
        let sent = Context { now: at("2026-11-12T10:00:00Z"), zone: &zone, calendar: &calendar, known: &known };
        let mut life = forms::step::begin(&procedure, sent);
        change(&mut life);
        let status = if life.suspended.is_some() { "action-needed" } else { "in-progress" };
        let said = words(&procedure, &life, status, Context { now: at(now), ..sent });
        said.into_iter().map(|one| one.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn the_date_is_said_with_what_it_means() {
        let now = "2026-11-20T10:00:00Z";
        assert_eq!(
            says(Silence::Rejet, now, |_| {}),
            ["Sans réponse au plus tard le 12 janvier 2027, votre demande sera réputée refusée."]
        );
        assert_eq!(
            says(Silence::Acceptation, now, |life| life.completed = Some(at("2026-11-16T10:00:00Z"))),
            ["Sans réponse au plus tard le 16 janvier 2027, votre demande sera réputée acceptée."]
        );
        assert_eq!(
            says(Silence::Acceptation, now, |_| {}),
            [
                "Le délai légal commence quand votre dossier est complet.",
                "Sans réponse 2 mois après, votre demande sera réputée acceptée."
            ]
        );
        assert_eq!(
            says(Silence::Rejet, "2027-01-13T10:00:00Z", |_| {}),
            ["Le délai légal a pris fin le 12 janvier 2027 sans réponse : votre demande est réputée refusée."]
        );
        assert!(says(Silence::None, now, |_| {}).is_empty());
        assert!(says(Silence::Rejet, now, |life| life.ended = Some(at(now))).is_empty());
    }

    #[test]
    fn a_suspended_clock_says_why_and_until_when() {
        let asked = |life: &mut Life| {
            life.suspended = Some(at("2026-11-18T10:00:00Z"));
            life.clocks.until = Some(jiff::civil::date(2026, 12, 18));
        };
        let said = says(Silence::Rejet, "2026-11-20T10:00:00Z", asked);
        assert_eq!(
            said.first().map(String::as_str),
            Some(
                "Le délai légal est suspendu depuis le 18 novembre 2026 : nous attendons votre réponse, au plus tard le 18 décembre 2026."
            )
        );
        // The time that was given is over: the delay runs again, longer by as much.
        let said = says(Silence::Rejet, "2026-12-20T10:00:00Z", asked);
        assert_eq!(said, ["Sans réponse au plus tard le 11 février 2027, votre demande sera réputée refusée."]);
        assert!(says(Silence::Acceptation, "2026-11-20T10:00:00Z", asked)[0].contains("n’a pas commencé"));
    }
}
