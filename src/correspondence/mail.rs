//! Mails that a department words itself. They say no more of a person than the shipped ones do.

use std::collections::BTreeMap;

use forms::{
    model::Procedure,
    step,
    text::{self, Known, Names},
};
use minijinja::context;

use super::{
    compose,
    model::{self, MAIL, Template},
    store,
};
use crate::{
    authorities::{self, Department},
    platform::{clock, french},
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

/// What a mail says, in words.
pub struct Worded {
    pub subject: String,
    pub text: String,
}

/// The department's own words for a message about a request; none where it has none.
pub async fn own(
    visit: &Visit,
    message: &str,
    request: &Request,
    procedure: &Procedure,
) -> anyhow::Result<Option<Worded>> {
    if MESSAGES.iter().all(|(id, _)| *id != message) {
        return Ok(None);
    }
    let code = format!("{MAIL}{message}");
    let Some(template) = store::template(&visit.db, &request.department_id, &code, None).await? else {
        return Ok(None);
    };
    let Some(department) = authorities::department(&visit.db, &request.department_id).await? else { return Ok(None) };
    let mut known = compose::general(visit, &department);
    known.set("demande.reference", &request.reference);
    known.set("demande.demarche", title(procedure));
    known.set_date("demande.envoyee_le", clock::day(request.submitted_at, &visit.site.zone));
    let nothing = BTreeMap::new();
    if let Some(day) = step::legal_end(procedure, &request.life(), fire::context(visit, &nothing)) {
        known.set_date("demande.delai_legal", day);
    }
    let worded = words(visit, &template.subject, &template.body, &known);
    if worded.is_none() {
        // The shipped words serve: a mail is owed.
        tracing::warn!(code, version = template.version, "a mail's template cannot be filled in");
    }
    Ok(worded)
}

/// The name of a confidential procedure never leaves in a mail.
fn title(procedure: &Procedure) -> &str {
    if procedure.confidential { "Votre demande" } else { &procedure.title }
}

/// None when something that it names is missing.
fn words(visit: &Visit, subject: &str, body: &str, known: &Known) -> Option<Worded> {
    let parsed = model::parse(subject, body, &Names::mail()).ok()?;
    let subject = parsed.subject.fill(known, visit.today()).ok()?;
    let body = parsed.body.fill(known, visit.today()).ok()?;
    Some(Worded { subject: text::plain(&subject.blocks).replace('\n', " "), text: text::plain(&body.blocks) })
}

/// The same, of a request that is not.
pub fn sample(visit: &Visit, department: &Department, subject: &str, body: &str) -> Option<Worded> {
    let mut known = compose::general(visit, department);
    known.set("demande.reference", &format!("{}-7F3K-29", visit.site.settings.prefix));
    known.set("demande.demarche", "Demander un acte de naissance");
    known.set("demande.envoyee_le", &french::date(visit.today()));
    words(visit, subject, body, &known)
}

/// The shipped words of a message, in the language of templates: where a department begins from.
pub fn shipped(visit: &Visit, department: &str, message: &str) -> anyhow::Result<Template> {
    let context = context! {
        reference => "{{ demande.reference }}", procedure => "{{ demande.demarche }}",
        submitted => "{{ demande.envoyee_le }}", link => "", link_label => "", code => "", silence => "",
        city => context! { name => "{{ collectivite.nom }}", phone => "", email => "" },
    };
    let templates = &visit.app.templates;
    let title = MESSAGES.iter().find(|(id, _)| *id == message).map_or(message, |(_, title)| title);
    Ok(Template {
        department_id: department.to_owned(),
        code: format!("{MAIL}{message}"),
        genre: "mail".to_owned(),
        version: 0,
        latest: 0,
        title: title.to_owned(),
        subject: templates.render(&format!("mails/{message}.subject.txt"), context.clone())?.trim().to_owned(),
        body: templates.render_block(&format!("mails/{message}.txt"), "text", context)?.trim().to_owned(),
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
