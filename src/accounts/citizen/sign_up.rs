//! Opening an account. The page that follows is the same whether the address has one already.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};

use super::{Way, errors, new_password, safe, sent};
use crate::{
    accounts::{
        entry,
        jobs::{self, Letter, More},
        model::{self, Wrong},
        password,
        session::Kind,
        store::{self, NewAccount},
    },
    error::Problem,
    platform::{form::Typed, throttle},
    visit::Visitor,
};

const TITLE: &str = "Créer mon compte";

pub async fn show(visitor: Visitor, Query(way): Query<Way>) -> Result<Response, Problem> {
    if visitor.account().is_some() {
        return Ok(Redirect::to("/compte").into_response());
    }
    let mut empty = Raw::default();
    empty.set("suite", way.suite);
    visitor.page("accounts/sign_up.html", TITLE, context(&empty, &[]))
}

fn context(typed: &Raw, wrong: &[Wrong]) -> Value {
    context! {
        first_name => typed.text("prenom"), last_name => typed.text("nom"), email => typed.text("email"),
        min => model::LONG, back => safe(typed.text("suite")), errors => errors(wrong),
    }
}

pub async fn send(visitor: Visitor, Typed(typed): Typed) -> Result<Response, Problem> {
    let again = |wrong: &[Wrong]| visitor.page_again("accounts/sign_up.html", TITLE, context(&typed, wrong));
    let (email, identity, password) = match read(&visitor, &typed) {
        Ok(read) => read,
        Err(wrong) => return again(&wrong),
    };
    if let Some(left) = entry::may_register(&visitor).await? {
        return again(&[Wrong::new(
            "email",
            format!("Trop de comptes viennent d’être créés d’ici\u{a0}: réessayez dans {}", throttle::in_words(left)),
        )]);
    }
    let new = NewAccount {
        id: visitor.id(),
        kind: Kind::Usager,
        password_hash: Some(password::hash(&password).await?),
        first_name: identity.first_name,
        last_name: identity.last_name,
        phone: None,
        quality: None,
        confirmed_at: None,
        email,
    };
    if entry::may_write_to(&visitor, &new.email).await? {
        register(&visitor, &new, safe(typed.text("suite"))).await?;
    }
    sent(&visitor, "sign-up", &new.email, jobs::CONFIRM_LASTS, "/inscription")
}

fn read(visitor: &Visitor, typed: &Raw) -> Result<(String, model::Identity, String), Vec<Wrong>> {
    let mut wrong = Vec::new();
    let identity = model::identity(typed, &mut wrong);
    let email = model::email(typed.text("email"));
    if let Err(text) = &email {
        wrong.push(Wrong::new("email", text));
    }
    let address = email.unwrap_or_default();
    let known =
        [identity.first_name.as_str(), identity.last_name.as_str(), address.split('@').next().unwrap_or_default()];
    match new_password(visitor, typed, &known) {
        Ok(password) if wrong.is_empty() => Ok((address, identity, password)),
        Ok(_) => Err(wrong),
        Err(mistake) => {
            wrong.push(mistake);
            Err(wrong)
        }
    }
}

async fn register(visitor: &Visitor, new: &NewAccount, suite: &str) -> Result<(), Problem> {
    let written = visitor
        .db
        .write(async |tx: &mut Tx| {
            let (id, open) = store::register(tx, new, visitor.now).await?;
            let letter = if open { Letter::Exists } else { Letter::Confirm };
            jobs::queue(tx, visitor, letter, id, More { suite, to: "", ..More::default() }).await
        })
        .await;
    match written {
        // Sent twice at once: the other one made the account and its mail.
        Err(error) if error.is_unique("account_login_key") => {}
        other => other?,
    }
    visitor.app.work.notify_one();
    Ok(())
}
