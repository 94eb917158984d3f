//! Another draft of the same procedure for the same person: told, never forbidden (twins, namesakes,
//! a second request on purpose).

use forms::{
    journey::{PageReading, Reading},
    model::Page,
};
use serde_json::{Value as Json, json};

use super::Filling;
use crate::{
    platform::{clock, french},
    requests::{drafts, filler::Filler},
};

/// The visitor's latest other draft for the same person: `{href, name, date}`; null when there is none.
pub async fn of(filler: &Filler, filling: &Filling) -> Result<Json, db::Error> {
    // An agent is not told of what somebody has begun by themself.
    let Some(visitor) = filler.usager() else { return Ok(Json::Null) };
    let Some(name) = filling.procedure.beneficiary(&filling.raw).filter(|_| filling.correcting.is_none()) else {
        return Ok(Json::Null);
    };
    let drafts = drafts::waiting(visitor, Some(&filling.procedure.id)).await?;
    let others = drafts.iter().filter(|draft| draft.id != filling.draft.id);
    let mut named = others.filter_map(|draft| Some((draft, draft.beneficiary.as_deref()?)));
    let found = named.find(|(_, other)| same(other, &name));
    Ok(found.map_or(Json::Null, |(draft, other)| {
        let day = clock::day(draft.updated_at, &visitor.site.zone).to_string();
        json!({"href": format!("/brouillons/{}/verifier", draft.id), "name": other, "date": day})
    }))
}

/// The same, on the page that asks for the person and on the one that comes next.
pub async fn on_page(
    filler: &Filler,
    filling: &Filling,
    reading: &Reading<'_>,
    page: &PageReading<'_>,
) -> Result<Json, db::Error> {
    let Some(asked) = filling.procedure.beneficiary.as_deref() else { return Ok(Json::Null) };
    let asks = |page: &Page| page.fields.iter().any(|field| field.id == asked);
    let before = reading.previous_shown(page.index).and_then(|index| reading.page(index));
    if asks(page.page) || before.is_some_and(|before| asks(before.page)) {
        of(filler, filling).await
    } else {
        Ok(Json::Null)
    }
}

/// « Jean-Loup LE GOFF » and « jean loup le goff » are one person.
fn same(one: &str, other: &str) -> bool {
    french::fold(one).split_whitespace().eq(french::fold(other).split_whitespace())
}
