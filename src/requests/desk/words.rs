//! Codes of the history and of statuses as French words.

use forms::model::Procedure;

use crate::approvals;
use crate::consultations as opinions;
use crate::contacts;
use crate::correspondence::{free::WRITTEN, post::POSTED};
use crate::hooks;
use crate::requests::{
    assign::{ASSIGNED, UNASSIGNED},
    citizen::attestation,
    code,
    handover::HANDED,
    linked,
    model::{Event, Request},
    moves,
    timers::CALENDAR,
};

/// Codes of events that are not transitions (they have no state to go to).
pub const HELD: &str = "held";
pub const RELEASED: &str = "released";
pub const MESSAGE: &str = "message";
pub const AGAIN: &str = "mail-again";

/// What happened: the transition's own label and the state it led to, or the words of the code.
pub fn event(procedure: &Procedure, event: &Event) -> String {
    if let Some(to) = &event.to_state {
        let label = procedure
            .workflow
            .transition(&event.code)
            .map_or(event.code.as_str(), |transition| transition.label.as_str());
        let label = match event {
            _ if event.is_filing(procedure) => "Demande déposée pour l’usager",
            _ if event.is_completing(procedure) => "Réponse saisie pour l’usager",
            _ => label,
        };
        return format!("{label} → {}", state(procedure, to));
    }
    if event.code == HANDED {
        return format!("Dossier confié à {}", event.subject_name.as_deref().unwrap_or("un collègue"));
    }
    let who = || event.subject_name.as_deref().unwrap_or("quelqu’un");
    match event.code.as_str() {
        moves::MOVED => return format!("Dossier transmis à un autre service\u{a0}: {}", who()),
        ASSIGNED => return format!("Dossier affecté par une règle à {}", who()),
        opinions::ASKED => return format!("Avis demandé\u{a0}: {}", who()),
        opinions::GIVEN => return format!("Avis rendu\u{a0}: {}", who()),
        opinions::WITHDRAWN => return format!("Demande d’avis retirée\u{a0}: {}", who()),
        opinions::REMINDED => return format!("Avis rappelé\u{a0}: {}", who()),
        opinions::LATE => return format!("Avis non rendu dans le délai\u{a0}: {}", who()),
        opinions::LINKED => return format!("Nouveau lien envoyé pour un avis\u{a0}: {}", who()),
        approvals::ASKED => return format!("Mis au parapheur\u{a0}: {}", who()),
        approvals::GIVEN => return format!("Visé\u{a0}: {}", who()),
        approvals::DECLINED => return format!("Visa refusé\u{a0}: {}", who()),
        approvals::COMPLETE => return format!("Visé par tous\u{a0}: {}", who()),
        approvals::VOID => return format!("Visa caduc, le dossier a changé\u{a0}: {}", who()),
        approvals::REMINDED => return format!("Visa rappelé\u{a0}: {}", who()),
        approvals::LATE => return format!("Visa non donné dans le délai\u{a0}: {}", who()),
        _ => {}
    }
    if let Some(text) = hooks::words(procedure, &event.code) {
        return text;
    }
    match event.code.as_str() {
        attestation::ASKED => "Attestation d’acceptation demandée",
        linked::OFFERED => "Démarche liée proposée à l’usager",
        UNASSIGNED => "Affectation par une règle impossible : la personne désignée n’instruit plus dans ce service",
        HELD => "Dossier affecté",
        RELEASED => "Dossier libéré",
        MESSAGE if event.actor == "usager" => "Message de l’usager",
        MESSAGE => "Message à l’usager",
        code::RENEWED => "Nouveau code de suivi donné",
        contacts::SHARED => "Échange noté, visible de l’usager",
        contacts::INTERNAL => "Échange noté, interne",
        contacts::mail::MAIL => "Courriel reçu de l’adresse de l’usager",
        contacts::sms::RECEIVED => "SMS reçu du numéro de l’usager",
        AGAIN => "Envoi relancé",
        POSTED => "Lettre postée",
        WRITTEN => "Lettre écrite à l’usager",
        CALENDAR => "Délais recalculés : le calendrier de la collectivité a changé",
        other => other,
    }
    .to_owned()
}

/// Who asks, in their circuit.
pub fn filer(procedure: &Procedure) -> &'static str {
    if procedure.is_internal() { "L’agent" } else { "L’usager" }
}

/// The same, as a label.
pub fn who(procedure: &Procedure) -> &'static str {
    if procedure.is_internal() { "Agent" } else { "Usager" }
}

/// Who did it.
pub fn actor(procedure: &Procedure, event: &Event) -> String {
    match (event.actor.as_str(), &event.actor_name) {
        ("usager", name) => match event.acted.as_deref() {
            None => filer(procedure).to_owned(),
            Some(right) => {
                let name = name.as_deref().unwrap_or("Une personne");
                let as_what = if right == "mandate" { "mandataire de l’usager" } else { "pour l’organisation" };
                format!("{name}, {as_what}")
            }
        },
        ("agent", Some(name)) => name.clone(),
        ("agent", None) => "Un agent".to_owned(),
        ("expert", _) => "Personne extérieure".to_owned(),
        _ => "Automatique".to_owned(),
    }
}

/// The state a request came to, for agents.
pub fn state(procedure: &Procedure, state: &str) -> String {
    procedure.workflow.state(state).map_or_else(|| state.to_owned(), |state| state.label.clone())
}

/// What is expected now, and from whom.
pub fn next_step(request: &Request) -> &'static str {
    if request.ended_at.is_some() {
        return "Rien de plus n’est attendu.";
    }
    match request.status.as_str() {
        "sent" => "Le service doit prendre la demande en charge.",
        "in-progress" => "Le service instruit la demande.",
        "action-needed" => "L’usager doit compléter sa demande.",
        "accepted" => "Le service doit envoyer ou remettre la réponse.",
        _ => "Rien de plus n’est attendu.",
    }
}

/// Statuses offered as a filter.
pub const STATUSES: [(&str, &str); 6] = [
    ("sent", "Envoyée"),
    ("in-progress", "En cours"),
    ("action-needed", "En attente de l’usager"),
    ("accepted", "Acceptée"),
    ("refused", "Refusée"),
    ("ended", "Terminée"),
];
