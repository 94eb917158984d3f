//! Firing a transition: a page that says what the usager will receive and asks for what is needed,
//! then the deed. And who holds the request, of which nobody is told.

use axum::{
    extract::{Path, Query, Request as Sent},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{
    answers::{Answers, Raw},
    journey::{self, FieldReading},
    model::Procedure,
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
    letter::{self, Draft},
    sign::Signing,
    store as desk, view,
};
use crate::{
    approvals::{self, Granted},
    error::Problem,
    journal,
    platform::mail::SendError,
    requests::{
        access::{self, Decide, Process},
        fields::{Drawing, Drawn},
        files,
        fire::{self, By, With},
        form, jobs,
        model::Request,
        store,
    },
    visit::Agent,
};

/// The button that draws the letter anew.
const PREVIEW: &str = "apercu";
const UNSEEN: &str = "Ce texte n’a été visé par personne : retirez-le, ou faites viser de nouveau ce que vous décidez.";
const STALE: &str = "Cette demande a changé pendant que vous la regardiez. Ouvrez-la de nouveau pour voir où elle en est. Votre texte est encore dans la page précédente.";

/// The transition of this name, if it is one for agents and this one has the right to fire it;
/// whether it leaves from the present state is another question.
pub fn wanted<'a>(agent: &Agent, file: &'a Opened<Process>, id: &str) -> Result<&'a Transition, Problem> {
    let transition = file.procedure.workflow.transition(id).ok_or(Problem::NotFound)?;
    let known = fire::known(&file.procedure, &file.request.answers.0, &file.request.given.0);
    if !transition.holds(fire::context(agent, &known)) {
        return Err(Problem::Conflict("Les réponses de cette demande ne permettent pas cette action."));
    }
    if !transition.is_approved(&file.request.life()) {
        return Err(Problem::Conflict(
            "Cette action attend un visa\u{a0}: l’onglet « Parapheur » du dossier dit où il en est.",
        ));
    }
    match transition.who {
        Who::Process => {}
        Who::Decide => access::may::<Decide>(agent, &file.request)?,
        Who::Usager | Who::System => return Err(Problem::NotFound),
    }
    Ok(transition)
}

/// A transition that an agent is about to fire.
pub struct Deed<'f> {
    pub file: &'f Opened<Process>,
    pub transition: &'f Transition,
    pub typed: Typed,
    pub signing: Signing,
    /// What was approved, for what waits for it.
    pub granted: Option<Granted>,
    /// Why nobody could approve what it asks approval for; empty when somebody can.
    unable: String,
    choices: Choices,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Template {
    /// An earlier version of the letter's template.
    modele: Option<i64>,
}

/// The confirmation page.
pub async fn show(
    agent: Agent,
    Path((id, transition)): Path<(Uuid, String)>,
    Query(template): Query<Template>,
) -> Result<Response, Problem> {
    let file = Opened::<Process>::open(&agent, id).await?;
    let deed = Deed::of(&agent, &file, &transition, Typed::fresh(&agent.site, &file.procedure)).await?;
    if !deed.transition.from.contains(&file.request.state) {
        return Err(Problem::Conflict(
            "Cette action n’est plus possible : la demande a changé d’état entre-temps. Ouvrez-la de nouveau pour voir où elle en est.",
        ));
    }
    let (typed, raw) = (letter::Typed::of_version(template.modele), Raw::default());
    let form = Form::read(&agent, &file, deed.transition, &raw);
    let draft = Draft::of(&agent, &deed, &form, typed, true).await?;
    let context = deed.context(&agent, &[], draft.as_ref(), &form, false).await?;
    agent.page("agent/action.html", &deed.transition.label, context)
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
    let deed = Deed::of(&agent, &file, &transition.id, Typed::read(&raw)).await?;
    let filled = Form::read(&agent, &file, transition, &raw);
    let draft = Draft::of(&agent, &deed, &filled, letter::Typed::read(&raw), false).await?;
    let mut problems = give::problems(&transition.needs, &deed.typed);
    if !deed.signing.refused.is_empty() {
        problems.push(("confirmer", deed.signing.refused.clone()));
    }
    if !deed.unable.is_empty() {
        problems.push(("confirmer", deed.unable.clone()));
    }
    if transition.approved.is_some() && !(deed.typed.facts.trim().is_empty() && deed.typed.ground.trim().is_empty()) {
        problems.push(("confirmer", UNSEEN.to_owned()));
    }
    problems.extend(draft.iter().flat_map(Draft::problems));
    if !problems.is_empty() || !filled.valid() {
        let context = deed.context(&agent, &problems, draft.as_ref(), &filled, true).await?;
        return agent.page_again("agent/action.html", &transition.label, context);
    }
    // Nothing leaves that was not read, nor when it is to be read once more.
    if draft.as_ref().is_some_and(|draft| raw.text(PREVIEW) == "oui" || !draft.was_read()) {
        let context = deed.context(&agent, &[], draft.as_ref(), &filled, true).await?;
        let reread = context! { reread => true, ..context };
        return agent.page("agent/action.html", &transition.label, reread);
    }
    deed.fire(&agent, draft.as_ref(), &filled).await?;
    Ok(Redirect::to(&done).into_response())
}

/// The request moved by one version since the page was drawn, by this very deed of this agent.
pub async fn sent_twice(
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

impl<'f> Deed<'f> {
    pub async fn of(
        agent: &Agent,
        file: &'f Opened<Process>,
        transition: &str,
        mut typed: Typed,
    ) -> Result<Self, Problem> {
        let transition = wanted(agent, file, transition)?;
        let received = files::of(&agent.db, file.request.id).await?;
        let choices = Choices::of(agent, file, &received);
        choices.keep_offered(&mut typed);
        let signing = Signing::of(agent, file, transition).await?;
        let granted = match &transition.approved {
            Some(circuit) => Some(approvals::granted(agent, &file.request, circuit).await?),
            None => None,
        };
        let unable = match transition.opens().and_then(|id| file.procedure.workflow.approval(id)) {
            Some(circuit) => approvals::able(agent, &file.request, circuit).await?,
            None => String::new(),
        };
        Ok(Self { file, transition, typed, signing, granted, unable, choices })
    }

    async fn fire(&self, agent: &Agent, draft: Option<&Draft>, filled: &Form<'_>) -> Result<(), Problem> {
        let Self { file, transition, typed, signing, choices, .. } = self;
        let with = With {
            message: Some(typed.message.as_str())
                .filter(|_| transition.needs.iter().any(|need| matches!(need, Need::Message | Need::Ask))),
            asks: if transition.needs.contains(&Need::Ask) { choices.chosen(typed) } else { Vec::new() },
            until: typed
                .days()
                .filter(|_| transition.needs.contains(&Need::Ask))
                .and_then(|days| agent.today().checked_add(Span::new().days(days)).ok()),
            entered: None,
            decision: signing.decision(agent, transition, typed),
            corrected: None,
            form: journey::answered(&filled.readings),
            letter: draft.and_then(|draft| draft.keep(agent, &file.request.department_id)),
            prepared: draft.and_then(Draft::prepared),
        };
        let by = By { actor: file.request.actor, account: Some(agent.account.id), acted: None };
        fire::fire(agent, &file.procedure, &file.request, &transition.id, by, &with).await
    }

    /// The page, with what was typed and, once something was, what is wrong.
    pub async fn context(
        &self,
        agent: &Agent,
        problems: &[(&'static str, String)],
        draft: Option<&Draft>,
        form: &Form<'_>,
        errors: bool,
    ) -> Result<Value, Problem> {
        let Self { file, transition, typed, signing, choices, .. } = self;
        let form = form.draw(agent, file, errors)?;
        let author = &signing.author;
        let held = file.request.holder_id.filter(|holder| *holder != agent.account.id);
        let held = held.and(file.request.holder_name.clone());
        let busy = journal::busy(agent, &[file.request.id]).await?.remove(&file.request.id);
        let mut listed: Vec<Json> =
            problems.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
        listed.extend(form.errors);
        let told = transition.does.iter().find_map(|action| match action {
            Action::Notify(message) => Some(message),
            _ => None,
        });
        let form_html = Value::from_safe_string(form.html);
        let url = format!("{}/actions/{}", file.url(), transition.id);
        let context = Value::from(Serde(json!({
            "request": view::banner(agent, file),
            "transition": {"id": transition.id, "label": transition.label, "kind": view::button(transition)},
            "needs": transition.needs, "approved": transition.approved.is_some(),
            "receives": transition.receives.as_deref().unwrap_or_default(),
            "unreachable": told.is_some() && file.request.email.is_none(),
            "preview": preview(agent, file, told).await,
            "unsigned": if self.unable.is_empty() { &signing.refused } else { &self.unable },
            "circuit": circuit(self),
            "calls": calls(&file.procedure, transition),
            "author": {"name": author.name, "quality": author.quality, "service": author.service, "delegation": author.delegation},
            "letter": draft.map(|draft| draft.json(&url)),
            "reread": false,
            "url": file.came.on(&url),
            "lock": held.map(|name| json!({"name": name})),
            "busy": busy,
            "errors": listed,
            "version": file.request.version,
            "pieces": choices.pieces_json(typed),
            "fields": choices.fields_json(typed),
            "message": typed.message, "days": typed.days, "ground": typed.ground, "facts": typed.facts, "appeal": typed.appeal,
        })));
        Ok(context! { form_html => form_html, ..context })
    }
}

/// The applications that a transition tells, by name.
fn calls<'p>(procedure: &'p Procedure, transition: &'p Transition) -> Vec<&'p str> {
    let called = transition.does.iter().filter_map(|action| match action {
        Action::Webhook(id) => procedure.workflow.webhook(id),
        _ => None,
    });
    called.map(|webhook| webhook.label.as_str()).collect()
}

/// The circuit of approvals that a deed opens, for its page: title, who in turn.
fn circuit(deed: &Deed<'_>) -> Json {
    let circuit = deed.transition.opens().and_then(|id| deed.file.procedure.workflow.approval(id));
    circuit.map_or(Json::Null, |circuit| {
        let steps: Vec<&str> = circuit.steps.iter().map(|step| step.title.as_str()).collect();
        json!({"title": circuit.title, "together": circuit.together, "steps": steps, "delay": circuit.delay.to_string()})
    })
}

/// The questions of a transition, as the agent answered them.
pub struct Form<'a> {
    readings: Vec<FieldReading<'a>>,
    raw: &'a Raw,
}

impl<'a> Form<'a> {
    pub fn read(agent: &Agent, file: &Opened<Process>, transition: &'a Transition, raw: &'a Raw) -> Self {
        let request = &file.request;
        let known = fire::values(&file.procedure, &request.answers.0, &request.given.0);
        Self { readings: journey::form(&transition.form, raw, known, agent.today()), raw }
    }

    fn valid(&self) -> bool {
        self.readings.iter().all(|reading| reading.problems.is_empty())
    }

    /// What agents will have answered, once this is.
    pub fn given(&self, request: &Request) -> Answers {
        let mut given = request.given.0.clone();
        given.extend(journey::answered(&self.readings));
        given
    }

    fn draw(&self, agent: &Agent, file: &Opened<Process>, errors: bool) -> Result<Drawn, Problem> {
        let kept = (file.procedure.id.as_str(), file.request.procedure_version);
        Ok(Drawing::sheet(agent, Some(kept), self.raw, errors).draw(&self.readings)?)
    }
}

/// The mail as it will leave; none for who gave no address.
pub async fn preview(agent: &Agent, file: &Opened<Process>, message: Option<&String>) -> Json {
    let (Some(message), Some(to)) = (message, &file.request.email) else { return Json::Null };
    match jobs::compose(agent, &file.request, message, (to, Uuid::nil()), jobs::Words::Own).await {
        Ok(mail) => json!({"subject": mail.subject, "text": mail.body}),
        Err(SendError::Permanent(why)) => {
            json!({"subject": "Ce courriel attendra que le modèle du service soit corrigé", "text": why})
        }
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
    let write = async |tx: &mut Tx| desk::hand(tx, id, seen, to, agent.account.id, agent.now).await;
    let handed = file.request.holder_id == to || agent.db.write(write).await?;
    if handed {
        Ok(Redirect::to(&file.came.on(&format!("{}?fait={done}", file.url()))).into_response())
    } else {
        Err(Problem::Conflict(HELD))
    }
}
