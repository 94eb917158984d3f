//! Growing delays after failed attempts (CNIL 2022-100: a password of 50 bits needs them), counted
//! in the database so that every replica sees them.

use db::{Db, Tx, args, sql};
use jiff::{SignedDuration, Timestamp};

/// How many failures a subject may have before it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    free: i64,
    /// One failure is forgotten each time this long passes without another.
    fade: SignedDuration,
}

/// For an account, a mailbox, a request.
pub const ONE: Limit = Limit { free: 5, fade: SignedDuration::from_hours(1) };
/// For a network address, which a whole town hall or library may share.
pub const SHARED: Limit = Limit { free: 50, fade: SignedDuration::from_mins(1) };

/// How long `subject` (`connexion:courriel`, `suivi:adresse`) still has to wait; none when it may try.
pub async fn wait(db: &Db, subject: &str, limit: Limit, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    let row: Option<(i64, Timestamp)> = db
        .fresh()
        .first(
            sql!("select failures, last_at from attempt where authority_id = $1 and subject = $2"),
            args![db.authority(), subject],
        )
        .await?;
    Ok(row.and_then(|(failures, last)| limit.left(failures, now.duration_since(last))))
}

/// Counts a try before it is made, or says how long to wait: however many come at once, none passes
/// uncounted. [`succeeded`] forgets them.
pub async fn take(db: &Db, subject: &str, limit: Limit, now: Timestamp) -> Result<Option<SignedDuration>, db::Error> {
    db.write(async |tx: &mut Tx| {
        let row = row(tx, subject).await?;
        let left = row.and_then(|(failures, last)| limit.left(failures, now.duration_since(last)));
        if left.is_none() {
            count(tx, subject, row, limit, now).await?;
        }
        Ok(left)
    })
    .await
}

impl Limit {
    /// What is left to wait, so long after the last failure.
    fn left(self, failures: i64, since: SignedDuration) -> Option<SignedDuration> {
        let left = self.delay(failures) - since;
        (left > SignedDuration::ZERO).then_some(left)
    }

    /// 30 s after the free failures, doubling up to an hour.
    fn delay(self, failures: i64) -> SignedDuration {
        if failures < self.free {
            return SignedDuration::ZERO;
        }
        let doublings = u32::try_from(failures - self.free).unwrap_or(u32::MAX).min(7);
        SignedDuration::from_secs((30_i64 << doublings).min(3600))
    }

    /// How many of the failures are forgotten, so long after the last one.
    fn faded(self, failures: i64, since: SignedDuration) -> i64 {
        (since.as_secs() / self.fade.as_secs().max(1)).clamp(0, failures)
    }
}

pub async fn failed(db: &Db, subject: &str, limit: Limit, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut Tx| failed_in(tx, subject, limit, now).await).await
}

/// The same, in the transaction that tells of it.
pub async fn failed_in(tx: &mut Tx, subject: &str, limit: Limit, now: Timestamp) -> Result<(), db::Error> {
    let row = row(tx, subject).await?;
    count(tx, subject, row, limit, now).await
}

async fn row(tx: &mut Tx, subject: &str) -> Result<Option<(i64, Timestamp)>, db::Error> {
    tx.first(
        sql!("select failures, last_at from attempt where authority_id = $1 and subject = $2 for update"),
        args![tx.authority(), subject],
    )
    .await
}

async fn count(
    tx: &mut Tx,
    subject: &str,
    row: Option<(i64, Timestamp)>,
    limit: Limit,
    now: Timestamp,
) -> Result<(), db::Error> {
    let faded = row.map_or(0, |(failures, last)| limit.faded(failures, now.duration_since(last)));
    tx.run(
        sql!(
            "insert into attempt (authority_id, subject, failures, last_at) values ($1, $2, 1, $3)
             on conflict (authority_id, subject) do update set failures = attempt.failures + 1 - $4, last_at = excluded.last_at"
        ),
        args![tx.authority(), subject, now, faded],
    )
    .await?;
    Ok(())
}

/// « moins d'une minute », « 2 minutes », « une heure »: never less than what is left.
pub fn in_words(left: SignedDuration) -> String {
    match left.as_secs() {
        seconds if seconds < 60 => "moins d’une minute".to_owned(),
        seconds if seconds >= 3540 => "une heure".to_owned(),
        seconds => format!("{}\u{a0}minutes", seconds / 60 + 1),
    }
}

pub async fn succeeded(db: &Db, subject: &str) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        tx.run(sql!("delete from attempt where authority_id = $1 and subject = $2"), args![tx.authority(), subject])
            .await?;
        Ok(())
    })
    .await
}

/// Takes back one try that was counted and was right; the failures before it stay, so that who has something
/// right cannot use it to forget their wrong ones.
pub async fn take_back(tx: &mut Tx, subject: &str) -> Result<(), db::Error> {
    tx.run(
        sql!("update attempt set failures = failures - 1 where authority_id = $1 and subject = $2 and failures > 0"),
        args![tx.authority(), subject],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_stop_growing() {
        let seconds: Vec<i64> =
            [0, 4, 5, 6, 11, 12, 500].into_iter().map(|failures| ONE.delay(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 30, 60, 1920, 3600, 3600]);
        assert_eq!(SHARED.delay(49).as_secs(), 0);
    }

    #[test]
    fn failures_fade() {
        let faded = |limit: Limit, failures, seconds| limit.faded(failures, SignedDuration::from_secs(seconds));
        assert_eq!([faded(ONE, 6, 3599), faded(ONE, 6, 3600), faded(ONE, 6, 86_400), faded(ONE, 6, -5)], [0, 1, 6, 0]);
        assert_eq!([faded(SHARED, 60, 59), faded(SHARED, 60, 600)], [0, 10]);
        assert_eq!(ONE.left(6, SignedDuration::from_secs(20)), Some(SignedDuration::from_secs(40)));
        assert_eq!(ONE.left(6, SignedDuration::from_secs(60)), None);
    }

    #[test]
    fn waits_are_said_in_whole_minutes() {
        let words: Vec<String> = [1, 59, 60, 119, 120, 3539, 3600]
            .into_iter()
            .map(|seconds| in_words(SignedDuration::from_secs(seconds)))
            .collect();
        assert_eq!(
            words,
            [
                "moins d’une minute",
                "moins d’une minute",
                "2\u{a0}minutes",
                "2\u{a0}minutes",
                "3\u{a0}minutes",
                "59\u{a0}minutes",
                "une heure"
            ]
        );
    }
}
