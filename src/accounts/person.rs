//! Who looks after their own account: an usager or an agent, each at their own address and in their own frame.

use axum::{
    extract::FromRequestParts,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use minijinja::{Value, context};
use uuid::Uuid;

use super::{
    entry,
    model::Wrong,
    session::{self, Kind},
};
use crate::{
    app::App,
    error::Problem,
    visit::{Arriving, Citizen, Visit},
};

pub trait Person: FromRequestParts<App, Rejection = Problem> + Send + Sync {
    const KIND: Kind;

    fn visit(&self) -> &Visit;
    fn session(&self) -> Uuid;
    fn account(&self) -> &session::Account;
    /// Whether their role obliges them to have a second factor.
    fn obliged(&self) -> bool;
    fn draw(&self, status: StatusCode, template: &str, title: &str, context: Value) -> Result<Response, Problem>;

    fn show(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.draw(StatusCode::OK, template, title, context! { ..context, ..frame(Self::KIND) })
    }

    /// The form again, with what is wrong.
    fn again(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        let title = format!("Erreur : {title}");
        self.draw(StatusCode::UNPROCESSABLE_ENTITY, template, &title, context! { ..context, ..frame(Self::KIND) })
    }
}

/// The address of « Connexion et sécurité ».
pub fn home(kind: Kind) -> &'static str {
    match kind {
        Kind::Usager => "/compte/securite",
        Kind::Agent => "/agent/securite",
    }
}

/// Back to « Connexion et sécurité », which says what is done.
pub fn back<P: Person>(done: &str) -> Response {
    let query = if done.is_empty() { String::new() } else { format!("?fait={done}") };
    Redirect::to(&format!("{}{query}", home(P::KIND))).into_response()
}

/// Somebody reloads an address that only forms reach.
pub async fn start<P: Person>(_: P) -> Response {
    back::<P>("")
}

/// What templates shared by usagers and agents need to know: around them, and where they post.
pub fn frame(kind: Kind) -> Value {
    let layout = match kind {
        Kind::Usager => "layout.html",
        Kind::Agent => "agent/layout.html",
    };
    context! { layout => layout, base => home(kind) }
}

/// Whether the owner's present password was typed; else what to say, at `field`.
pub async fn password(
    visit: &Visit,
    kind: Kind,
    login: &str,
    typed: &str,
    field: &'static str,
) -> Result<Option<Wrong>, Problem> {
    let refused = entry::owner(visit, kind, login, typed).await?;
    Ok(refused.map(|text| Wrong::new(field, text)))
}

impl Person for Citizen {
    const KIND: Kind = Kind::Usager;

    fn visit(&self) -> &Visit {
        &self.visitor.visit
    }

    fn session(&self) -> Uuid {
        self.visitor.session.as_ref().map_or(Uuid::nil(), |session| session.id)
    }

    fn account(&self) -> &session::Account {
        &self.account
    }

    fn obliged(&self) -> bool {
        false
    }

    fn draw(&self, status: StatusCode, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(status, template, title, context)
    }
}

impl Person for Arriving {
    const KIND: Kind = Kind::Agent;

    fn visit(&self) -> &Visit {
        &self.0.visit
    }

    fn session(&self) -> Uuid {
        self.0.session_id
    }

    fn account(&self) -> &session::Account {
        &self.0.account
    }

    fn obliged(&self) -> bool {
        self.0.needs_factor()
    }

    fn draw(&self, status: StatusCode, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.0.page_with(status, template, title, context)
    }
}
