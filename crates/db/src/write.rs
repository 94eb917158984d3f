//! `Db::write`: a closure in a transaction, run again when it has to be.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::tx::{Failure, Tx};
use crate::{Db, Engine};

/// Times a closure is run again.
const RETRIES: u32 = 5;

tokio::task_local! {
    static WRITING: ();
}

/// The closures [`Db::write`] takes: `async |tx: &mut Tx| { … }`.
///
/// `AsyncFnMut(&mut Tx)` would say the same, but rustc 1.95 cannot prove that a future made from such a
/// bound is `Send`, so no axum handler could await it. This trait names the future and says `Send` once.
/// In exchange the closure must not change what it captures nor be `move` (it may run again: both would
/// be mistakes anyway), and `&mut Tx` must be written out.
#[diagnostic::on_unimplemented(
    message = "`Db::write` takes `async |tx: &mut Tx| {{ … }}` whose future is Send",
    note = "write the type `&mut Tx`, drop `move`, and change nothing that is captured: the closure may run again"
)]
pub trait Work<'t, T, E>: FnMut(&'t mut Tx) -> Self::Future {
    type Future: Future<Output = std::result::Result<T, E>> + Send;
}

impl<'t, F, R, T, E> Work<'t, T, E> for F
where
    F: FnMut(&'t mut Tx) -> R,
    R: Future<Output = std::result::Result<T, E>> + Send,
{
    type Future = R;
}

impl Db {
    /// Runs `work` in a transaction and commits when it returns `Ok`. Errors, panics and a dropped
    /// future undo everything.
    ///
    /// The closure may run several times: when two transactions stood in each other's way and when the
    /// connection broke before the commit. So it only talks to the database through `tx`: no network,
    /// no file, no hashing, and not this handle (which is an error). Capture by reference, without `move`:
    ///
    /// ```no_run
    /// # use db::{Db, Tx, args, sql};
    /// # async fn handler(db: Db, name: String) -> db::Result<i64> {
    /// db.write(async |tx: &mut Tx| {
    ///     tx.run(sql!("insert into visitor (name) values ($1)"), args![name]).await?;
    ///     tx.one(sql!("select count(*) from visitor"), args![]).await
    /// }).await
    /// # }
    /// ```
    ///
    /// The returned future is `Send` when what the closure captures can be shared.
    ///
    /// # Errors
    /// The closure's own; and `Serialization`, `Lost`, `Unavailable` when trying again did not help.
    /// After `Unavailable` from a commit nobody knows whether it arrived: the page says « verify ».
    #[expect(clippy::manual_async_fn, reason = "an async fn would not promise Send")]
    pub fn write<T, E, F>(&self, work: F) -> impl Future<Output = std::result::Result<T, E>> + Send
    where
        F: for<'t> Work<'t, T, E> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        async move {
            refuse_inside("another write")?;
            WRITING.scope((), self.attempts(work)).await
        }
    }

    async fn attempts<T, E, F>(&self, mut work: F) -> std::result::Result<T, E>
    where
        F: for<'t> Work<'t, T, E> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let mut tries = 0;
        loop {
            match self.attempt(tries, &mut work).await {
                Attempt::Done(result) => return result,
                Attempt::Failed(error) if tries >= RETRIES => return Err(error),
                Attempt::Failed(_) => tries += 1,
            }
            pause(tries).await;
        }
    }

    async fn attempt<T, E, F>(&self, tries: u32, work: &mut F) -> Attempt<T, E>
    where
        F: for<'t> Work<'t, T, E> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let mut tx = match self.begin(tries).await {
            Ok(tx) => tx,
            Err(error) => return Attempt::after(error),
        };
        let result = work(&mut tx).await;
        match (result, tx.failure()) {
            (Ok(value), None) => match tx.commit().await {
                Ok(()) => Attempt::Done(Ok(value)),
                Err(error) => Attempt::after(error),
            },
            (Err(error), failure) => {
                tx.rollback().await;
                if failure == Some(Failure::Transient) { Attempt::Failed(error) } else { Attempt::Done(Err(error)) }
            }
            (Ok(_), Some(failure)) => {
                tx.rollback().await;
                Attempt::after(match failure {
                    Failure::Transient => Error::Serialization,
                    Failure::Final => Error::Other("a statement failed, and the closure went on".to_owned()),
                })
            }
        }
    }

    async fn begin(&self, tries: u32) -> Result<Tx> {
        Ok(match &self.engine {
            Engine::Sqlite(sqlite) => Tx::sqlite(sqlite.begin().await?, self.authority),
            Engine::Postgres(postgres) => Tx::postgres(postgres.begin(tries).await?, self.authority),
        })
    }
}

enum Attempt<T, E> {
    Done(std::result::Result<T, E>),
    /// Worth another try.
    Failed(E),
}

impl<T, E: From<Error>> Attempt<T, E> {
    fn after(error: Error) -> Self {
        if error.is_transient() { Self::Failed(error.into()) } else { Self::Done(Err(error.into())) }
    }
}

/// A read beside an open transaction would not see it, and could wait for ever for a second connection.
pub(crate) fn refuse_inside(what: &str) -> Result<()> {
    match WRITING.try_with(|()| ()) {
        Ok(()) => Err(Error::Other(format!("inside Db::write, {what} must go through its Tx"))),
        Err(_) => Ok(()),
    }
}

/// 10 ms, then twice as long each time, give or take a half so that rivals do not meet again.
async fn pause(tries: u32) {
    let longest = Duration::from_millis(10 << tries.min(RETRIES));
    tokio::time::sleep(longest.mul_f64(jitter())).await;
}

/// Between a half and one. The standard library's hasher keys are random enough for this.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(u32::MAX);
    0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0
}
