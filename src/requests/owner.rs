//! Whose drafts and requests are, and what becomes of them when their owner signs in or leaves.

use db::{Db, Tx, args, row, sql};
use forms::step::Actor;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{code, drafts, fire::By, intake, model::Request};
use crate::{
    acting::{Deed, For},
    catalogue,
    error::Problem,
    visit::{Visit, Visitor},
};

/// Whose a draft or a request is: an account's, an organisation's, or nobody's (filed without account).
/// The one place where that is decided, with [`super::access`] and [`drafts::find`] that apply it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Whose {
    pub account: Option<Uuid>,
    pub organisation: Option<Uuid>,
    /// The account that acts in their name.
    pub by: Option<Uuid>,
}

impl Whose {
    pub fn account(account: Option<Uuid>) -> Self {
        Self { account, ..Self::default() }
    }

    /// What the visitor begins and sends, and what they may see: their own, or theirs for whom they act.
    pub fn of(visitor: &Visitor) -> Self {
        let account = visitor.account().map(|account| account.id);
        match visitor.acting.as_ref().map(|acting| &acting.whom) {
            None => Self::account(account),
            Some(For::Person(person)) => Self { account: Some(person.id), organisation: None, by: account },
            Some(For::Organisation { id, .. }) => Self { account: None, organisation: Some(*id), by: account },
        }
    }

    pub fn owns(self, request: &Request) -> bool {
        (self.account.is_some() && self.account == request.account_id)
            || (self.organisation.is_some() && self.organisation == request.organisation_id)
    }
}

/// Restricts a query on `request r` to what the visitor may see: for their lists and counts.
pub fn scope(query: db::Query, visitor: &Visitor) -> db::Query {
    let whose = Whose::of(visitor);
    let query = match whose.organisation {
        Some(organisation) => query.and("r.organisation_id = {}", organisation),
        None => query.and("r.account_id = {}", whose.account),
    };
    match visitor.acting.as_ref() {
        Some(_) if visitor.require(Deed::Follow).is_err() => query.push(" and 1 = 0"),
        Some(acting) => match &acting.only {
            Some(only) => query.and_in("r.procedure_id", only),
            None => query,
        },
        None => query,
    }
}

/// In whose name the visitor acts, as the history says it.
pub fn acted(visitor: &Visitor) -> Option<&'static str> {
    visitor.acting.as_ref().map(|acting| acting.choice.kind.name())
}

/// Who acts on a request of this account: the visitor when they act in its name, else its owner.
pub fn by(visitor: &Visitor, owner: Option<Uuid>) -> By {
    let account = Whose::of(visitor).by.or(owner);
    By { actor: Actor::Usager, account, acted: acted(visitor) }
}

/// « Ali Ben, mandataire (proche), jusqu’au 3 mai 2027 », kept with what is sent.
pub fn acted_as(visitor: &Visitor) -> Option<String> {
    let acting = visitor.acting.as_ref()?;
    Some(format!("{}, {}", visitor.account()?.full_name(), acting.right))
}

/// Where to write about what is sent: to the person it is for; for an organisation, to who sends it.
pub fn contact(visitor: &Visitor) -> Option<&str> {
    match visitor.acting.as_ref().map(|acting| &acting.whom) {
        Some(For::Person(person)) => person.email.as_deref(),
        _ => visitor.account()?.email.as_deref(),
    }
}

/// The organisation is erased: its drafts go with it; what was sent stays with the departments.
pub async fn dissolve(tx: &mut Tx, organisation: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "delete from file where authority_id = $1 and owner_id in (select id from draft where authority_id = $1 and organisation_id = $2)
               and owner_id not in (select id from request where authority_id = $1 and organisation_id = $2)"
        ),
        args![tx.authority(), organisation],
    )
    .await?;
    tx.run(
        sql!("delete from draft where authority_id = $1 and organisation_id = $2"),
        args![tx.authority(), organisation],
    )
    .await?;
    tx.run(
        sql!("update request set organisation_id = null where authority_id = $1 and organisation_id = $2"),
        args![tx.authority(), organisation],
    )
    .await?;
    Ok(())
}

row! {
    struct Done {
        at: Timestamp,
        reference: String,
        procedure_id: String,
        procedure_version: i64,
        name: Option<String>,
        to_state: Option<String>,
    }
}

/// What helpers did on the requests that this account sent or they sent for it, latest first.
pub async fn done_for(visit: &Visit, account: Uuid) -> Result<Vec<(Timestamp, Value)>, Problem> {
    let found: Vec<Done> = visit
        .db
        .all(
            sql!(
                "select e.at, r.reference, r.procedure_id, r.procedure_version, a.first_name || ' ' || a.last_name as name, e.to_state
                 from request r join request_event e on e.authority_id = r.authority_id and e.request_id = r.id and e.acted = 'mandate'
                 left join account a on a.authority_id = e.authority_id and a.id = e.actor_id
                 where r.authority_id = $1 and r.account_id = $2 order by e.at desc limit 500"
            ),
            args![visit.db.authority(), account],
        )
        .await?;
    let mut lines = Vec::new();
    for event in found {
        let procedure = catalogue::version(visit, &event.procedure_id, event.procedure_version).await?;
        let state = event.to_state.as_deref().and_then(|state| procedure.workflow.state(state));
        let what = state.map_or("Message au service", |state| state.usager.as_str());
        let text = format!("{}, {}\u{a0}: {what}", procedure.title, event.reference);
        let who = event.name.unwrap_or_else(|| "Une personne dont le compte est fermé".to_owned());
        lines.push((event.at, json!({"date": event.at.to_string(), "who": who, "text": text})));
    }
    Ok(lines)
}

/// What a session without account did follows it into an account and its new session.
pub async fn follow(tx: &mut Tx, old: Uuid, new: Uuid, account: Uuid) -> Result<(), db::Error> {
    drafts::adopt(tx, old, account).await?;
    tx.run(
        sql!(
            "insert into request_grant (authority_id, session_id, request_id)
             select authority_id, $1, request_id from request_grant where authority_id = $2 and session_id = $3 on conflict do nothing"
        ),
        args![new, tx.authority(), old],
    )
    .await?;
    Ok(())
}

/// Ids of the departments that an account has sent requests to.
pub async fn departments(db: &Db, account: Uuid) -> Result<Vec<String>, db::Error> {
    db.all(
        sql!("select distinct department_id from request where authority_id = $1 and account_id = $2"),
        args![db.authority(), account],
    )
    .await
}

/// Requests of an account that are not ended, each with the tracking code that opens it without the account.
pub async fn running(visit: &Visit, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let found: Vec<(Uuid, String, String, i64)> = visit
        .db
        .all(
            sql!(
                "select r.id, r.reference, r.procedure_id, coalesce(t.generation, 0) from request r
                 left join tracking_code t on t.authority_id = r.authority_id and t.request_id = r.id
                 where r.authority_id = $1 and r.account_id = $2 and r.ended = $3 order by r.submitted_at desc"
            ),
            args![visit.db.authority(), account, false],
        )
        .await?;
    let mut running = Vec::new();
    for (id, reference, procedure, generation) in found {
        // Nobody is kept from leaving by a procedure that can no longer be read.
        let title = catalogue::any(visit, &procedure).await.unwrap_or_else(|error| {
            tracing::error!(procedure, error = format!("{error:#}"), "procedure not readable");
            None
        });
        let title = title.map(|found| found.procedure.title.clone());
        let code = code::printed(&visit.app.secret, id, generation);
        running.push(json!({"reference": reference, "title": title.unwrap_or(procedure), "code": code}));
    }
    Ok(running)
}

/// The account is erased: its drafts go with it; what was sent stays with the departments, for as long
/// as the law says.
pub async fn leave(tx: &mut Tx, account: Uuid) -> Result<(), db::Error> {
    // The draft that completes a request has the request's id, and the request keeps its files.
    tx.run(
        sql!(
            "delete from file where authority_id = $1 and owner_id in (select id from draft where authority_id = $1 and account_id = $2)
               and owner_id not in (select id from request where authority_id = $1 and account_id = $2)"
        ),
        args![tx.authority(), account],
    )
    .await?;
    tx.run(sql!("delete from draft where authority_id = $1 and account_id = $2"), args![tx.authority(), account])
        .await?;
    intake::forget(tx, account).await?;
    tx.run(
        sql!("update request set account_id = null where authority_id = $1 and account_id = $2"),
        args![tx.authority(), account],
    )
    .await?;
    Ok(())
}

/// Requests and drafts of an account.
pub async fn held(db: &Db, account: Uuid) -> Result<(i64, i64), db::Error> {
    db.one(
        sql!(
            "select (select count(*) from request where authority_id = $1 and account_id = $2),
               (select count(*) from draft d where d.authority_id = $1 and d.account_id = $2
                  and not exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id))"
        ),
        args![db.authority(), account],
    )
    .await
}

/// Two accounts become one: all that the other sent, wrote and began is the kept one's.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    let a = tx.authority();
    // Whoever sent it in an organisation's name is written to as long as they represent it.
    tx.run(
        sql!(
            "update request set acted_by = $1 where authority_id = $2 and acted_by = $3 and organisation_id in
               (select organisation_id from representative where authority_id = $2 and account_id = $3)"
        ),
        args![to, a, from],
    )
    .await?;
    tx.run(sql!("update request set account_id = $1 where authority_id = $2 and account_id = $3"), args![to, a, from])
        .await?;
    tx.run(sql!("update draft set account_id = $1 where authority_id = $2 and account_id = $3"), args![to, a, from])
        .await?;
    intake::merge(tx, from, to).await?;
    tx.run(
        sql!(
            "update message set author_id = $1 where authority_id = $2 and author = 'usager' and author_id = $3
               and request_id in (select id from request where authority_id = $2 and account_id = $1)"
        ),
        args![to, a, from],
    )
    .await?;
    tx.run(
        sql!(
            "update request_event set actor_id = $1 where authority_id = $2 and actor = 'usager' and actor_id = $3
               and request_id in (select id from request where authority_id = $2 and account_id = $1)"
        ),
        args![to, a, from],
    )
    .await?;
    Ok(())
}

/// Requests and drafts of an account that hold one of these files: where to see them, and what they are.
pub async fn holding(visitor: &Visitor, files: &[Uuid]) -> Result<Vec<Value>, Problem> {
    let (db, whose) = (&visitor.db, Whose::of(visitor));
    let requests = db::Query::new(
        "select distinct r.id, r.reference, r.procedure_id from request r join file f on f.authority_id = r.authority_id and f.owner_id = r.id where r.authority_id = {}",
    );
    let requests = requests.bind(db.authority());
    let requests = match whose.organisation {
        Some(organisation) => requests.and("r.organisation_id = {}", organisation),
        None => requests.and("r.account_id = {}", whose.account),
    };
    let requests = requests.and_in("f.id", files);
    let drafts = db::Query::new(
        "select distinct d.id, d.reference, d.procedure_id from draft d join file f on f.authority_id = d.authority_id and f.owner_id = d.id
         where d.authority_id = {} and not exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id)",
    );
    let drafts = drafts.bind(db.authority());
    let drafts = match whose.organisation {
        Some(organisation) => drafts.and("d.organisation_id = {}", organisation),
        None => drafts.and("d.account_id = {}", whose.account),
    };
    let drafts = drafts.and_in("f.id", files);
    let requests: Vec<(Uuid, String, String)> = db.all(requests, args![]).await?;
    let drafts: Vec<(Uuid, String, String)> = db.all(drafts, args![]).await?;
    let sent = requests.into_iter().map(|found| (found, false));
    let mut held = Vec::new();
    for ((id, reference, procedure), draft) in sent.chain(drafts.into_iter().map(|found| (found, true))) {
        let title = catalogue::any(visitor, &procedure).await?.map(|found| found.procedure.title.clone());
        let href = if draft { format!("/brouillons/{id}/verifier") } else { format!("/demandes/{id}") };
        held.push(json!({"href": href, "reference": reference, "title": title.unwrap_or_default(), "draft": draft}));
    }
    Ok(held)
}
