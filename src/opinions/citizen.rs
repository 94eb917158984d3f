//! « Votre avis », for whoever follows a request that ended.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, REASONS, SCORES},
    store::{self, Opinion},
};
use crate::{
    acting::Deed,
    catalogue,
    error::Problem,
    platform::form::Typed,
    requests::{self, Mine, model::Request},
    visit::Visitor,
};

const PAGE: &str = "opinions/opinion.html";
const TITLE: &str = "Votre avis";

/// Where the owner of this request says what they think of it; "" as long as it goes on.
pub fn invited(request: &Request) -> String {
    request.ended_at.map_or_else(String::new, |_| format!("/demandes/{}/avis", request.id))
}

pub async fn show(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let request = ended(&visitor, id).await?;
    draw(&visitor, &request, &Raw::default(), &[]).await
}

pub async fn send(visitor: Visitor, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let request = ended(&visitor, id).await?;
    let given = match model::read(&typed) {
        Ok(given) => given,
        Err(wrong) => {
            let errors: Vec<Json> =
                wrong.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
            return draw(&visitor, &request, &typed, &errors).await;
        }
    };
    let (mark, today) = (visitor.id(), visitor.today());
    // Sent twice, the first counts: the page shows it.
    visitor.db.write(async |tx: &mut Tx| store::give(tx, mark, &request, &given, today).await).await?;
    Ok(Redirect::to(&format!("/demandes/{id}/avis")).into_response())
}

/// A request that its visitor follows, and that is over; another has no opinion yet.
async fn ended(visitor: &Visitor, id: Uuid) -> Result<Mine, Problem> {
    let request = requests::mine_to(visitor, id, Deed::Answer).await?;
    if request.ended_at.is_none() {
        return Err(Problem::Elsewhere(format!("/demandes/{id}")));
    }
    Ok(request)
}

async fn draw(visitor: &Visitor, request: &Mine, typed: &Raw, errors: &[Json]) -> Result<Response, Problem> {
    let procedure = catalogue::version(visitor, &request.procedure_id, request.procedure_version).await?;
    let given = store::of(&visitor.db, request.id).await?;
    let scores: Vec<Json> = SCORES
        .iter()
        .map(|(score, label)| json!({"code": score.to_string(), "label": label, "chosen": typed.text("note") == score.to_string()}))
        .collect();
    let context = context! {
        title => &procedure.title, reference => &request.reference, back => format!("/demandes/{}", request.id),
        send => format!("/demandes/{}/avis", request.id), given => Serde(given.as_ref().map(shown)),
        scores => Serde(scores), comment => typed.text("commentaire"), errors => Serde(errors),
    };
    if errors.is_empty() { visitor.page(PAGE, TITLE, context) } else { visitor.page_again(PAGE, TITLE, context) }
}

fn shown(given: &Opinion) -> Json {
    let label = SCORES.iter().find(|(score, _)| *score == given.score).map_or("", |(_, label)| label);
    let reason = REASONS.iter().find(|(id, _)| *id == given.reason).map_or("", |(_, text)| text);
    json!({"label": label, "comment": given.comment, "state": given.state, "reason": reason, "date": given.given_on.to_string()})
}
