//! At the counter: a mandate recorded from a signed paper, between two people who have an account.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::{Json, Tx};
use forms::answers::Raw;
use minijinja::context;
use serde::Deserialize;

use super::{about, form, model::Mandate, store};
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
    platform::{form::Typed, french},
    visit::Agent,
};

const TITLE: &str = "Enregistrer un mandat";
const PAGE: &str = "mandates/desk.html";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

pub async fn show(agent: Agent, Query(told): Query<Told>) -> Result<Response, Problem> {
    agent.at_counter()?;
    let text = (told.fait == "enregistre")
        .then_some("Le mandat est enregistré. Les deux personnes en sont prévenues par courriel.");
    draw(&agent, &Raw::default(), &[], text).await
}

async fn draw(agent: &Agent, typed: &Raw, wrong: &[Wrong], told: Option<&str>) -> Result<Response, Problem> {
    let context = context! {
        principal => typed.text("mandant"), helper => typed.text("mandataire"), checked => !typed.text("papier").is_empty(),
        terms => form::context(agent, typed).await?, errors => errors(wrong), ..flash(told),
    };
    if wrong.is_empty() { agent.page(PAGE, TITLE, context) } else { agent.page_again(PAGE, TITLE, context) }
}

async fn account(
    agent: &Agent,
    typed: &Raw,
    field: &'static str,
    wrong: &mut Vec<Wrong>,
) -> Result<Option<Account>, Problem> {
    let found = match accounts::check_email(typed.text(field)) {
        Ok(email) => accounts::by_email(&agent.db, Kind::Usager, &email).await?,
        Err(_) => None,
    };
    if found.is_none() {
        wrong.push(Wrong::new(field, "Aucun compte n’a cette adresse\u{a0}: la personne ouvre d’abord un compte, avec l’adresse qu’elle confirme"));
    }
    Ok(found)
}

pub async fn record(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let mut wrong = Vec::new();
    let principal = account(&agent, &typed, "mandant", &mut wrong).await?;
    let helper = account(&agent, &typed, "mandataire", &mut wrong).await?;
    if principal.is_some() && principal.as_ref().map(|one| one.id) == helper.as_ref().map(|one| one.id) {
        wrong
            .push(Wrong::new("mandataire", "C’est la même personne\u{a0}: saisissez l’adresse de qui agira pour elle"));
    }
    let terms = form::read(&agent, &typed, &mut wrong).await?;
    if typed.text("papier").is_empty() {
        wrong.push(Wrong::new(
            "papier",
            "Vérifiez le mandat signé et l’identité des deux personnes, puis cochez la case",
        ));
    }
    let (Some(principal), Some(helper), Some(terms), true) = (principal, helper, terms, wrong.is_empty()) else {
        return draw(&agent, &typed, &wrong, None).await;
    };
    let visit = &agent.visit;
    let mandate = Mandate {
        id: agent.id(),
        principal_id: principal.id,
        helper_id: Some(helper.id),
        kind: terms.kind.to_owned(),
        scope: Json(terms.scope),
        may: terms.may.codes(),
        until: terms.until,
        offered_at: agent.now,
        accepted_at: Some(agent.now),
        ended_at: None,
        recorded_by: Some(agent.account.id),
    };
    let until = french::date(terms.until);
    agent
        .db
        .write(async |tx: &mut Tx| {
            store::insert(tx, &mandate).await?;
            trace::add(tx, visit, about(mandate.id), Actor::agent(&agent), "recorded", &helper.full_name()).await?;
            for (to, other) in [(&principal, &helper), (&helper, &principal)] {
                let name = if to.id == principal.id { "mandat-guichet" } else { "mandat-guichet-mandataire" };
                let who = other.full_name();
                let letter = Letter {
                    name,
                    to: to.mailbox(),
                    who: &who,
                    what: &until,
                    path: "/compte/mandats",
                    invitation: None,
                };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<(), db::Error>(())
        })
        .await?;
    agent.app.work.notify_one();
    Ok(Redirect::to("/agent/mandats?fait=enregistre").into_response())
}
