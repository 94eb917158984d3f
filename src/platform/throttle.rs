//! Growing delays after failed attempts (CNIL 2022-100: a password of 50 bits needs them), counted
//! in the database so that every replica sees them.

use db::{Db, args, sql};
use jiff::{SignedDuration, Timestamp};

/// Failures without any wait.
const FREE: i64 = 5;
/// A subject left alone this long starts afresh.
const FORGET: SignedDuration = SignedDuration::from_hours(24);

/// How long `subject` (`connexion:courriel`, `suivi:adresse`) still has to wait; none when it may try.
pub async fn wait(db: &Db, subject: &str, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    let row: Option<(i64, Timestamp)> =
        db.first(sql!("select failures, last_at from attempt where authority_id = $1 and subject = $2"), args![db.authority(), subject]).await?;
    Ok(row.and_then(|(failures, last)| {
        let left = delay(failures) - now.duration_since(last);
        (left > SignedDuration::ZERO && now.duration_since(last) < FORGET).then_some(left)
    }))
}

/// 5 free tries, then 30 s, doubling up to an hour.
fn delay(failures: i64) -> SignedDuration {
    if failures < FREE {
        return SignedDuration::ZERO;
    }
    let doublings = u32::try_from(failures - FREE).unwrap_or(u32::MAX).min(7);
    SignedDuration::from_secs((30_i64 << doublings).min(3600))
}

pub async fn failed(db: &Db, subject: &str, now: Timestamp) -> Result<(), db::Error> {
    let forget = now.checked_sub(FORGET).unwrap_or(now);
    db.write(async |tx| {
        tx.run(
            sql!(
                "insert into attempt (authority_id, subject, failures, last_at) values ($1, $2, 1, $3)
                 on conflict (authority_id, subject) do update set
                   failures = case when attempt.last_at < $4 then 1 else attempt.failures + 1 end, last_at = excluded.last_at"
            ),
            args![tx.authority(), subject, now, forget],
        )
        .await?;
        Ok(())
    })
    .await
}

pub async fn succeeded(db: &Db, subject: &str) -> Result<(), db::Error> {
    db.write(async |tx| {
        tx.run(sql!("delete from attempt where authority_id = $1 and subject = $2"), args![tx.authority(), subject]).await?;
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_stop_growing() {
        let seconds: Vec<i64> = [0, 4, 5, 6, 11, 12, 500].into_iter().map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 30, 60, 1920, 3600, 3600]);
    }
}
