//! Plausible requests over the last three months, in every state.

use anyhow::{Context, Result};
use db::{args, sql};
use forms::{
    answers::Raw,
    model::Procedure,
    step::Actor,
    workflow::{Need, Transition},
};
use jiff::SignedDuration;
use uuid::Uuid;

use super::city::{self, City, Usager};
use crate::{
    accounts::session::{Account, Kind, Session},
    catalogue::{self, Current, Published},
    requests::{
        drafts,
        fire::{self, By, With},
        model::{Decision, Request},
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
        let usager = city.usagers.get(index * 11 % city.usagers.len()).context("usager")?;
        request(visit, city, one, usager, index, count).await?;
    }
    if count > 0 {
        two_children(visit, city, &current).await?;
    }
    // Their mails and receipts were sent long ago: the queue starts empty.
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("delete from job where authority_id = $1"), args![tx.authority()]).await?;
            Ok::<(), db::Error>(())
        })
        .await?;
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
        let raw = typed(&published.procedure, usager, index, &visit);
        drafts::begin(&visit, visit.id(), published, Some(account.id), drafts::Holder::Session(Uuid::nil()), raw)
            .await
            .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    }
    Ok(())
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
    let raw = typed(&procedure, usager, index, &visit);
    let reading = procedure.read(&raw, &everything(&procedure), visit.today());
    // Not everybody may ask for everything: a minor runs no bar.
    if !reading.ready() {
        tracing::debug!(procedure = procedure.id, "no request: not for this person");
        return Ok(());
    }
    let id = visit.id();
    let owner = account.as_ref().map(|account| account.id);
    drafts::begin(&visit, id, published, owner, drafts::Holder::Session(Uuid::nil()), raw)
        .await
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    // One in fifteen is still being written.
    if index % 15 == 14 && owner.is_some() {
        return Ok(());
    }
    let session = account.map(|account| Session { id: Uuid::nil(), account: Some(account), waiting: 0 });
    let visitor = Visitor { visit: visit.clone(), session, offered: None };
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
        session_id: None,
        beneficiary: None,
        raw: db::Json(Raw::default()),
        updated_at: visit.now,
        correcting: false,
        has_files: false,
    };
    submit::submit(&visitor, &draft, &procedure, &reading.answers, usager.email.as_deref())
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
    let steps = if settled { plan.len() } else { index % 4 };
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
        let agent = agents.get(index % agents.len().max(1)).context("a department without agent")?;
        let account = match actor {
            Actor::Usager => request.account_id,
            Actor::System => None,
            _ => city::account_of(visit, Kind::Agent, &agent.email).await?,
        };
        fire_one(visit, procedure, &request, transition, By { actor, account }).await?;
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
    plan.push(match index % 11 {
        4 => "refuse",
        8 => "dismiss",
        _ => "accept",
    });
    if index % 7 != 2 {
        plan.push("notify");
    }
    if !index.is_multiple_of(3) {
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
) -> Result<()> {
    let mut with = With::default();
    for need in &transition.needs {
        match need {
            Need::Message => {
                with.message =
                    Some("Bonjour, votre demande a été traitée. N'hésitez pas à nous écrire si une question demeure.");
            }
            Need::Ask => {
                with.message = Some(
                    "Bonjour, le document envoyé est illisible ou une réponse est incomplète. Merci de nous l'envoyer de nouveau.",
                );
                with.asks = asks(procedure);
            }
            Need::Decision => with.decision = Some(decision(visit, true)),
            Need::Refusal => with.decision = Some(decision(visit, false)),
        }
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

fn decision(visit: &Visit, favourable: bool) -> Decision {
    let text = |text: &str| Some(text.to_owned());
    Decision {
        favourable,
        author_name: "Claire d’Aubigny".into(),
        author_quality: "Responsable du service".into(),
        author_department: "Ville de Valmont".into(),
        ground: if favourable { None } else { text("Règlement municipal du service, article 4.") },
        facts: text(if favourable {
            "Votre demande remplit les conditions."
        } else {
            "Le dossier ne remplit pas les conditions prévues."
        }),
        appeal: if favourable {
            None
        } else {
            text(
                "Vous pouvez contester cette décision dans les deux mois, par un recours gracieux auprès du maire ou devant le tribunal administratif.",
            )
        },
        at: visit.now,
    }
}

/// Everybody with an address has an account; one in three files without it where that is allowed.
async fn account(visit: &Visit, usager: &Usager, procedure: &Procedure, index: usize) -> Result<Option<Account>> {
    use forms::model::Identification;
    let needed = matches!(procedure.identification, Identification::Account | Identification::Verified);
    let email = usager.email.clone().unwrap_or_else(|| "camille.martin@exemple.fr".to_owned());
    if !needed && (index % 3 == 2 || usager.email.is_none()) {
        return Ok(None);
    }
    let id = city::account_of(visit, Kind::Usager, &email).await?;
    Ok(id.map(|id| Account {
        id,
        email,
        first_name: usager.first_names.clone(),
        last_name: usager.family_name().to_owned(),
        phone: usager.phone.clone(),
        quality: None,
    }))
}

/// The procedure's own sample, in the usager's name.
fn typed(procedure: &Procedure, usager: &Usager, index: usize, visit: &Visit) -> Raw {
    let today = visit.today();
    let mut raw = procedure.sample(today);
    for (of, field, days) in DATES {
        let day = today.checked_add(jiff::Span::new().days(*days)).unwrap_or(today);
        if *of == procedure.id {
            for (part, value) in
                [("jour", i16::from(day.day())), ("mois", i16::from(day.month())), ("annee", day.year())]
            {
                raw.set(format!("{field}.{part}"), value.to_string());
            }
        }
    }
    if procedure.id == "debit-boissons-temporaire" {
        raw.set("boissons", "fermentees");
    }
    if procedure.id == "acte-naissance" {
        raw.set("qualite", "ascendant");
    }
    let mut put = |name: &str, value: &str| {
        if raw.0.contains_key(name) {
            raw.set(name, value);
        }
    };
    put("demandeur.nom_naissance", &usager.birth_name);
    put("demandeur.nom_usage", usager.use_name.as_deref().unwrap_or_default());
    put("demandeur.prenoms", &usager.first_names);
    let mut born = usager.birth_date.split('-');
    for part in ["annee", "mois", "jour"] {
        put(&format!("demandeur.{part}"), born.next().unwrap_or_default());
    }
    let relative = RELATIVES.get(index % RELATIVES.len()).copied().unwrap_or_default();
    for person in procedure.beneficiary.iter().filter(|person| *person != "demandeur") {
        put(&format!("{person}.nom_naissance"), usager.family_name());
        put(&format!("{person}.prenoms"), relative);
    }
    put("courriel", usager.email.as_deref().unwrap_or_default());
    put("telephone", usager.phone.as_deref().unwrap_or_default());
    let home = &usager.address;
    put("adresse.numero_voie", format!("{} {}", home.number.as_deref().unwrap_or_default(), home.street).trim());
    put("adresse.code_postal", &home.postcode);
    put("adresse.commune", &home.city);
    raw
}

/// First names of those for whom usagers file requests.
const RELATIVES: [&str; 7] = ["Léa", "Noé", "Inès", "Gabriel", "Jeanne", "Malo", "Aya"];

/// Dates that make sense together where any date would not: (procedure, field, days from today).
const DATES: &[(&str, &str, i32)] = &[
    ("operation-tranquillite-vacances", "debut", 3),
    ("operation-tranquillite-vacances", "fin", 17),
    ("operation-tranquillite-vacances", "visites.0.visite_debut", 5),
    ("operation-tranquillite-vacances", "visites.0.visite_fin", 6),
    ("recensement-citoyen", "naissance", -5_880),
    ("inscription-scolaire", "enfant", -1_600),
];

/// Sample requests hold no files: their pieces are taken as given.
fn everything(procedure: &Procedure) -> forms::journey::Files {
    procedure.pieces.iter().map(|piece| (piece.id.clone(), 1)).collect()
}
