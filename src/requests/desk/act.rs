//! Firing a transition: a page that says what the usager will receive and asks for what is needed,
//! then the deed. And who holds the request, of which nobody is told.

use axum::{
    extract::{Path, Query, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use forms::{
    answers::Raw,
    journey::{self, FieldReading},
    workflow::{Action, Need, Transition, Who},
};
use jiff::Span;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Opened,
    give::{self, Choices, Typed},
    store as desk, view,
};
use crate::{
    error::Problem,
    requests::{
        access::{self, Decide, Process},
        fields::{Drawing, Drawn},
        files,
        fire::{self, By, With},
        form, jobs,
        model::Decision,
        store,
    },
    visit::Agent,
};

const STALE: &str = "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est. Votre texte est encore dans la page précédente.";

/// The transition of this name, if it is one for agents and this one has the right to fire it;
/// whether it leaves from the present state is another question.
pub fn wanted<'a>(agent: &Agent, file: &'a Opened<Process>, id: &str) -> Result<&'a Transition, Problem> {
    let transition = file.procedure.workflow.transition(id).ok_or(Problem::NotFound)?;
    let known = fire::known(&file.procedure, &file.request.answers.0, &file.request.given.0);
    if !transition.holds(fire::context(agent, &known)) {
        return Err(Problem::Conflict("Les réponses de cette demande ne permettent pas cette action."));
    }
    match transition.who {
        Who::Process => {}
        Who::Decide => access::may::<Decide>(agent, &file.request)?,
        Who::Usager | Who::System => return Err(Problem::NotFound),
    }
    Ok(transition)
}

/// The confirmation page.
pub async fn show(agent: Agent, Path((id, transition)): Path<(Uuid, String)>) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let transition = wanted(&agent, &file, &transition)?;
    if !transition.from.contains(&file.request.state) {
        return Err(Problem::Conflict(
            "Cette action n’est plus possible : la demande a changé d’état entre-temps. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    let sent = files::of(&agent.db, id).await?;
    let choices = Choices::of(&agent, &file, &sent);
    let form = Form::read(&agent, &file, transition, &Raw::default()).draw(&agent, &file, false)?;
    let context = context(&agent, &file, transition, &choices, &Typed::fresh(&agent.site), &[], form).await;
    agent.page("agent/action.html", &transition.label, context)
}

/// The deed.
pub async fn confirm(
    agent: Agent,
    Path((id, transition)): Path<(Uuid, String)>,
    sent: Sent,
) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let transition = wanted(&agent, &file, &transition)?;
    let raw = form::plain(sent).await?;
    let seen: i64 =
        raw.text("version").parse().map_err(|_| Problem::Bad("Ouvrez la demande, puis choisissez l’action."))?;
    let done = file.came.on(&format!("{}?fait={}", file.url(), transition.id));
    if seen != file.request.version {
        return if sent_twice(&agent, &file, transition, seen).await? {
            Ok(Redirect::to(&done).into_response())
        } else {
            Err(Problem::Conflict(STALE))
        };
    }
    let received = files::of(&agent.db, id).await?;
    let choices = Choices::of(&agent, &file, &received);
    let mut typed = Typed::read(&raw);
    choices.keep_offered(&mut typed);
    let mut problems = give::problems(&transition.needs, &typed);
    if decides(transition) && !Author::of(&agent, &file).complete() {
        problems.push(("confirmer", "Votre qualité n’est pas renseignée : elle doit figurer sur la décision. Demandez à l’administrateur de l’ajouter à votre compte.".to_owned()));
    }
    let filled = Form::read(&agent, &file, transition, &raw);
    if !problems.is_empty() || !filled.valid() {
        let form = filled.draw(&agent, &file, true)?;
        let context = context(&agent, &file, transition, &choices, &typed, &problems, form).await;
        return agent.page_again("agent/action.html", &transition.label, context);
    }
    let with = With {
        message: Some(typed.message.as_str())
            .filter(|_| transition.needs.iter().any(|need| matches!(need, Need::Message | Need::Ask))),
        asks: if transition.needs.contains(&Need::Ask) { choices.chosen(&typed) } else { Vec::new() },
        until: typed
            .days()
            .filter(|_| transition.needs.contains(&Need::Ask))
            .and_then(|days| agent.today().checked_add(Span::new().days(days)).ok()),
        decision: decides(transition).then(|| Author::of(&agent, &file).decides(&agent, transition, &typed)),
        corrected: None,
        form: journey::answered(&filled.readings),
    };
    let by = By { actor: file.request.actor, account: Some(agent.account.id), acted: None };
    fire::fire(&agent, &file.procedure, &file.request, &transition.id, by, &with).await?;
    Ok(Redirect::to(&done).into_response())
}

/// The request moved by one version since the page was drawn, by this very deed of this agent.
async fn sent_twice(
    agent: &Agent,
    file: &Opened<Process>,
    transition: &Transition,
    seen: i64,
) -> Result<bool, db::Error> {
    if file.request.version != seen + 1 {
        return Ok(false);
    }
    let events = store::events(&agent.db.fresh(), file.request.id).await?;
    let last = events.iter().rev().find(|event| event.to_state.is_some());
    Ok(last.is_some_and(|event| event.code == transition.id && event.actor_id == Some(agent.account.id)))
}

fn decides(transition: &Transition) -> bool {
    transition.needs.iter().any(|need| matches!(need, Need::Decision | Need::Refusal))
}

/// Who signs: first name, name, quality and service (CRPA L111-2, L212-1).
struct Author {
    name: String,
    quality: String,
    service: String,
}

impl Author {
    fn of(agent: &Agent, file: &Opened<Process>) -> Self {
        let service =
            agent.memberships.iter().find(|membership| membership.department_id == file.request.department_id);
        Self {
            name: agent.account.full_name(),
            quality: agent.account.quality.clone().unwrap_or_default().trim().to_owned(),
            service: service.map(|membership| membership.department_name.clone()).unwrap_or_default(),
        }
    }

    fn complete(&self) -> bool {
        !self.name.is_empty() && !self.quality.is_empty()
    }

    fn decides(self, agent: &Agent, transition: &Transition, typed: &Typed) -> Decision {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let refusal = transition.needs.contains(&Need::Refusal);
        Decision {
            favourable: !refusal,
            author_name: self.name,
            author_quality: self.quality,
            author_department: self.service,
            ground: some(&typed.ground),
            facts: some(&typed.facts),
            appeal: some(&typed.appeal).filter(|_| refusal),
            at: agent.now,
        }
    }
}

async fn context(
    agent: &Agent,
    file: &Opened<Process>,
    transition: &Transition,
    choices: &Choices,
    typed: &Typed,
    problems: &[(&'static str, String)],
    form: Drawn,
) -> Value {
    let author = Author::of(agent, file);
    let held =
        file.request.holder_id.filter(|holder| *holder != agent.account.id).and(file.request.holder_name.as_ref());
    let mut errors: Vec<Json> =
        problems.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
    errors.extend(form.errors);
    let told = transition.does.iter().find_map(|action| match action {
        Action::Notify(message) => Some(message),
        _ => None,
    });
    let form_html = Value::from_safe_string(form.html);
    let context = Value::from(Serde(json!({
        "request": view::banner(agent, file),
        "transition": {"id": transition.id, "label": transition.label, "kind": view::button(transition)},
        "needs": transition.needs,
        "receives": transition.receives.as_deref().unwrap_or_default(),
        "unreachable": told.is_some() && file.request.email.is_none(),
        "preview": preview(agent, file, told).await,
        "signs": !decides(transition) || author.complete(),
        "author": {"name": author.name, "quality": author.quality, "service": author.service},
        "lock": held.map(|name| json!({"name": name})),
        "errors": errors,
        "version": file.request.version,
        "pieces": choices.pieces_json(typed),
        "fields": choices.fields_json(typed),
        "message": typed.message, "days": typed.days, "ground": typed.ground, "facts": typed.facts, "appeal": typed.appeal,
    })));
    context! { form_html => form_html, ..context }
}

/// The questions of a transition, as the agent answered them.
struct Form<'a> {
    readings: Vec<FieldReading<'a>>,
    raw: &'a Raw,
}

impl<'a> Form<'a> {
    fn read(agent: &Agent, file: &Opened<Process>, transition: &'a Transition, raw: &'a Raw) -> Self {
        let request = &file.request;
        let known = fire::values(&file.procedure, &request.answers.0, &request.given.0);
        Self { readings: journey::form(&transition.form, raw, known, agent.today()), raw }
    }

    fn valid(&self) -> bool {
        self.readings.iter().all(|reading| reading.problems.is_empty())
    }

    fn draw(&self, agent: &Agent, file: &Opened<Process>, errors: bool) -> Result<Drawn, Problem> {
        let kept = (file.procedure.id.as_str(), file.request.procedure_version);
        Ok(Drawing::sheet(agent, Some(kept), self.raw, errors).draw(&self.readings)?)
    }
}

/// The mail as it will leave; none for who gave no address.
pub async fn preview(agent: &Agent, file: &Opened<Process>, message: Option<&String>) -> Json {
    let (Some(message), Some(to)) = (message, &file.request.email) else { return Json::Null };
    match jobs::compose(agent, &file.request, message, to, Uuid::nil()).await {
        Ok(mail) => json!({"subject": mail.subject, "text": mail.body}),
        Err(error) => {
            tracing::error!(message, error = format!("{error:#}"), "a mail cannot be written");
            Json::Null
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    /// Who held the request when the button was shown; empty for nobody.
    de: String,
}

const HELD: &str = "Ce dossier vient de changer de mains. Ouvrez-le de nouveau pour voir qui s’en occupe.";

/// The agent becomes the holder.
pub async fn take(agent: Agent, Path(id): Path<Uuid>, Query(from): Query<From>) -> Result<Response, Problem> {
    hand(&agent, id, &from, Some(agent.account.id), "affecte").await
}

/// Nobody holds the request any more. A colleague may do it too: the holder may be away.
pub async fn release(agent: Agent, Path(id): Path<Uuid>, Query(from): Query<From>) -> Result<Response, Problem> {
    hand(&agent, id, &from, None, "libere").await
}

async fn hand(agent: &Agent, id: Uuid, from: &From, to: Option<Uuid>, done: &str) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(agent, id).await?;
    let seen = from.de.parse().ok();
    // A second click finds done what the first one did.
    let handed =
        file.request.holder_id == to || desk::hand(&agent.db, id, seen, to, agent.account.id, agent.now).await?;
    if handed {
        Ok(Redirect::to(&file.came.on(&format!("{}?fait={done}", file.url()))).into_response())
    } else {
        Err(Problem::Conflict(HELD))
    }
}
