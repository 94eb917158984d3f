//! « Mon foyer », for the account that declares it.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, journey::FieldReading};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Member, Standing},
    store,
};
use crate::{
    catalogue,
    error::Problem,
    platform::{clock, form::Typed, french},
    requests::{Drawing, Drawn},
    visit::{Citizen, Visitor},
};

const HOME: &str = "/compte/foyer";
const DECLARE: &str = "Déclarer une personne";
/// Holds the id of the person to be: a form sent twice declares them once.
const NEW: &str = "membre";

#[derive(Debug, Deserialize)]
pub struct Done {
    #[serde(default)]
    fait: String,
}

pub async fn show(citizen: Citizen, Query(done): Query<Done>) -> Result<Response, Problem> {
    let told = match done.fait.as_str() {
        "declare" => Some("La personne est ajoutée à votre foyer."),
        "modifie" => Some("Les informations sont enregistrées."),
        "retire" => Some("La personne est retirée de votre foyer."),
        _ => None,
    };
    let members = store::members(&citizen.db, citizen.account.id).await?;
    let current = catalogue::current(&citizen).await?;
    let procedures = current.procedures.values().filter(|published| published.procedure.takes_up().is_some());
    let procedures: Vec<Json> = procedures
        .map(|found| json!({"title": found.procedure.title, "href": format!("/demarches/{}/commencer", found.procedure.id)}))
        .collect();
    let standings: Vec<Json> = members.iter().map(|member| shown(&citizen, member)).collect();
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    citizen.page(
        "household/household.html",
        "Mon foyer",
        context! { members => Serde(standings), procedures => Serde(procedures), ..flash },
    )
}

/// A member as the page shows them.
fn shown(citizen: &Citizen, member: &Member) -> Json {
    let (standing, since) = match member.standing(citizen.today(), &citizen.site.zone) {
        Standing::Proposed => ("proposed", String::new()),
        Standing::OfAge(day) => ("of-age", french::date(day)),
        Standing::Deceased(day) => ("deceased", day.french()),
    };
    let day = |at| clock::day(at, &citizen.site.zone).to_string();
    json!({
        "name": member.name(), "relation": member.relation().label(), "lines": model::identity_lines(&member.identity.0),
        "responsible": member.responsible.filter(|_| standing == "proposed"), "standing": standing, "since": since,
        "declared": day(member.declared_at), "changed": if member.changed_at == member.declared_at { String::new() } else { day(member.changed_at) },
        "href": format!("{HOME}/{}", member.id),
    })
}

/// What tells one form of the household from another.
struct Sheet<'a> {
    title: &'a str,
    intro: &'a str,
    /// Id of the person to be declared, or none.
    new: Option<Uuid>,
    button: &'a str,
    /// Whether a death noted by mistake may be taken back.
    undo: bool,
}

impl Sheet<'_> {
    fn draw(
        &self,
        citizen: &Citizen,
        readings: &[FieldReading<'_>],
        raw: &Raw,
        again: bool,
    ) -> Result<Response, Problem> {
        // No procedure is called so: what is kept drawn for these fields is theirs alone.
        let procedure = ("", 0);
        let drawing = Drawing {
            visit: citizen,
            procedure,
            raw,
            files: &[],
            errors: again,
            refused: &[],
            base: "",
            certified: None,
        };
        let Drawn { html, errors, .. } = drawing.draw(readings)?;
        let context = context! {
            heading => self.title, intro => self.intro, back => HOME, errors => Serde(errors), fields_html => Value::from_safe_string(html),
            new => self.new.map(|id| id.to_string()).unwrap_or_default(), button => self.button, undo => self.undo,
        };
        let draw = if again { Visitor::page_again } else { Visitor::page };
        draw(citizen, "household/member.html", self.title, context)
    }
}

fn declaring(id: Uuid) -> Sheet<'static> {
    let intro = "Ces informations restent dans votre compte : aucun service ne les lit. Elles vous évitent de les saisir à chaque demande.";
    Sheet { title: DECLARE, intro, new: Some(id), button: "Ajouter à mon foyer", undo: false }
}

pub async fn adding(citizen: Citizen) -> Result<Response, Problem> {
    let (questions, raw) = (model::questions(), Raw::default());
    declaring(citizen.id()).draw(&citizen, &model::read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn add(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let questions = model::questions();
    let mut readings = model::read(&questions, &typed, citizen.today());
    let Some(person) = model::person(&mut readings, citizen.today()) else {
        return declaring(id).draw(&citizen, &readings, &typed, true);
    };
    let (account, now) = (citizen.account.id, citizen.now);
    let declared = citizen.db.write(async |tx: &mut Tx| store::declare(tx, account, id, &person, now).await).await?;
    if !declared {
        return Err(Problem::Bad("Votre foyer compte déjà 50 personnes. Retirez-en une avant d’en ajouter une autre."));
    }
    done("declare")
}

fn done(what: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("{HOME}?fait={what}")).into_response())
}

async fn member(citizen: &Citizen, id: Uuid) -> Result<Member, Problem> {
    store::find(citizen, id).await?.ok_or(Problem::NotFound)
}

fn correcting(name: &str) -> Sheet<'_> {
    Sheet { title: name, intro: "", new: None, button: "Enregistrer", undo: false }
}

pub async fn changing(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let (questions, raw) = (model::questions(), member.typed());
    correcting(&member.name()).draw(&citizen, &model::read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn change(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let questions = model::questions();
    let mut readings = model::read(&questions, &typed, citizen.today());
    let Some(person) = model::person(&mut readings, citizen.today()) else {
        return correcting(&member.name()).draw(&citizen, &readings, &typed, true);
    };
    let (account, now) = (citizen.account.id, citizen.now);
    kept(citizen.db.write(async |tx: &mut Tx| store::change(tx, account, id, &person, now).await).await?, "modifie")
}

/// A member removed meanwhile, in another tab, is not found.
fn kept(found: bool, what: &str) -> Result<Response, Problem> {
    if found { done(what) } else { Err(Problem::NotFound) }
}

fn of_death<'a>(title: &'a str, member: &Member) -> Sheet<'a> {
    let intro = "Cette personne restera dans votre foyer et ne sera plus proposée dans vos démarches. Le service de l’état civil n’est pas prévenu.";
    Sheet { title, intro, new: None, button: "Enregistrer", undo: member.deceased().is_some() }
}

fn title_of_death(member: &Member) -> String {
    format!("Décès de {}", member.name())
}

pub async fn dying(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let (questions, raw, title) = (model::question_of_death(), member.typed(), title_of_death(&member));
    of_death(&title, &member).draw(&citizen, &model::read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn die(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let questions = model::question_of_death();
    let mut readings = model::read(&questions, &typed, citizen.today());
    let day = if typed.text("action") == "annuler" {
        None
    } else {
        let Some(day) = model::death(&mut readings, &member) else {
            return of_death(&title_of_death(&member), &member).draw(&citizen, &readings, &typed, true);
        };
        Some(day)
    };
    let (account, now) = (citizen.account.id, citizen.now);
    kept(citizen.db.write(async |tx: &mut Tx| store::bury(tx, account, id, day, now).await).await?, "modifie")
}

pub async fn removing(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let name = member(&citizen, id).await?.name();
    let title = format!("Retirer {name} de votre foyer");
    citizen.page("household/remove.html", &title, context! { name => name, back => HOME })
}

pub async fn remove(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = citizen.account.id;
    kept(citizen.db.write(async |tx: &mut Tx| store::remove(tx, account, id).await).await?, "retire")
}
