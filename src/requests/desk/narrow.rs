//! The form that narrows a list.

use serde_json::{Value as Json, json};

use super::{
    ask,
    filters::{Filters, Late},
    store, words,
};
use crate::{agents::Role, catalogue, error::Problem, requests::channel::Channel, visit::Agent};

/// What is always in sight, then what is folded away under « Plus de filtres ».
pub async fn form(agent: &Agent, filters: &Filters) -> Result<(Json, Json), Problem> {
    let current = catalogue::current(agent).await?;
    let ours = |id: &str, department: &str| agent.role_on(department, id).is_some();
    let procedures = current.all().filter(|one| ours(&one.procedure.id, &one.procedure.department));
    let procedures = procedures.map(|one| (one.procedure.id.as_str(), one.procedure.title.as_str()));
    let colleagues: Vec<(String, String)> =
        store::colleagues(agent).await?.iter().map(|one| (one.id.to_string(), one.name())).collect();
    let held = [("moi", "Moi"), ("personne", "Personne")].into_iter();
    let held = held.chain(colleagues.iter().map(|(id, name)| (id.as_str(), name.as_str())));
    let mut selects = vec![
        select("demarche", "Démarche", "Toutes", &filters.procedure, procedures),
        select("statut", "Statut", "Tous", filters.status, words::STATUSES.into_iter()),
        select("affecte", "Affecté à", "Tous", &filters.held_id(), held),
    ];
    let one = current.any(&filters.procedure).map(|one| &one.procedure);
    let one = one.filter(|one| ours(&one.id, &one.department));
    let mut fields = Vec::new();
    if let Some(procedure) = one {
        let states = procedure.workflow.states.iter().map(|state| (state.id.as_str(), state.label.as_str()));
        selects.insert(2, select("etat", "Étape", "Toutes", &filters.state, states));
        if agent.role_on(&procedure.department, &procedure.id) >= Some(Role::Processor) {
            fields = ask::fields(procedure, &filters.asks);
        }
    }
    let title = one.map_or("", |one| one.title.as_str());
    Ok((Json::from(selects), more(agent, filters, title, &fields)))
}

fn more(agent: &Agent, filters: &Filters, procedure: &str, fields: &[Json]) -> Json {
    let late = Late::EACH.iter().map(|(id, words, _)| (*id, *words));
    let channels = Channel::ALL.iter().map(|one| (one.id(), one.words()));
    let mut selects = vec![
        select("delai", "Délai", "Tous", filters.late.id(), late),
        select("canal", "Canal", "Tous", filters.channel.map_or("", Channel::id), channels),
    ];
    let ours = agent.departments();
    if ours.len() > 1 {
        selects.push(select("service", "Service", "Tous mes services", &filters.department, ours.into_iter()));
    }
    json!({
        "open": filters.more(), "selects": selects, "person": filters.person, "address": filters.address,
        "from": filters.from.0, "to": filters.to.0, "procedure": procedure, "fields": fields,
    })
}

fn select<'a>(
    name: &str,
    label: &str,
    any: &'a str,
    chosen: &str,
    options: impl Iterator<Item = (&'a str, &'a str)>,
) -> Json {
    let options = std::iter::once(("", any))
        .chain(options)
        .map(|(value, text)| json!({"value": value, "text": text, "selected": value == chosen}));
    json!({"name": name, "label": label, "options": options.collect::<Vec<_>>()})
}
