//! A school-meals procedure, made of kinds reduced to what the journey needs.

mod draft;
mod kinds;
mod sent;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::{Date, date};

use self::kinds::{Calc, Files as FilesKind, Note, Pick, Plain, Repeat};
use super::{Files, Reading};
use crate::{
    answers::Raw,
    expr::{Expr, Scope, Type},
    kinds::{Group, Kind},
    model::*,
    workflow::Workflow,
};

const TODAY: Date = date(2026, 11, 21);

fn field(id: &str, kind: impl Kind + 'static) -> Field {
    Field {
        id: id.to_owned(),
        ask: format!("Question {id}"),
        help: None,
        optional: false,
        show_if: None,
        sensitive: false,
        search: false,
        verified: false,
        error: None,
        was: None,
        checks: Vec::new(),
        kind: Arc::new(kind),
    }
}

fn page(title: &str, fields: Vec<Field>) -> Page {
    Page { id: title.to_lowercase(), title: title.to_owned(), intro: None, show_if: None, fields, stop_if: Vec::new() }
}

fn piece(id: &str) -> Piece {
    Piece {
        id: id.to_owned(),
        title: id.to_owned(),
        help: None,
        basis: String::new(),
        instead: Vec::new(),
        optional: false,
        show_if: None,
        files: 5,
        sensitive: false,
    }
}

fn row_fields() -> Vec<(String, Type)> {
    let fields = [("nom", Type::Text), ("age", Type::Number), ("regime", Type::Text), ("cout", Type::Number)];
    fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect()
}

fn condition(source: &str) -> Expr {
    typed(source, Some(&Type::Bool))
}

fn typed(source: &str, wanted: Option<&Type>) -> Expr {
    let choices = ["cantine", "centre", "rien"].map(str::to_owned).to_vec();
    let mut names: BTreeMap<String, Type> = row_fields().into_iter().collect();
    names.insert("service".to_owned(), Type::Choice(choices));
    names.insert("jours".to_owned(), Type::Number);
    names.insert("total".to_owned(), Type::Number);
    names.insert("motif".to_owned(), Type::Text);
    names.insert("enfants".to_owned(), Type::Rows(row_fields()));
    names.insert("photo".to_owned(), Type::Opaque);
    Expr::parse(source, &Scope { names }, wanted).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

fn rule(when: &str, say: &str) -> Rule {
    Rule { when: condition(when), say: say.to_owned() }
}

/// Two pages of questions, the children, and one page shown for the holiday centre alone.
fn cantine() -> Procedure {
    let service = Field { search: true, ..field("service", Pick(&["cantine", "centre", "rien"])) };
    let motif = Field { show_if: Some(condition("service != \"cantine\"")), ..field("motif", Plain::Text) };
    let mut first = page("Service", vec![field("intro", Note), service, motif]);
    first.stop_if = vec![rule("service == \"rien\"", "Aucun service n'est demandé.")];

    let nom = Field { search: true, ..field("nom", Plain::Text) };
    let age = Field { checks: vec![rule("age < 3", "L'enfant doit avoir 3 ans.")], ..field("age", Plain::Number) };
    let regime = Field { optional: true, sensitive: true, search: true, ..field("regime", Plain::Text) };
    let regime = Field { show_if: Some(condition("service == \"cantine\" and age > 5")), ..regime };
    let cout = field("cout", Calc(typed("age * 1.50", None)));
    let group = Group { fields: vec![nom, age, regime, cout], min: 1, max: 3, row_title: "Enfant".to_owned() };
    let children = page("Enfants", vec![field("enfants", Repeat(group))]);

    let jours = field("jours", Plain::Number);
    let mut centre = page("Centre", vec![jours]);
    centre.show_if = Some(condition("service == \"centre\""));

    let total = field("total", Calc(typed("sum(enfants, cout) * if(answered(jours), jours, 1)", None)));
    let photo = Field { optional: true, ..field("photo", FilesKind) };
    let end = page("Fin", vec![total, photo]);

    let domicile = piece("domicile");
    let assurance = Piece { show_if: Some(condition("service == \"centre\"")), ..piece("assurance") };
    procedure(vec![first, children, centre, end], vec![domicile, assurance])
}

fn procedure(pages: Vec<Page>, pieces: Vec<Piece>) -> Procedure {
    let delay = Delay { count: 1, unit: DelayUnit::Months };
    let retention = Retention { current: delay, dua: delay, basis: None, fate: Fate::Destroy };
    Procedure {
        format: 1,
        id: "cantine".to_owned(),
        title: "S'inscrire à la cantine".to_owned(),
        summary: String::new(),
        description: Vec::new(),
        theme: "enfance".to_owned(),
        events: Vec::new(),
        audience: Vec::new(),
        reserved_to: Vec::new(),
        keywords: Vec::new(),
        department: "education".to_owned(),
        other_departments: Vec::new(),
        beneficiary: None,
        identification: Identification::Optional,
        cost: Cost::Free,
        minutes: 5,
        delay,
        alerts: Alerts::usual(delay),
        legal: None,
        appeal: None,
        decisions: None,
        confidential: false,
        notice: Notice { purpose: String::new(), basis: String::new(), recipients: Vec::new(), retention },
        opening: Opening::default(),
        before: Vec::new(),
        pages,
        pieces,
        declaration: None,
        after: Vec::new(),
        workflow: Workflow {
            id: "standard".to_owned(),
            title: String::new(),
            initial: "draft".to_owned(),
            states: Vec::new(),
            transitions: Vec::new(),
            opinions: Vec::new(),
            webhooks: Vec::new(),
            approvals: Vec::new(),
            starts: Vec::new(),
        },
    }
}

fn raw(typed: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::default();
    for (name, value) in typed {
        raw.set(*name, *value);
    }
    raw
}

fn files(count: usize) -> Files {
    Files::from([("domicile".to_owned(), count)])
}

fn problems(reading: &Reading<'_>) -> Vec<(String, String)> {
    let pages = reading.pages.iter();
    pages.flat_map(|page| page.problems()).map(|(name, problem)| (name.to_owned(), problem.message.clone())).collect()
}

fn shown(reading: &Reading<'_>) -> Vec<usize> {
    reading.shown_pages().map(|page| page.index).collect()
}
