//! What the filer's account already tells: typed in where nothing was, and shown as such.

use std::collections::BTreeSet;

use forms::{
    answers::{Input, Raw},
    journey::PageReading,
    kinds::{Kind, address::Address},
    model::Procedure,
};
use serde_json::{Value as Json, json};

use super::Filling;
use crate::{accounts::session::Account, acting::For, household::addresses, requests::filler::Filler, visit::Visitor};

/// The fields that an account may fill in, by the ids that procedures give them.
const ADDRESS: &str = "adresse";
const FIELDS: [&str; 4] = ["courriel", "telephone", "demandeur", ADDRESS];

/// What is known for the fields called `asked`, by input name. A confidential address is not: it is typed by
/// its owner's own hand, or not at all.
async fn of(visitor: &Visitor, asked: &BTreeSet<&str>) -> Result<Raw, db::Error> {
    let mut known = Raw::default();
    let Some(own) = visitor.account() else { return Ok(known) };
    // For a person, what their account tells; for an organisation, who sends is who is written to.
    let account = match visitor.acting.as_ref().map(|acting| &acting.whom) {
        Some(For::Person(person)) => person,
        _ => own,
    };
    told_by(account, asked, &mut known);
    // One's addresses are one's own: nobody's in somebody else's name.
    if asked.contains(ADDRESS)
        && visitor.acting.is_none()
        && let Some(home) = addresses::home(visitor).await?.filter(|home| !home.confidential)
    {
        Address.fill(ADDRESS, &home.address.0, &mut known);
    }
    Ok(known)
}

/// How an account's owner is called and reached.
fn told_by(account: &Account, asked: &BTreeSet<&str>, known: &mut Raw) {
    let parts = [
        ("courriel", "courriel", account.email.as_deref().unwrap_or_default()),
        ("telephone", "telephone", account.phone.as_deref().unwrap_or_default()),
        ("demandeur", "demandeur.nom_naissance", account.last_name.as_str()),
        ("demandeur", "demandeur.prenoms", account.first_name.as_str()),
    ];
    for (field, name, value) in parts {
        if asked.contains(field) && !value.is_empty() {
            known.set(name, value);
        }
    }
}

/// What an agent who files for this account need not type: no more than what the counter shows of it.
pub fn of_account(account: &Account, procedure: &Procedure) -> Raw {
    let mut known = Raw::default();
    told_by(account, &procedure.fields().map(|field| field.id.as_str()).collect(), &mut known);
    known
}

/// What the account already tells, where nothing was typed yet; what an agent fills in had it from the beginning.
pub async fn prefilled(filler: &Filler, procedure: &Procedure, raw: Raw) -> Result<Raw, db::Error> {
    match filler.usager() {
        Some(visitor) => of_visitor(visitor, procedure, raw).await,
        None => Ok(raw),
    }
}

pub async fn of_visitor(visitor: &Visitor, procedure: &Procedure, mut raw: Raw) -> Result<Raw, db::Error> {
    let mut asked: BTreeSet<&str> = procedure.fields().map(|field| field.id.as_str()).collect();
    // An address is whole: none of its parts is added to others.
    if raw.0.keys().any(|name| name.starts_with("adresse.")) {
        asked.remove(ADDRESS);
    }
    for (name, values) in of(visitor, &asked).await?.0 {
        raw.0.entry(name).or_insert(values);
    }
    if let Some(acting) = &visitor.acting
        && let For::Organisation { siret, rna, .. } = &acting.whom
    {
        of_organisation(procedure, &acting.name, siret.as_deref(), rna.as_deref(), &mut raw);
    }
    Ok(raw)
}

/// What an organisation's sheet tells, in the questions that ask for it and were not answered.
fn of_organisation(procedure: &Procedure, name: &str, siret: Option<&str>, rna: Option<&str>, raw: &mut Raw) {
    for field in procedure.pages.iter().flat_map(|page| &page.fields) {
        if !raw.is_blank(&field.id) || raw.0.contains_key(&field.id) {
            continue;
        }
        match (field.id.as_str(), siret, rna) {
            (_, Some(siret), _) if field.kind.numbers_organisation() => field.kind.fill(&field.id, &siret.into(), raw),
            ("rna", _, Some(rna)) => raw.set(&field.id, rna),
            ("organisateur_nom" | "entreprise_nom", ..) => raw.set(&field.id, name),
            _ => {}
        }
    }
}

/// Says that answers of this page come from the organisation's sheet, as long as they are what it says.
pub fn told_of_organisation(filler: &Filler, filling: &Filling, page: &PageReading<'_>) -> Option<&'static str> {
    let visitor = filler.usager()?;
    let For::Organisation { siret, rna, .. } = &visitor.acting.as_ref()?.whom else { return None };
    let mut sheet = Raw::default();
    let name = visitor.acting.as_ref().map_or("", |acting| &acting.name);
    of_organisation(&filling.procedure, name, siret.as_deref(), rna.as_deref(), &mut sheet);
    let mut shown = page.shown_fields().map(|field| &field.field.id);
    let taken = shown.any(|id| !sheet.is_blank(id) && sheet.text(id) == filling.raw.text(id));
    taken.then_some("Certaines réponses sont reprises de la fiche de l’organisation : vérifiez-les.")
}

/// The answers of this page that stand as the account tells them: `{ask, lines, href}`. None in somebody
/// else's name, where « votre compte » would be another's.
pub async fn on_page(filler: &Filler, filling: &Filling, page: &PageReading<'_>) -> Result<Vec<Json>, db::Error> {
    let Some(visitor) = filler.usager() else { return Ok(Vec::new()) };
    let shown: BTreeSet<&str> =
        page.shown_fields().map(|field| field.field.id.as_str()).filter(|id| FIELDS.contains(id)).collect();
    let known = if shown.is_empty() || visitor.acting.is_some() { Raw::default() } else { of(visitor, &shown).await? };
    let mut told = Vec::new();
    for reading in page.shown_fields().filter(|field| shown.contains(field.field.id.as_str())) {
        let (field, input) = (reading.field, Input { raw: &filling.raw, name: &reading.name });
        if !stands(&known, &filling.raw, &field.id) {
            continue;
        }
        let Some(answer) = &reading.answer else { continue };
        let view = field.kind.view(field, input);
        let anchor = view.get("anchor").and_then(Json::as_str).unwrap_or(&field.id);
        told.push(json!({"ask": field.ask, "lines": field.kind.display(answer), "href": format!("#{anchor}")}));
    }
    Ok(told)
}

/// Whether the field called `id` holds what is known, no less and no more.
fn stands(known: &Raw, typed: &Raw, id: &str) -> bool {
    let own = |raw: &Raw| -> Vec<(String, String)> {
        let belongs = |name: &str| name.split('.').next() == Some(id);
        let parts = raw.0.keys().filter(|name| belongs(name)).map(|name| (name.clone(), raw.text(name).to_owned()));
        parts.filter(|(_, value)| !value.is_empty()).collect()
    };
    let known = own(known);
    !known.is_empty()
        && own(typed)
            .iter()
            .filter(|(name, _)| !name.ends_with(".pays"))
            .eq(known.iter().filter(|(name, _)| !name.ends_with(".pays")))
}
