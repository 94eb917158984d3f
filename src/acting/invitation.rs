//! Invitations: a link sent to a mailbox, good once and 14 days, that the account of this very address
//! accepts or refuses while signed in.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use minijinja::{Value, context};
use uuid::Uuid;

use super::model::{Choice, Kind};
use crate::{
    accounts,
    error::Problem,
    mandates, organisations,
    platform::{form::Typed, secret},
    visit::{Citizen, Visit},
};

const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Invitations of one organisation or mandate that may wait at once.
const MOST: i64 = 20;

row! {
    #[derive(Debug, Clone)]
    pub struct Invitation {
        pub id: Uuid,
        pub kind: String,
        pub subject_id: Uuid,
        pub email: String,
        pub role: Option<String>,
        pub expires_at: Timestamp,
    }
}

/// Makes an invitation; none when too many wait.
pub async fn add(
    tx: &mut Tx,
    visit: &Visit,
    about: Choice,
    email: &str,
    role: Option<&str>,
) -> Result<Option<Uuid>, db::Error> {
    let waiting: i64 = tx
        .one(
            sql!("select count(*) from invitation where authority_id = $1 and subject_id = $2"),
            args![tx.authority(), about.id],
        )
        .await?;
    if waiting >= MOST {
        return Ok(None);
    }
    let (id, expires) = (visit.id(), visit.now.checked_add(LASTS).unwrap_or(visit.now));
    tx.run(
        sql!("insert into invitation (authority_id, id, kind, subject_id, email, role, expires_at) values ($1, $2, $3, $4, $5, $6, $7)"),
        args![tx.authority(), id, about.kind.name(), about.id, email, role, expires],
    )
    .await?;
    Ok(Some(id))
}

/// A token for the mail, whose hash alone is kept: a mail sent again replaces the former one's.
pub async fn token(visit: &Visit, id: Uuid) -> Result<Option<String>, db::Error> {
    let token = secret::token();
    let hash = secret::digest(&token);
    let kept = visit
        .db
        .write(async |tx: &mut Tx| {
            tx.run(
                sql!("update invitation set token_hash = $1 where authority_id = $2 and id = $3"),
                args![&hash, tx.authority(), id],
            )
            .await
        })
        .await?;
    Ok((kept == 1).then_some(token))
}

/// Those that wait for an answer.
pub async fn waiting(db: &Db, about: Uuid, now: Timestamp) -> Result<Vec<Invitation>, db::Error> {
    db.all(
        sql!(
            "select id, kind, subject_id, email, role, expires_at from invitation where authority_id = $1 and subject_id = $2 and expires_at > $3 order by expires_at, id"
        ),
        args![db.authority(), about, now],
    )
    .await
}

/// Uses an invitation up: false when it was answered or withdrawn before.
pub async fn take(tx: &mut Tx, about: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let taken = tx
        .run(
            sql!("delete from invitation where authority_id = $1 and subject_id = $2 and id = $3"),
            args![tx.authority(), about, id],
        )
        .await?;
    Ok(taken == 1)
}

pub async fn forget(tx: &mut Tx, about: Uuid) -> Result<(), db::Error> {
    tx.run(sql!("delete from invitation where authority_id = $1 and subject_id = $2"), args![tx.authority(), about])
        .await?;
    Ok(())
}

pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), db::Error> {
    tx.run(sql!("delete from invitation where authority_id = $1 and expires_at <= $2"), args![tx.authority(), now])
        .await?;
    Ok(())
}

async fn find(visit: &Visit, token: &str) -> Result<Option<Invitation>, db::Error> {
    visit
        .db
        .first(
            sql!("select id, kind, subject_id, email, role, expires_at from invitation where authority_id = $1 and token_hash = $2 and expires_at > $3"),
            args![visit.db.authority(), secret::digest(token), visit.now],
        )
        .await
}

/// Whether the link was sent to the account that opens it: a forwarded mail opens nothing.
fn addressed(citizen: &Citizen, invitation: &Invitation) -> bool {
    accounts::reads(&citizen.account, &invitation.email)
}

/// What the invited person reads before they answer.
pub struct Offer {
    pub title: String,
    pub lines: Vec<String>,
}

async fn offer(visit: &Visit, invitation: &Invitation) -> Result<Option<Offer>, Problem> {
    match Kind::parse(&invitation.kind) {
        Some(Kind::Organisation) => Ok(organisations::offer(visit, invitation).await?),
        Some(Kind::Mandate) => mandates::offer(visit, invitation).await,
        None => Ok(None),
    }
}

fn gone(citizen: &Citizen) -> Result<Response, Problem> {
    citizen.page_with(
        StatusCode::GONE,
        "acting/invitation.html",
        "Cette invitation n’est plus valable",
        context! { offer => Value::from(()), reason => "gone" },
    )
}

pub async fn show(citizen: Citizen, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(invitation) = find(&citizen, &token).await? else { return gone(&citizen) };
    if !addressed(&citizen, &invitation) {
        let context = context! { offer => Value::from(()), reason => "address" };
        return citizen.page_with(
            StatusCode::FORBIDDEN,
            "acting/invitation.html",
            "Cette invitation est pour une autre adresse",
            context,
        );
    }
    let Some(offer) = offer(&citizen, &invitation).await? else { return gone(&citizen) };
    let shown = context! { lines => &offer.lines };
    citizen.page("acting/invitation.html", &offer.title, context! { offer => shown, reason => "" })
}

pub async fn answer(citizen: Citizen, Path(token): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let Some(invitation) = find(&citizen, &token).await?.filter(|invitation| addressed(&citizen, invitation)) else {
        return gone(&citizen);
    };
    let accepted = match typed.text("reponse") {
        "accepter" => true,
        "refuser" => false,
        _ => return Ok(Redirect::to(&format!("/invitations/{token}")).into_response()),
    };
    let done = match Kind::parse(&invitation.kind) {
        Some(Kind::Organisation) => organisations::answer(&citizen, &invitation, accepted).await?,
        Some(Kind::Mandate) => mandates::answer(&citizen, &invitation, accepted).await?,
        None => false,
    };
    if !done {
        return gone(&citizen);
    }
    citizen.app.work.notify_one();
    Ok(Redirect::to(if accepted { "/agir-pour?fait=accepte" } else { "/agir-pour?fait=refuse" }).into_response())
}
