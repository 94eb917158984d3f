//! What can go wrong in a handler, and the French page that says so.
//!
//! - [`Problem::NotFound`]: unknown, or not yours: the two look alike from outside.
//! - [`Problem::Forbidden`]: known, and never allowed here.
//! - [`Problem::Oneself`]: of one's own account, while acting for somebody; offers the way back to oneself.
//! - [`Problem::Over`]: the right to act in somebody's name ended since the page was opened.
//! - [`Problem::Bad`]: what was sent makes no sense (not a mistake in a form: those show the form again).
//! - [`Problem::Conflict`]: somebody was faster; says who may look again and where.
//! - [`Problem::Elsewhere`]: goes to the sign-in page and comes back.
//! - [`Problem::Unavailable`]: database or storage out of reach or full; to try again.
//! - [`Problem::Broken`]: our fault: logged with an incident number that the page shows.
//!
//! `?` turns a database error into the right one.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::visit::{TooMany, Visit};

#[derive(Debug)]
pub enum Problem {
    NotFound,
    Forbidden(&'static str),
    Oneself,
    Over,
    Bad(&'static str),
    TooLarge,
    Conflict(&'static str),
    TooMany,
    /// Address on this site.
    Elsewhere(String),
    Unavailable(anyhow::Error),
    Broken(anyhow::Error),
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        if matches!(error, db::Error::NotFound) {
            Self::NotFound
        } else if error.is_unavailable() {
            Self::Unavailable(error.into())
        } else {
            Self::Broken(error.into())
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

/// What [`pages`] needs to draw the page.
#[derive(Debug, Clone)]
struct Shown {
    title: &'static str,
    text: String,
    incident: Option<String>,
    /// Whether coming back to oneself opens the page.
    oneself: bool,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let oneself = matches!(self, Self::Oneself);
        let (status, title, text, incident) = match self {
            Self::Elsewhere(to) => return Redirect::to(&to).into_response(),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Cette page n’existe pas",
                "L’adresse est peut-être incomplète, la page a pu être supprimée, ou elle n’est pas accessible avec votre compte.".to_owned(),
                None,
            ),
            Self::Forbidden(text) => (StatusCode::FORBIDDEN, "Cette action n’est pas possible", text.to_owned(), None),
            Self::Oneself => (
                StatusCode::FORBIDDEN,
                "Cette page ne s’ouvre qu’en votre nom",
                "Vous agissez pour une autre personne ou une organisation. Votre compte, vos documents, votre foyer et vos services ne sont qu’à vous, et les siens ne s’ouvrent qu’à elle : ils restent fermés pendant ce temps. Rien n’a été changé.".to_owned(),
                None,
            ),
            Self::Over => (
                StatusCode::FORBIDDEN,
                "Vous n’agissez plus pour cette personne ou cette organisation",
                "Votre mandat ou votre rôle a pris fin : vous agissez de nouveau pour vous-même. Ce qui était enregistré reste dans le brouillon de la personne ou de l’organisation ; la page que vous venez d’envoyer ne l’est pas. La page précédente de votre navigateur peut encore la montrer, pour la recopier.".to_owned(),
                None,
            ),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, "Nous n’avons pas compris cette demande", text.to_owned(), None),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "C’est trop volumineux",
                "Ce que vous avez envoyé dépasse la taille acceptée. Revenez à la page précédente : vos réponses y sont encore. Raccourcissez le texte ou choisissez un fichier plus léger.".to_owned(),
                None,
            ),
            Self::Conflict(text) => (StatusCode::CONFLICT, "Quelqu’un vient d’agir avant vous", text.to_owned(), None),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "Trop d’essais",
                "Par sécurité, attendez quelques minutes avant de recommencer.".to_owned(),
                None,
            ),
            Self::Unavailable(error) => {
                let incident = incident();
                tracing::error!(incident, error = format!("{error:#}"), "service unavailable");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Le service est momentanément indisponible",
                    "Ce que vous aviez déjà enregistré est conservé. Revenez à la page précédente et réessayez dans quelques minutes.".to_owned(),
                    Some(incident),
                )
            }
            Self::Broken(error) => {
                let incident = incident();
                tracing::error!(incident, error = format!("{error:#}"), "broken");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Un problème est survenu",
                    "Ce que vous aviez déjà enregistré est conservé. Nos équipes sont prévenues. Réessayez dans quelques minutes.".to_owned(),
                    Some(incident),
                )
            }
        };
        // Plain text, should no page be drawn over it.
        let mut response = (status, format!("{title}. {text}")).into_response();
        response.extensions_mut().insert(Shown { title, text, incident, oneself });
        response
    }
}

fn incident() -> String {
    crate::platform::secret::clear_text(6)
}

/// Draws the page of a problem, in the authority's frame.
pub async fn pages(request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>().cloned();
    let asked = request.method() == Method::GET;
    let response = match request.extensions().get::<TooMany>() {
        Some(_) => Problem::TooMany.into_response(),
        None => next.run(request).await,
    };
    let status = response.status();
    let shown = match response.extensions().get::<Shown>() {
        Some(shown) => shown.clone(),
        // Answers of the framework itself (unreadable form, unknown method…) get our words too.
        None if status.is_client_error() && !response.headers().contains_key("x-guichet-page") => framework(status),
        None => return response,
    };
    let Some(visit) = visit else { return response };
    // Who works in the agents' space finds the way back to it, in its own frame.
    let desk = visit.here.split(['?', '/']).nth(1) == Some("agent");
    let context = minijinja::context! {
        oneself => shown.oneself.then_some(if asked { visit.here.as_str() } else { "/compte" }),
        who => (),
        home => if desk { "/agent" } else { "/" }, layout => if desk { "agent/layout.html" } else { "layout.html" },
        code => status.as_u16(), title => shown.title, text => &shown.text, incident => &shown.incident,
        advice => Option::<String>::None,
    };
    match visit.draw("pages/error.html", shown.title, context) {
        Ok(html) => {
            let mut page = (status, axum::response::Html(html)).into_response();
            if status == StatusCode::SERVICE_UNAVAILABLE {
                page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            page
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "error page not drawn");
            response
        }
    }
}

fn framework(status: StatusCode) -> Shown {
    let (title, text) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (
            "C’est trop volumineux",
            "Ce que vous avez envoyé dépasse la taille acceptée. Revenez à la page précédente : vos réponses y sont encore.",
        ),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => {
            ("Cette page n’existe pas", "L’adresse est peut-être incomplète, ou la page a été supprimée.")
        }
        _ => ("Nous n’avons pas compris cette demande", "Revenez à la page précédente et recommencez."),
    };
    Shown { title, text: text.to_owned(), incident: None, oneself: false }
}
