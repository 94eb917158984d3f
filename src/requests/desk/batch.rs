//! The same deed on several requests of a list. What each usager will receive is shown first; then each request is
//! judged and changed by itself, as if its own page had been used. Decisions are taken one request at a time:
//! each must be examined for itself.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, Request as Sent},
    response::Response,
};
use db::Tx;
use forms::{
    answers::Raw,
    workflow::{Action, Need, Transition},
};
use minijinja::{Value, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Opened, act,
    came::Came,
    entrust,
    give::{self, Typed},
    list_page,
    store::{self as desk, PAGE},
};
use crate::{
    error::Problem,
    platform::{encode, french},
    requests::{
        access::Process,
        fire::{self, By, With},
        form,
        handover::Receiver,
    },
    visit::Agent,
};

const TITLE: &str = "Agir sur plusieurs dossiers";
/// Deeds that are not transitions.
const TAKE: &str = "affecter";
const RELEASE: &str = "liberer";
/// With the colleague that is chosen beside.
const ENTRUST: &str = "confier";

/// How a request was when it was shown.
#[derive(Debug, Clone, Copy)]
struct Seen {
    version: i64,
    holder: Option<Uuid>,
}

/// What was chosen: requests as they were seen (not yet when they come from the list), and a deed.
#[derive(Default)]
struct Chosen {
    requests: Vec<(Uuid, Option<Seen>)>,
    deed: String,
    message: String,
    colleague: String,
    /// Of each department of these requests.
    colleagues: BTreeMap<String, Vec<Receiver>>,
    came: Came,
    /// Where the rest of the list begins, when all of it was chosen; see [`list_page`].
    next: String,
}

impl Chosen {
    /// Reads what was chosen, and opens it.
    async fn open(agent: &Agent, raw: &Raw) -> Result<(Self, Vec<Opened<Process>>), Problem> {
        let mut chosen = Self::read(raw);
        if let Some(from) = Some(raw.text("tout")).filter(|from| !from.is_empty()) {
            let (ids, next) = list_page::page(agent, &chosen.came, from).await?;
            (chosen.requests, chosen.next) = (ids.into_iter().map(|id| (id, None)).collect(), next);
        }
        let files = Opened::several(agent, &ids(&chosen)).await?;
        let departments: Vec<&str> = files.iter().map(|file| file.request.department_id.as_str()).collect();
        chosen.colleagues = entrust::colleagues(agent, &departments).await?;
        Ok((chosen, files))
    }

    /// Those who process at least one of the requests.
    fn all(&self) -> Vec<Receiver> {
        let mut all: Vec<Receiver> = self.colleagues.values().flatten().cloned().collect();
        all.sort_by_cached_key(|one| (french::fold(&one.last_name), french::fold(&one.first_name), one.id));
        all.dedup_by_key(|one| one.id);
        all
    }

    /// The colleague chosen, if they process in this department.
    fn colleague(&self, department: &str) -> Option<&Receiver> {
        let ours = self.colleagues.get(department)?;
        ours.iter().find(|one| one.id.to_string() == self.colleague)
    }

    fn read(raw: &Raw) -> Self {
        let request = |text: &str| {
            let (id, seen) = text.split_once(':').unwrap_or((text, ""));
            let (version, holder) = seen.split_once(':').unwrap_or((seen, ""));
            let seen = version.parse().ok().map(|version| Seen { version, holder: holder.parse().ok() });
            Some((id.parse().ok()?, seen))
        };
        Self {
            requests: raw.all("d").flat_map(|some| some.split(',')).filter_map(request).take(PAGE).collect(),
            deed: raw.text("action").to_owned(),
            message: raw.text("message").to_owned(),
            colleague: raw.text("collegue").to_owned(),
            colleagues: BTreeMap::new(),
            came: Came::named(raw.text("liste")),
            next: raw.text("suite").to_owned(),
        }
    }
}

/// A deed, as it is offered.
enum Deed<'a> {
    Take,
    Release,
    Entrust(Uuid),
    Fire(&'a Transition),
}

/// A transition is the same deed for several procedures when it has the same name and says the same.
fn code(transition: &Transition) -> String {
    format!("{}|{}", transition.id, transition.label)
}

/// Nothing has to be given for each request but a message, the same for all, nor read before it is sent.
fn simple(transition: &Transition) -> bool {
    let letter = transition.does.iter().any(|action| matches!(action, Action::Letter(_)));
    let approvals = transition.opens().is_some() || transition.approved.is_some();
    !letter && !approvals && transition.form.is_empty() && transition.needs.iter().all(|need| *need == Need::Message)
}

/// Whether the deed may be done on this request now, or why not.
fn judge<'a>(
    agent: &Agent,
    file: &'a Opened<Process>,
    chosen: &Chosen,
    wanted: &str,
) -> Result<Deed<'a>, &'static str> {
    let request = &file.request;
    match wanted {
        TAKE | RELEASE | ENTRUST if request.ended_at.is_some() => return Err("Ce dossier est terminé."),
        TAKE if request.holder_id == Some(agent.account.id) => return Err("Ce dossier vous est déjà affecté."),
        TAKE => return Ok(Deed::Take),
        RELEASE if request.holder_id.is_none() => return Err("Ce dossier n’est affecté à personne."),
        RELEASE => return Ok(Deed::Release),
        ENTRUST if chosen.colleague.is_empty() => {
            let ours = chosen.colleagues.get(&request.department_id);
            let anybody = ours.and_then(|ours| ours.first()).ok_or("Personne d’autre n’instruit dans ce service.")?;
            return Ok(Deed::Entrust(anybody.id));
        }
        ENTRUST => {
            let to =
                chosen.colleague(&request.department_id).ok_or("Votre collègue n’instruit pas dans ce service.")?;
            return match to.id {
                id if request.holder_id == Some(id) => Err("Ce dossier lui est déjà affecté."),
                id if request.account_id == Some(id) => {
                    Err("C’est sa propre demande\u{a0}: quelqu’un d’autre la traite.")
                }
                id => Ok(Deed::Entrust(id)),
            };
        }
        _ => {}
    }
    let transitions = &file.procedure.workflow.transitions;
    let named = transitions.iter().find(|one| code(one) == wanted).ok_or("Cette démarche n’a pas cette action.")?;
    if !simple(named) {
        return Err("Cette action se fait dossier par dossier.");
    }
    act::wanted(agent, file, &named.id).map_err(|problem| why(&problem))?;
    if !named.from.contains(&request.state) {
        return Err("Son état ne permet pas cette action.");
    }
    Ok(Deed::Fire(named))
}

fn why(problem: &Problem) -> &'static str {
    match problem {
        Problem::Conflict(text) | Problem::Forbidden(text) | Problem::Bad(text) => text,
        _ => "Cette action n’est pas possible sur ce dossier.",
    }
}

/// Chooses the deed, then shows what it will do.
pub async fn show(agent: Agent, Query(pairs): Query<Vec<(String, String)>>) -> Result<Response, Problem> {
    let mut raw = Raw::default();
    for (name, value) in pairs {
        raw.0.entry(name).or_default().push(value);
    }
    let (chosen, files) = Chosen::open(&agent, &raw).await?;
    let missing = chosen.deed == ENTRUST && chosen.colleague.is_empty();
    let errors = if missing { problems(&chosen, &files) } else { Vec::new() };
    let context = context(&agent, &chosen, &files, &errors).await;
    let draw = if missing { Agent::page_again } else { Agent::page };
    draw(&agent, "agent/batch.html", TITLE, context)
}

/// Does it.
pub async fn confirm(agent: Agent, sent: Sent) -> Result<Response, Problem> {
    let (chosen, files) = Chosen::open(&agent, &form::plain(sent).await?).await?;
    let errors = problems(&chosen, &files);
    if !errors.is_empty() {
        let context = context(&agent, &chosen, &files, &errors).await;
        return agent.page_again("agent/batch.html", TITLE, context);
    }
    let (mut done, mut left) = (Vec::new(), Vec::new());
    // The colleague is told of all with the first.
    let mut told = files.iter().filter(|file| judge(&agent, file, &chosen, &chosen.deed).is_ok()).count();
    for file in &files {
        let seen = chosen.requests.iter().find(|(id, _)| *id == file.request.id).and_then(|(_, seen)| *seen);
        match act(&agent, file, &chosen, seen, told).await {
            Ok(new) => {
                told = if new { 0 } else { told };
                done.push(row(file, ""));
            }
            Err(problem @ (Problem::Unavailable(_) | Problem::Broken(_))) if done.is_empty() => return Err(problem),
            Err(Problem::Unavailable(error) | Problem::Broken(error)) => {
                tracing::error!(request = %file.request.id, error = format!("{error:#}"), "a deed on several requests stopped");
                left.push(row(file, "Une erreur est survenue\u{a0}: recommencez pour ce dossier."));
            }
            Err(problem) => left.push(row(file, why(&problem))),
        }
    }
    agent.app.work.notify_one();
    let unsent = if left.is_empty() { "" } else { chosen.message.as_str() };
    let context = json!({"label": label(&chosen, &files), "done": done, "left": left, "unsent": unsent, "back": back(&chosen), "next": next(&chosen)});
    agent.page("agent/batch_done.html", TITLE, Value::from(Serde(context)))
}

fn ids(chosen: &Chosen) -> Vec<Uuid> {
    chosen.requests.iter().map(|(id, _)| *id).collect()
}

/// What is wrong with the whole, before anything is done; each request is judged by itself.
fn problems(chosen: &Chosen, files: &[Opened<Process>]) -> Vec<(&'static str, String)> {
    if chosen.deed == ENTRUST && !chosen.all().iter().any(|one| one.id.to_string() == chosen.colleague) {
        return vec![("collegue", "Choisissez à qui confier ces dossiers.".to_owned())];
    }
    if matches!(chosen.deed.as_str(), TAKE | RELEASE | ENTRUST) && !files.is_empty() {
        return Vec::new();
    }
    let named = files.iter().filter_map(|file| fired(file, &chosen.deed));
    // A message is asked for as soon as one of the procedures wants it.
    let Some(transition) = named.max_by_key(|one| one.needs.len()) else {
        return vec![("action", "Choisissez une action que l’un de ces dossiers permet.".to_owned())];
    };
    give::problems(&transition.needs, &Typed { message: chosen.message.clone(), ..Typed::default() })
}

/// The transition of this request that the deed fires.
fn fired<'a>(file: &'a Opened<Process>, wanted: &str) -> Option<&'a Transition> {
    file.procedure.workflow.transitions.iter().find(|one| code(one) == wanted).filter(|one| simple(one))
}

/// Whether it was done a moment ago, by this very form.
async fn done(agent: &Agent, file: &Opened<Process>, chosen: &Chosen, seen: Seen) -> Result<bool, Problem> {
    let me = agent.account.id;
    match chosen.deed.as_str() {
        TAKE => Ok(seen.holder != Some(me) && file.request.holder_id == Some(me)),
        RELEASE => Ok(seen.holder.is_some() && file.request.holder_id.is_none()),
        ENTRUST => {
            let to = chosen.colleague(&file.request.department_id).map(|one| one.id);
            Ok(to.is_some() && seen.holder != to && file.request.holder_id == to)
        }
        deed => match fired(file, deed) {
            Some(transition) => Ok(act::sent_twice(agent, file, transition, seen.version).await?),
            None => Ok(false),
        },
    }
}

/// Does it to one request, if it still is what was seen. False when it was done already.
async fn act(
    agent: &Agent,
    file: &Opened<Process>,
    chosen: &Chosen,
    seen: Option<Seen>,
    told: usize,
) -> Result<bool, Problem> {
    const CHANGED: &str = "Ce dossier a changé entre-temps\u{a0}: ouvrez-le pour voir où il en est.";
    let request = &file.request;
    let me = agent.account.id;
    let Some(seen) = seen else { return Err(Problem::Conflict(CHANGED)) };
    if done(agent, file, chosen, seen).await? {
        return Ok(false);
    }
    let deed = judge(agent, file, chosen, &chosen.deed).map_err(Problem::Conflict)?;
    if seen.version != request.version {
        return Err(Problem::Conflict(CHANGED));
    }
    let to = match deed {
        Deed::Fire(transition) => {
            let message = Some(chosen.message.as_str()).filter(|_| transition.needs.contains(&Need::Message));
            let by = By { actor: request.actor, account: Some(me), acted: None };
            let with = With { message, ..With::default() };
            fire::fire(agent, &file.procedure, request, &transition.id, by, &with).await?;
            return Ok(true);
        }
        Deed::Take => Some(me),
        Deed::Release => None,
        Deed::Entrust(to) => Some(to),
    };
    let write = async |tx: &mut Tx| match to.filter(|to| *to != me) {
        Some(to) => entrust::hand(tx, agent, request, (seen.holder, to), told).await,
        None => desk::hand(tx, request.id, seen.holder, to, me, agent.now).await,
    };
    if agent.db.write(write).await? {
        return Ok(true);
    }
    Err(Problem::Conflict("Ce dossier vient de changer de mains."))
}

fn row(file: &Opened<Process>, note: &str) -> Json {
    json!({
        "reference": file.request.reference, "href": file.url(), "procedure": file.procedure.title,
        "usager": file.request.filer_name.as_deref().unwrap_or("Sans nom"), "note": note,
    })
}

fn label(chosen: &Chosen, files: &[Opened<Process>]) -> String {
    let fired = files.iter().flat_map(|file| &file.procedure.workflow.transitions).find(|one| code(one) == chosen.deed);
    match chosen.deed.as_str() {
        TAKE => "M’affecter les dossiers".to_owned(),
        RELEASE => "Libérer les dossiers".to_owned(),
        ENTRUST => {
            let to = chosen.all().into_iter().find(|one| one.id.to_string() == chosen.colleague);
            to.map_or_else(|| "Confier les dossiers".to_owned(), |to| format!("Confier les dossiers à {}", to.name()))
        }
        _ => fired.map(|one| one.label.clone()).unwrap_or_default(),
    }
}

fn back(chosen: &Chosen) -> String {
    let list = chosen.came.back();
    if list.is_empty() { "/agent".to_owned() } else { list }
}

/// The rest of the list, when all of it was chosen.
fn next(chosen: &Chosen) -> String {
    if chosen.next.is_empty() {
        return String::new();
    }
    format!("/agent/lot?liste={}&tout={}", encode(&chosen.came.query()), encode(&chosen.next))
}

/// The deeds that at least one of the requests allows, each with how many do.
fn offered(agent: &Agent, chosen: &Chosen, files: &[Opened<Process>]) -> Vec<Json> {
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    for transition in files.iter().flat_map(|file| &file.procedure.workflow.transitions) {
        codes.entry(code(transition)).or_insert_with(|| transition.label.clone());
    }
    let transitions = codes.into_iter();
    let hands = [(TAKE, "M’affecter"), (RELEASE, "Libérer"), (ENTRUST, "Confier au collègue choisi plus bas")];
    let hands = hands.map(|(code, label)| (code.to_owned(), label.to_owned()));
    transitions
        .chain(hands)
        .filter_map(|(code, label)| {
            let many = files.iter().filter(|file| judge(agent, file, chosen, &code).is_ok()).count();
            (many > 0).then(|| json!({"value": code, "text": label, "many": many, "chosen": code == chosen.deed}))
        })
        .collect()
}

async fn context(
    agent: &Agent,
    chosen: &Chosen,
    files: &[Opened<Process>],
    errors: &[(&'static str, String)],
) -> Value {
    let (mut rows, mut left, mut previews) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut message = false;
    for file in files.iter().filter(|_| !chosen.deed.is_empty()) {
        match judge(agent, file, chosen, &chosen.deed) {
            Err(why) => left.push(row(file, why)),
            Ok(Deed::Fire(transition)) => {
                message |= transition.needs.contains(&Need::Message);
                rows.push(row(file, &receives(file, transition)));
                let told = transition.does.iter().find_map(|action| match action {
                    Action::Notify(message) => Some(message),
                    _ => None,
                });
                if told.is_some() && file.request.email.is_some() && !previews.contains_key(&file.procedure.title) {
                    let mail = act::preview(agent, file, told).await;
                    previews.insert(file.procedure.title.clone(), mail);
                }
            }
            Ok(_) => rows.push(row(file, &held(agent, file))),
        }
    }
    let previews: Vec<Json> = previews
        .into_iter()
        .filter(|(_, mail)| !mail.is_null())
        .map(|(title, mail)| json!({"procedure": title, "subject": mail.get("subject"), "text": mail.get("text")}))
        .collect();
    let errors: Vec<Json> =
        errors.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    Value::from(Serde(json!({
        "many": files.len(), "gone": chosen.requests.len() - files.len(), "back": back(chosen),
        "colleague": chosen.colleague, "colleagues": entrust::options(&chosen.all(), &chosen.colleague),
        "list": chosen.came.query(), "next": chosen.next, "action": chosen.deed, "label": label(chosen, files),
        "actions": offered(agent, chosen, files),
        "chosen": files.iter().map(seen).collect::<Vec<_>>().join(","),
        "rows": rows, "left": left, "previews": previews, "needs_message": message, "message": chosen.message,
        "errors": errors,
    })))
}

/// The request as it is shown.
fn seen(file: &Opened<Process>) -> String {
    let holder = file.request.holder_id.map(|id| id.to_string()).unwrap_or_default();
    format!("{}:{}:{holder}", file.request.id, file.request.version)
}

/// What changing hands means for a request.
fn held(agent: &Agent, file: &Opened<Process>) -> String {
    match (file.request.holder_id, &file.request.holder_name) {
        (Some(id), Some(name)) if id != agent.account.id => {
            format!("Affecté à {name} en ce moment. L’usager ne reçoit rien.")
        }
        _ => "L’usager ne reçoit rien.".to_owned(),
    }
}

fn receives(file: &Opened<Process>, transition: &Transition) -> String {
    match &transition.receives {
        None => "L’usager ne reçoit rien.".to_owned(),
        Some(_) if file.request.email.is_none() => "Pas de courriel : à lire sur sa page de suivi.".to_owned(),
        Some(receives) => receives.clone(),
    }
}
