//! One document: what is known of it, its content, its end.

use axum::{
    body::Body,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use jiff::civil::Date;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    crypt::{Label, Recipient},
    door::errors,
    kinds::{self, KINDS},
    list,
    model::{Document, LONGEST_NAME},
    opening::Open,
    store::{self, Change},
};
use crate::{
    error::Problem,
    platform::{attachment::attachment, form::Typed, upload},
    requests,
};

const REMOVE: &str = "Supprimer ce document ?";
const PARTS: [&str; 3] = ["jour", "mois", "annee"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    fait: String,
}

/// What the address names, beside whose documents they are.
#[derive(Debug, Deserialize)]
pub struct One {
    document: Uuid,
}

async fn find(open: &Open, id: Uuid) -> Result<(Document, Label), Problem> {
    let document = store::document(&open.db, open.safe.id, id).await?.ok_or(Problem::NotFound)?;
    let label = open.key.read_label(&document.label)?;
    Ok((document, label))
}

pub async fn show(
    open: Open,
    Path(One { document: id }): Path<One>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let (document, label) = find(&open, id).await?;
    let mut typed = Raw::default();
    typed.set("nom", &label.name);
    typed.set("type", kinds::of(&document.kind).id);
    fill(&mut typed, "date", Some(document.issued_on));
    fill(&mut typed, "fin", document.until_on);
    let told = match told.fait.as_str() {
        "ajoute" => Some("Le document est rangé. Vérifiez son nom, son type et sa date."),
        "change" => Some("Vos changements sont enregistrés."),
        _ => None,
    };
    draw(&open, &document, &typed, &[], told).await
}

fn fill(typed: &mut Raw, name: &str, day: Option<Date>) {
    let parts = day.map(|day| [i16::from(day.day()), i16::from(day.month()), day.year()]);
    for (index, part) in PARTS.iter().enumerate() {
        let value = parts.and_then(|parts| parts.get(index).copied());
        typed.set(format!("{name}-{part}"), value.map(|value| value.to_string()).unwrap_or_default());
    }
}

async fn draw(
    open: &Open,
    document: &Document,
    typed: &Raw,
    wrong: &[(&str, String)],
    told: Option<&str>,
) -> Result<Response, Problem> {
    let shown = list::shown(open, open.owner, &open.key, document);
    let title = shown.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let files = store::uses(&open.db, document.id).await?;
    let uses = requests::owner::holding(open, &files).await?;
    let kinds: Vec<Json> = KINDS
        .iter()
        .map(|kind| json!({"id": kind.id, "name": kind.name, "validity": kind.validity.words(), "chosen": kind.id == typed.text("type")}))
        .collect();
    let day = |name: &str| {
        let parts = PARTS.iter().map(|part| ((*part).to_owned(), json!(typed.text(&format!("{name}-{part}")))));
        Json::Object(parts.collect())
    };
    let context = context! {
        place => open.place(), document => Serde(shown), uses => Serde(uses), kinds => Serde(kinds),
        name => typed.text("nom"), issued => Serde(day("date")), until => Serde(day("fin")), errors => errors(wrong),
        ..told.map_or_else(|| context! {}, |text| context! { flash => context! { kind => "success", text => text } }),
    };
    if wrong.is_empty() {
        open.page("safe/document.html", &title, context)
    } else {
        open.page_again("safe/document.html", &title, context)
    }
}

pub async fn save(open: Open, Path(One { document: id }): Path<One>, Typed(typed): Typed) -> Result<Response, Problem> {
    let (document, label) = find(&open, id).await?;
    let mut wrong = Vec::new();
    let name = name(typed.text("nom"), &label.media_type);
    if name.is_empty() {
        wrong.push(("nom", "Donnez un nom à ce document".to_owned()));
    }
    let issued = day(&typed, "date").and_then(|day| day.ok_or_else(|| "Saisissez la date du document".to_owned()));
    let until = day(&typed, "fin");
    let (issued_on, until_on) = match (issued, until) {
        (Ok(issued), Ok(_)) if issued > open.today() => {
            wrong.push(("date", "La date du document ne peut pas être dans l’avenir".to_owned()));
            (issued, None)
        }
        (Ok(issued), Ok(Some(until))) if until < issued => {
            wrong.push(("fin", "La fin de validité ne peut pas venir avant la date du document".to_owned()));
            (issued, None)
        }
        (Ok(issued), Ok(until)) => (issued, until),
        (issued, until) => {
            wrong.extend(issued.err().map(|text| ("date", text)));
            wrong.extend(until.err().map(|text| ("fin", text)));
            (document.issued_on, None)
        }
    };
    if !wrong.is_empty() {
        return draw(&open, &document, &typed, &wrong, None).await;
    }
    let sealed = Recipient::read(&open.key.recipient())?.seal_label(&Label { name, ..label })?;
    let change = Change { kind: kinds::of(typed.text("type")).id, label: &sealed, issued_on, until_on };
    open.db.write(async |tx: &mut Tx| store::change(tx, open.safe.id, id, &change).await).await?;
    Ok(Redirect::to(&format!("{}/{id}?fait=change", open.base())).into_response())
}

/// A harmless name, with the extension of what the document is.
fn name(typed: &str, media_type: &str) -> String {
    let name = upload::clean_name(typed);
    let ending = format!(".{}", upload::extension(media_type));
    if name.is_empty()
        || name.to_lowercase().ends_with(&ending)
        || (ending == ".jpg" && name.to_lowercase().ends_with(".jpeg"))
    {
        return name;
    }
    let kept: String = name.chars().take(LONGEST_NAME - ending.len()).collect();
    format!("{kept}{ending}")
}

/// A day typed in three parts; none when all are empty.
fn day(typed: &Raw, name: &str) -> Result<Option<Date>, String> {
    let part = |part: &str| typed.text(&format!("{name}-{part}")).trim().to_owned();
    let parts = PARTS.map(part);
    if parts.iter().all(String::is_empty) {
        return Ok(None);
    }
    let [day, month, year] = &parts;
    let read = || {
        Date::new(
            year.parse().ok().filter(|year| (1900..=2200).contains(year))?,
            month.parse().ok()?,
            day.parse().ok()?,
        )
        .ok()
    };
    read().map(Some).ok_or_else(|| "Saisissez une date comme 27 3 2021".to_owned())
}

pub async fn download(open: Open, Path(One { document: id }): Path<One>) -> Result<Response, Problem> {
    let (document, label) = find(&open, id).await?;
    let content = open.key.open(&open.app.storage, open.site.id, document.id).await?;
    Ok(attachment(Body::from_stream(content), &label.media_type, document.size, &label.name))
}

pub async fn removing(open: Open, Path(One { document: id }): Path<One>) -> Result<Response, Problem> {
    let (document, _) = find(&open, id).await?;
    let shown = list::shown(&open, open.owner, &open.key, &document);
    open.page("safe/remove.html", REMOVE, context! { document => Serde(shown) })
}

pub async fn remove(open: Open, Path(One { document: id }): Path<One>) -> Result<Response, Problem> {
    let document = store::document(&open.db, open.safe.id, id).await?.ok_or(Problem::NotFound)?;
    open.db.write(async |tx: &mut Tx| store::remove(tx, open.safe.id, document.id).await).await?;
    open.app.storage.remove(open.site.id, document.id).await?;
    Ok(Redirect::to(&format!("{}?fait=supprime", open.base())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_extension() {
        assert_eq!(name("Carte", "application/pdf"), "Carte.pdf");
        assert_eq!(name("Carte.PDF", "application/pdf"), "Carte.PDF");
        assert_eq!(name("photo.jpeg", "image/jpeg"), "photo.jpeg");
        assert_eq!(name("  ", "image/jpeg"), "");
        assert_eq!(name(&"é".repeat(200), "image/png").chars().count(), LONGEST_NAME);
        assert_eq!(name("../../etc/passwd", "image/png"), "passwd.png");
    }

    #[test]
    fn days_are_read() {
        let typed = |day: &str, month: &str, year: &str| {
            let mut typed = Raw::default();
            for (part, value) in PARTS.iter().zip([day, month, year]) {
                typed.set(format!("date-{part}"), value);
            }
            typed
        };
        assert_eq!(day(&typed("", " ", ""), "date"), Ok(None));
        assert_eq!(day(&typed("29", "2", "2028"), "date"), Ok(Some(jiff::civil::date(2028, 2, 29))));
        for wrong in [typed("29", "2", "2027"), typed("1", "", "2027"), typed("1", "1", "27"), typed("x", "1", "2027")]
        {
            assert!(day(&wrong, "date").is_err(), "{wrong:?}");
        }
    }
}
