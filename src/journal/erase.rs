//! Erasing lines before their time, when what they are about must leave no trace: the line and its salt go, the
//! link stays with our signature. The erasure is itself a line.

use anyhow::{Result, ensure};
use uuid::Uuid;

use super::{
    chain::Signer,
    model::{Action, Line},
    seal, store,
};
use crate::visit::Visit;

/// Whose lines.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    Request(Uuid),
    /// What was done to this account, and by it.
    Account(Uuid),
}

/// Erases the lines, sealed first so that the chain tells that they were there; gives how many. `by` as in
/// [`Line::actor_kind`]: `operator`, or `system`.
///
/// # Errors
/// When the database does not answer, or a line could not be sealed yet; what was erased before stays so, and doing
/// it again finishes.
pub async fn erase(visit: &Visit, of: Of, by: &str) -> Result<i64> {
    seal::seal(&visit.app).await?;
    let (db, authority) = (visit.db.fresh(), visit.site.id);
    let signer = Signer::of(&visit.app.secret)?;
    let mut erased = 0;
    loop {
        let lines = store::linked_to(&db, of).await?;
        if lines.is_empty() {
            break;
        }
        let signed: Vec<(i64, Uuid, Vec<u8>)> =
            lines.iter().map(|(seq, id, hash)| (*seq, *id, signer.erased(authority, *seq, hash))).collect();
        let many = lines.len().to_string();
        let done = Line { actor_kind: by, ..Line::city(None, Action::JournalErased) }.detail(&many);
        db.write(async |tx: &mut db::Tx| {
            for (seq, id, word) in &signed {
                store::erase(tx, *seq, *id, word).await?;
            }
            store::note(tx, visit.now, &done).await
        })
        .await?;
        erased += i64::try_from(lines.len())?;
    }
    ensure!(!store::names(&db, of).await?, "lines of the journal are not sealed, and stay until they are");
    Ok(erased)
}
