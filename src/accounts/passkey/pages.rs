//! Adding and removing passkeys on « Connexion et sécurité »: always after the password, so that an open
//! session is not enough.

use axum::response::Response;
use db::Tx;
use minijinja::{Value, context, value::Serde};
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{CreationChallengeResponse, Passkey, PasskeyRegistration, RegisterPublicKeyCredential};

use super::{ceremony, store};
use crate::{
    accounts::{
        citizen::errors,
        connections::{self, Happened},
        jobs::{self, Letter, More},
        model::Wrong,
        person::{self, Person},
        session::Kind,
    },
    error::Problem,
    platform::form::Typed,
    safe,
};

const TITLE: &str = "Ajouter une clé d’accès";
const PURPOSE: &str = "cle-d-acces-ajout";
/// More than anybody has devices.
const MOST: usize = 20;
const LONGEST_NAME: usize = 60;

/// Password given: the page where the device makes the key.
pub async fn prepare<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account());
    let field = "mot-de-passe-cle";
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "cle", &wrong).await;
    }
    let known = store::credentials(&visit.db, account.id).await?;
    if known.len() >= MOST {
        let wrong = Wrong::new(field, format!("Vous avez déjà {MOST} clés d’accès\u{a0}: retirez-en une d’abord"));
        return connections::pages::again(&person, "cle", &wrong).await;
    }
    let party = ceremony::party(visit).map_err(|_| Problem::NotFound)?;
    let known = known.into_iter().map(|(id,)| id).collect();
    let label = match P::KIND {
        Kind::Usager => account.login.clone(),
        Kind::Agent => format!("{} (espace agent)", account.login),
    };
    let (asked, state) = party
        .start_passkey_registration(account.id, &label, &account.full_name(), Some(known))
        .map_err(anyhow::Error::from)?;
    let options = serde_json::to_string(&discoverable(asked, P::KIND)?).map_err(anyhow::Error::from)?;
    let key = ceremony::seal(visit, PURPOSE, &ceremony::owner(&person), &state)?;
    let page = context! { key => key, options => options, name => visit.device.words(), errors => errors(&[]) };
    person.show("accounts/passkey.html", TITLE, page)
}

/// The key must be found without an address being typed: the device has to remember it. An usager's may open their
/// documents later on: some devices want to know from the start that secrets will be derived.
fn discoverable(asked: CreationChallengeResponse, kind: Kind) -> anyhow::Result<serde_json::Value> {
    let mut options = serde_json::to_value(asked.public_key)?;
    if let Some(wanted) = options.get_mut("authenticatorSelection").and_then(serde_json::Value::as_object_mut) {
        wanted.insert("residentKey".to_owned(), json!("required"));
        wanted.insert("requireResidentKey".to_owned(), json!(true));
    }
    if kind == Kind::Usager
        && let Some(extensions) = options.get_mut("extensions").and_then(serde_json::Value::as_object_mut)
    {
        extensions.insert("prf".to_owned(), json!({}));
    }
    Ok(options)
}

/// The device has made the key.
pub async fn add<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let visit = person.visit();
    let state = ceremony::take(visit, PURPOSE, &ceremony::owner(&person), typed.text("cle")).await?;
    let Some(state) = state else { return Ok(person::back::<P>("cle-trop-tard")) };
    let Some(key) = made(&person, &state, typed.text("reponse")) else { return Ok(person::back::<P>("cle-refusee")) };
    let name: String = typed.text("nom").trim().chars().take(LONGEST_NAME).collect();
    let name = if name.is_empty() { visit.device.words() } else { name };
    let done = if keep(&person, &key, &name).await? { "cle" } else { "cle-refusee" };
    visit.app.work.notify_one();
    Ok(person::back::<P>(done))
}

fn made<P: Person>(person: &P, state: &PasskeyRegistration, answer: &str) -> Option<Passkey> {
    let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).ok()?;
    let made = ceremony::party(person.visit()).ok()?.finish_passkey_registration(&answer, state);
    made.inspect_err(|error| tracing::info!(%error, "new passkey refused")).ok()
}

async fn keep<P: Person>(person: &P, key: &Passkey, name: &str) -> Result<bool, db::Error> {
    let (visit, account, id) = (person.visit(), person.account().id, person.visit().id());
    visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::add(tx, account, id, key, name, visit.now).await? {
                return Ok(false);
            }
            // Password and checked device: this session has what the role demands.
            if person.obliged() {
                store::vouch(tx, person.session(), id).await?;
            }
            connections::remember(tx, visit, account, Happened::PasskeyAdded).await?;
            jobs::queue(tx, visit, Letter::PasskeyAdded, account, More::default()).await?;
            Ok::<_, db::Error>(true)
        })
        .await
}

pub async fn remove<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account());
    let field = "mot-de-passe-retirer-cle";
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "retirer-cle", &wrong).await;
    }
    let id: Uuid = typed.text("cle").parse().map_err(|_| Problem::NotFound)?;
    let removed = visit
        .db
        .write(async |tx: &mut Tx| {
            let removed = store::remove(tx, account.id, id, person.session()).await?;
            if removed {
                connections::remember(tx, visit, account.id, Happened::PasskeyRemoved).await?;
                jobs::queue(tx, visit, Letter::PasskeyRemoved, account.id, More::default()).await?;
            }
            Ok::<_, db::Error>(removed)
        })
        .await?;
    if !removed {
        return Err(Problem::NotFound);
    }
    visit.app.work.notify_one();
    Ok(person::back::<P>("cle-retiree"))
}

/// What « Connexion et sécurité » says of them.
pub async fn summary<P: Person>(person: &P) -> Result<Value, Problem> {
    let visit = person.visit();
    let opening = safe::passkeys(&visit.db, person.account().id).await?;
    let list: Vec<_> = store::list(&visit.db, person.account().id)
        .await?
        .iter()
        .map(|key| {
            let used = key.used_at.map(|at| at.to_string()).unwrap_or_default();
            json!({
                "id": key.id, "name": key.name, "added": key.created_at.to_string(), "used": used,
                "documents": opening.contains(&key.id),
            })
        })
        .collect();
    Ok(context! { possible => ceremony::possible(visit), list => Value::from(Serde(list)) })
}
