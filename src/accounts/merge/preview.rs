//! What would move, and what stands against it.

use minijinja::{Value, context};
use uuid::Uuid;

use super::{Obstacle, obstacle};
use crate::{
    error::Problem,
    household::{self, addresses},
    identity, links, provider, requests, safe, sso,
    visit::Visit,
};

pub struct Preview {
    pub obstacle: Option<Obstacle>,
    pub shown: Value,
}

pub async fn of(visit: &Visit, kept: Uuid, other: Uuid) -> Result<Preview, Problem> {
    let db = &visit.db;
    let (requests, drafts) = requests::owner::held(db, other).await?;
    let documents = safe::count(db, other).await?;
    let kept_has_safe = safe::exists(db, kept).await?;
    let identities = (identity::find(db, kept).await?, identity::find(db, other).await?);
    let differ = matches!(&identities, (Some(one), Some(two)) if one.identity.0 != two.identity.0);
    let addresses = addresses::all(db, other).await?;
    let confidential = addresses.iter().filter(|one| one.confidential).count();
    let shown = context! {
        requests => requests, drafts => drafts, members => household::count(db, other).await?, documents => documents,
        services => sso::count(db, other).await?, identity => identities.0.is_none() && identities.1.is_some(),
        addresses => addresses.len(), confidential => confidential, main => addresses.iter().any(addresses::Address::is_main),
        references => links::count(db, other).await?, providers => provider::coming(db, other, kept).await?,
    };
    Ok(Preview { obstacle: obstacle(kept == other, documents, kept_has_safe, differ), shown })
}
