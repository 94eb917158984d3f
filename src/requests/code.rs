//! The tracking code of who files without an account: derived from the installation's secret, the request and
//! how many codes it has had. It is stored nowhere; a new one makes the former worth nothing.

use db::{Db, Tx, args, sql};
use uuid::Uuid;

use crate::{
    platform::secret::{Secret, grouped},
    visit::Visit,
};

/// In the history: another code was given.
pub const RENEWED: &str = "code-renewed";

/// Letters between two dashes, to be read aloud.
const GROUP: usize = 5;

/// The code of a generation, as it is compared. Drafts have only the first.
pub fn derived(secret: &Secret, id: Uuid, generation: i64) -> String {
    if generation == 0 {
        return secret.code("suivi", id.as_bytes());
    }
    secret.code("suivi", &[&id.as_bytes()[..], &generation.to_be_bytes()].concat())
}

/// « 7F3K2-9ACDE »: the present code, as it is shown.
pub async fn shown(visit: &Visit, id: Uuid) -> Result<String, db::Error> {
    Ok(printed(&visit.app.secret, id, generation(&visit.db, id).await?))
}

/// The code of a generation, as it is shown.
pub fn printed(secret: &Secret, id: Uuid, generation: i64) -> String {
    grouped(&derived(secret, id, generation), GROUP)
}

/// How many codes came before the present one.
pub async fn generation(db: &Db, request: Uuid) -> Result<i64, db::Error> {
    let found: Option<i64> = db
        .fresh()
        .first(
            sql!("select generation from tracking_code where authority_id = $1 and request_id = $2"),
            args![db.authority(), request],
        )
        .await?;
    Ok(found.unwrap_or(0))
}

/// Replaces the code of generation `seen`, and ends what sessions proved with former ones. False when another
/// code came first.
pub async fn renew(tx: &mut Tx, request: Uuid, seen: i64) -> Result<bool, db::Error> {
    let replaced = if seen == 0 {
        tx.run(
            sql!("insert into tracking_code (authority_id, request_id, generation) values ($1, $2, 1) on conflict (authority_id, request_id) do nothing"),
            args![tx.authority(), request],
        )
        .await?
    } else {
        tx.run(
            sql!("update tracking_code set generation = generation + 1 where authority_id = $1 and request_id = $2 and generation = $3"),
            args![tx.authority(), request, seen],
        )
        .await?
    };
    if replaced == 1 {
        tx.run(
            sql!("delete from request_grant where authority_id = $1 and request_id = $2"),
            args![tx.authority(), request],
        )
        .await?;
    }
    Ok(replaced == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_its_own_code() {
        let (secret, id) = (Secret::new("a"), Uuid::from_u128(7));
        let codes: std::collections::BTreeSet<String> =
            (0..50).map(|generation| derived(&secret, id, generation)).collect();
        assert_eq!(codes.len(), 50);
        assert_eq!(derived(&secret, id, 0), secret.code("suivi", id.as_bytes()), "codes given before stay good");
        assert_ne!(derived(&secret, id, 1), derived(&secret, Uuid::from_u128(8), 1));
    }
}
