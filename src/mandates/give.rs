//! Giving a mandate, and the helper's answer.

use axum::response::{IntoResponse, Redirect, Response};
use db::{Json, Tx};
use forms::answers::Raw;
use minijinja::context;

use super::{about, form, model::Mandate, store};
use crate::{
    accounts::{self, Wrong, citizen::errors},
    acting::{
        invitation::{self, Invitation},
        mails::{self, Letter},
        trace,
    },
    error::Problem,
    platform::{form::Typed, french},
    visit::Citizen,
};

const TITLE: &str = "Donner un mandat";
/// Mandates that one person may have offered and not ended.
const MOST: usize = 50;
/// Who acts for somebody looks at their own mandates only.
const LIST: &str = "/compte/mandats";

pub async fn show(citizen: Citizen) -> Result<Response, Problem> {
    draw(&citizen, &Raw::default(), &[]).await
}

async fn draw(citizen: &Citizen, typed: &Raw, wrong: &[Wrong]) -> Result<Response, Problem> {
    let context = context! { email => typed.text("email"), terms => form::context(citizen, typed).await?, errors => errors(wrong) };
    if wrong.is_empty() {
        citizen.page("mandates/give.html", TITLE, context)
    } else {
        citizen.page_again("mandates/give.html", TITLE, context)
    }
}

pub async fn send(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let mut wrong = Vec::new();
    let email = accounts::check_email(typed.text("email")).unwrap_or_else(|text| {
        wrong.push(Wrong::new("email", text));
        String::new()
    });
    if accounts::reads(&citizen.account, &email) {
        wrong.push(Wrong::new(
            "email",
            "C’est votre propre adresse\u{a0}: saisissez celle de la personne qui vous aidera",
        ));
    }
    let terms = form::read(&citizen, &typed, &mut wrong).await?;
    let Some(terms) = terms.filter(|_| wrong.is_empty()) else { return draw(&citizen, &typed, &wrong).await };
    let standing = store::given(&citizen.db, citizen.account.id).await?;
    if standing.iter().filter(|one| one.mandate.ended_at.is_none()).count() >= MOST {
        return Err(Problem::Bad(
            "Vous avez déjà donné 50 mandats. Mettez fin à l’un d’eux avant d’en donner un autre.",
        ));
    }
    if !accounts::may_write_to(&citizen, &email).await? {
        let wrong = [Wrong::new(
            "email",
            "Plusieurs messages viennent d’être envoyés à cette adresse\u{a0}: attendez quelques minutes",
        )];
        return draw(&citizen, &typed, &wrong).await;
    }
    let (visit, account) = (&citizen.visit, &citizen.account);
    let mandate = Mandate {
        id: citizen.id(),
        principal_id: account.id,
        helper_id: None,
        kind: terms.kind.to_owned(),
        scope: Json(terms.scope),
        may: terms.may.codes(),
        until: terms.until,
        offered_at: citizen.now,
        accepted_at: None,
        ended_at: None,
        recorded_by: None,
    };
    let (who, until) = (account.full_name(), french::date(terms.until));
    citizen
        .db
        .write(async |tx: &mut Tx| {
            store::insert(tx, &mandate).await?;
            let invitation = invitation::add(tx, visit, about(mandate.id), &email, None).await?;
            trace::by(tx, visit, about(mandate.id), account, "offered", &email).await?;
            let letter = Letter { name: "mandat-propose", to: &email, who: &who, what: &until, path: "", invitation };
            mails::queue(tx, visit, &letter).await?;
            // Whoever uses somebody's open session to help themselves is found out.
            let told = Letter {
                name: "mandat-donne",
                to: account.mailbox(),
                who: &email,
                what: &until,
                path: LIST,
                invitation: None,
            };
            mails::queue(tx, visit, &told).await
        })
        .await?;
    citizen.app.work.notify_one();
    Ok(Redirect::to("/compte/mandats?fait=propose").into_response())
}

/// The helper accepts or refuses. False when the mandate is not offered any more.
pub async fn answer(citizen: &Citizen, invitation: &Invitation, accepted: bool) -> Result<bool, Problem> {
    let id = invitation.subject_id;
    let Some(mandate) = store::find(&citizen.db, id).await?.filter(|one| one.is_offered(citizen.today())) else {
        return Ok(false);
    };
    let Some(principal) = accounts::person(&citizen.db, mandate.principal_id).await? else { return Ok(false) };
    let (visit, account, now) = (&citizen.visit, &citizen.account, citizen.now);
    let until = french::date(mandate.until);
    let done = citizen
        .db
        .write(async |tx: &mut Tx| {
            if !invitation::take(tx, id, invitation.id).await? {
                return Ok(false);
            }
            let changed =
                if accepted { store::accept(tx, id, account.id, now).await? } else { store::end(tx, id, now).await? };
            if changed {
                let who = account.full_name();
                trace::by(tx, visit, about(id), account, if accepted { "accepted" } else { "refused" }, "").await?;
                let name = if accepted { "mandat-accepte" } else { "mandat-refuse" };
                let letter =
                    Letter { name, to: principal.mailbox(), who: &who, what: &until, path: LIST, invitation: None };
                mails::queue(tx, visit, &letter).await?;
            }
            Ok::<_, db::Error>(changed)
        })
        .await?;
    Ok(done)
}
