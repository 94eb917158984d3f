//! An opinion as it is written: by an agent of the department that is asked, or by somebody outside.

use axum::extract::Request as Sent;
use db::Tx;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    change::{self, Change},
    model::{self, Consultation, Given, MOST_FILES, VERDICTS},
    store,
};
use crate::{
    error::Problem,
    requests::{
        form::{self, Slot},
        limited,
    },
    visit::Visit,
};

/// What was typed, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Typed {
    pub verdict: String,
    pub text: String,
    pub errors: Vec<Json>,
}

pub enum Outcome {
    Given,
    /// Somebody was faster, or it is no longer awaited: what was typed is shown, to be taken away.
    TooLate(Typed),
    Again(Typed),
}

/// Reads the form and, if the button says so, gives the opinion. `by`: the agent; none: somebody outside.
pub async fn receive(visit: &Visit, found: &Consultation, sent: Sent, by: Option<Uuid>) -> Result<Outcome, Problem> {
    let slot = found.slot();
    let place = |name: &str| (name == "fichier").then(|| Slot { slot: slot.clone(), most: MOST_FILES, images: false });
    let form = form::receive(visit, found.request_id, sent, place).await?;
    let (verdict, text) = (form.typed.text("avis").to_owned(), form.typed.text("texte").trim().to_owned());
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let removed = form.pressed(&["retirer"]).map(|(_, file)| file.parse().ok());
    let removed: Option<Vec<Uuid>> = removed.map(|file| file.into_iter().collect());
    let added: Vec<Uuid> = form.added.iter().map(|(_, file)| *file).collect();
    if !settle(visit, found, &added, removed.as_deref().unwrap_or_default()).await? {
        return Ok(Outcome::TooLate(Typed { verdict, text, errors: Vec::new() }));
    }
    if removed.is_none() && form.typed.text("action") != "ajouter" {
        wrong = model::problems(&verdict, &text);
    }
    wrong.extend(form.refused.iter().map(|(_, refused)| ("fichier", refused.clone())));
    let sends = form.typed.text("action") == "envoyer";
    if sends && wrong.is_empty() {
        let given = Given { verdict: &verdict, text: &text, by };
        if change::apply(visit, found.request_id, found.id, &Change::Give(&given)).await? {
            return Ok(Outcome::Given);
        }
        return Ok(Outcome::TooLate(Typed { verdict, text, errors: Vec::new() }));
    }
    let errors = wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Ok(Outcome::Again(Typed { verdict, text, errors }))
}

/// Takes out the files that were asked to be; when the opinion was given or withdrawn while this form came, those that
/// came with it. False then: what was given stays as it was given.
async fn settle(visit: &Visit, found: &Consultation, added: &[Uuid], removed: &[Uuid]) -> Result<bool, db::Error> {
    if added.is_empty() && removed.is_empty() {
        return Ok(true);
    }
    visit
        .db
        .write(async |tx: &mut Tx| {
            let open = store::stand(tx, found.request_id, found.id).await?.1 == Some(true);
            let gone = if open { removed } else { added };
            limited::detach(tx, found.request_id, &found.slot(), gone).await?;
            Ok(open)
        })
        .await
}

/// What was typed in a form that is no longer read: shown, to be taken away. Files are left alone.
pub async fn only_typed(sent: Sent) -> Result<Typed, Problem> {
    let form = form::texts(sent).await?;
    Ok(Typed { verdict: form.text("avis").to_owned(), text: form.text("texte").trim().to_owned(), errors: Vec::new() })
}

/// The parts of the form: choices, what was typed, the files that came with it.
pub async fn drawn(visit: &Visit, found: &Consultation, typed: &Typed, files: &str) -> Result<Json, Problem> {
    let verdicts: Vec<Json> = VERDICTS
        .iter()
        .map(|(code, label)| json!({"code": code, "label": label, "chosen": *code == typed.verdict}))
        .collect();
    let attached = limited::attached(visit, found.request_id, &found.slot()).await?;
    let attached: Vec<Json> = attached.iter().map(|file| limited::json(file, files)).collect();
    Ok(
        json!({"verdicts": verdicts, "text": typed.text, "errors": typed.errors, "attached": attached, "accept": crate::platform::upload::ACCEPT}),
    )
}
