//! What is shared, as each of the two sees it; and an invitation, as the invited sees it.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use minijinja::context;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Share, State},
    store,
};
use crate::{
    accounts,
    error::Problem,
    household::{Member, addresses, members},
    platform::{clock, form::Typed, french},
    visit::Citizen,
};

const HOME: &str = "/compte/foyer";

/// The shares of « Mon foyer ».
pub async fn section(citizen: &Citizen) -> Result<Vec<Json>, Problem> {
    let mut all = Vec::new();
    for share in store::shares(&citizen.db, citizen.account.id).await? {
        all.push(shown(citizen, &share).await?);
    }
    Ok(all)
}

async fn shown(citizen: &Citizen, share: &Share) -> Result<Json, Problem> {
    let me = citizen.account.id;
    let mine = share.owner_id == me;
    let state = match share.state(citizen.now) {
        State::Invited => "invited",
        State::Expired => "expired",
        State::Accepted => "accepted",
    };
    let children = if share.whole || !mine { Vec::new() } else { names(&given(citizen, share).await?) };
    let address = match share.other(me).filter(|_| share.whole) {
        Some((other, _)) => home(citizen, other).await?,
        None => Vec::new(),
    };
    Ok(json!({
        "name": share.other(me).map_or(share.email.as_str(), |(_, name)| name), "state": state, "whole": share.whole, "mine": mine,
        "until": french::date(clock::day(share.expires_at, &citizen.site.zone)), "children": children, "address": address,
        "href": format!("{HOME}/partages/{}/arreter", share.id),
    }))
}

fn names(members: &[Member]) -> Vec<String> {
    members.iter().map(Member::name).collect()
}

/// The members of its owner's that a share shows today.
async fn given(citizen: &Citizen, share: &Share) -> Result<Vec<Member>, db::Error> {
    let named = if share.whole { Vec::new() } else { store::named(&citizen.db, share.id).await? };
    let mut given = members(&citizen.db, share.owner_id).await?;
    let (today, zone) = (citizen.today(), &citizen.site.zone);
    given.retain(|member| model::shows(share.whole, named.contains(&member.id), member, today, zone));
    Ok(given)
}

/// The main address of an account today, but for a confidential one.
async fn home(citizen: &Citizen, account: Uuid) -> Result<Vec<String>, db::Error> {
    let home = addresses::shown_home(&citizen.db, account, citizen.today()).await?;
    Ok(home.map(|home| home.lines()).unwrap_or_default())
}

/// Invitations are for whoever reads this mailbox; nobody is invited without one.
fn address(citizen: &Citizen) -> String {
    accounts::email_key(citizen.account.email.as_deref().unwrap_or_default())
}

async fn find(citizen: &Citizen, token: &str) -> Result<Option<Share>, db::Error> {
    let key = address(citizen);
    let found = store::invitation(&citizen.db, token, &key, citizen.now).await?;
    Ok(found.filter(|share| share.owner_id != citizen.account.id))
}

/// The same for a link that served, is too old, never was, or is somebody else's.
fn gone(citizen: &Citizen) -> Result<Response, Problem> {
    let context = context! { purpose => "email" };
    citizen.page_with(StatusCode::GONE, "accounts/expired.html", "Ce lien n’est plus valable", context)
}

pub async fn invited(citizen: Citizen, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(share) = find(&citizen, &token).await? else { return gone(&citizen) };
    let (today, zone) = (citizen.today(), &citizen.site.zone);
    let mut own = if share.whole { members(&citizen.db, citizen.account.id).await? } else { Vec::new() };
    own.retain(|member| model::shows(true, false, member, today, zone));
    let own_home = if share.whole { home(&citizen, citizen.account.id).await? } else { Vec::new() };
    let context = context! {
        name => &share.owner_name, whole => share.whole, theirs => names(&given(&citizen, &share).await?), yours => names(&own), your_address => own_home,
        until => french::date(clock::day(share.expires_at, zone)),
    };
    citizen.page("household/invitation.html", "Une invitation", context)
}

pub async fn answer(citizen: Citizen, Path(token): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (account, key, now) = (citizen.account.id, address(&citizen), citizen.now);
    let done = match typed.text("action") {
        "accepter" => citizen.db.write(async |tx: &mut Tx| store::accept(tx, &token, account, &key, now).await).await?,
        "refuser" => citizen.db.write(async |tx: &mut Tx| store::refuse(tx, &token, &key).await).await?,
        _ => return Err(Problem::Elsewhere(format!("{HOME}/invitations/{}", crate::platform::encode(&token)))),
    };
    if !done {
        return gone(&citizen);
    }
    let what = if typed.text("action") == "accepter" { "accepte" } else { "refuse" };
    Ok(Redirect::to(&format!("{HOME}?fait={what}")).into_response())
}

pub async fn ending(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let shares = store::shares(&citizen.db, citizen.account.id).await?;
    let share = shares.into_iter().find(|share| share.id == id).ok_or(Problem::NotFound)?;
    let name = share.other(citizen.account.id).map_or(share.email.as_str(), |(_, name)| name);
    let text = "Aucun de vous deux ne verra plus rien de l’autre. Les demandes déjà envoyées et les brouillons ne changent pas.";
    let context = context! {
        heading => format!("Arrêter le partage avec {name} ?"), lines => Vec::<String>::new(), text => text, button => "Arrêter le partage",
        back => HOME, back_label => "Mon foyer",
    };
    citizen.page("household/remove.html", "Arrêter un partage", context)
}

pub async fn end(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = citizen.account.id;
    if !citizen.db.write(async |tx: &mut Tx| store::end(tx, account, id).await).await? {
        return Err(Problem::NotFound);
    }
    Ok(Redirect::to(&format!("{HOME}?fait=arrete")).into_response())
}
