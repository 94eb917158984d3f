//! The terms of a mandate, as a form: shared by who gives one and by the counter that records one.

use forms::answers::Raw;
use jiff::civil::Date;
use minijinja::{Value, context, value::Serde};
use serde_json::{Value as Json, json};

use super::model::{self, KINDS, MONTHS, Scope};
use crate::{
    accounts::Wrong,
    acting::{Deed, May},
    catalogue,
    visit::Visit,
};

/// What was typed, read.
#[derive(Debug)]
pub struct Terms {
    pub kind: &'static str,
    pub scope: Scope,
    pub may: May,
    pub until: Date,
}

/// Reads the terms; adds what is wrong.
pub async fn read(visit: &Visit, typed: &Raw, wrong: &mut Vec<Wrong>) -> anyhow::Result<Option<Terms>> {
    let kind = KINDS.iter().find(|(code, _)| *code == typed.text("qualite")).map(|(code, _)| *code);
    if kind.is_none() {
        wrong.push(Wrong::new("qualite", "Choisissez à quel titre cette personne agit"));
    }
    let may = May::new(
        &Deed::ALL.into_iter().filter(|deed| typed.all("peut").any(|code| code == deed.code())).collect::<Vec<_>>(),
    );
    if may == May::default() {
        wrong.push(Wrong::new("peut", "Choisissez au moins une chose que cette personne pourra faire"));
    }
    let current = catalogue::current(visit).await?;
    let themes: Vec<String> = visit
        .site
        .settings
        .themes
        .iter()
        .map(|theme| theme.id.clone())
        .filter(|id| typed.all("theme").any(|one| one == id))
        .collect();
    let procedures: Vec<String> =
        current.procedures.keys().filter(|id| typed.all("demarche").any(|one| one == id.as_str())).cloned().collect();
    let scope = match typed.text("portee") {
        "toutes" => Some(Scope::default()),
        "choix" if themes.is_empty() && procedures.is_empty() => {
            wrong.push(Wrong::new("theme", "Choisissez au moins un thème ou une démarche"));
            None
        }
        "choix" => Some(Scope { themes, procedures }),
        _ => {
            wrong.push(Wrong::new("portee", "Choisissez pour quelles démarches"));
            None
        }
    };
    let until = typed.text("duree").parse().ok().and_then(|months| model::until(visit.today(), months));
    if until.is_none() {
        wrong.push(Wrong::new("duree", "Choisissez une durée"));
    }
    let (Some(kind), Some(scope), Some(until)) = (kind, scope, until) else { return Ok(None) };
    Ok((may != May::default()).then_some(Terms { kind, scope, may, until }))
}

/// « 1 mois », « 1 an ».
pub fn length(months: i64) -> String {
    if months == 12 { "1\u{a0}an".to_owned() } else { format!("{months}\u{a0}mois") }
}

/// What the template of the terms needs, with what was typed.
pub async fn context(visit: &Visit, typed: &Raw) -> anyhow::Result<Value> {
    let current = catalogue::current(visit).await?;
    let option = |name: &str, code: &str, label: &str| json!({"code": code, "label": label, "chosen": typed.all(name).any(|one| one == code)});
    let kinds: Vec<Json> = KINDS.iter().map(|(code, label)| option("qualite", code, label)).collect();
    let deeds: Vec<Json> = Deed::ALL.iter().map(|deed| option("peut", deed.code(), deed.label())).collect();
    let lengths: Vec<Json> =
        MONTHS.iter().map(|months| option("duree", &months.to_string(), &length(*months))).collect();
    let used = |theme: &str| current.procedures.values().any(|one| one.procedure.theme == theme);
    let themes = visit.site.settings.themes.iter().filter(|theme| used(&theme.id));
    let themes: Vec<Json> = themes.map(|theme| option("theme", &theme.id, &theme.title)).collect();
    let procedures: Vec<Json> =
        current.procedures.values().map(|one| option("demarche", &one.procedure.id, &one.procedure.title)).collect();
    Ok(context! {
        kinds => Serde(kinds), deeds => Serde(deeds), lengths => Serde(lengths), themes => Serde(themes), procedures => Serde(procedures),
        everything => typed.text("portee") == "toutes", chosen => typed.text("portee") == "choix",
    })
}
