//! One list: what it holds, and what is done with it.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    job,
    model::{self, SAMPLE, Stage},
    pages::{Done, trace},
    progress,
    store::{self, Disposal, Entry, Part, Visa},
};
use crate::{
    accounts::{
        Wrong,
        citizen::{errors, flash},
    },
    error::Problem,
    journal,
    platform::{clock, form::Typed, french},
    requests::model::canonical_reference,
    visit::{Agent, Archivist},
};

const PAGE: &str = "agent/archive.html";
/// Longest text of a field.
const LONGEST: usize = 300;
const LATE: Problem =
    Problem::Conflict("Ce bordereau a changé entre-temps. Ouvrez-le de nouveau pour voir où il en est.");

pub async fn show(
    Archivist(agent): Archivist,
    Path(id): Path<Uuid>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let list = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let told = match done.fait.as_str() {
        "garde" => Some("La demande est retirée du bordereau."),
        "visa" => Some("Le visa est noté. L’élimination commence."),
        "repris" => Some("L’élimination reprend."),
        _ => None,
    };
    let page = context(&agent, &list, &Raw::default(), &[]).await?;
    agent.page(PAGE, &title(&list), context! { ..page, ..flash(told) })
}

fn title(list: &Disposal) -> String {
    format!("Bordereau {}", model::reference(list.number))
}

async fn context(agent: &Agent, list: &Disposal, typed: &Raw, wrong: &[Wrong]) -> Result<Value, Problem> {
    let parts = store::parts(&agent.db, list.id).await?;
    let kept: Vec<Json> = store::entries(&agent.db, list.id).await?.iter().filter_map(kept).collect();
    let day = |at| clock::day(at, &agent.site.zone).to_string();
    let typed: Json = ["reference", "motif", "jusqu", "signataire", "numero", "jour"]
        .into_iter()
        .map(|name| (name.to_owned(), Json::from(typed.text(name))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let stopped = list.stage() == Stage::Signed && progress::stopped(&agent.db, list.id).await?;
    let list = json!({
        "number": model::reference(list.number), "department": list.department_name, "href": format!("/agent/archives/{}", list.id),
        "made": day(list.made_at), "by": list.made_by, "stage": list.stage().name(), "state": list.stage().words(),
        "lines": list.lines, "gone": list.gone, "done": list.done_at.map(day), "stopped": stopped,
        "visa": list.visa_on.map(|on| json!({"by": list.visa_by, "number": list.visa_number, "on": on.to_string()})),
    });
    let sample = parts.iter().any(|part| part.fate == SAMPLE && part.many > 0);
    let parts: Vec<Json> = parts.iter().map(|part| shown(part, agent)).collect();
    Ok(
        context! { list => Serde(list), parts => Serde(parts), kept => Serde(kept), sample => sample, errors => errors(wrong), typed => Serde(typed) },
    )
}

fn shown(part: &Part, agent: &Agent) -> Json {
    let day = |at: Option<jiff::Timestamp>| at.map(|at| clock::day(at, &agent.site.zone).to_string());
    json!({
        "title": part.title, "many": part.many, "first": day(part.first), "last": day(part.last), "dua": part.dua,
        "basis": part.basis, "fate": model::fate_words(&part.fate),
    })
}

fn kept(entry: &Entry) -> Option<Json> {
    let until = entry.kept_until?;
    Some(json!({"reference": entry.reference, "until": until.to_string(), "reason": entry.kept_reason}))
}

/// What a button of the page asks for (`geste`).
pub async fn act(Archivist(agent): Archivist, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let list = store::find(&agent.db, id).await?.ok_or(Problem::NotFound)?;
    let done = match (typed.text("geste"), list.stage()) {
        ("retirer", Stage::Proposed) => keep(&agent, &list, &typed).await?,
        ("viser", Stage::Proposed) => sign(&agent, &list, &typed).await?,
        ("abandonner", Stage::Proposed) => give_up(&agent, &list).await?,
        ("reprendre", Stage::Signed) => resume(&agent, &list).await?,
        ("retirer" | "viser" | "abandonner" | "reprendre", _) => return Err(LATE),
        _ => return Err(Problem::Bad("Choisissez ce que vous voulez faire de ce bordereau.")),
    };
    match done {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(wrong) => agent.page_again(PAGE, &title(&list), context(&agent, &list, &typed, &wrong).await?),
    }
}

/// Where to go on, or what is wrong with what was typed.
type Gesture = Result<Result<String, Vec<Wrong>>, Problem>;

fn back(list: &Disposal, done: &str) -> String {
    format!("/agent/archives/{}?fait={done}", list.id)
}

/// A text of a field, whole.
fn text<'a>(typed: &'a Raw, field: &'static str, missing: &'static str, wrong: &mut Vec<Wrong>) -> &'a str {
    let text = typed.text(field).trim();
    if text.is_empty() {
        wrong.push(Wrong::new(field, missing));
    } else if text.chars().count() > LONGEST {
        wrong.push(Wrong::new(field, format!("Écrivez {LONGEST}\u{a0}caractères au plus")));
    }
    text
}

/// A day of a field, within these.
fn day(typed: &Raw, field: &'static str, wrong: &mut Vec<Wrong>, fits: impl Fn(Date) -> Option<&'static str>) -> Date {
    match french::day(typed.text(field)) {
        None => wrong.push(Wrong::new(field, "Saisissez un jour qui existe, par exemple 17/11/2027")),
        Some(day) => match fits(day) {
            None => return day,
            Some(text) => wrong.push(Wrong::new(field, text)),
        },
    }
    Date::MIN
}

async fn keep(agent: &Agent, list: &Disposal, typed: &Raw) -> Gesture {
    let mut wrong = Vec::new();
    let reference = text(typed, "reference", "Saisissez la référence de la demande à retirer", &mut wrong);
    let reason = text(typed, "motif", "Écrivez pourquoi cette demande est gardée", &mut wrong);
    let today = agent.today();
    let until = day(typed, "jusqu", &mut wrong, |day| {
        (day <= today || day.year() > 2200).then_some("Choisissez un jour à venir, avec les quatre chiffres de l’année")
    });
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let reference = canonical_reference(reference);
    let kept = agent
        .db
        .write(async |tx: &mut Tx| {
            let kept = store::keep(tx, list.id, &reference, until, reason).await?;
            if kept {
                journal::note(tx, agent.now, &trace(agent, list.id, &list.department_id, "kept")).await?;
            }
            Ok::<bool, db::Error>(kept)
        })
        .await?;
    Ok(if kept {
        Ok(back(list, "garde"))
    } else {
        Err(vec![Wrong::new("reference", "Aucune demande de ce bordereau n’a cette référence")])
    })
}

async fn sign(agent: &Agent, list: &Disposal, typed: &Raw) -> Gesture {
    let mut wrong = Vec::new();
    let by = text(typed, "signataire", "Écrivez le nom et la qualité de qui a signé le visa", &mut wrong);
    let number = text(typed, "numero", "Écrivez le numéro du visa", &mut wrong);
    let (made, today) = (clock::day(list.made_at, &agent.site.zone), agent.today());
    let on = day(typed, "jour", &mut wrong, |day| {
        (day < made || day > today).then_some("Le visa ne peut dater d’avant le bordereau, ni d’après aujourd’hui")
    });
    if typed.text("accord") != "oui" {
        wrong.push(Wrong::new("accord", "Cochez la case : ce qui est éliminé ne se retrouve plus"));
    }
    let parts = store::parts(&agent.db, list.id).await?;
    let sample = parts.iter().any(|part| part.fate == SAMPLE && part.many > 0);
    if sample && typed.text("tri") != "oui" {
        wrong.push(Wrong::new("tri", "Retirez d’abord du bordereau ce que le tri garde, puis cochez la case"));
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let visa = Visa { by, number, on };
    let job = agent.id();
    let noted = agent
        .db
        .write(async |tx: &mut Tx| {
            let noted = store::sign(tx, list.id, &visa, agent.account.id, agent.now).await?;
            if noted {
                let what = format!("visa:{}", list.lines);
                journal::note(tx, agent.now, &trace(agent, list.id, &list.department_id, &what)).await?;
                job::queue(tx, job, list.id, "visa", agent.now).await?;
            }
            Ok::<bool, db::Error>(noted)
        })
        .await?;
    if !noted {
        return Err(LATE);
    }
    agent.app.work.notify_one();
    Ok(Ok(back(list, "visa")))
}

async fn give_up(agent: &Agent, list: &Disposal) -> Gesture {
    let dropped = agent
        .db
        .write(async |tx: &mut Tx| {
            let dropped = store::give_up(tx, list.id, agent.now).await?;
            if dropped {
                journal::note(tx, agent.now, &trace(agent, list.id, &list.department_id, "dropped")).await?;
            }
            Ok::<bool, db::Error>(dropped)
        })
        .await?;
    if dropped { Ok(Ok("/agent/archives?fait=abandonne".to_owned())) } else { Err(LATE) }
}

/// Begins again what a failure stopped for good.
async fn resume(agent: &Agent, list: &Disposal) -> Gesture {
    let job = agent.id();
    let queue = async |tx: &mut Tx| job::queue(tx, job, list.id, &job.to_string(), agent.now).await;
    agent.db.write(queue).await?;
    agent.app.work.notify_one();
    Ok(Ok(back(list, "repris")))
}
