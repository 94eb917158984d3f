//! Mails and SMS that a department words itself. They say no more of a person than the shipped ones do.

use std::collections::BTreeMap;

use forms::{
    due,
    model::Procedure,
    text::{self, Known, Names},
};
use minijinja::context;
use serde_json::Value as Json;

use super::{
    compose,
    model::{self, Medium, Template},
    store,
};
use crate::{
    authorities::{self, Department},
    platform::{clock, french, jobs::Claimed, mail::SendError},
    requests::{fire, model::Request},
    visit::Visit,
};

/// The messages that workflows send, as managers know them.
pub const MESSAGES: [(&str, &str); 13] = [
    ("recue", "Demande enregistrée"),
    ("prise-en-charge", "Demande prise en charge"),
    ("piece-demandee", "Pièce ou correction demandée"),
    ("relance", "Rappel de ce qui est attendu"),
    ("complete", "Dossier complet"),
    ("silence", "Délai légal passé sans réponse"),
    ("completee", "Réponse de l’usager saisie par le service"),
    ("decision", "Décision prise"),
    ("reponse", "Réponse donnée"),
    ("classee", "Demande classée sans suite"),
    ("annulee", "Demande annulée"),
    ("rouverte", "Demande rouverte"),
    ("message", "Message du service"),
];

/// What a mail says, in words. An SMS has no subject.
#[derive(Debug)]
pub struct Worded {
    pub subject: String,
    pub text: String,
}

/// What a job of a message says to leave the department's own text aside.
pub const COMMON: &str = "common";

/// Whether a job of a message is to use the common text.
pub fn is_common(job: &Claimed) -> bool {
    job.payload.0.get(COMMON).and_then(Json::as_bool).unwrap_or_default()
}

/// How the error of a message begins that waits for its template to be corrected: the code follows, in brackets.
pub const UNFILLED: &str = "le texte du service ne peut pas être rempli";

/// The end of a message whose template cannot be filled in: somebody has to see it. A mail with other words than
/// those of the department is not sent behind its back.
fn unfilled(template: &Template, sentences: &[String]) -> SendError {
    let why = sentences.join(" ");
    SendError::Permanent(format!("{UNFILLED} ({}), version {} : {why}", template.code, template.version))
}

/// The department's own words for a message about a request; none where it has none.
///
/// # Errors
/// [`UNFILLED`], for good, when something that they name is missing.
pub async fn own(
    visit: &Visit,
    medium: Medium,
    message: &str,
    request: &Request,
    procedure: &Procedure,
) -> Result<Option<Worded>, SendError> {
    if MESSAGES.iter().all(|(id, _)| *id != message) {
        return Ok(None);
    }
    let found = store::template(&visit.db, &request.department_id, &medium.code(message), None).await;
    let Some(template) = found.map_err(anyhow::Error::from)? else { return Ok(None) };
    let department = authorities::department(&visit.db, &request.department_id).await.map_err(anyhow::Error::from)?;
    let Some(department) = department else { return Ok(None) };
    let mut known = compose::general(visit, &department);
    known.set("demande.reference", &request.reference);
    known.set("demande.demarche", title(procedure));
    known.set_date("demande.envoyee_le", clock::day(request.submitted_at, &visit.site.zone));
    let nothing = BTreeMap::new();
    if let Some(day) = due::legal_end(procedure, &request.life(), fire::context(visit, &nothing)) {
        known.set_date("demande.delai_legal", day);
    }
    match words(visit, medium, &template.subject, &template.body, &known) {
        Ok(worded) => Ok(Some(worded)),
        Err(sentences) => Err(unfilled(&template, &sentences)),
    }
}

/// The name of a confidential procedure never leaves in a mail.
fn title(procedure: &Procedure) -> &str {
    if procedure.confidential { "Votre demande" } else { &procedure.title }
}

/// What may stand in the text of a mail or of an SMS, which is read over shoulders as subjects of mails are.
pub fn names(medium: Medium) -> Names {
    if medium == Medium::Sms { Names::mail().subject() } else { Names::mail() }
}

/// # Errors
/// What is wrong in it or missing, in sentences.
fn words(visit: &Visit, medium: Medium, subject: &str, body: &str, known: &Known) -> Result<Worded, Vec<String>> {
    let parsed = model::parse(subject, body, &names(medium));
    let parsed = parsed.map_err(|wrong| wrong.into_iter().map(|one| one.message).collect::<Vec<_>>())?;
    match (parsed.subject.fill(known, visit.today()), parsed.body.fill(known, visit.today())) {
        (Ok(subject), Ok(body)) => {
            Ok(Worded { subject: text::plain(&subject.blocks).replace('\n', " "), text: text::plain(&body.blocks) })
        }
        (subject, body) => {
            let missing = subject.err().into_iter().chain(body.err()).flatten();
            Err(missing.map(|label| format!("« {label} » n’est pas renseigné.")).collect())
        }
    }
}

/// The same, of a request that is not.
///
/// # Errors
/// As [`own`], in sentences.
pub fn sample(
    visit: &Visit,
    medium: Medium,
    department: &Department,
    subject: &str,
    body: &str,
) -> Result<Worded, Vec<String>> {
    let mut known = compose::general(visit, department);
    known.set("demande.reference", &reference(visit));
    known.set("demande.demarche", "Demander un acte de naissance");
    known.set("demande.envoyee_le", &french::date(visit.today()));
    words(visit, medium, subject, body, &known)
}

/// Of no request.
pub fn reference(visit: &Visit) -> String {
    format!("{}-7F3K-29", visit.site.settings.prefix)
}

/// The shipped words of a message, in the language of templates: where a department begins from.
pub fn shipped(visit: &Visit, medium: Medium, department: &str, message: &str) -> anyhow::Result<Template> {
    let context = context! {
        reference => "{{ demande.reference }}", procedure => "{{ demande.demarche }}",
        submitted => "{{ demande.envoyee_le }}", link => "", link_label => "", code => "", silence => "",
        city => context! { name => "{{ collectivite.nom }}", phone => "", email => "" }, message => message, text => "",
    };
    let templates = &visit.app.templates;
    let title = MESSAGES.iter().find(|(id, _)| *id == message).map_or(message, |(_, title)| title);
    let (subject, body) = match medium {
        Medium::Sms => (String::new(), templates.render_block("sms/demande.txt", "words", context)?),
        _ => (
            templates.render(&format!("mails/{message}.subject.txt"), context.clone())?,
            templates.render_block(&format!("mails/{message}.txt"), "text", context)?,
        ),
    };
    Ok(Template {
        department_id: department.to_owned(),
        code: medium.code(message),
        genre: medium.genre().to_owned(),
        version: 0,
        latest: 0,
        title: title.to_owned(),
        subject: subject.trim().to_owned(),
        body: body.trim().to_owned(),
        saved_at: visit.now,
        saved_by: None,
        saved_name: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::jobs;

    #[test]
    fn every_message_of_workflows_may_be_worded() {
        assert_eq!(MESSAGES.map(|(id, _)| id), jobs::MESSAGES);
    }
}
