//! « Mon foyer », for the account that declares it.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::{answers::Raw, model::Field};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{self, Member, Person, Relation, Standing, protection},
    sharing,
    sheet::{Back, NEW, Sheet},
    store,
};
use crate::{
    catalogue,
    error::Problem,
    platform::{clock, form::Typed, french},
    visit::Citizen,
};

const HOME: &str = "/compte/foyer";
const BACK: Back<'static> = (HOME, "Mon foyer");
const DECLARE: &str = "Déclarer une personne";
/// What is kept drawn of its forms.
const FORM: i64 = 0;

#[derive(Debug, Deserialize)]
pub struct Done {
    #[serde(default)]
    pub fait: String,
}

pub async fn show(citizen: Citizen, Query(done): Query<Done>) -> Result<Response, Problem> {
    let told = match done.fait.as_str() {
        "declare" => Some("La personne est ajoutée à votre foyer."),
        "modifie" => Some("Les informations sont enregistrées."),
        "retire" => Some("La personne est retirée de votre foyer."),
        "invite" => Some("L’invitation est partie. Vous verrez ici quand elle sera acceptée."),
        "accepte" => Some("Le partage commence. Chacun de vous peut l’arrêter à tout moment."),
        "refuse" => Some("L’invitation est refusée : rien n’est partagé."),
        "arrete" => Some("Le partage est arrêté."),
        _ => None,
    };
    let members = store::members(&citizen.db, citizen.account.id).await?;
    let current = catalogue::current(&citizen).await?;
    let procedures = current.procedures.values().filter(|published| published.procedure.takes_up().is_some());
    let procedures: Vec<Json> = procedures
        .map(|found| json!({"title": found.procedure.title, "href": format!("/demarches/{}/commencer", found.procedure.id)}))
        .collect();
    let standings: Vec<Json> = members.iter().map(|member| shown(&citizen, member)).collect();
    let shared = sharing::shared(&citizen, citizen.account.id).await?;
    let shared: Vec<Json> = shared.iter().map(|one| received(&citizen, one)).collect();
    let shares = sharing::section(&citizen).await?;
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    citizen.page(
        "household/household.html",
        "Mon foyer",
        context! { members => Serde(standings), shared => Serde(shared), shares => Serde(shares), procedures => Serde(procedures), ..flash },
    )
}

/// A member as the page shows them.
fn shown(citizen: &Citizen, member: &Member) -> Json {
    let (standing, since) = match member.standing(citizen.today(), &citizen.site.zone) {
        Standing::Proposed => ("proposed", String::new()),
        Standing::OfAge(day) => ("of-age", french::date(day)),
        Standing::Deceased(day) => ("deceased", day.french()),
        Standing::Unprotected(day) => ("unprotected", french::date(day)),
    };
    let measure = member.measure.as_deref().map(|code| protection::name(code).to_owned());
    let period = (member.measure_from.map(french::date), member.measure_until.map(french::date));
    let day = |at| clock::day(at, &citizen.site.zone).to_string();
    json!({
        "name": member.name(), "relation": member.relation().label(), "lines": model::identity_lines(&member.identity.0),
        "responsible": member.responsible.filter(|_| standing == "proposed"), "standing": standing, "since": since,
        "declared": day(member.declared_at), "changed": if member.changed_at == member.declared_at { String::new() } else { day(member.changed_at) },
        "href": format!("{HOME}/{}", member.id), "measure": measure, "measure_from": period.0, "measure_until": period.1,
    })
}

/// A member of somebody else's, whom they share.
fn received(citizen: &Citizen, shared: &sharing::Shared) -> Json {
    let changed = clock::day(shared.member.changed_at, &citizen.site.zone).to_string();
    json!({"name": shared.member.name(), "lines": model::identity_lines(&shared.member.identity.0), "by": shared.by, "changed": changed})
}

fn declaring(id: Uuid) -> Sheet<'static> {
    let intro = "Ces informations restent dans votre compte : aucun service ne les lit. Elles vous évitent de les saisir à chaque demande.";
    Sheet {
        form: Some(FORM),
        back: BACK,
        title: DECLARE,
        intro,
        new: Some(id),
        button: "Ajouter à mon foyer",
        undo: false,
    }
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
    if !store_new(&citizen, id, &person).await? {
        return declaring(id).refuse(&citizen, &mut readings, &typed, FULL);
    }
    done("declare")
}

const FULL: &str = "Votre foyer compte déjà 50 personnes. Retirez-en une avant d’en ajouter une autre";

/// False when there are as many as there may be.
async fn store_new(citizen: &Citizen, id: Uuid, person: &Person) -> Result<bool, db::Error> {
    let (account, now) = (citizen.account.id, citizen.now);
    citizen.db.write(async |tx: &mut Tx| store::declare(tx, account, id, person, now).await).await
}

/// Where somebody under protection is declared and corrected: other questions.
const FORM_PROTECTED: i64 = 2;

fn protecting_sheet(id: Uuid) -> Sheet<'static> {
    let intro = "Vous êtes tuteur, curateur ou habilité : vous pourrez reprendre l’identité de cette personne dans vos démarches, jusqu’à la fin de la mesure. Aucun service ne lit cette page.";
    Sheet { form: Some(FORM_PROTECTED), title: "Déclarer une personne que je protège", intro, ..declaring(id) }
}

pub async fn protecting(citizen: Citizen) -> Result<Response, Problem> {
    let (questions, raw) = (protection::questions(), Raw::default());
    protecting_sheet(citizen.id()).draw(&citizen, &model::read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn protect(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let questions = protection::questions();
    let mut readings = model::read(&questions, &typed, citizen.today());
    let Some(person) = protection::person(&mut readings) else {
        return protecting_sheet(id).draw(&citizen, &readings, &typed, true);
    };
    if !store_new(&citizen, id, &person).await? {
        return protecting_sheet(id).refuse(&citizen, &mut readings, &typed, FULL);
    }
    done("declare")
}

fn done(what: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("{HOME}?fait={what}")).into_response())
}

async fn member(citizen: &Citizen, id: Uuid) -> Result<Member, Problem> {
    store::find(citizen, id).await?.ok_or(Problem::NotFound)
}

fn correcting<'a>(member: &Member, name: &'a str) -> Sheet<'a> {
    let form = if member.relation() == Relation::Protected { FORM_PROTECTED } else { FORM };
    Sheet { form: Some(form), back: BACK, title: name, intro: "", new: None, button: "Enregistrer", undo: false }
}

fn questions(member: &Member) -> Vec<Field> {
    if member.relation() == Relation::Protected { protection::questions() } else { model::questions() }
}

pub async fn changing(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let (questions, raw) = (questions(&member), member.typed());
    correcting(&member, &member.name()).draw(&citizen, &model::read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn change(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let member = member(&citizen, id).await?;
    let questions = questions(&member);
    let mut readings = model::read(&questions, &typed, citizen.today());
    let person = match member.relation() {
        Relation::Protected => protection::person(&mut readings),
        _ => model::person(&mut readings, citizen.today()),
    };
    let Some(person) = person else {
        return correcting(&member, &member.name()).draw(&citizen, &readings, &typed, true);
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
    Sheet {
        form: Some(FORM),
        back: BACK,
        title,
        intro,
        new: None,
        button: "Enregistrer",
        undo: member.deceased().is_some(),
    }
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
    let (back, back_label) = BACK;
    let context = context! {
        heading => format!("{title} ?"), lines => Vec::<String>::new(), button => "Retirer de mon foyer", back => back, back_label => back_label,
        text => "Ses informations seront effacées de votre compte tout de suite. Vos demandes et vos brouillons ne changent pas.",
    };
    citizen.page("household/remove.html", &title, context)
}

pub async fn remove(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let account = citizen.account.id;
    kept(citizen.db.write(async |tx: &mut Tx| store::remove(tx, account, id).await).await?, "retire")
}
