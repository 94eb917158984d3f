//! SQL on the members of a household. Every statement binds the account: nobody reaches another's.

use db::{Db, Json, Tx, args, sql};
use forms::kinds::partial_date::PartialDate;
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    model::{MOST, Member, Person},
    sharing,
};
use crate::{
    accounts,
    visit::{Citizen, Visitor},
};

/// Everybody declared by an account, in the order declared.
pub async fn members(db: &Db, account: Uuid) -> Result<Vec<Member>, db::Error> {
    db.all(
        sql!(
            "select id, relation, identity, responsible, deceased_on, measure, measure_from, measure_until, declared_at, changed_at from household_member
             where authority_id = $1 and account_id = $2 order by declared_at, id"
        ),
        args![db.authority(), account],
    )
    .await
}

pub async fn find(citizen: &Citizen, id: Uuid) -> Result<Option<Member>, db::Error> {
    citizen
        .db
        .first(
            sql!(
                "select id, relation, identity, responsible, deceased_on, measure, measure_from, measure_until, declared_at, changed_at from household_member
                 where authority_id = $1 and account_id = $2 and id = $3"
            ),
            args![citizen.db.authority(), citizen.account.id, id],
        )
        .await
}

/// The account's own members that may be taken up in a request today.
pub async fn own(visitor: &Visitor) -> Result<Vec<Member>, db::Error> {
    let Some(account) = visitor.account() else { return Ok(Vec::new()) };
    let mut members = members(&visitor.db, account.id).await?;
    members.retain(|member| member.standing(visitor.today(), &visitor.site.zone).is_proposed());
    Ok(members)
}

/// The same, with those that others share.
pub async fn proposed(visitor: &Visitor) -> Result<Vec<Member>, db::Error> {
    // One's household is one's own: nobody's in somebody else's name.
    if visitor.acting.is_some() {
        return Ok(Vec::new());
    }
    let mut members = own(visitor).await?;
    if let Some(account) = visitor.account() {
        members.extend(sharing::shared(visitor, account.id).await?.into_iter().map(|shared| shared.member));
    }
    Ok(members)
}

/// Declares somebody, once however often the form is sent. False when there are as many as there may be.
pub async fn declare(tx: &mut Tx, account: Uuid, id: Uuid, person: &Person, now: Timestamp) -> Result<bool, db::Error> {
    accounts::hold(tx, account).await?;
    let others: i64 = tx
        .one(
            sql!("select count(*) from household_member where authority_id = $1 and account_id = $2 and id <> $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    if others >= MOST {
        return Ok(false);
    }
    let (code, from, until) = measure(person);
    tx.run(
        sql!(
            "insert into household_member (authority_id, account_id, id, relation, identity, responsible, declared_at, changed_at, measure, measure_from, measure_until)
             values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10) on conflict (authority_id, account_id, id) do nothing"
        ),
        args![tx.authority(), account, id, person.relation.code(), Json(person.identity.clone()), person.responsible, now, code, from, until],
    )
    .await?;
    Ok(true)
}

type Columns<'a> = (Option<&'a str>, Option<Date>, Option<Date>);

fn measure(person: &Person) -> Columns<'_> {
    let measure = person.measure.as_ref();
    (measure.map(|one| one.code.as_str()), measure.map(|one| one.from), measure.and_then(|one| one.until))
}

/// False when the member is gone.
pub async fn change(tx: &mut Tx, account: Uuid, id: Uuid, person: &Person, now: Timestamp) -> Result<bool, db::Error> {
    let (code, from, until) = measure(person);
    let changed = tx
        .run(
            sql!(
                "update household_member set relation = $1, identity = $2, responsible = $3, changed_at = $4, measure = $8, measure_from = $9, measure_until = $10
                 where authority_id = $5 and account_id = $6 and id = $7"
            ),
            args![
                person.relation.code(),
                Json(person.identity.clone()),
                person.responsible,
                now,
                tx.authority(),
                account,
                id,
                code,
                from,
                until
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Notes the day of a death; none takes the mention back.
pub async fn bury(
    tx: &mut Tx,
    account: Uuid,
    id: Uuid,
    day: Option<PartialDate>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let changed = tx
        .run(
            sql!(
                "update household_member set deceased_on = $1, changed_at = $2 where authority_id = $3 and account_id = $4 and id = $5"
            ),
            args![day.map(|day| day.to_string()), now, tx.authority(), account, id],
        )
        .await?;
    Ok(changed == 1)
}

pub async fn remove(tx: &mut Tx, account: Uuid, id: Uuid) -> Result<bool, db::Error> {
    let removed = tx
        .run(
            sql!("delete from household_member where authority_id = $1 and account_id = $2 and id = $3"),
            args![tx.authority(), account, id],
        )
        .await?;
    Ok(removed == 1)
}

/// The household, for its owner's copy of their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Value>, db::Error> {
    let members = members(db, account).await?;
    let one = |member: Member| {
        json!({
            "lien": member.relation().label(), "identite": member.identity.0, "autorite_parentale": member.responsible,
            "deces": member.deceased_on, "mesure": member.measure, "mesure_debut": member.measure_from, "mesure_fin": member.measure_until, "declare_le": member.declared_at.to_string(), "modifie_le": member.changed_at.to_string(),
        })
    };
    Ok(members.into_iter().map(one).collect())
}

/// How many people an account declared.
pub async fn count(db: &Db, account: Uuid) -> Result<i64, db::Error> {
    db.one(
        sql!("select count(*) from household_member where authority_id = $1 and account_id = $2"),
        args![db.authority(), account],
    )
    .await
}

/// Two accounts become one: everybody declared in either is kept, were it twice.
pub async fn merge(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), db::Error> {
    // What was shared was shared by that account and with it: its owner shares anew if they wish.
    tx.run(
        sql!("delete from household_share where authority_id = $1 and (owner_id = $2 or guest_id = $2)"),
        args![tx.authority(), from],
    )
    .await?;
    for statement in [
        sql!("update household_member set account_id = $1 where authority_id = $2 and account_id = $3"),
        sql!("update account_address set account_id = $1 where authority_id = $2 and account_id = $3"),
        sql!("update coordinate_change set account_id = $1 where authority_id = $2 and account_id = $3"),
    ] {
        tx.run(statement, args![to, tx.authority(), from]).await?;
    }
    Ok(())
}
