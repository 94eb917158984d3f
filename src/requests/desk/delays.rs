//! When an answer is due, in words.

use forms::{
    Colour, due,
    model::{Alerts, Procedure, Silence},
    step::{Context, Life},
};
use jiff::{Timestamp, civil::Date};

use crate::{
    platform::{clock, french},
    visit::Agent,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub day: Date,
    /// « En retard de 2 jours », « Dans 5 jours », « Délai suspendu »; empty when nothing is due any more.
    pub text: String,
    /// `late`, `soon` (red and orange, as the procedure says), `later`, `paused` or `none`.
    pub look: &'static str,
}

/// How a due date stands for a request of this status; `alerts` of its procedure, if it is known.
pub fn due(agent: &Agent, alerts: Option<&Alerts>, at: Timestamp, status: &str, ended: bool) -> Due {
    let (day, today) = (clock::day(at, &agent.site.zone), agent.today());
    let colour = alerts.map(|alerts| alerts.colour(day, today, &agent.site.calendar));
    stands(day, today, colour, status, ended)
}

fn stands(day: Date, today: Date, colour: Option<Colour>, status: &str, ended: bool) -> Due {
    let (text, look) = match status {
        _ if ended => (String::new(), "none"),
        "accepted" | "refused" | "ended" => (String::new(), "none"),
        "action-needed" => ("Délai suspendu".to_owned(), "paused"),
        _ => {
            let days = (day - today).get_days();
            let look = match colour {
                Some(Colour::Red) => "late",
                Some(Colour::Orange) => "soon",
                Some(Colour::Green) => "later",
                None if days < 0 => "late",
                None => "later",
            };
            (left(days), look)
        }
    };
    Due { day, text, look }
}

fn left(days: i32) -> String {
    match days {
        ..-1 => format!("En retard de {}\u{a0}jours", -days),
        -1 => "En retard d’un jour".to_owned(),
        0 => "Aujourd’hui".to_owned(),
        1 => "Demain".to_owned(),
        _ => format!("Dans {days}\u{a0}jours"),
    }
}

/// What the administration's silence will mean, and when: « Silence vaut acceptation le 21 janvier 2027 ».
/// Empty when the law gives it no meaning, or when there is an answer.
pub fn silence(procedure: &Procedure, life: &Life, status: &str, cx: Context<'_>) -> String {
    let Some(legal) = procedure
        .legal
        .as_ref()
        .filter(|_| life.ended.is_none() && matches!(status, "sent" | "in-progress" | "action-needed"))
    else {
        return String::new();
    };
    let means = match legal.silence {
        Silence::Acceptation => "acceptation",
        Silence::Rejet => "rejet",
        Silence::None => return String::new(),
    };
    if legal.silence == Silence::Acceptation && life.completed.is_none() {
        return format!("Silence vaut {means} {} après le dossier complet", legal.delay);
    }
    // For the time given to complete, and no longer: then the delay runs again (CRPA L114-5).
    let stands = life.suspended.filter(|_| life.clocks.until.is_none_or(|until| cx.day(cx.now) <= until));
    match (stands, due::legal_end(procedure, life, cx)) {
        (Some(since), _) => {
            format!("Silence vaut {means}\u{a0}: délai suspendu depuis le {}", french::date(cx.day(since)))
        }
        (None, Some(end)) => format!("Silence vaut {means} le {}", french::date(end)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use forms::{
        calendar::Calendar,
        model::{Delay, DelayUnit},
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn look(due_at: &str, status: &str) -> (String, &'static str) {
        let zone = clock::zone("Europe/Paris");
        let (day, today) = (clock::day(at(due_at), &zone), clock::day(at("2026-11-21T23:30:00Z"), &zone));
        let alerts = Alerts::usual(Delay { count: 1, unit: DelayUnit::Months });
        let colour = alerts.colour(day, today, &Calendar::default());
        let due = stands(day, today, Some(colour), status, false);
        (due.text, due.look)
    }

    #[test]
    fn days_are_local() {
        // In Paris it is the 22nd already.
        assert_eq!(look("2026-11-22T22:59:59Z", "sent"), ("Aujourd’hui".to_owned(), "soon"));
        assert_eq!(look("2026-11-21T22:59:59Z", "sent"), ("En retard d’un jour".to_owned(), "late"));
        assert_eq!(look("2026-11-19T22:59:59Z", "in-progress").1, "late");
        assert_eq!(look("2026-12-21T22:59:59Z", "sent").1, "later");
    }

    /// What silence means, for a request sent on 12 November 2026 with a delay of two months.
    fn says(silence: Silence, status: &str, change: impl FnOnce(&mut Life)) -> String {
        let sources = crate::catalogue::shipped().unwrap();
        let (file, text) = sources.procedures.iter().find(|(name, _)| name == "certificat-alignement.yaml").unwrap();
        let mut procedure = forms::load::procedure(file, text, &sources.shared).unwrap();
        procedure.legal.as_mut().unwrap().silence = silence;
        procedure.delay = forms::model::Delay { count: 15, unit: forms::model::DelayUnit::Days };
        let mut life = Life {
            state: String::new(),
            submitted: at("2026-11-12T10:00:00Z"),
            due: at("2026-11-27T22:59:59Z"),
            suspended: None,
            completed: None,
            ended: None,
            held: false,
            clocks: forms::step::Clocks::default(),
        };
        change(&mut life);
        let (zone, calendar, known) = (clock::zone("Europe/Paris"), Default::default(), Default::default());
        let cx = Context { now: at("2026-11-25T10:00:00Z"), zone: &zone, calendar: &calendar, known: &known };
        super::silence(&procedure, &life, status, cx).replace('\u{a0}', " ")
    }

    #[test]
    fn silence_speaks_at_its_hour() {
        assert_eq!(says(Silence::Rejet, "sent", |_| ()), "Silence vaut rejet le 12 janvier 2027");
        assert_eq!(
            says(Silence::Acceptation, "sent", |_| ()),
            "Silence vaut acceptation 2 mois après le dossier complet"
        );
        assert_eq!(
            says(Silence::Acceptation, "in-progress", |life| life.completed = Some(at("2026-11-20T10:00:00Z"))),
            "Silence vaut acceptation le 20 janvier 2027"
        );
        // Ten days that the usager had been given: the legal end moves as much.
        assert_eq!(
            says(Silence::Rejet, "in-progress", |life| life.clocks.given = 10),
            "Silence vaut rejet le 22 janvier 2027"
        );
        assert_eq!(
            says(Silence::Rejet, "action-needed", |life| life.suspended = Some(at("2026-11-20T10:00:00Z"))),
            "Silence vaut rejet : délai suspendu depuis le 20 novembre 2026"
        );
        // The four days given are over, whatever the usager does.
        assert_eq!(
            says(Silence::Rejet, "action-needed", |life| {
                life.suspended = Some(at("2026-11-20T10:00:00Z"));
                life.clocks.until = "2026-11-24".parse().ok();
            }),
            "Silence vaut rejet le 16 janvier 2027"
        );
        assert_eq!(says(Silence::None, "sent", |_| ()), "");
        assert_eq!(says(Silence::Rejet, "accepted", |_| ()), "");
    }

    #[test]
    fn nothing_is_late_while_the_usager_completes() {
        assert_eq!(look("2026-11-01T22:59:59Z", "action-needed").1, "paused");
        assert_eq!(look("2026-11-01T22:59:59Z", "accepted").1, "none");
    }
}
