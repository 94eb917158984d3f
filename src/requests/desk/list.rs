//! « À traiter » and its sister views: what waits in the agent's departments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use data_encoding::HEXLOWER;
use forms::model::Procedure;
use minijinja::{Value, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    came::Came,
    delays,
    filters::{Asked, Filters, View},
    narrow, saved,
    sort::By,
    store::{self, Line, Page, Total},
    words,
};
use crate::{
    catalogue,
    error::Problem,
    journal::{self, Action},
    platform::{encode, french, sheet::Format},
    requests::channel,
    visit::Agent,
};

pub async fn show(agent: Agent, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Problem> {
    let filters = Filters::of(&agent, asked.map(|Query(asked)| asked).unwrap_or_default()).await?;
    searched(&agent, &filters).await?;
    let counts = store::counts(&agent).await?;
    let page = store::page(&agent, &filters).await?;
    let counted = counts.views.iter().find(|(view, _)| *view == filters.view && !filters.narrowed());
    let total = match counted {
        Some((_, many)) => Total { many: (*many).min(store::MOST), more: *many > store::MOST },
        None => store::total(&agent, &filters, &page).await?,
    };
    let procedures = procedures(&agent, &page.lines).await?;
    let ids: Vec<Uuid> = page.lines.iter().map(|line| line.id).collect();
    let around = Around { came: Came::of(&filters), procedures, busy: journal::busy(&agent, &ids).await? };
    let pick = agent.treats().then(|| Came::of(&filters).query());
    let menu = with_saved(menu(&counts, Some(filters.view), false), &saved::of(&agent).await?, &filters);
    let (selects, more) = narrow::form(&agent, &filters).await?;
    let errors: Vec<Json> =
        filters.errors.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    let context = json!({
        "menu": menu,
        "save": format!("/agent/vues?liste={}", encode(&filters.query(filters.sort_id()))),
        "heading": filters.view.title(),
        "q": filters.search,
        "errors": errors,
        "total": total.many,
        "total_more": total.more,
        "filters": selects,
        "more": more,
        "hidden": [{"name": "vue", "value": filters.view.id()}, {"name": "tri", "value": filters.sort_id()}],
        "clear": if filters.narrowed() { format!("/agent?vue={}", filters.view.id()) } else { String::new() },
        "columns": columns(&filters),
        "rows": page.lines.iter().map(|line| row(&agent, line, &around)).collect::<Vec<_>>(),
        "pick": pick,
        "file_one": if agent.treats() { "/agent/depots" } else { "" },
        "previous": neighbour(&filters, &page, false),
        "next": neighbour(&filters, &page, true),
        "exports": FORMATS.map(|format| json!({"href": filters.export(format), "text": format.ending().to_uppercase()})),
    });
    let context = Value::from(Serde(context));
    if filters.errors.is_empty() {
        agent.page("agent/list.html", filters.view.title(), context)
    } else {
        agent.page_again("agent/list.html", filters.view.title(), context)
    }
}

/// Who searches for somebody leaves a line: a keyed hash of what was typed tells the same search again, not whose.
pub async fn searched(agent: &Agent, filters: &Filters) -> Result<(), db::Error> {
    let typed: Vec<String> = filters.typed().into_iter().map(french::fold).collect();
    if typed.iter().all(String::is_empty) {
        return Ok(());
    }
    let typed = typed.join("\n");
    let print = HEXLOWER.encode(&agent.app.secret.fingerprint("journal search", typed.as_bytes()));
    journal::read(agent, &journal::Line::agent(agent, Action::RequestsSearched).detail(&print)).await
}

/// The menu with the saved views; the one that the list is, is current.
fn with_saved(mut menu: Json, views: &[saved::View], filters: &Filters) -> Json {
    let here = filters.query(filters.sort_id());
    let link = |view: &saved::View| json!({"href": view.url(), "icon": "bookmark", "title": view.name, "count": null, "current": view.query == here, "alert": false});
    if let Some(groups) = menu.as_array_mut().filter(|_| !views.is_empty()) {
        let all = json!({"href": "/agent/vues", "icon": "pencil", "title": "Gérer les vues", "count": null, "current": false, "alert": false});
        let links: Vec<Json> = views.iter().take(12).map(link).chain([all]).collect();
        groups.push(json!({"title": "Vues enregistrées", "links": links}));
    }
    menu
}

/// For measures: how many requests the list of this address finds, and how the database finds its page.
pub async fn explain(agent: &Agent, address: &str) -> anyhow::Result<(String, Vec<String>)> {
    let Query(asked) = Query::<Asked>::try_from_uri(&address.parse()?)?;
    let filters = Filters::from(asked);
    let total = store::total(agent, &filters, &store::page(agent, &filters).await?).await?;
    let sqlite = agent.db.engine() == "sqlite";
    let head = if sqlite { "explain query plan " } else { "explain (analyze, buffers) " };
    let mut plans = Vec::new();
    for query in store::queries(agent, &filters, head, &store::SCREEN).await? {
        let rows: Vec<db::Row> = agent.db.all(query, db::args![]).await?;
        let line = |mut row: db::Row| row.take_at::<String>(if sqlite { 3 } else { 0 });
        plans.push(rows.into_iter().map(line).collect::<Result<Vec<_>, _>>()?.join("\n"));
    }
    Ok((format!("{}{}", total.many, if total.more { "+" } else { "" }), plans))
}

const FORMATS: [Format; 3] = [Format::Csv, Format::Xlsx, Format::Ods];

/// The left menu. `failures`: the page of undelivered messages is the current one.
pub fn menu(counts: &store::Counts, current: Option<View>, failures: bool) -> Json {
    let icon = |view| match view {
        View::Todo | View::All => "inbox",
        View::Mine => "user-check",
        View::Waiting => "hourglass",
        View::Late => "clock",
        View::Done => "circle-check",
    };
    let told = |many: i64| if many > store::MOST { "1\u{202f}000+".to_owned() } else { many.to_string() };
    let link = |view: View, count: Option<i64>| {
        let count = count.map(told);
        let alert = view == View::Late && count.as_deref().is_some_and(|many| many != "0");
        json!({"href": format!("/agent?vue={}", view.id()), "icon": icon(view), "title": view.title(), "count": count, "current": current == Some(view), "alert": alert})
    };
    let mut links: Vec<Json> = counts.views.iter().map(|(view, many)| link(*view, Some(*many))).collect();
    links.extend([View::Done, View::All].map(|view| link(view, None)));
    let sent = json!({"href": "/agent/envois", "icon": "mail", "title": "Envois en échec", "count": told(counts.failures), "current": failures, "alert": counts.failures > 0});
    json!([{"title": "Dossiers", "links": links}, {"title": "Messages", "links": [sent]}])
}

/// Each version once; they are closed, and kept in memory after the first reading.
pub type Versions = BTreeMap<(String, i64), Arc<Procedure>>;

pub async fn versions(agent: &Agent, keys: impl Iterator<Item = (String, i64)>) -> Result<Versions, Problem> {
    let mut versions = Versions::new();
    for key in keys.collect::<BTreeSet<_>>() {
        let procedure = catalogue::version(agent, &key.0, key.1).await?;
        versions.insert(key, procedure);
    }
    Ok(versions)
}

async fn procedures(agent: &Agent, lines: &[Line]) -> Result<Versions, Problem> {
    versions(agent, lines.iter().map(|line| (line.procedure_id.clone(), line.procedure_version))).await
}

/// What the rows of a page share.
struct Around {
    came: Came,
    procedures: Versions,
    /// Colleagues who have just opened requests of the page.
    busy: BTreeMap<Uuid, String>,
}

fn row(agent: &Agent, line: &Line, around: &Around) -> Json {
    let procedure = around.procedures.get(&(line.procedure_id.clone(), line.procedure_version));
    let due = delays::due(agent, procedure.map(|one| &one.alerts), line.due_at, &line.status, line.ended);
    let mine = line.holder_id == Some(agent.account.id);
    json!({
        "id": line.id,
        "href": around.came.page(line.id),
        "reference": line.reference,
        "procedure": procedure.map_or(line.procedure_id.as_str(), |procedure| procedure.title.as_str()),
        "beneficiary": line.beneficiary,
        "usager": line.filer_name.as_deref().unwrap_or("Sans nom"),
        "channel": channel::words(&line.channel),
        "sent": line.submitted_at,
        "active": line.active_at,
        "due": (due.look != "none").then(|| due.day.to_string()),
        "due_state": due.look,
        "due_text": due.text,
        "status": line.status,
        "state": procedure.map_or_else(|| line.state.clone(), |procedure| words::state(procedure, &line.state)),
        "assigned": if mine { Some("Vous") } else { line.holder_name.as_deref() },
        "unread": line.unread,
        "note": "",
        "locked": around.busy.get(&line.id).map(String::as_str).unwrap_or_default(),
    })
}

fn columns(filters: &Filters) -> Json {
    // What the index of searches finds comes newest first.
    let fixed = filters.sought();
    let column = |(title, by): (&str, Option<By>)| {
        let here = by.filter(|by| filters.sort.by == *by);
        let next = by.filter(|_| !fixed).map(|by| filters.sort.next(by));
        json!({
            "title": title,
            "sort": next.map(|sort| filters.url(sort.id())).unwrap_or_default(),
            "sorted": here.map(|_| filters.sort.words()).unwrap_or_default(),
        })
    };
    let columns = [
        ("Dossier", None),
        ("Démarche", None),
        ("Usager", Some(By::Name)),
        ("Reçu le", Some(By::Sent)),
        ("Échéance", Some(By::Due)),
        ("Statut", None),
        ("Activité", Some(By::Active)),
        ("Affecté à", None),
    ];
    Json::from(columns.map(column).to_vec())
}

fn neighbour(filters: &Filters, page: &Page, forward: bool) -> String {
    let line =
        if forward { page.lines.last().filter(|_| page.after) } else { page.lines.first().filter(|_| page.before) };
    line.map(|line| filters.page(forward, line.at(filters.sort), line.id)).unwrap_or_default()
}
