//! At home, with the paper of the counter: name and code typed, a password chosen.

use axum::response::{IntoResponse, Redirect, Response};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};

use super::store;
use crate::{
    accounts::{
        citizen::{errors, new_password},
        connections::{self, Happened},
        entry,
        model::{self, Wrong},
        password,
        session::Kind,
        store as accounts,
    },
    error::Problem,
    platform::{
        form::Typed,
        secret,
        throttle::{self, ONE, SHARED},
    },
    visit::Visitor,
};

const PAGE: &str = "accounts/activate.html";
const TITLE: &str = "Activer mon compte";

pub async fn show(visitor: Visitor) -> Result<Response, Problem> {
    visitor.page(PAGE, TITLE, context(&Raw::default(), &[]))
}

fn context(typed: &Raw, wrong: &[Wrong]) -> Value {
    context! { login => typed.text("identifiant"), code => typed.text("code"), min => model::LONG, errors => errors(wrong) }
}

pub async fn send(visitor: Visitor, Typed(typed): Typed) -> Result<Response, Problem> {
    let again = |wrong: &[Wrong]| visitor.page_again(PAGE, TITLE, context(&typed, wrong));
    let (login, code) = (typed.text("identifiant").trim(), secret::regular(typed.text("code")));
    let mut wrong = Vec::new();
    if login.is_empty() {
        wrong.push(Wrong::new("identifiant", "Saisissez l’identifiant écrit sur votre papier"));
    }
    if code.is_empty() {
        wrong.push(Wrong::new("code", "Saisissez le code écrit sur votre papier"));
    }
    // Of the name on the paper, not of the account: nothing is told before the code is right.
    let password = new_password(&visitor, &typed, &login.split('.').collect::<Vec<_>>());
    let password = password.map_err(|mistake| wrong.push(mistake)).unwrap_or_default();
    if !wrong.is_empty() {
        return again(&wrong);
    }
    match open(&visitor, login, &code, &password).await? {
        None => Ok(Redirect::to("/connexion?fait=active").into_response()),
        Some(mistake) => again(&[mistake]),
    }
}

/// Judges the code, slowed like a password, and opens the account; else what to say.
async fn open(visitor: &Visitor, login: &str, code: &str, password: &str) -> Result<Option<Wrong>, Problem> {
    let client = entry::client(visitor);
    let subject = entry::subject(visitor, "activation", login);
    let left = match throttle::wait(&visitor.db, &client, SHARED, visitor.now).await? {
        None => throttle::take(&visitor.db, &subject, ONE, visitor.now).await?,
        left => left,
    };
    if let Some(left) = left {
        let text = format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left));
        return Ok(Some(Wrong::new("code", text)));
    }
    let found = store::waiting(&visitor.db, login, visitor.now).await?;
    let right = password::matches(code, found.as_ref().map(|found| found.code_hash.as_str())).await?;
    let Some(found) = found.filter(|_| right) else {
        throttle::failed(&visitor.db, &client, SHARED, visitor.now).await?;
        return Ok(Some(unknown()));
    };
    let hash = password::hash(password).await?;
    let visit = &visitor.visit;
    let opened = visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::spend(tx, found.account_id, &found.code_hash).await? {
                return Ok(false);
            }
            accounts::set_password(tx, found.account_id, &hash).await?;
            accounts::confirm(tx, found.account_id, visit.now).await?;
            connections::remember(tx, visit, found.account_id, Happened::Activated).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    throttle::succeeded(&visitor.db, &subject).await?;
    entry::forgive(visitor, Kind::Usager, login).await?;
    Ok((!opened).then(unknown))
}

fn unknown() -> Wrong {
    Wrong::new(
        "identifiant",
        "Cet identifiant et ce code ne vont pas ensemble, ou le code a plus de 30\u{a0}jours. Vérifiez-les, ou demandez un nouveau code au guichet",
    )
}
