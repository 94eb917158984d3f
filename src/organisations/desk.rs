//! At the counter: an organisation's papers checked, its presidency changed when the former president is gone.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, kinds::Today};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    about,
    model::{self, Organisation, Role},
    pages::href,
    store,
};
use crate::{
    accounts::{
        self, Wrong,
        citizen::{errors, flash},
        session::{Account, Kind},
    },
    acting::{
        mails::{self, Letter},
        trace::{self, Actor},
    },
    error::Problem,
    journal::{self, Action, Line},
    platform::form::Typed,
    visit::Agent,
};

const TITLE: &str = "Organisations";
const PAGE: &str = "organisations/desk.html";
const LONGEST_REASON: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn show(agent: Agent, Query(told): Query<Told>) -> Result<Response, Problem> {
    agent.at_counter()?;
    let text = match told.fait.as_str() {
        "verifiee" => Some("L’organisation est notée comme vérifiée au guichet."),
        "presidence" => {
            Some("La présidence est changée. L’ancienne et la nouvelle personne en sont prévenues par courriel.")
        }
        _ => None,
    };
    agent.page(PAGE, TITLE, context! { number => "", searched => false, organisation => Value::from(()), typed => typed(&Raw::default()), errors => errors(&[]), ..flash(text) })
}

/// By the whole number only: nobody leafs through organisations.
pub async fn search(agent: Agent, Typed(sent): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let number = sent.text("numero");
    let read = match model::rna(number) {
        Ok(Some(rna)) => Ok(rna),
        _ => model::siret(number, Today(agent.today())).and_then(|read| read.ok_or_else(String::new)),
    };
    match read {
        Ok(found) => {
            let organisation = store::numbered(&agent.db, &found).await?;
            draw(&agent, number, organisation.as_ref(), &Raw::default(), &[]).await
        }
        Err(_) => {
            let wrong =
                [Wrong::new("numero", "Saisissez un numéro Siret (14 chiffres) ou RNA (W et neuf chiffres) entier")];
            agent.page_again(PAGE, TITLE, context! { number => number, searched => false, organisation => Value::from(()), typed => typed(&Raw::default()), errors => errors(&wrong) })
        }
    }
}

/// The two forms of the page, with fields of their own each: the checkbox, the reason.
const VERIFYING: (&str, &str) = ("papiers", "motif");
const PRESIDING: (&str, &str) = ("papiers-presidence", "motif-presidence");

fn typed(sent: &Raw) -> Value {
    let form =
        |(checked, reason): (&str, &str)| context! { checked => sent.text(checked), reason => sent.text(reason) };
    context! { verify => form(VERIFYING), preside => form(PRESIDING), email => sent.text("email") }
}

async fn draw(
    agent: &Agent,
    number: &str,
    organisation: Option<&Organisation>,
    sent: &Raw,
    wrong: &[Wrong],
) -> Result<Response, Problem> {
    let shown = match organisation {
        Some(one) => Some(shown(agent, one).await?),
        None => None,
    };
    let context = context! { number => number, searched => true, organisation => Serde(shown), typed => typed(sent), errors => errors(wrong) };
    if wrong.is_empty() { agent.page(PAGE, TITLE, context) } else { agent.page_again(PAGE, TITLE, context) }
}

async fn shown(agent: &Agent, one: &Organisation) -> Result<Json, Problem> {
    journal::read(agent, &Line::agent(agent, Action::OrganisationOpened).about("organisation", one.id)).await?;
    let people: Vec<Json> = store::people(&agent.db, one.id)
        .await?
        .iter()
        .map(|person| json!({"name": person.name, "email": person.email, "role": person.role().label()}))
        .collect();
    let history = trace::of(&agent.db, about(one.id), 20).await?;
    let steps: Vec<Json> = history
        .iter()
        .filter(|event| {
            event.code.starts_with("verif") || event.code.starts_with("president") || event.code == "declared"
        })
        .map(trace::Event::shown)
        .collect();
    Ok(json!({
        "name": one.name, "kind": model::kind_label(&one.kind), "numbers": one.numbers(), "address": one.address,
        "declared": one.declared_at.to_string(), "verified": one.verified_at.map(|at| at.to_string()), "people": people, "history": steps,
        "verify": format!("/agent/organisations/{}/verifier", one.id), "preside": format!("/agent/organisations/{}/presidence", one.id),
    }))
}

/// What an agent must say before they act on an organisation: papers seen, and which.
fn accounted(sent: &Raw, ids: (&'static str, &'static str)) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let reason = sent.text(ids.1).trim();
    if sent.text(ids.0).is_empty() {
        wrong.push(Wrong::new(ids.0, "Vérifiez les papiers et l’identité de la personne, puis cochez la case"));
    }
    if reason.is_empty() {
        wrong.push(Wrong::new(ids.1, "Écrivez quels papiers ont été présentés"));
    } else if reason.chars().count() > LONGEST_REASON {
        wrong.push(Wrong::new(ids.1, format!("Raccourcissez ce texte\u{a0}: {LONGEST_REASON} caractères au plus")));
    }
    wrong
}

async fn organisation(agent: &Agent, id: Uuid) -> Result<Organisation, Problem> {
    store::find(&agent.db, id).await?.ok_or(Problem::NotFound)
}

pub async fn verify(agent: Agent, Path(id): Path<Uuid>, Typed(sent): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let found = organisation(&agent, id).await?;
    let wrong = accounted(&sent, VERIFYING);
    if !wrong.is_empty() {
        return draw(&agent, &found.numbers(), Some(&found), &sent, &wrong).await;
    }
    let visit = &agent.visit;
    agent
        .db
        .write(async |tx: &mut Tx| {
            store::verify(tx, id, visit.now).await?;
            trace::add(tx, visit, about(id), Actor::agent(&agent), "verified", sent.text(VERIFYING.1).trim()).await
        })
        .await?;
    Ok(Redirect::to("/agent/organisations?fait=verifiee").into_response())
}

/// Another president, from papers: the former one is gone.
pub async fn preside(agent: Agent, Path(id): Path<Uuid>, Typed(sent): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let found = organisation(&agent, id).await?;
    let mut wrong = accounted(&sent, PRESIDING);
    let next = match accounts::check_email(sent.text("email")) {
        Ok(email) => accounts::by_email(&agent.db, Kind::Usager, &email).await?,
        Err(_) => None,
    };
    if next.is_none() {
        wrong.push(Wrong::new("email", "Aucun compte n’a cette adresse\u{a0}: la personne ouvre d’abord un compte, avec l’adresse qu’elle confirme"));
    }
    let Some(next) = next.filter(|_| wrong.is_empty()) else {
        return draw(&agent, &found.numbers(), Some(&found), &sent, &wrong).await;
    };
    hand_over(&agent, &found, &next, sent.text(PRESIDING.1).trim()).await?;
    agent.app.work.notify_one();
    Ok(Redirect::to("/agent/organisations?fait=presidence").into_response())
}

async fn hand_over(agent: &Agent, found: &Organisation, next: &Account, reason: &str) -> Result<(), Problem> {
    let people = store::people(&agent.db, found.id).await?;
    let former = people.iter().find(|person| person.role() == Role::President && person.account_id != next.id);
    let (visit, id, who) = (&agent.visit, found.id, next.full_name());
    agent
        .db
        .write(async |tx: &mut Tx| {
            // Held while it changes.
            store::role_of(tx, id, next.id).await?;
            if let Some(president) = store::president(tx, id).await?.filter(|president| *president != next.id) {
                store::remove(tx, id, president).await?;
            }
            store::join(tx, id, next.id, Role::President, visit.now).await?;
            store::propose(tx, id, None).await?;
            trace::add(tx, visit, about(id), Actor::agent(agent), "president-desk", &format!("{who}. {reason}"))
                .await?;
            for to in [Some(next.mailbox()), former.map(|person| person.email.as_str())].into_iter().flatten() {
                let letter = Letter {
                    name: "organisation-president",
                    to,
                    who: &who,
                    what: &found.name,
                    path: &href(id),
                    invitation: None,
                };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(())
}
