//! Growing delays after failed attempts (CNIL 2022-100: a password of 50 bits needs them), counted
//! in the database so that every replica sees them.

use db::{Db, Tx, args, sql};
use jiff::{SignedDuration, Timestamp};

/// Failures of one subject without any wait.
pub const FREE: i64 = 5;
/// The same for a network address, which a whole town hall or library may share.
pub const FREE_SHARED: i64 = 50;
/// A subject left alone this long starts afresh.
const FORGET: SignedDuration = SignedDuration::from_hours(24);

/// How long `subject` (`connexion:courriel`, `suivi:adresse`) still has to wait; none when it may try.
pub async fn wait(db: &Db, subject: &str, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    wait_after(db, subject, FREE, now).await
}

/// The same, with `free` failures before the first wait.
pub async fn wait_after(db: &Db, subject: &str, free: i64, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    let row: Option<(i64, Timestamp)> =
        db.fresh().first(sql!("select failures, last_at from attempt where authority_id = $1 and subject = $2"), args![db.authority(), subject]).await?;
    Ok(row.and_then(|row| left(row, free, now)))
}

fn left((failures, last): (i64, Timestamp), free: i64, now: Timestamp) -> Option<SignedDuration> {
    let left = delay(failures, free) - now.duration_since(last);
    (left > SignedDuration::ZERO && now.duration_since(last) < FORGET).then_some(left)
}

/// Counts a try before it is made, or says how long to wait: however many come at once, none passes
/// uncounted. [`succeeded`] forgets them.
pub async fn take(db: &Db, subject: &str, free: i64, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    db.write(async |tx: &mut Tx| {
        let row: Option<(i64, Timestamp)> = tx
            .first(sql!("select failures, last_at from attempt where authority_id = $1 and subject = $2 for update"), args![tx.authority(), subject])
            .await?;
        let left = row.and_then(|row| left(row, free, now));
        if left.is_none() {
            count(tx, subject, now).await?;
        }
        Ok(left)
    })
    .await
}

/// 30 s after the `free` failures, doubling up to an hour.
fn delay(failures: i64, free: i64) -> SignedDuration {
    if failures < free {
        return SignedDuration::ZERO;
    }
    let doublings = u32::try_from(failures - free).unwrap_or(u32::MAX).min(7);
    SignedDuration::from_secs((30_i64 << doublings).min(3600))
}

pub async fn failed(db: &Db, subject: &str, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| count(tx, subject, now).await).await
}

async fn count(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<(), db::Error> {
    let forget = now.checked_sub(FORGET).unwrap_or(now);
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
}

/// « moins d'une minute », « 2 minutes », « une heure »: never less than what is left.
pub fn in_words(left: SignedDuration) -> String {
    match left.as_secs() {
        seconds if seconds < 60 => "moins d'une minute".to_owned(),
        seconds if seconds >= 3540 => "une heure".to_owned(),
        seconds => format!("{}\u{a0}minutes", seconds / 60 + 1),
    }
}

pub async fn succeeded(db: &Db, subject: &str) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
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
        let seconds: Vec<i64> = [0, 4, 5, 6, 11, 12, 500].into_iter().map(|failures| delay(failures, FREE).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 30, 60, 1920, 3600, 3600]);
    }

    #[test]
    fn waits_are_said_in_whole_minutes() {
        let words: Vec<String> = [1, 59, 60, 119, 120, 3539, 3600].into_iter().map(|seconds| in_words(SignedDuration::from_secs(seconds))).collect();
        assert_eq!(words, ["moins d'une minute", "moins d'une minute", "2\u{a0}minutes", "2\u{a0}minutes", "3\u{a0}minutes", "59\u{a0}minutes", "une heure"]);
    }
}
