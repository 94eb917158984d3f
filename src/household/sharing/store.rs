//! SQL on shares. Every statement binds one of the two accounts, or the hash of a link's token.

use db::{Db, FromRow, Tx, args, sql};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{self, MOST, Share, Shared};
use crate::{
    accounts,
    household::{members, model::Member},
    platform::{
        jobs::{self, NewJob},
        secret,
    },
    visit::Visit,
};

macro_rules! shares {
    ($where:literal) => {
        sql!(concat!(
            "select s.id, s.owner_id, o.first_name || ' ' || o.last_name as owner_name, s.email, s.whole, s.created_at, s.accepted_at, s.expires_at, s.guest_id, g.first_name || ' ' || g.last_name as guest_name
             from household_share s join account o on o.authority_id = s.authority_id and o.id = s.owner_id
             left join account g on g.authority_id = s.authority_id and g.id = s.guest_id ",
            $where
        ))
    };
}

/// Every share and invitation of an account, whoever began it.
pub async fn shares(db: &Db, account: Uuid) -> Result<Vec<Share>, db::Error> {
    db.all(
        shares!("where s.authority_id = $1 and (s.owner_id = $2 or s.guest_id = $2) order by s.created_at, s.id"),
        args![db.authority(), account],
    )
    .await
}

/// The invitation behind a link, for the account whose address was invited.
pub async fn invitation(db: &Db, token: &str, email_key: &str, now: Timestamp) -> Result<Option<Share>, db::Error> {
    db.first(
        shares!("where s.authority_id = $1 and s.token_hash = $2 and s.email_key = $3 and s.expires_at > $4"),
        args![db.authority(), secret::digest(token), email_key, now],
    )
    .await
}

pub async fn waiting(db: &Db, id: Uuid, now: Timestamp) -> Result<Option<Share>, db::Error> {
    db.first(
        shares!("where s.authority_id = $1 and s.id = $2 and s.guest_id is null and s.expires_at > $3"),
        args![db.authority(), id, now],
    )
    .await
}

/// A member as a share shows them.
struct Found {
    by_name: String,
    whole: bool,
    named: bool,
    owner: Uuid,
    member: Member,
}

impl FromRow for Found {
    fn from_row(row: &mut db::Row) -> Result<Self, db::Error> {
        Ok(Self {
            by_name: row.take("by_name")?,
            whole: row.take("whole")?,
            named: row.take("named")?,
            owner: row.take("account_id")?,
            member: Member::from_row(row)?,
        })
    }
}

/// Members of others' households that an account sees today; one who comes by two shares, once.
pub async fn shared(visit: &Visit, account: Uuid) -> Result<Vec<Shared>, db::Error> {
    let mut found: Vec<Found> = visit
        .db
        .all(
            sql!(
                "select m.account_id, a.first_name || ' ' || a.last_name as by_name, s.whole,
                   exists (select 1 from household_share_member n where n.authority_id = s.authority_id and n.share_id = s.id and n.owner_id = m.account_id and n.member_id = m.id) as named,
                   m.id, m.relation, m.identity, m.responsible, m.deceased_on, m.measure, m.measure_from, m.measure_until, m.declared_at, m.changed_at
                 from household_share s
                 join household_member m on m.authority_id = s.authority_id and m.account_id = case when s.owner_id = $2 then s.guest_id else s.owner_id end
                 join account a on a.authority_id = m.authority_id and a.id = m.account_id
                 where s.authority_id = $1 and s.accepted_at is not null and (s.guest_id = $2 or (s.owner_id = $2 and s.whole = $3))
                 order by m.declared_at, m.account_id, m.id, s.whole desc"
            ),
            args![visit.db.authority(), account, true],
        )
        .await?;
    // The whole household, where two share it, says more than some of its children.
    found.retain(|one| one.whole || one.named);
    found.dedup_by_key(|one| (one.owner, one.member.id));
    found.retain(|one| model::shows(one.whole, one.named, &one.member, visit.today(), &visit.site.zone));
    Ok(found.into_iter().map(|one| Shared { member: one.member, by: one.by_name }).collect())
}

/// Ids of the children that a share names.
pub async fn named(db: &Db, share: Uuid) -> Result<Vec<Uuid>, db::Error> {
    db.all(
        sql!("select member_id from household_share_member where authority_id = $1 and share_id = $2"),
        args![db.authority(), share],
    )
    .await
}

/// An invitation to be.
pub struct New<'a> {
    pub id: Uuid,
    pub owner: Uuid,
    pub email: &'a str,
    pub email_key: &'a str,
    /// Children to show; none for whole households.
    pub children: Option<&'a [Uuid]>,
    /// Whether a mail may be sent there.
    pub mail: bool,
    /// Of the mail to send.
    pub job: Uuid,
}

/// Invites, once however often the form is sent. False when there are as many as there may be.
pub async fn invite(tx: &mut Tx, new: &New<'_>, now: Timestamp) -> Result<bool, db::Error> {
    accounts::hold(tx, new.owner).await?;
    let others: i64 = tx
        .one(
            sql!("select count(*) from household_share where authority_id = $1 and owner_id = $2 and id <> $3"),
            args![tx.authority(), new.owner, new.id],
        )
        .await?;
    if others >= MOST {
        return Ok(false);
    }
    let expires = now.checked_add(model::LASTS).unwrap_or(now);
    let made = tx
        .run(
            sql!(
                "insert into household_share (authority_id, id, owner_id, email, email_key, whole, created_at, expires_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (authority_id, id) do nothing"
            ),
            args![tx.authority(), new.id, new.owner, new.email, new.email_key, new.children.is_none(), now, expires],
        )
        .await?;
    if made == 0 {
        return Ok(true);
    }
    for child in new.children.unwrap_or_default() {
        tx.run(
            sql!("insert into household_share_member (authority_id, share_id, owner_id, member_id) values ($1, $2, $3, $4)"),
            args![tx.authority(), new.id, new.owner, *child],
        )
        .await?;
    }
    if new.mail {
        let payload = json!({"share": new.id});
        let effect = format!("{}:{}", super::INVITATION, new.id);
        let job = NewJob { kind: super::INVITATION, effect, request: None, payload };
        jobs::enqueue(tx, new.job, now, job).await?;
    }
    Ok(true)
}

/// Gives an invitation the token of the mail about to be sent.
pub async fn set_token(tx: &mut Tx, id: Uuid, token: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update household_share set token_hash = $1 where authority_id = $2 and id = $3 and guest_id is null"),
        args![secret::digest(token), tx.authority(), id],
    )
    .await?;
    Ok(())
}

/// False when the link has served, is too old, or is not for this account.
pub async fn accept(
    tx: &mut Tx,
    token: &str,
    account: Uuid,
    email_key: &str,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let accepted = tx
        .run(
            sql!(
                "update household_share set guest_id = $1, accepted_at = $2, token_hash = null
                 where authority_id = $3 and token_hash = $4 and email_key = $5 and expires_at > $2 and owner_id <> $1"
            ),
            args![account, now, tx.authority(), secret::digest(token), email_key],
        )
        .await?;
    Ok(accepted == 1)
}

pub async fn refuse(tx: &mut Tx, token: &str, email_key: &str) -> Result<bool, db::Error> {
    let refused = tx
        .run(
            sql!("delete from household_share where authority_id = $1 and token_hash = $2 and email_key = $3"),
            args![tx.authority(), secret::digest(token), email_key],
        )
        .await?;
    Ok(refused == 1)
}

/// Ends a share, for either of the two; an invitation, for who sent it.
pub async fn end(tx: &mut Tx, account: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let ended = tx
        .run(
            sql!(
                "delete from household_share where authority_id = $1 and id = $2 and (owner_id = $3 or guest_id = $3)"
            ),
            args![tx.authority(), id, account],
        )
        .await?;
    Ok(ended == 1)
}

/// Invitations that nobody accepted, too old for who sent them to wonder.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<(), db::Error> {
    tx.run(
        sql!("delete from household_share where authority_id = $1 and guest_id is null and expires_at < $2"),
        args![tx.authority(), before],
    )
    .await?;
    Ok(())
}

/// For the owner's copy of their data.
pub async fn export(db: &Db, account: Uuid, now: Timestamp) -> Result<Vec<Value>, db::Error> {
    // The children whom the owner named: who was invited learns of them once they accept, in « Mon foyer ».
    let named: Vec<(Uuid, Uuid)> = db
        .all(
            sql!("select share_id, member_id from household_share_member where authority_id = $1 and owner_id = $2"),
            args![db.authority(), account],
        )
        .await?;
    let members = members(db, account).await?;
    let one = |share: Share| {
        let with = if share.owner_id == account { share.email.clone() } else { share.owner_name.clone() };
        let children: Vec<String> =
            members.iter().filter(|member| named.contains(&(share.id, member.id))).map(Member::name).collect();
        json!({
            "avec": with, "foyer_entier": share.whole, "accepte": share.state(now) == model::State::Accepted, "enfants": children,
            "propose_le": share.created_at.to_string(), "accepte_le": share.accepted_at.map(|at| at.to_string()), "expire_le": share.expires_at.to_string(),
        })
    };
    Ok(shares(db, account).await?.into_iter().map(one).collect())
}
