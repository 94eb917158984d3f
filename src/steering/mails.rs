//! The mails of rounds. They hold references and counts: no name, no answer, no name of a procedure.

use anyhow::{Context, Result, anyhow};
use forms::Colour;
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    SUMMED,
    chart::{days, number},
    late::{escalated, text, watch},
    model::Figures,
    period::Ranges,
    reminders::Rhythm,
    scope::Scope,
    store,
};
use crate::{
    accounts::{self, ending},
    agents::{self, Role, Standing},
    authorities,
    error::Problem,
    platform::{encode, french, jobs::Claimed, mail::SendError},
    requests::{self, late::Line},
    visit::Visit,
};

pub const LETTER: &str = "steering-letter";

/// By the names of their templates.
pub const REMINDER: &str = "dossiers-en-retard";
pub const RISEN: &str = "dossiers-sans-reponse";
pub const REPORT: &str = "statistiques-du-service";

/// Requests named in one mail.
const NAMED: usize = 15;

pub fn broken(problem: &Problem) -> anyhow::Error {
    anyhow!("{problem:?}")
}

/// Sends one; nothing when its reader's access is over, when they have no more right to it, or when nothing is late any more.
pub async fn send(visit: &Visit, job: &Claimed) -> Result<(), SendError> {
    let text = |key: &str| job.payload.0.get(key).and_then(Json::as_str).unwrap_or_default();
    let account: Uuid = text("account").parse().context("no account")?;
    let found = accounts::find(&visit.db, account).await.map_err(anyhow::Error::from)?;
    let Some(to) = found.and_then(|account| account.email) else { return Ok(()) };
    if ending::over(ending::of(&visit.db, account).await.map_err(anyhow::Error::from)?, visit.today()) {
        return Ok(());
    }
    let more = job.payload.0.get("more").cloned().unwrap_or_default();
    let standing = agents::standing(visit, account).await?;
    let content = match text("message") {
        REMINDER => reminder(visit, account, &standing).await?,
        RISEN => risen(visit, &standing, &more).await?,
        REPORT => report(visit, &standing, &more).await?,
        other => return Err(SendError::Permanent(format!("unknown message: {other}"))),
    };
    let Some((context, path, label)) = content else { return Ok(()) };
    let link = context! { link => format!("{}{path}", visit.public_url()), link_label => label };
    let mail = requests::jobs::letter(visit, text("message"), context! { about => context, ..link }, &to, job.id)?;
    visit.app.mailer.send(&visit.db, &mail, visit.now).await
}

/// What a template is given, where its link leads, and the link's words.
type Content = Option<(Value, String, &'static str)>;

async fn reminder(visit: &Visit, account: Uuid, standing: &Standing) -> Result<Content> {
    let processing = standing.memberships.iter().filter(|one| one.role >= Role::Processor);
    let scope = Scope::departments_of(processing.map(|one| one.department_id.clone()).collect());
    let mut watch = watch(visit, &scope, true).await.map_err(|problem| broken(&problem))?;
    let (red, orange) = (watch.many(Colour::Red), watch.many(Colour::Orange));
    if red + orange == 0 {
        return Ok(None);
    }
    // One's own first, then nobody's.
    watch.lines.sort_by_key(|(line, ..)| (line.holder_id != Some(account), line.holder_id.is_some()));
    let whose = |line: &Line| match line.holder_id {
        Some(holder) if holder == account => "à vous",
        Some(_) => "à un collègue",
        None => "à personne",
    };
    let lines: Vec<String> =
        watch.lines.iter().take(NAMED).map(|(line, day, _)| told(visit, line, *day, whose(line))).collect();
    let rest = red + orange - i64::try_from(lines.len())?;
    Ok(Some((
        context! { red => red, orange => orange, lines => lines, rest => rest },
        "/agent/retards".to_owned(),
        "Voir les retards, changer la fréquence de ce rappel ou l’arrêter",
    )))
}

fn told(visit: &Visit, line: &Line, day: Date, whose: &str) -> String {
    format!("{}\u{a0}: {} ({whose})", line.reference, text(day, visit.today()))
}

async fn risen(visit: &Visit, standing: &Standing, more: &Json) -> Result<Content> {
    let Some(department) = managed(standing, more) else { return Ok(None) };
    let since: Date = more.get("since").and_then(Json::as_str).unwrap_or_default().parse()?;
    let (many, found) = escalated(visit, &department, since).await.map_err(|problem| broken(&problem))?;
    if many == 0 {
        return Ok(None);
    }
    let whose = |line: &Line| line.holder_name.clone().unwrap_or_else(|| "à personne".to_owned());
    let lines: Vec<String> =
        found.iter().take(NAMED).map(|(line, day)| told(visit, line, *day, &whose(line))).collect();
    let rest = many - i64::try_from(lines.len())?;
    let path = format!("/agent/retards?service={}", encode(&department));
    Ok(Some((
        context! { many => many, lines => lines, rest => rest, name => name(visit, &department).await? },
        path,
        "Voir les retards du service",
    )))
}

/// The department that a mail is about, if its reader still manages it.
fn managed(standing: &Standing, more: &Json) -> Option<String> {
    let department = more.get("department").and_then(Json::as_str)?;
    let managing = standing.memberships.iter().any(|one| one.department_id == department && one.role >= Role::Manager);
    managing.then(|| department.to_owned())
}

async fn name(visit: &Visit, department: &str) -> Result<String> {
    Ok(authorities::department(&visit.db, department).await?.map_or_else(|| department.to_owned(), |found| found.name))
}

async fn report(visit: &Visit, standing: &Standing, more: &Json) -> Result<Content> {
    let Some(department) = managed(standing, more) else { return Ok(None) };
    let text = |key: &str| more.get(key).and_then(Json::as_str).unwrap_or_default();
    let (from, to): (Date, Date) = (text("from").parse()?, text("to").parse()?);
    let kind = Rhythm::named(text("every")).context("unknown period")?;
    let earlier = kind.last(from);
    let now = figures(visit, &department, from, to).await?;
    let before = figures(visit, &department, earlier.0, earlier.1).await?;
    let late = watch(visit, &Scope::department(&department), false).await.map_err(|problem| broken(&problem))?;
    let period = match kind {
        Rhythm::Weekly => "30j".to_owned(),
        Rhythm::Monthly => format!("{:04}-{:02}", from.year(), from.month()),
    };
    let path = format!("/agent/statistiques?service={}&periode={period}", encode(&department));
    Ok(Some((
        context! {
            name => name(visit, &department).await?, from => french::date(from), to => french::date(to),
            figures => Value::from(Serde(lines(&now, &before))), red => late.many(Colour::Red),
        },
        path,
        "Voir les statistiques, changer la fréquence de ce courriel ou l’arrêter",
    )))
}

async fn figures(visit: &Visit, department: &str, from: Date, to: Date) -> Result<Figures> {
    let ranges = Ranges::of(from, to, false, visit.today());
    let mut figures = Figures::default();
    for read in store::read(&visit.db, &Scope::department(department), &ranges, &SUMMED).await? {
        figures.add(&read.count);
    }
    Ok(figures)
}

/// (label, now, before).
fn lines(now: &Figures, before: &Figures) -> Vec<Json> {
    let dash = || "–".to_owned();
    let percent = |value: Option<i64>| value.map_or_else(dash, |value| format!("{value}\u{a0}%"));
    let delay = |value: Option<i64>| value.map_or_else(dash, days);
    let each = |figures: &Figures| {
        [
            number(figures.sent),
            number(figures.answered()),
            delay(figures.delays.within(5)),
            delay(figures.delays.within(9)),
            percent(figures.on_time()),
            percent(figures.complete()),
            percent(figures.marks.percent()),
        ]
    };
    let labels = [
        "Demandes reçues",
        "Réponses données",
        "La moitié des réponses en",
        "Neuf réponses sur dix en",
        "Réponses dans le délai annoncé",
        "Demandes complètes d’emblée",
        "Usagers satisfaits",
    ];
    let told = labels.iter().zip(each(now)).zip(each(before));
    told.map(|((label, now), before)| json!({"label": label, "now": now, "before": before})).collect()
}
