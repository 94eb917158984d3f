//! « Mes services », for the account that links them.

use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    judge::{self, Judged},
    model::{Declaration, Service},
    store::{self, Linked},
};
use crate::{
    error::Problem,
    platform::{form::Typed, throttle},
    visit::{Citizen, Visit},
};

const HOME: &str = "/mes-services";
const TITLE: &str = "Mes services";
const LONGEST_NAME: usize = 60;
/// Field of the reference; those of the proofs follow their items.
const REFERENCE: &str = "reference";
/// The same for a reference that nobody knows and for a proof that is wrong.
const WRONG: &str =
    "Cette référence et ces informations ne vont pas ensemble. Vérifiez-les sur votre facture ou votre courrier";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    fait: String,
}

pub async fn show(citizen: Citizen, Query(done): Query<Done>) -> Result<Response, Problem> {
    let told = match done.fait.as_str() {
        "rattache" => Some("Le service est rattaché à votre compte."),
        "renomme" => Some("Le nom est enregistré."),
        "detache" => Some("Le service n’est plus rattaché à votre compte."),
        _ => None,
    };
    let linked = shown(&citizen, citizen.account.id).await?;
    let offered: Vec<Json> = store::all(&citizen.db)
        .await?
        .iter()
        .filter(|service| service.load_id.is_some())
        .map(|service| json!({"label": service.declaration.0.label, "intro": service.declaration.0.intro, "department": service.department_name, "href": format!("{HOME}/rattacher/{}", service.id)}))
        .collect();
    let flash =
        told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } });
    let page = context! { linked => Serde(linked), offered => Serde(offered) };
    citizen.page("links/links.html", TITLE, context! { ..page, ..flash })
}

/// What an account linked: list of {id, name, department, reference, linked: date-time, gone: date-time or "",
/// updated: date-time or "", rows: list of {label, value}, links: list of {label, href}, href: URL}.
pub async fn shown(visit: &Visit, account: Uuid) -> Result<Vec<Json>, db::Error> {
    Ok(store::linked(&visit.db, account).await?.iter().map(|linked| one(visit, linked)).collect())
}

fn one(visit: &Visit, linked: &Linked) -> Json {
    let told = judge::told(visit, linked).unwrap_or_default();
    let declaration = &linked.declaration.0;
    let rows: Vec<Json> = declaration
        .data
        .iter()
        .filter_map(|item| Some((item, told.values.get(&item.id).filter(|value| !value.is_empty())?)))
        .map(|(item, value)| json!({"label": item.label, "value": value}))
        .collect();
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    json!({
        "id": linked.id, "name": linked.name, "department": linked.department_name, "reference": told.reference,
        "linked": linked.linked_at.to_string(), "gone": time(linked.gone_at), "updated": time(linked.loaded_at), "rows": rows,
        "links": if linked.gone_at.is_some() { json!([]) } else { json!(declaration.links) }, "href": format!("{HOME}/{}", linked.id),
    })
}

async fn service(citizen: &Citizen, id: &str) -> Result<Service, Problem> {
    let found = store::find(&citizen.db, id).await?;
    found.filter(|service| service.load_id.is_some()).ok_or(Problem::NotFound)
}

fn draw(
    citizen: &Citizen,
    declaration: &Declaration,
    typed: &Raw,
    wrong: &[(String, String)],
) -> Result<Response, Problem> {
    let field =
        |id: &str, label: &str, hint: &str| json!({"id": id, "label": label, "hint": hint, "value": typed.text(id)});
    let reference = &declaration.reference;
    let mut fields = vec![field(REFERENCE, &reference.label, &reference.hint)];
    fields.extend(declaration.proof.iter().map(|item| field(&proof(&item.id), &item.label, &item.hint)));
    let errors: Vec<Json> = wrong.iter().map(|(id, text)| json!({"href": format!("#{id}"), "text": text})).collect();
    let page = context! {
        heading => &declaration.label, intro => &declaration.intro, fields => Serde(fields), errors => Serde(errors), back => HOME,
    };
    let title = format!("Rattacher : {}", declaration.label);
    if wrong.is_empty() {
        citizen.page("links/link.html", &title, page)
    } else {
        citizen.page_again("links/link.html", &title, page)
    }
}

fn proof(item: &str) -> String {
    format!("preuve-{item}")
}

pub async fn linking(citizen: Citizen, Path(id): Path<String>) -> Result<Response, Problem> {
    let service = service(&citizen, &id).await?;
    draw(&citizen, &service.declaration.0, &Raw::default(), &[])
}

pub async fn link(citizen: Citizen, Path(id): Path<String>, Typed(typed): Typed) -> Result<Response, Problem> {
    let service = service(&citizen, &id).await?;
    let declaration = &service.declaration.0;
    let mut wrong = Vec::new();
    let canonical = declaration.reference.pattern.canonical(typed.text(REFERENCE));
    if canonical.is_none() {
        let text = format!(
            "Écrivez la référence comme sur votre facture ou votre courrier, par exemple {}",
            declaration.reference.pattern.example()
        );
        wrong.push((REFERENCE.to_owned(), text));
    }
    let mut proofs = Vec::new();
    for item in &declaration.proof {
        match item.kind.regular(typed.text(&proof(&item.id))) {
            Ok(proof) => proofs.push(proof),
            Err(instead) => wrong.push((proof(&item.id), format!("Écrivez {instead}"))),
        }
    }
    let Some(canonical) = canonical.filter(|_| wrong.is_empty()) else {
        return draw(&citizen, declaration, &typed, &wrong);
    };
    let text = match judge::link(&citizen, &service, &canonical, &proofs).await? {
        Judged::Linked => return done("rattache"),
        Judged::Wrong => WRONG.to_owned(),
        Judged::Wait(left) => format!("Trop d’essais : réessayez dans {}", throttle::in_words(left)),
        Judged::Full => "Votre compte compte déjà 50 rattachements. Détachez-en un d’abord".to_owned(),
    };
    draw(&citizen, declaration, &typed, &[(REFERENCE.to_owned(), text)])
}

fn done(what: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&format!("{HOME}?fait={what}")).into_response())
}

async fn name(citizen: &Citizen, id: Uuid) -> Result<String, Problem> {
    store::name(&citizen.db, citizen.account.id, id).await?.ok_or(Problem::NotFound)
}

fn draw_name(citizen: &Citizen, name: &str, typed: &str, wrong: Option<&str>) -> Result<Response, Problem> {
    let errors: Vec<Json> = wrong.iter().map(|text| json!({"href": "#nom", "text": text})).collect();
    let title = format!("Renommer « {name} »");
    let page: Value =
        context! { name => name, typed => typed, max => LONGEST_NAME, errors => Serde(errors), back => HOME };
    if wrong.is_none() {
        citizen.page("links/rename.html", &title, page)
    } else {
        citizen.page_again("links/rename.html", &title, page)
    }
}

pub async fn renaming(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let name = name(&citizen, id).await?;
    draw_name(&citizen, &name, &name, None)
}

pub async fn rename(citizen: Citizen, Path(id): Path<Uuid>, Typed(typed): Typed) -> Result<Response, Problem> {
    let name = name(&citizen, id).await?;
    let new = typed.text("nom").trim();
    let wrong = match new.chars().count() {
        0 => Some("Écrivez un nom, par exemple « Eau, rue du Lys »"),
        length if length > LONGEST_NAME => Some("Raccourcissez ce nom : 60 caractères au plus"),
        _ => None,
    };
    if wrong.is_some() {
        return draw_name(&citizen, &name, new, wrong);
    }
    let account = citizen.account.id;
    if citizen.db.write(async |tx: &mut Tx| store::rename(tx, account, id, new).await).await? {
        done("renomme")
    } else {
        Err(Problem::NotFound)
    }
}

pub async fn unlinking(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let name = name(&citizen, id).await?;
    citizen.page("links/unlink.html", &format!("Détacher « {name} »"), context! { name => name, back => HOME })
}

pub async fn unlink(citizen: Citizen, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    if judge::unlink(&citizen, id).await? { done("detache") } else { Err(Problem::NotFound) }
}
