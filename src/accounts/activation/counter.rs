//! At the counter: opening an account, and printing the code that activates it.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};
use serde_json::json;
use uuid::Uuid;

use super::{LASTS, code, sign_in_name, store};
use crate::{
    accounts::{
        citizen::{Way, errors, flash},
        connections::{self, Happened},
        email,
        factor::counter,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        password,
        session::Kind,
        store::{self as accounts, Account, NewAccount},
    },
    authorities,
    error::Problem,
    platform::{attachment, form::Typed, french},
    requests::jobs::render,
    visit::Agent,
};

const PAGE: &str = "agent/account_new.html";
const TITLE: &str = "Ouvrir un compte au guichet";
const ACTIVATED: &str = "Ce compte est déjà activé : son code ne servirait à rien.";
/// Names tried before giving up: ten thousand share each.
const TRIES: usize = 20;

pub async fn start(agent: Agent) -> Result<Response, Problem> {
    agent.at_counter()?;
    agent.page(PAGE, TITLE, context(&agent, &Raw::default(), &[]))
}

fn context(agent: &Agent, typed: &Raw, wrong: &[Wrong]) -> Value {
    let once = typed.text("une-fois").parse().unwrap_or_else(|_| agent.id());
    context! {
        first_name => typed.text("prenom"), last_name => typed.text("nom"), phone => typed.text("telephone"),
        email => typed.text("courriel"), reason => typed.text("motif"), once => once.to_string(), errors => errors(wrong),
    }
}

pub async fn open(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    agent.at_counter()?;
    let mut wrong = Vec::new();
    let identity = model::identity(&typed, &mut wrong);
    let phone = model::phone(typed.text("telephone")).unwrap_or_else(|text| {
        wrong.push(Wrong::new("telephone", text));
        None
    });
    let email = Some(typed.text("courriel")).filter(|text| !text.is_empty()).map(model::email).transpose();
    let email = email.unwrap_or_else(|text| {
        wrong.push(Wrong::new("courriel", text));
        None
    });
    let reason = counter::checked(&typed, "identite", "motif", &mut wrong);
    if !wrong.is_empty() {
        return agent.page_again(PAGE, TITLE, context(&agent, &typed, &wrong));
    }
    let new = NewAccount {
        // The form's own: sent twice, it opens one account.
        id: typed.text("une-fois").parse().unwrap_or_else(|_| agent.id()),
        kind: Kind::Usager,
        email: String::new(),
        password_hash: None,
        first_name: identity.first_name,
        last_name: identity.last_name,
        phone,
        quality: None,
        confirmed_at: None,
    };
    create(&agent, &new, email.as_deref(), reason).await?;
    Ok(Redirect::to(&format!("/agent/comptes/{}?fait=ouvert", new.id)).into_response())
}

async fn create(agent: &Agent, new: &NewAccount, email: Option<&str>, reason: &str) -> Result<(), Problem> {
    let visit = &agent.visit;
    for _ in 0..TRIES {
        let login = sign_in_name(&new.first_name, &new.last_name);
        let written = visit
            .db
            .write(async |tx: &mut Tx| {
                accounts::insert_as(tx, new, &login, None, visit.now).await?;
                let by = (Some(agent.account.id), reason);
                connections::remember_agent(tx, visit, new.id, Happened::OpenedAtCounter, by).await?;
                if let Some(email) = email {
                    email::store::begin(tx, new.id, email, true, visit.now).await?;
                    jobs::queue(tx, visit, Letter::NewEmail, new.id, More { to: email, ..More::default() }).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await;
        match written {
            Ok(()) => {
                visit.app.work.notify_one();
                return Ok(());
            }
            Err(error) if error.is_unique("account_login_key") => {}
            // The same form, sent twice.
            Err(_) if accounts::find(&visit.db, new.id).await?.is_some() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::Broken(anyhow::anyhow!("no sign-in name is free")))
}

/// One account, as its search or its opening leads to it.
pub async fn show(agent: Agent, Path(id): Path<Uuid>, Query(way): Query<Way>) -> Result<Response, Problem> {
    let account = counter::usager(&agent, id).await?;
    let told = (way.fait == "ouvert").then_some("Le compte est ouvert. Imprimez le code d’activation et remettez-le.");
    counter::page(&agent, &account, flash(told)).await
}

/// Prints a new code: the one before is worth nothing any more. An account that has a password needs none.
pub async fn print(agent: Agent, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = counter::usager(&agent, id).await?;
    if account.password_hash.is_some() || account.confirmed_at.is_some() {
        return Err(Problem::Bad(ACTIVATED));
    }
    let (code, printed) = code();
    let hash = password::hash(&code).await?;
    let visit = &agent.visit;
    let pdf_bytes = paper(&agent, &account, &printed).await?;
    let kept = visit
        .db
        .write(async |tx: &mut Tx| {
            // Its owner may have activated it since it was looked at, with the paper before this one.
            if !store::put(tx, account.id, &hash, visit.now).await? {
                return Ok(false);
            }
            let by = (Some(agent.account.id), "");
            connections::remember_agent(tx, visit, account.id, Happened::ActivationPrinted, by).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !kept {
        return Err(Problem::Bad(ACTIVATED));
    }
    Ok(attachment::pdf(pdf_bytes, &format!("activation-{}.pdf", account.login)))
}

async fn paper(agent: &Agent, account: &Account, code: &str) -> Result<Vec<u8>, Problem> {
    let membership = agent.memberships.first().ok_or(Problem::NotFound)?;
    let department = authorities::department(&agent.db, &membership.department_id).await?.ok_or(Problem::NotFound)?;
    let until = agent.now.checked_add(LASTS).unwrap_or(agent.now);
    let until = french::date(crate::platform::clock::day(until, &agent.site.zone));
    let name = format!("{} {}", account.first_name, account.last_name);
    let data = json!({
        "authority": {"name": agent.site.name},
        "department": department.for_letters(),
        "reference": account.login,
        "subject": "Votre compte en ligne",
        "recipient": name.trim(),
        "opening": format!("Un compte vous est ouvert pour faire vos démarches en ligne. Il reste à l’activer, avant le {until}."),
        "entries": [
            {"label": "Adresse du site", "value": format!("{}/activation", agent.public_url())},
            {"label": "Identifiant", "value": account.login},
            {"label": "Code d’activation", "value": code},
        ],
        "steps": [
            "Ouvrez la page ci-dessus.",
            "Tapez l’identifiant et le code. Les majuscules, les espaces et les tirets du code ne comptent pas.",
            "Choisissez votre mot de passe\u{a0}: vous seul le connaîtrez.",
            "Ensuite, connectez-vous avec votre identifiant et votre mot de passe.",
        ],
        "closing": ["Le code ne sert qu’une fois. Gardez l’identifiant\u{a0}: il servira à chaque connexion.", "Code perdu, ou trop tard\u{a0}? Revenez au guichet, un autre vous sera donné."],
    });
    Ok(render(&letters::SLIP, data, agent).await?)
}
