//! Plausible requests over the last three months, in every state.

use anyhow::{Context, Result};
use db::{args, sql};
use forms::{
    answers::Raw,
    kinds::phone::e164,
    model::{Identification, Procedure},
    step::Actor,
    workflow::{Need, Transition},
};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use super::{
    answers, approvals,
    city::{self, AgentOf, City, Usager},
    decisions, internal,
};
use crate::{
    accounts::session::{Account, Kind, Session},
    catalogue::{self, Current, Published},
    correspondence,
    requests::{
        certified, drafts,
        fire::{self, By, With},
        model::Request,
        owner::Whose,
        store, submit,
    },
    visit::{Visit, Visitor},
};

pub async fn make(visit: &Visit, city: &City, count: usize) -> Result<()> {
    let current = catalogue::current(visit).await?;
    let published: Vec<&Published> = current.procedures.values().collect();
    anyhow::ensure!(!published.is_empty(), "no procedure");
    for index in 0..count {
        // Spread without any order that a reader could see: 7 and 11 share no factor with the counts.
        let one = published.get(index * 7 % published.len()).context("procedure")?;
        let usager = chosen(city, &one.procedure, index, visit.today()).context("usager")?;
        request(visit, city, one, usager, index, count).await?;
    }
    if count > 0 {
        two_children(visit, city, &current).await?;
        past(visit, city, &current).await?;
        internal::make(visit).await?;
    }
    // Their mails and receipts were sent long ago: the queue starts with letters alone.
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("delete from job where authority_id = $1 and kind <> $2"),
                args![tx.authority(), correspondence::jobs::MAKE],
            )
            .await?;
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(())
}

/// Some that ended long ago: what archivists have to look at.
async fn past(visit: &Visit, city: &City, current: &Current) -> Result<()> {
    let then = visit.now.checked_sub(SignedDuration::from_hours(500 * 24))?;
    let visit = Visit { now: then, ..visit.clone() };
    for (procedure, indexes) in [("acte-naissance", 1..7_usize), ("demande-information", 9..14)] {
        let Some(one) = current.procedures.get(procedure) else { continue };
        // None of these is forgotten, nor still being written.
        for index in indexes.filter(|index| index % 29 != 3 && index % 8 != 0) {
            let usager = chosen(city, &one.procedure, index, visit.today()).context("usager")?;
            request(&visit, city, one, usager, index, 15).await?;
        }
    }
    Ok(())
}

/// Two drafts of one procedure, for two children of the first usager.
async fn two_children(visit: &Visit, city: &City, current: &Current) -> Result<()> {
    let Some(published) = current.procedures.get("inscription-scolaire") else { return Ok(()) };
    let usager = city.usagers.first().context("usager")?;
    for index in [0, 1] {
        let days = SignedDuration::from_hours(i64::try_from(24 * (9 - 7 * index))?);
        let visit = Visit { now: visit.now.checked_sub(days)?, ..visit.clone() };
        let Some(account) = account(&visit, usager, &published.procedure, index).await? else { return Ok(()) };
        let raw = answers::typed(&published.procedure, usager, visit.today(), index);
        drafts::begin(
            &visit,
            visit.id(),
            published,
            Whose::account(Some(account.id)),
            drafts::Holder::Session(Uuid::nil()),
            raw,
            None,
        )
        .await
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    }
    Ok(())
}

/// Somebody who may ask for it. The first person of the city, whose account everybody tries, has a share of her own.
fn chosen<'a>(city: &'a City, procedure: &Procedure, index: usize, today: jiff::civil::Date) -> Option<&'a Usager> {
    let first = if shared(procedure, index) { 0 } else { index * 11 };
    (first..first + city.usagers.len())
        .filter_map(|at| city.usagers.get(at % city.usagers.len()))
        .find(|usager| answers::suits(procedure, usager, today) && (usager.email.is_some() || !with_account(procedure)))
}

fn shared(procedure: &Procedure, index: usize) -> bool {
    index % 29 == 7 && procedure.id != "intervention-technique"
}

fn with_account(procedure: &Procedure) -> bool {
    matches!(procedure.identification, Identification::Account | Identification::Verified)
}

async fn request(
    visit: &Visit,
    city: &City,
    published: &Published,
    usager: &Usager,
    index: usize,
    count: usize,
) -> Result<()> {
    let age = SignedDuration::from_hours(i64::try_from((count - index) * 90 * 24 / count.max(1))?)
        + SignedDuration::from_mins(i64::try_from(index * 37 % 600)?);
    let mut visit = Visit { now: visit.now.checked_sub(age)?, ..visit.clone() };
    let procedure = published.procedure.clone();
    let account = account(&visit, usager, &procedure, index).await?;
    let owner = account.as_ref().map(|account| account.id);
    let session = account.map(|account| Session {
        id: Uuid::nil(),
        account: Some(account),
        passkey: None,
        waiting: 0,
        ends_on: None,
        acting: None,
    });
    let visitor = Visitor { visit: visit.clone(), session, offered: None, acting: None };
    let certified = certified::of_visitor(&visitor, &procedure).await?;
    let mut raw = answers::typed(&procedure, usager, visit.today(), index);
    certified::overlay(certified.as_ref(), &procedure, visit.today(), &mut raw, |_| true);
    let reading = procedure.read(&raw, &everything(&procedure), visit.today());
    // Not everybody may ask for everything: a minor runs no bar.
    let unverified = procedure.identification == Identification::Verified && certified.is_none();
    if unverified || !reading.ready() {
        tracing::debug!(procedure = procedure.id, "no request: not for this person");
        return Ok(());
    }
    let marks = certified.map_or_else(Vec::new, |known| known.marks(&reading, &raw, visit.today()));
    let id = visit.id();
    drafts::begin(&visit, id, published, Whose::account(owner), drafts::Holder::Session(Uuid::nil()), raw, None)
        .await
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    // One in fifteen is still being written.
    if index % 15 == 14 && owner.is_some() {
        return Ok(());
    }
    let reference: String = visit
        .db
        .one(sql!("select reference from draft where authority_id = $1 and id = $2"), args![visit.db.authority(), id])
        .await?;
    let draft = drafts::Draft {
        id,
        procedure_id: procedure.id.clone(),
        procedure_version: published.version,
        reference,
        account_id: owner,
        organisation_id: None,
        acted_by: None,
        session_id: None,
        beneficiary: None,
        raw: db::Json(Raw::default()),
        updated_at: visit.now,
        correcting: false,
        has_files: false,
    };
    submit::submit(
        &visitor,
        &submit::Sender::usager(&visitor),
        &draft,
        &procedure,
        &reading.answers,
        &marks,
        usager.email.as_deref(),
    )
    .await
    .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    live(&mut visit, city, &procedure, id, index).await
}

/// Older than this, a request is settled, but for the few that make the list of late ones.
const SETTLED: SignedDuration = SignedDuration::from_hours(18 * 24);

/// Lets usager and agents act on it, each at their hour, never beyond today.
async fn live(visit: &mut Visit, city: &City, procedure: &Procedure, id: Uuid, index: usize) -> Result<()> {
    let end = visit.app.clock.now();
    let plan = plan(index);
    let forgotten = index % 29 == 3;
    let settled = end.duration_since(visit.now) > SETTLED && !forgotten;
    let proposed = plan.iter().position(|one| *one == "propose").filter(|_| index.is_multiple_of(2));
    let steps = match proposed.filter(|_| !procedure.workflow.approvals.is_empty()) {
        _ if settled => plan.len(),
        Some(last) => last + 1,
        None => index % 4,
    };
    for wanted in plan.into_iter().take(steps) {
        let request = store::find(&visit.db, id).await?.context("request")?;
        let Some((transition, actor)) = offered(procedure, &request, wanted) else { continue };
        visit.now = visit.now.checked_add(SignedDuration::from_hours(i64::try_from(5 + index * 5 % 43)?))?;
        if visit.now >= end {
            return Ok(());
        }
        let agents: Vec<_> = city
            .agents
            .iter()
            .filter(|agent| {
                agent
                    .memberships
                    .iter()
                    .any(|member| member.department == request.department_id && member.role != "reader")
            })
            .collect();
        let signing = transition.needs.iter().any(|need| matches!(need, Need::Decision | Need::Refusal));
        let signed = transition.letter().is_some() || procedure.decides();
        let asks = transition.opens().is_some();
        let able = |agent: &&&AgentOf| {
            let decides = agent.decides(&request.department_id);
            // Who asks for approvals is not who gives them.
            !(asks && decides) && (!signing || (decides && (!signed || agent.signs(&request.department_id))))
        };
        let agents: Vec<_> = agents.iter().filter(able).collect();
        let agent = agents.get(index % agents.len().max(1)).context("a department without agent")?;
        let department = city.department_name(&request.department_id);
        let account = match actor {
            Actor::Usager => request.account_id,
            Actor::System => None,
            _ => city::account_of(visit, Kind::Agent, &agent.email).await?,
        };
        let by = By { actor, account, acted: None };
        if transition.approved.is_some() {
            approvals::given(visit, city, id).await?;
        }
        let request = store::find(&visit.db, id).await?.context("request")?;
        fire_one(visit, procedure, &request, transition, by, (agent, department)).await?;
    }
    Ok(())
}

/// The transitions of a life, in the words of the standard circuits; those not offered are skipped.
fn plan(index: usize) -> Vec<&'static str> {
    if index % 23 == 7 {
        return if index.is_multiple_of(2) { vec!["cancel"] } else { vec!["cancel", "archive"] };
    }
    let mut plan = vec!["take"];
    if index % 5 == 1 {
        plan.push("ask");
    }
    if index % 10 != 6 {
        plan.push("answer");
    }
    plan.push("mark-complete");
    plan.push("propose");
    plan.push(match index % 11 {
        4 => "refuse",
        8 => "dismiss",
        _ => "accept",
    });
    if index % 7 != 2 {
        plan.push("notify");
    }
    if !index.is_multiple_of(8) {
        plan.push("close");
    }
    if index.is_multiple_of(4) {
        plan.push("archive");
    }
    plan
}

fn offered<'a>(procedure: &'a Procedure, request: &'a Request, wanted: &str) -> Option<(&'a Transition, Actor)> {
    let actors = [Actor::Usager, Actor::Decider, Actor::System];
    actors.into_iter().find_map(|actor| {
        procedure
            .workflow
            .offered(&request.state, actor)
            .find(|transition| transition.id == wanted)
            .map(|transition| (transition, actor))
    })
}

async fn fire_one(
    visit: &Visit,
    procedure: &Procedure,
    request: &Request,
    transition: &Transition,
    by: By,
    signed: (&AgentOf, &str),
) -> Result<()> {
    let texts = transition.form.iter().filter(|field| field.kind.name() == "long-text");
    let form = texts.map(|field| (field.id.clone(), json!("La limite de la voie est celle du plan d’alignement.")));
    let mut with = With { form: form.collect(), ..With::default() };
    for need in &transition.needs {
        match need {
            Need::Message => {
                with.message =
                    Some("Bonjour, votre demande a été traitée. N’hésitez pas à nous écrire si une question demeure.");
            }
            Need::Ask => {
                with.message = Some(
                    "Bonjour, le document envoyé est illisible ou une réponse est incomplète. Merci de nous l’envoyer de nouveau.",
                );
                with.asks = asks(procedure);
            }
            Need::Decision => with.decision = Some(decisions::decision(visit, signed, true)),
            Need::Refusal => with.decision = Some(decisions::decision(visit, signed, false)),
        }
    }
    let signs = transition.letter().is_some() || procedure.decides();
    let line = if signs { decisions::signed_by(visit, request, transition, by).await? } else { None };
    if let (Some(decision), Some(line)) = (&mut with.decision, &line) {
        decision.author_quality.clone_from(&line.quality);
        decision.delegation_id = Some(line.id);
    }
    if let Some(code) = transition.letter() {
        let mention = line.and_then(|line| line.mention());
        with.letter =
            Some(decisions::letter(visit, procedure, request, code, by, (with.decision.as_ref(), mention)).await?);
    }
    fire::fire(visit, procedure, request, &transition.id, by, &with)
        .await
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))
}

fn asks(procedure: &Procedure) -> Vec<(&str, &str)> {
    match procedure.pieces.first() {
        Some(piece) => vec![("piece", piece.id.as_str())],
        None => procedure
            .pages
            .iter()
            .flat_map(|page| &page.fields)
            .filter(|field| !field.kind.silent())
            .take(1)
            .map(|field| ("field", field.id.as_str()))
            .collect(),
    }
}

/// Everybody with an address has an account; one in three files without it where that is allowed.
async fn account(visit: &Visit, usager: &Usager, procedure: &Procedure, index: usize) -> Result<Option<Account>> {
    let Some(email) = usager.email.clone() else { return Ok(None) };
    if !with_account(procedure) && index % 3 == 2 && !shared(procedure, index) {
        return Ok(None);
    }
    let id = city::account_of(visit, Kind::Usager, &email).await?;
    Ok(id.map(|id| Account {
        id,
        login: email.clone(),
        email: Some(email),
        first_name: usager.first_names.clone(),
        last_name: usager.family_name().to_owned(),
        phone: usager.phone.as_deref().and_then(e164),
        quality: None,
    }))
}

/// Sample requests hold no files: their pieces are taken as given.
fn everything(procedure: &Procedure) -> forms::journey::Files {
    procedure.pieces.iter().map(|piece| (piece.id.clone(), 1)).collect()
}
