//! Drafts: what somebody is filling in, kept page after page, exactly as typed.

use db::{Json, args, row, sql};
use forms::{answers::Raw, model::Procedure};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    filler::Filler,
    intake::{self, Intake},
    model::{self, Request},
    owner::Whose,
    reach::Reach,
};
use crate::{
    accounts::session,
    acting::Deed,
    catalogue::Published,
    error::Problem,
    visit::{Visit, Visitor},
};

/// A draft nobody touched for this long is erased.
pub const LASTS: SignedDuration = SignedDuration::from_hours(90 * 24);

row! {
    #[derive(Debug, Clone)]
    pub struct Draft {
        id: Uuid,
        procedure_id: String,
        procedure_version: i64,
        reference: String,
        account_id: Option<Uuid>,
        organisation_id: Option<Uuid>,
        /// The account that began it in somebody's name.
        acted_by: Option<Uuid>,
        session_id: Option<Uuid>,
        /// Who it is for: « Léa Martin ».
        beneficiary: Option<String>,
        raw: Json<Raw>,
        updated_at: Timestamp,
        /// It completes a request already sent, whose id it shares.
        correcting: bool,
        /// Whether any file came with it; not looked up in lists.
        has_files: bool,
    }
}

/// The visitor's draft: of their account, or of their session. The draft of a session follows the
/// account that signs in with it.
pub async fn open(visitor: &Visitor, id: Uuid) -> Result<Draft, Problem> {
    match find(visitor, id).await? {
        Some(draft) => Ok(draft),
        None if visitor.account().is_none() => Err(visitor.sign_in()),
        None => Err(Problem::NotFound),
    }
}

pub async fn find(visitor: &Visitor, id: Uuid) -> Result<Option<Draft>, db::Error> {
    let (whose, session) = (Whose::of(visitor), own_session(visitor));
    if visitor.session.is_none() {
        return Ok(None);
    }
    let found = held(&visitor.db, id, whose, session).await?;
    Ok(found.filter(|draft| seen(visitor, draft)))
}

/// The draft of who fills it in themself; none of an agent at the counter.
pub async fn own(filler: &Filler, id: Uuid) -> Result<Option<Draft>, db::Error> {
    match filler {
        Filler::Usager(visitor) => find(visitor, id).await,
        Filler::Staff(staff) => held(&staff.db, id, Whose::account(Some(staff.account.id)), None).await,
        Filler::Counter(_) => Ok(None),
    }
}

async fn held(db: &db::Db, id: Uuid, whose: Whose, session: Option<Uuid>) -> Result<Option<Draft>, db::Error> {
    db.first(
        sql!(
            "select d.id, d.procedure_id, d.procedure_version, d.reference, d.account_id, d.organisation_id, d.acted_by, d.session_id, d.beneficiary, d.raw, d.updated_at,
               exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id) as correcting,
               exists (select 1 from file f where f.authority_id = d.authority_id and f.owner_id = d.id) as has_files
             from draft d where d.authority_id = $1 and d.id = $2 and (d.account_id = $3 or d.session_id = $4 or d.organisation_id = $5)"
        ),
        args![db.authority(), id, whose.account, session, whose.organisation],
    )
    .await
}

/// The session that holds drafts by itself: not that of who acts in somebody's name.
fn own_session(visitor: &Visitor) -> Option<Uuid> {
    visitor.session.as_ref().filter(|_| visitor.acting.is_none()).map(|session| session.id)
}

/// Whether the right to act, for who acts in somebody's name, goes as far as this draft.
fn seen(visitor: &Visitor, draft: &Draft) -> bool {
    let deed = if draft.correcting { Deed::Follow } else { Deed::Fill };
    visitor.covers(&draft.procedure_id) && visitor.require(deed).is_ok()
}

/// Drafts of the visitor, latest first; of one procedure when it is named.
pub async fn waiting(visitor: &Visitor, procedure: Option<&str>) -> Result<Vec<Draft>, db::Error> {
    let (whose, session) = (Whose::of(visitor), own_session(visitor));
    if visitor.session.is_none() {
        return Ok(Vec::new());
    }
    let mut found = begun(&visitor.db, whose, session, procedure).await?;
    found.retain(|draft| seen(visitor, draft));
    Ok(found)
}

/// The same of an agent, for themself.
pub async fn waiting_of(db: &db::Db, account: Uuid) -> Result<Vec<Draft>, db::Error> {
    begun(db, Whose::account(Some(account)), None, None).await
}

async fn begun(
    db: &db::Db,
    whose: Whose,
    session: Option<Uuid>,
    procedure: Option<&str>,
) -> Result<Vec<Draft>, db::Error> {
    db.all(
        sql!(
            "select d.id, d.procedure_id, d.procedure_version, d.reference, d.account_id, d.organisation_id, d.acted_by, d.session_id, d.beneficiary, d.raw, d.updated_at, false as correcting, false as has_files from draft d
             where d.authority_id = $1 and (d.account_id = $2 or d.session_id = $3 or d.organisation_id = $5) and (cast($4 as text) is null or d.procedure_id = $4)
               and not exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id)
             order by d.updated_at desc limit 50"
        ),
        args![db.authority(), whose.account, session, procedure, whose.organisation],
    )
    .await
}

/// The draft that an agent fills in; [`intake::find`] tells whether they may.
pub async fn of_intake(db: &db::Db, id: Uuid) -> Result<Option<Draft>, db::Error> {
    db.first(
        sql!(
            "select d.id, d.procedure_id, d.procedure_version, d.reference, d.account_id, d.organisation_id, d.acted_by, d.session_id, d.beneficiary, d.raw, d.updated_at,
               exists (select 1 from request r where r.authority_id = d.authority_id and r.id = d.id) as correcting, exists (select 1 from file f where f.authority_id = d.authority_id and f.owner_id = d.id) as has_files
             from draft d where d.authority_id = $1 and d.id = $2"
        ),
        args![db.authority(), id],
    )
    .await
}

/// Who holds a draft to be, besides their account.
#[derive(Clone, Copy)]
pub enum Holder<'a> {
    Session(Uuid),
    /// Only by the right to act in its owner's name.
    Right,
    /// No session: it is a department's.
    Department(&'a Intake),
    /// Without session: one is opened, under this token if the browser presents it.
    Nobody(Option<&'a str>),
}

pub struct Begun {
    /// False when the draft was there: its first page was sent twice.
    pub made: bool,
    /// As drawn, if it was made.
    pub reference: String,
    pub opened: Option<session::Opened>,
}

/// Creates the draft `id`, with what was typed so far, and how far that goes.
pub async fn begin(
    visit: &Visit,
    id: Uuid,
    published: &Published,
    whose: Whose,
    holder: Holder<'_>,
    raw: Raw,
    reach: Option<&Reach>,
) -> Result<Begun, Problem> {
    let expires = visit.now.checked_add(LASTS).unwrap_or(visit.now);
    let beneficiary = published.procedure.beneficiary(&raw);
    let raw = Json(raw);
    // A reference already taken is drawn again: one draw in half a billion, times the requests in store.
    for _ in 0..5 {
        let reference = model::reference(&visit.site.settings.prefix);
        let begun = visit
            .db
            .write(async |tx: &mut db::Tx| {
                let taken: Option<i64> =
                    tx.first(sql!("select 1 from request where authority_id = $1 and reference = $2"), args![tx.authority(), &reference]).await?;
                if taken.is_some() {
                    return Ok(None);
                }
                let (session, opened) = match holder {
                    Holder::Session(id) => (Some(id), None),
                    Holder::Right | Holder::Department(_) => (None, None),
                    Holder::Nobody(offered) => {
                        let opened = session::begin(tx, visit, offered).await?;
                        (Some(opened.id), Some(opened))
                    }
                };
                let made = tx.run(
                    sql!(
                        "insert into draft (authority_id, id, procedure_id, procedure_version, reference, account_id, session_id, beneficiary, raw, created_at, updated_at, expires_at, organisation_id, acted_by)
                         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13) on conflict (authority_id, id) do nothing"
                    ),
                    args![tx.authority(), id, &published.procedure.id, published.version, &reference, whose.account, session, &beneficiary, &raw, visit.now, expires, whose.organisation, whose.by],
                )
                .await?;
                if let (Holder::Department(intake), 1) = (holder, made) {
                    intake::insert(tx, id, intake).await?;
                }
                if let Some(reach) = reach.filter(|_| made == 1) {
                    reach.note(tx, id).await?;
                }
                Ok::<_, db::Error>(Some(Begun { made: made == 1, reference: reference.clone(), opened }))
            })
            .await;
        match begun {
            Ok(Some(begun)) => return Ok(begun),
            Ok(None) => {}
            Err(error) if error.is_unique("draft_reference_key") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::Broken(anyhow::anyhow!("no free reference")))
}

/// Makes the draft that completes a request already sent, with its own id and owner, unless it is there: then who
/// opens it goes on with what was typed.
pub async fn correct(
    tx: &mut db::Tx,
    request: &Request,
    raw: &Json<Raw>,
    beneficiary: Option<&str>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let expires = now.checked_add(LASTS).unwrap_or(now);
    tx.run(
        sql!(
            "insert into draft (authority_id, id, procedure_id, procedure_version, reference, account_id, beneficiary, raw, created_at, updated_at, expires_at, organisation_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11) on conflict (authority_id, id) do nothing"
        ),
        args![
            tx.authority(), request.id, &request.procedure_id, request.procedure_version, &request.reference, request.account_id, beneficiary, raw, now, expires,
            request.organisation_id
        ],
    )
    .await?;
    Ok(())
}

/// Replaces what was typed for the fields called `names`; the rest stays, so that two tabs on two
/// pages do not undo one another.
pub async fn save(
    visit: &Visit,
    procedure: &Procedure,
    id: Uuid,
    names: &[String],
    typed: &Raw,
    reach: Option<&Reach>,
) -> Result<(), db::Error> {
    let expires = visit.now.checked_add(LASTS).unwrap_or(visit.now);
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            let current: Option<Json<Raw>> = tx
                .first(
                    sql!("select raw from draft where authority_id = $1 and id = $2 for update"),
                    args![tx.authority(), id],
                )
                .await?;
            let Some(Json(mut raw)) = current else { return Ok(()) };
            for name in names {
                raw.clear(name);
            }
            raw.0.extend(typed.0.iter().map(|(name, values)| (name.clone(), values.clone())));
            let beneficiary = procedure.beneficiary(&raw);
            tx.run(
                sql!(
                    "update draft set raw = $1, beneficiary = $2, updated_at = $3, expires_at = $4 where authority_id = $5 and id = $6"
                ),
                args![Json(raw), beneficiary, visit.now, expires, tx.authority(), id],
            )
            .await?;
            match reach {
                Some(reach) => reach.note(tx, id).await,
                None => Ok(()),
            }
        })
        .await
}

/// Remembers how far the draft has gone.
pub async fn reach(visit: &Visit, id: Uuid, reach: &Reach) -> Result<(), db::Error> {
    visit.db.write(async |tx: &mut db::Tx| reach.note(tx, id).await).await
}

/// Removes the draft; its files are swept.
pub async fn discard(visit: &Visit, id: Uuid) -> Result<(), db::Error> {
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(sql!("delete from file where authority_id = $1 and owner_id = $2"), args![tx.authority(), id])
                .await?;
            tx.run(sql!("delete from draft where authority_id = $1 and id = $2"), args![tx.authority(), id]).await?;
            Ok(())
        })
        .await
}

/// Gives the drafts of a session to the account that signs in with it.
pub async fn adopt(tx: &mut db::Tx, session: Uuid, account: Uuid) -> Result<(), db::Error> {
    tx.run(
        sql!("update draft set account_id = $1 where authority_id = $2 and session_id = $3 and account_id is null and organisation_id is null"),
        args![account, tx.authority(), session],
    )
    .await?;
    Ok(())
}

/// Lets another session go on with a draft whose code it gave.
pub async fn attach(visit: &Visit, id: Uuid, session: Uuid) -> Result<(), db::Error> {
    visit
        .db
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("update draft set session_id = $1 where authority_id = $2 and id = $3 and account_id is null and organisation_id is null"),
                args![session, tx.authority(), id],
            )
            .await?;
            Ok(())
        })
        .await
}

pub async fn by_reference(visit: &Visit, reference: &str) -> Result<Option<Uuid>, db::Error> {
    visit
        .db
        .first(
            sql!(
                "select d.id from draft d where d.authority_id = $1 and d.reference = $2 and d.account_id is null and d.organisation_id is null
                   and not exists (select 1 from intake i where i.authority_id = d.authority_id and i.draft_id = d.id)"
            ),
            args![visit.db.authority(), reference],
        )
        .await
}

/// Whether any draft or request has this id, whoever owns it.
pub async fn exists(visit: &Visit, id: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = visit
        .db
        .first(
            sql!(
                "select 1 from draft where authority_id = $1 and id = $2
                 union all select 1 from request where authority_id = $1 and id = $2 limit 1"
            ),
            args![visit.db.authority(), id],
        )
        .await?;
    Ok(found.is_some())
}
