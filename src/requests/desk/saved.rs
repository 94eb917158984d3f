//! Saved views: a list's address under a name, for oneself or, by those who manage a department, for all of its
//! agents. What each of them sees in it is still what their own departments give.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::{Db, Tx, args, row, sql};
use forms::answers::Raw;
use minijinja::{Value, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    filters::{Asked, Filters},
    list, store,
};
use crate::{agents::Role, error::Problem, platform::form::Typed, visit::Agent};

/// Longest name, in characters.
const LONGEST: usize = 60;
/// Views that one agent may keep.
const MOST: usize = 100;

row! {
    #[derive(Debug, Clone)]
    pub struct View {
        pub id: Uuid,
        pub name: String,
        /// Of the list's address.
        pub query: String,
        account_id: Uuid,
        /// None: for its owner only.
        department_id: Option<String>,
        department_name: Option<String>,
    }
}

impl View {
    pub fn url(&self) -> String {
        format!("/agent?{}", self.query)
    }

    fn may_change(&self, agent: &Agent) -> bool {
        match &self.department_id {
            None => self.account_id == agent.account.id,
            Some(department) => agent.role(department) == Some(Role::Manager),
        }
    }
}

/// Those of the agent, then those of their departments.
pub async fn of(agent: &Agent) -> Result<Vec<View>, db::Error> {
    let departments: Vec<&str> = agent.memberships.iter().map(|one| one.department_id.as_str()).collect();
    let own = "select v.id, v.name, v.query, v.account_id, v.department_id, cast(null as text) as department_name from desk_view v where v.department_id is null";
    let query =
        db::Query::new(own).and("v.authority_id = {}", agent.db.authority()).and("v.account_id = {}", agent.account.id);
    let query = query.push(
        " union all select v.id, v.name, v.query, v.account_id, v.department_id, d.name as department_name from desk_view v
         join department d on d.authority_id = v.authority_id and d.id = v.department_id where 1 = 1",
    );
    let query = query.and("v.authority_id = {}", agent.db.authority()).and_in("v.department_id", &departments);
    let mut views: Vec<View> = agent.db.fresh().all(query, args![]).await?;
    views.sort_by(|a, b| (&a.department_name, &a.name, a.id).cmp(&(&b.department_name, &b.name, b.id)));
    Ok(views)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// The query of the list to save.
    liste: String,
}

/// Whatever was typed in an address, as the query of a list. Nobody's name stays in it: what was searched for was of
/// the moment.
fn query_of(text: &str) -> String {
    let uri = format!("/agent?{text}").parse().ok();
    let asked = uri.and_then(|uri| Query::<Asked>::try_from_uri(&uri).ok());
    let filters = Filters::from(asked.map(|Query(asked)| asked).unwrap_or_default()).without_names();
    filters.query(filters.sort_id())
}

pub async fn show(agent: Agent, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let query = if wanted.liste.is_empty() { String::new() } else { query_of(&wanted.liste) };
    let context = context(&agent, &query, &Raw::default(), &[]).await?;
    agent.page("agent/views.html", TITLE, context)
}

const TITLE: &str = "Vues enregistrées";

async fn context(agent: &Agent, query: &str, typed: &Raw, errors: &[(String, &str)]) -> Result<Value, Problem> {
    let views = of(agent).await?;
    let managed = agent.memberships.iter().filter(|one| one.role == Role::Manager);
    let shares: Vec<Json> = managed
        .map(|one| json!({"value": one.department_id, "text": format!("Tous les agents – {}", one.department_name), "selected": typed.text("service") == one.department_id}))
        .collect();
    let line = |view: &View| {
        json!({
            "id": view.id, "name": view.name, "href": view.url(), "department": view.department_name, "change": view.may_change(agent),
        })
    };
    let counts = store::counts(agent).await?;
    Ok(Value::from(Serde(json!({
        "menu": list::menu(&counts, None, false),
        "query": query,
        "once": agent.id(),
        "name": if typed.text("vue").is_empty() { typed.text("nom") } else { "" },
        "shares": shares,
        "views": views.iter().map(line).collect::<Vec<_>>(),
        "errors": errors.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect::<Vec<_>>(),
    }))))
}

/// The name as typed, if it will do.
fn name(typed: &Raw) -> Result<String, &'static str> {
    let name: String = typed.text("nom").split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("Donnez un nom à cette vue"),
        1..=LONGEST => Ok(name),
        _ => Err("Choisissez un nom plus court : 60 caractères au plus"),
    }
}

pub async fn save(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let query = query_of(typed.text("liste"));
    let department = Some(typed.text("service")).filter(|id| !id.is_empty());
    if department.is_some_and(|id| agent.role(id) != Some(Role::Manager)) {
        return Err(Problem::Forbidden("Une vue se partage avec un service dont vous êtes responsable."));
    }
    let full = of(&agent).await?.iter().filter(|view| view.account_id == agent.account.id).count() >= MOST;
    let name = match name(&typed) {
        Ok(_) if full => Err("Vous avez déjà cent vues : supprimez-en une"),
        other => other,
    };
    let name = match name {
        Ok(name) => name,
        Err(text) => {
            let context = context(&agent, &query, &typed, &[("nom".to_owned(), text)]).await?;
            return agent.page_again("agent/views.html", TITLE, context);
        }
    };
    // Sent twice, it is one view.
    let id = typed.text("once").parse().unwrap_or_else(|_| agent.id());
    let (account, now) = (agent.account.id, agent.now);
    agent
        .db
        .write(async |tx: &mut Tx| {
            let insert = sql!("insert into desk_view (authority_id, id, account_id, department_id, name, query, created_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (authority_id, id) do nothing");
            tx.run(insert, args![tx.authority(), id, account, department, &name, &query, now]).await?;
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(Redirect::to(&format!("/agent?{query}")).into_response())
}

/// The view of the form, if the agent may change it.
async fn changed(agent: &Agent, typed: &Raw) -> Result<View, Problem> {
    let id = typed.text("vue").parse::<Uuid>().map_err(|_| Problem::NotFound)?;
    let view = of(agent).await?.into_iter().find(|view| view.id == id).ok_or(Problem::NotFound)?;
    if view.may_change(agent) {
        Ok(view)
    } else {
        Err(Problem::Forbidden("Cette vue est partagée : seuls les responsables du service la changent."))
    }
}

pub async fn rename(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let view = changed(&agent, &typed).await?;
    match name(&typed) {
        Ok(name) => {
            put_name(&agent.db, view.id, &name).await?;
            Ok(Redirect::to("/agent/vues").into_response())
        }
        Err(text) => {
            let context = context(&agent, "", &typed, &[(format!("nom-{}", view.id), text)]).await?;
            agent.page_again("agent/views.html", TITLE, context)
        }
    }
}

async fn put_name(db: &Db, id: Uuid, name: &str) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| {
        let update = sql!("update desk_view set name = $1 where authority_id = $2 and id = $3");
        tx.run(update, args![name, tx.authority(), id]).await?;
        Ok(())
    })
    .await
}

pub async fn remove(agent: Agent, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = changed(&agent, &typed).await?.id;
    agent
        .db
        .write(async |tx: &mut Tx| {
            tx.run(sql!("delete from desk_view where authority_id = $1 and id = $2"), args![tx.authority(), id])
                .await?;
            Ok::<(), db::Error>(())
        })
        .await?;
    Ok(Redirect::to("/agent/vues").into_response())
}
