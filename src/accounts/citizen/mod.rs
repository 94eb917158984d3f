//! The usager's pages about their account.

use axum::response::Response;
use forms::answers::Raw;
use jiff::SignedDuration;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::model::{self, Wrong};
use crate::{error::Problem, platform::local, visit::Visitor};

pub mod confirm;
pub mod leave;
pub mod mine;
pub mod reset;
pub mod sign_in;
pub mod sign_up;

pub use sign_in::sign_in_again;

/// What the address of a page may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Way {
    /// Where to go afterwards.
    pub suite: String,
    /// What has just been done, to be told.
    pub fait: String,
    /// `agent` when an agent's password is meant.
    pub espace: String,
    /// Not empty: credentials are asked for again, even of who is signed in.
    pub encore: String,
}

/// Where to go after signing in.
pub fn onward(suite: &str) -> &str {
    if suite.is_empty() { "/mes-demandes" } else { local(suite) }
}

/// `suite` as a hidden field may hold it.
fn safe(suite: &str) -> &str {
    if suite.is_empty() { "" } else { local(suite) }
}

/// Mistakes, as templates show them.
pub fn errors(wrong: &[Wrong]) -> Value {
    let list: Vec<Json> =
        wrong.iter().map(|wrong| json!({"href": format!("#{}", wrong.field), "text": wrong.text})).collect();
    Value::from(Serde(list))
}

/// Says what has just been done, in the page that follows.
pub fn flash(text: Option<&str>) -> Value {
    text.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } })
}

/// Reads and judges a new password; `known` is what others know of its owner.
pub(super) fn new_password(visitor: &Visitor, typed: &Raw, known: &[&str]) -> Result<String, Wrong> {
    let password = model::regular_password(typed.text("mot-de-passe"));
    let site = &visitor.site;
    let known: Vec<&str> = known.iter().copied().chain([site.name.as_str(), site.settings.short.as_str()]).collect();
    match model::password(&password, &known) {
        Ok(()) => Ok(password),
        Err(text) => Err(Wrong::new("mot-de-passe", text)),
    }
}

/// « Consultez vos courriels »: the same page whether an account exists or not.
fn sent(
    visitor: &Visitor,
    purpose: &str,
    email: &str,
    lasts: SignedDuration,
    again: &str,
) -> Result<Response, Problem> {
    let lasts =
        if lasts.as_hours() == 1 { "une heure".to_owned() } else { format!("{}\u{a0}heures", lasts.as_hours()) };
    let context = context! { email => email, purpose => purpose, lasts => lasts, again => again };
    visitor.page("accounts/sent.html", "Consultez vos courriels", context)
}

/// « Ce lien n'est plus valable ».
pub(super) fn expired(visitor: &Visitor, purpose: &str) -> Result<Response, Problem> {
    visitor.page_with(
        axum::http::StatusCode::GONE,
        "accounts/expired.html",
        "Ce lien n’est plus valable",
        context! { purpose => purpose },
    )
}
