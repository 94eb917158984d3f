//! The whole procedure, key by key, in the order of the guide.

use std::collections::BTreeMap;

use super::{
    Finding, Shared, check,
    keys::{self, Keys, advised},
    node::Node,
    page::{self, Seen},
    piece,
    scope::Reader,
    workflow,
};
use crate::model::{
    Alerts, Attestation, Audience, Cost, Delay, DelayUnit, Fate, Identification, Legal, Notice, Opening, Page, Piece,
    Procedure, Retention, Silence,
};

/// The format this reader knows.
pub(super) const FORMAT: u32 = 1;

const AUDIENCES: &[(&str, Audience)] = &[
    ("particulier", Audience::Particulier),
    ("professionnel", Audience::Professionnel),
    ("association", Audience::Association),
    ("agent", Audience::Agent),
];

const IDENTIFICATIONS: &[(&str, Identification)] = &[
    ("none", Identification::None),
    ("optional", Identification::Optional),
    ("account", Identification::Account),
    ("verified", Identification::Verified),
];

const SILENCES: &[(&str, Silence)] =
    &[("acceptation", Silence::Acceptation), ("rejet", Silence::Rejet), ("none", Silence::None)];

const FATES: &[(&str, Fate)] = &[("destroy", Fate::Destroy), ("keep", Fate::Keep), ("sample", Fate::Sample)];

/// Stands in for a delay that could not be read; the finding keeps the procedure from being used.
const NO_DELAY: Delay = Delay { count: 0, unit: DelayUnit::Days };

pub(super) fn read(file: &str, tree: &Node, shared: &Shared, found: &mut Vec<Finding>) -> Option<Procedure> {
    let mut keys = Keys::new(tree, "de la démarche", found)?;
    let format = keys.take("format").map_or(FORMAT, |node| format(node, found));
    let id = keys.need("id", found).and_then(|node| keys::id(node, found)).unwrap_or_default();
    let title = keys.need_text("title", found);
    let summary = keys.need_text("summary", found);
    let description = keys.texts("description", found);
    let theme = keys.take("theme").and_then(|node| keys::id(node, found)).unwrap_or_default();
    let events = keys.items("events", found);
    let events = events.iter().filter_map(|node| keys::id(node, found)).collect();
    let audience = keys.need("audience", found).map(|node| audience(node, found)).unwrap_or_default();
    let reserved_to = keys.items("reserved-to", found);
    let reserved_to = reserved_to.iter().filter_map(|node| keys::id(node, found)).collect();
    if audience != [Audience::Agent] {
        keys.need("theme", found);
    }
    let keywords = keys.texts("keywords", found);
    let department = keys.need("department", found).and_then(|node| keys::id(node, found)).unwrap_or_default();
    let other_departments = keys.items("other-departments", found);
    let other_departments = other_departments.iter().filter_map(|node| keys::id(node, found)).collect();
    let identification = keys.need("identification", found).and_then(|node| keys::word(node, IDENTIFICATIONS, found));
    let beneficiary = keys.text("beneficiary", found);
    let cost = keys.need_text("cost", found);
    let minutes = keys.need("minutes", found).and_then(|node| keys::whole(node, 1, found)).unwrap_or_default();
    let delay = need_delay(&mut keys, "delay", found);
    let alerts = keys.take("alerts").and_then(|node| alerts(node, delay, found)).unwrap_or(Alerts::usual(delay));
    let legal = keys.take("legal").and_then(|node| legal(node, found));
    let appeal = keys.text("appeal", found);
    let decisions = keys.take("decisions").and_then(|node| keys::flag(node, found));
    let confidential = keys.flag("confidential", found);
    let notice = keys.need("notice", found).and_then(|node| notice(node, found));
    let opening = keys.take("opening").and_then(|node| opening(node, found)).unwrap_or_default();
    let before = keys.texts("before", found);
    let mut reader = Reader::new(tree, shared, found);
    let pages = pages(&mut keys, &mut reader);
    let pieces = pieces(&mut keys, &mut reader);
    // A name is only left there when its file does not exist, which was said.
    let workflow = keys.need("workflow", reader.found).filter(|node| node.text().is_none_or(str::is_empty));
    let workflow = workflow.and_then(|node| workflow::read(node, &mut reader));
    let declaration = keys.text("declaration", found);
    let after = keys.need_texts("after", found);
    keys.finish(found);

    let procedure = Procedure {
        format,
        id,
        title,
        summary,
        description,
        theme,
        events,
        audience,
        reserved_to,
        keywords,
        department,
        other_departments,
        identification: identification?,
        beneficiary,
        cost: if cost == "free" { Cost::Free } else { Cost::Says(cost) },
        minutes,
        delay,
        alerts,
        legal,
        appeal,
        decisions,
        confidential,
        notice: notice?,
        opening,
        before,
        pages,
        pieces,
        declaration,
        after,
        workflow: workflow?,
    };
    check::check(file, tree, &procedure, found);
    Some(procedure)
}

fn format(node: &Node, found: &mut Vec<Finding>) -> u32 {
    let format = keys::whole(node, 1, found).unwrap_or(FORMAT);
    if format > FORMAT {
        let message = format!("Le format {format} est plus récent que cette version de Guichet.");
        found.push(advised(&node.at, message, format!("Format connu : {FORMAT}.")));
    }
    format
}

fn audience(node: &Node, found: &mut Vec<Finding>) -> Vec<Audience> {
    let items = keys::items(node, found);
    if items.is_empty() && node.list().is_some() {
        found.push(node.at.finding("Il faut dire à qui s'adresse la démarche."));
    }
    items.iter().filter_map(|item| keys::word(item, AUDIENCES, found)).collect()
}

fn need_delay(keys: &mut Keys<'_>, key: &str, found: &mut Vec<Finding>) -> Delay {
    keys.need(key, found).and_then(|node| keys::delay(node, found)).unwrap_or(NO_DELAY)
}

fn alerts(node: &Node, promised: Delay, found: &mut Vec<Finding>) -> Option<Alerts> {
    let mut keys = Keys::new(node, "des alertes", found)?;
    let usual = Alerts::usual(promised);
    let orange = keys.take("orange").map_or(Some(usual.orange), |node| keys::delay(node, found));
    let red = keys.take("red").map(|node| (node, keys::delay(node, found)));
    let escalate = keys.take("escalate").map_or(Some(usual.escalate), |node| keys::delay(node, found));
    keys.finish(found);
    let alerts = Alerts { orange: orange?, red: red.and_then(|(_, red)| red), escalate: escalate? };
    if let Some((node, Some(_))) = red
        && !alerts.in_order()
    {
        let advice = "Les deux se comptent avant le jour annoncé : l'orange en est plus loin que le rouge.";
        found.push(advised(&node.at, "Le rouge (« red ») ne vient pas après l'orange (« orange »).", advice));
    }
    Some(alerts)
}

fn legal(node: &Node, found: &mut Vec<Finding>) -> Option<Legal> {
    let mut keys = Keys::new(node, "du délai légal", found)?;
    let delay = need_delay(&mut keys, "delay", found);
    let silence = keys.need("silence", found).and_then(|node| keys::word(node, SILENCES, found));
    let basis = keys.text("basis", found);
    let attestation = keys.take("attestation").and_then(|node| attestation(node, found));
    keys.finish(found);
    Some(Legal { delay, silence: silence?, basis, attestation })
}

fn attestation(node: &Node, found: &mut Vec<Finding>) -> Option<Attestation> {
    let mut keys = Keys::new(node, "de l'attestation", found)?;
    let letter = keys.need("letter", found).and_then(|node| keys::id(node, found));
    let automatic = keys.flag("automatic", found);
    keys.finish(found);
    Some(Attestation { letter: letter?, automatic })
}

pub(super) fn notice(node: &Node, found: &mut Vec<Finding>) -> Option<Notice> {
    let mut keys = Keys::new(node, "de la notice", found)?;
    let purpose = keys.need_text("purpose", found);
    let basis = keys.need_text("basis", found);
    let recipients = keys.need_texts("recipients", found);
    let retention = keys.need("retention", found).and_then(|node| retention(node, found));
    keys.finish(found);
    Some(Notice { purpose, basis, recipients, retention: retention? })
}

fn retention(node: &Node, found: &mut Vec<Finding>) -> Option<Retention> {
    let mut keys = Keys::new(node, "de la conservation", found)?;
    let current = need_delay(&mut keys, "current", found);
    let dua = need_delay(&mut keys, "dua", found);
    let basis = keys.text("basis", found);
    let fate = keys.need("final", found).and_then(|node| keys::word(node, FATES, found));
    keys.finish(found);
    Some(Retention { current, dua, basis, fate: fate? })
}

pub(super) fn opening(node: &Node, found: &mut Vec<Finding>) -> Option<Opening> {
    let mut keys = Keys::new(node, "de l'ouverture", found)?;
    let from = keys.take("from").and_then(|node| keys::date(node, found));
    let to = keys.take("to").and_then(|node| keys::date(node, found));
    keys.finish(found);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        found.push(node.at.finding("L'ouverture finit (« to ») avant de commencer (« from »)."));
    }
    Some(Opening { from, to })
}

fn pages(keys: &mut Keys<'_>, reader: &mut Reader<'_>) -> Vec<Page> {
    let Some(node) = keys.need("pages", reader.found) else { return Vec::new() };
    let nodes = keys::items(node, reader.found);
    if nodes.is_empty() && node.list().is_some() {
        reader.found.push(node.at.finding("Une démarche a au moins une page."));
    }
    let mut seen = Seen::default();
    nodes.iter().filter_map(|node| page::read(node, reader, &mut seen)).collect()
}

fn pieces(keys: &mut Keys<'_>, reader: &mut Reader<'_>) -> Vec<Piece> {
    let Some(node) = keys.need("pieces", reader.found) else { return Vec::new() };
    let mut seen = BTreeMap::new();
    let nodes = keys::items(node, reader.found);
    nodes.iter().filter_map(|node| piece::read(node, reader, &mut seen)).collect()
}
