//! What an account's owner takes away of their requests and drafts.

use db::{Db, Json, args, row, sql};
use forms::answers::{Answers, Raw};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{certified, mailed};

row! {
    struct Sent {
        id: Uuid,
        reference: String,
        procedure_id: String,
        beneficiary: Option<String>,
        email: Option<String>,
        answers: Json<Answers>,
        confidential_address: bool,
        status: String,
        submitted_at: Timestamp,
        ended_at: Option<Timestamp>,
        acted_as: Option<String>,
        channel: String,
        held_at: Option<Timestamp>,
    }
    struct Written {
        request_id: Uuid,
        author: String,
        body: String,
        at: Timestamp,
    }
    struct Decided {
        request_id: Uuid,
        favourable: bool,
        author_name: String,
        author_quality: String,
        author_department: String,
        ground: Option<String>,
        facts: Option<String>,
        appeal: Option<String>,
        at: Timestamp,
    }
    struct Passed {
        request_id: Uuid,
        at: Timestamp,
        actor: String,
        code: String,
        to_state: Option<String>,
    }
    struct Kept {
        reference: String,
        procedure_id: String,
        raw: Json<Raw>,
        updated_at: Timestamp,
    }
}

/// All that somebody gave or received here (GDPR, articles 15 and 20).
pub async fn data(db: &Db, account: Uuid) -> Result<Value, db::Error> {
    let requests: Vec<Sent> = db
        .all(
            sql!(
                "select id, reference, procedure_id, beneficiary, email, answers, confidential_address, status, submitted_at, ended_at, acted_as, channel,
                   (select h.at from legal_hold h where h.authority_id = request.authority_id and h.request_id = request.id) as held_at from request
                 where authority_id = $1 and account_id = $2 order by submitted_at"
            ),
            args![db.authority(), account],
        )
        .await?;
    let messages: Vec<Written> = db
        .all(
            sql!(
                "select m.request_id, m.author, m.body, m.at from message m join request r on r.authority_id = m.authority_id and r.id = m.request_id
                 where r.authority_id = $1 and r.account_id = $2 and m.internal = $3 order by m.at"
            ),
            args![db.authority(), account, false],
        )
        .await?;
    let decisions: Vec<Decided> = db
        .all(
            sql!(
                "select d.request_id, d.favourable, d.author_name, d.author_quality, d.author_department, d.ground, d.facts, d.appeal, d.at
                 from decision d join request r on r.authority_id = d.authority_id and r.id = d.request_id
                 where r.authority_id = $1 and r.account_id = $2 order by d.at"
            ),
            args![db.authority(), account],
        )
        .await?;
    let events: Vec<Passed> = db
        .all(
            sql!(
                "select e.request_id, e.at, e.actor, e.code, e.to_state from request_event e
                 join request r on r.authority_id = e.authority_id and r.id = e.request_id
                 where r.authority_id = $1 and r.account_id = $2 and e.code <> 'contact-internal' order by e.request_id, e.seq"
            ),
            args![db.authority(), account],
        )
        .await?;
    let drafts: Vec<Kept> = db
        .all(
            // What agents are filling in for them is about them too.
            sql!(
                "select reference, procedure_id, raw, updated_at from draft where authority_id = $1 and account_id = $2
                 union all select d.reference, d.procedure_id, d.raw, d.updated_at from intake i join draft d on d.authority_id = i.authority_id and d.id = i.draft_id
                 where i.authority_id = $1 and i.account_id = $2 order by 4"
            ),
            args![db.authority(), account],
        )
        .await?;
    let mails = mailed::export(db, account).await?;
    let mailed = |request: Uuid| -> Vec<Value> {
        mails.iter().filter(|mail| mail.request_id == request).map(mailed::Taken::json).collect()
    };
    let certified = certified::export(db, account).await?;
    let checked = |request: Uuid| -> Vec<&Value> {
        certified.iter().filter(|(of, _)| *of == request).map(|(_, mark)| mark).collect()
    };
    let of = |request: Uuid| -> Vec<Value> {
        let mine = messages.iter().filter(|message| message.request_id == request);
        mine.map(|message| json!({"de": message.author, "texte": message.body, "le": message.at.to_string()})).collect()
    };
    let decided = |request: Uuid| -> Vec<Value> {
        let mine = decisions.iter().filter(|decision| decision.request_id == request);
        mine.map(|one| json!({
            "favorable": one.favourable, "le": one.at.to_string(), "par": one.author_name, "qualite": one.author_quality, "service": one.author_department,
            "motif": one.ground, "faits": one.facts, "recours": one.appeal,
        }))
        .collect()
    };
    // Agents act for their department: the history names who, their colleagues’ eyes only.
    let passed = |request: Uuid| -> Vec<Value> {
        let mine = events.iter().filter(|event| event.request_id == request);
        mine.map(|event| json!({"le": event.at.to_string(), "par": event.actor, "action": event.code, "etat": event.to_state})).collect()
    };
    Ok(json!({
        "demandes": requests.iter().map(|request| json!({
            "reference": request.reference, "demarche": request.procedure_id, "pour": request.beneficiary, "courriel": request.email, "etat": request.status, "reponses": request.answers.0, "adresse_confidentielle": request.confidential_address,
            "envoyee_le": request.submitted_at.to_string(), "terminee_le": request.ended_at.map(|at| at.to_string()), "messages": of(request.id), "courriels": mailed(request.id),
            "envoyee_par": request.acted_as, "canal": request.channel, "gelee_le": request.held_at.map(|at| at.to_string()),
            "certifie": checked(request.id), "decisions": decided(request.id), "historique": passed(request.id),
        })).collect::<Vec<_>>(),
        "brouillons": drafts.iter().map(|draft| json!({
            "reference": draft.reference, "demarche": draft.procedure_id, "saisie": draft.raw.0, "modifie_le": draft.updated_at.to_string(),
        })).collect::<Vec<_>>(),
    }))
}

row! {
    /// A stored file of a request or a draft, as its owner takes it away.
    #[derive(Debug, Clone)]
    pub struct Held {
        pub id: Uuid,
        /// `piece:…`, `document:…` or a question.
        pub slot: String,
        pub name: String,
        pub size: i64,
        pub at: Timestamp,
        /// Of its request or draft.
        pub reference: String,
    }
}

/// Every file of an account's requests, receipts and letters with them, then of its drafts.
pub async fn files(db: &Db, account: Uuid) -> Result<(Vec<Held>, Vec<Held>), db::Error> {
    let sent = db
        .all(
            sql!(
                "select f.id, f.slot, f.name, f.size, f.at, r.reference from request r
                 join file f on f.authority_id = r.authority_id and f.owner_id = r.id
                 where r.authority_id = $1 and r.account_id = $2 and f.slot not like 'contact-internal:%' and f.slot not like 'opinion:%' order by r.submitted_at, f.at, f.id"
            ),
            args![db.authority(), account],
        )
        .await?;
    let drafts = db
        .all(
            sql!(
                "select f.id, f.slot, f.name, f.size, f.at, d.reference from draft d
                 join file f on f.authority_id = d.authority_id and f.owner_id = d.id
                 where d.authority_id = $1 and d.account_id = $2
                   and not exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id)
                 order by d.updated_at, f.at, f.id"
            ),
            args![db.authority(), account],
        )
        .await?;
    Ok((sent, drafts))
}
