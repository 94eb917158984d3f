//! What the law wants said of a procedure, and where its page is.

use forms::model::{Legal, Notice, Procedure, Silence};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::{platform::french, requests::desk, visit::Visit};

pub fn procedure_link(procedure: &Procedure) -> Json {
    json!({"title": procedure.title, "href": procedure_page(procedure), "confidential": procedure.confidential})
}

/// The page that tells of a procedure, to who may file it.
pub fn procedure_page(procedure: &Procedure) -> String {
    let space = if procedure.is_internal() { "/agent/interne" } else { "" };
    format!("{space}/demarches/{}", procedure.id)
}

pub fn notice(procedure: &Procedure) -> Json {
    told(&procedure.notice, &json!(procedure.recipients()), ENDED)
}

/// Where the retention of requests counts from.
const ENDED: &str = "la fin du traitement";

/// `from`: what the retention counts from, in words.
pub fn notice_of(notice: &Notice, from: &str) -> Json {
    told(notice, &json!(notice.recipients), from)
}

fn told(notice: &Notice, recipients: &Json, from: &str) -> Json {
    json!({"purpose": notice.purpose, "basis": notice.basis, "recipients": recipients, "retention": kept(notice, from)})
}

/// « 3 mois après la fin du traitement, puis archivage pendant 1 an ».
pub fn retention(notice: &Notice) -> String {
    kept(notice, ENDED)
}

fn kept(notice: &Notice, from: &str) -> String {
    let kept = format!("{} après {from}", notice.retention.current);
    if notice.retention.dua == notice.retention.current {
        kept
    } else {
        format!("{kept}, puis archivage pendant {}", notice.retention.dua)
    }
}

pub fn legal(legal: Option<&Legal>) -> Json {
    legal.map_or(Json::Null, |legal| json!({"delay": legal.delay.to_string(), "silence": legal.silence_name(), "basis": legal.basis.clone().unwrap_or_default()}))
}

trait SilenceName {
    fn silence_name(&self) -> &'static str;
}

impl SilenceName for Legal {
    fn silence_name(&self) -> &'static str {
        match self.silence {
            Silence::Acceptation => "acceptation",
            Silence::Rejet => "rejet",
            Silence::None => "none",
        }
    }
}

/// What the law says of the time to answer, for the receipt (CRPA R112-11-1: the date at which,
/// failing an express decision, the request will be deemed accepted or rejected).
pub fn legal_sentences(procedure: &Procedure, received: Timestamp, visit: &Visit) -> Vec<String> {
    let promised = format!("Le service vous répond sous {}.", procedure.delay);
    let Some(legal) = &procedure.legal else { return vec![promised] };
    let time = legal.delay;
    let silence = match legal.silence {
        Silence::Acceptation => format!(
            "Si vous n’avez pas de réponse dans un délai de {time} à compter de la réception du dossier complet, votre demande est acceptée. Vous pourrez alors demander une attestation."
        ),
        Silence::Rejet => {
            let received = crate::platform::clock::day(received, &visit.site.zone);
            let end = visit.site.calendar.after(received, legal.delay);
            let refused = format!("Sans réponse le {}, votre demande est considérée comme refusée.", french::date(end));
            let appeal = desk::appeal_from(&visit.site, procedure, "cette date");
            return [promised, refused].into_iter().chain(appeal.lines().map(str::to_owned)).collect();
        }
        Silence::None => return vec![promised],
    };
    vec![promised, silence]
}
