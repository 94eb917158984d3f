//! « Reprendre les informations de Léa Martin »: the filer's household, on the page that asks whom the
//! request is for. What is taken up is typed in the draft like anything else, to be checked and changed.

use forms::{
    journey::PageReading,
    model::{Page, Procedure},
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Filling;
use crate::{
    error::Problem,
    household,
    requests::{filler::Filler, form::Form},
    visit::Visitor,
};

/// The button that takes somebody up; its value is the member's id.
const BUTTON: &str = "reprendre";

/// Members to offer on this page: `{id, name}`.
pub async fn proposed(filler: &Filler, filling: &Filling, page: &PageReading<'_>) -> Result<Vec<Json>, db::Error> {
    let (Some(asked), Some(visitor)) = (filling.procedure.takes_up(), filler.usager()) else { return Ok(Vec::new()) };
    if !page.shown_fields().any(|field| field.field.id == asked.id) {
        return Ok(Vec::new());
    }
    let members = household::proposed(visitor).await?;
    Ok(members.iter().map(|member| json!({"id": member.id, "name": member.name()})).collect())
}

/// Types the identity of the member whose button was pressed in the form received; tells what was done.
pub async fn take_up(
    usager: Option<&Visitor>,
    procedure: &Procedure,
    page: &Page,
    form: &mut Form,
) -> Result<Option<&'static str>, Problem> {
    let asked = procedure.takes_up().filter(|asked| page.fields.iter().any(|field| field.id == asked.id));
    let (Some(asked), Some((_, member)), Some(visitor)) = (asked, form.pressed(&[BUTTON]), usager) else {
        return Ok(None);
    };
    let wanted = member.parse::<Uuid>().ok();
    let members = household::proposed(visitor).await?;
    let Some(member) = members.into_iter().find(|member| Some(member.id) == wanted) else {
        return Ok(Some("Cette personne n’est plus proposée par votre foyer. Vos réponses sont conservées."));
    };
    asked.kind.fill(&asked.id, &member.identity.0, &mut form.typed);
    Ok(Some("Informations reprises de votre foyer : vérifiez-les."))
}
