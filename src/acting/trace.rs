//! Who did what about an organisation or a mandate, or with it: codes, names, references. What is done to
//! a request that was sent stands in that request's own history.

use db::{Db, Tx, args, row, sql};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::model::{Choice, Kind};
use crate::{
    accounts::session::Account,
    journal::{self, Action, Line},
    visit::{Agent, Visit, Visitor},
};

row! {
    #[derive(Debug, Clone)]
    pub struct Event {
        pub at: Timestamp,
        pub actor_id: Uuid,
        pub actor_name: String,
        pub code: String,
        pub detail: String,
    }
}

/// Codes of what is done with the right to act, by way of drafts and pages.
pub const BEGUN: &str = "draft-begun";
pub const FILLED: &str = "draft-filled";
pub const ERASED: &str = "draft-erased";
pub const SEEN: &str = "seen";

impl Event {
    pub fn words(&self) -> String {
        let text = match self.code.as_str() {
            "declared" => "Organisation déclarée",
            "verified" => "Papiers vérifiés au guichet",
            "invited" => "Invitation envoyée",
            "uninvited" => "Invitation retirée",
            "joined" => "Invitation acceptée",
            "declined" => "Invitation refusée",
            "role" => "Rôle changé",
            "removed" => "Représentant retiré",
            "left" => "Départ d’un représentant",
            "succession" => "Présidence proposée",
            "succession-off" => "Proposition de présidence retirée",
            "president" => "Présidence transmise",
            "documents-made" => "Documents de l’organisation créés",
            "documents-given" => "Accès aux documents donné",
            "documents-recovered" => "Documents rouverts avec le code de secours",
            "documents-code" => "Code de secours des documents changé",
            "president-desk" => "Présidence changée au guichet",
            "offered" => "Mandat proposé",
            "recorded" => "Mandat enregistré au guichet, d’après un papier signé",
            "accepted" => "Mandat accepté",
            "refused" => "Mandat refusé",
            "renewed" => "Mandat prolongé",
            "revoked" => "Fin du mandat",
            "expired" => "Mandat arrivé à son terme",
            BEGUN => "Brouillon commencé",
            FILLED => "Brouillon rempli",
            ERASED => "Brouillon effacé",
            SEEN => "Demande consultée",
            other => other,
        };
        if self.detail.is_empty() { text.to_owned() } else { format!("{text}\u{a0}: {}", self.detail) }
    }

    pub fn shown(&self) -> Json {
        json!({"date": self.at.to_string(), "who": self.actor_name, "text": self.words()})
    }
}

/// Who acts: an usager, or the city, whose agents are not named to usagers.
pub struct Actor<'a> {
    pub id: Uuid,
    pub name: &'a str,
    /// An agent: what they do to others' rights is in the journal too.
    pub agent: bool,
}

impl<'a> Actor<'a> {
    pub fn agent(agent: &'a Agent) -> Self {
        Self { id: agent.account.id, name: "La mairie", agent: true }
    }
}

pub async fn add(
    tx: &mut Tx,
    visit: &Visit,
    about: Choice,
    by: Actor<'_>,
    code: &str,
    detail: &str,
) -> Result<(), db::Error> {
    if by.agent {
        let trace = Line::city(Some(by.id), Action::ActingChanged).about(about.kind.name(), about.id).detail(code);
        journal::note(tx, visit.now, &trace).await?;
    }
    tx.run(
        sql!(
            "insert into acting_event (authority_id, id, kind, subject_id, at, actor_id, actor_name, code, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        args![tx.authority(), visit.id(), about.kind.name(), about.id, visit.now, by.id, by.name, code, detail],
    )
    .await?;
    Ok(())
}

/// The same, by an usager.
pub async fn by(
    tx: &mut Tx,
    visit: &Visit,
    about: Choice,
    account: &Account,
    code: &str,
    detail: &str,
) -> Result<(), db::Error> {
    add(tx, visit, about, Actor { id: account.id, name: &account.full_name(), agent: false }, code, detail).await
}

/// Notes what a visitor who acts for somebody does with a draft or a request of this reference; nothing
/// for who acts for themselves. The same deed on the same thing is one line a day.
pub async fn note(visitor: &Visitor, code: &'static str, reference: &str) -> Result<(), db::Error> {
    let (Some(acting), Some(account)) = (&visitor.acting, visitor.account()) else { return Ok(()) };
    let (about, name) = (acting.choice, account.full_name());
    let since = visitor.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(visitor.now);
    visitor
        .db
        .write(async |tx: &mut Tx| {
            let known: Option<i64> = tx
                .first(
                    sql!(
                        "select 1 from acting_event where authority_id = $1 and subject_id = $2 and at > $3 and actor_id = $4 and code = $5 and detail = $6 limit 1"
                    ),
                    args![tx.authority(), about.id, since, account.id, code, reference],
                )
                .await?;
            if known.is_some() {
                return Ok(());
            }
            add(tx, visitor, about, Actor { id: account.id, name: &name, agent: false }, code, reference).await
        })
        .await
}

/// The latest of what was done.
pub async fn of(db: &Db, about: Choice, most: i64) -> Result<Vec<Event>, db::Error> {
    db.all(
        sql!(
            "select at, actor_id, actor_name, code, detail from acting_event where authority_id = $1 and subject_id = $2 and kind = $3
             order by at desc, id desc limit $4"
        ),
        args![db.authority(), about.id, about.kind.name(), most],
    )
    .await
}

pub async fn forget(tx: &mut Tx, kind: Kind, id: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from acting_event where authority_id = $1 and subject_id = $2 and kind = $3"),
        args![tx.authority(), id, kind.name()],
    )
    .await?;
    Ok(())
}
