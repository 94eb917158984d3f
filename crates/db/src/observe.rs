//! How many statements, and which are slow. Never their values.

use std::cell::Cell;
use std::time::Duration;

use crate::sql::Query;

const SLOW: Duration = Duration::from_millis(100);
/// From here on SQLite warns the runtime before it runs the statement.
const BLOCKING: Duration = Duration::from_millis(2);

tokio::task_local! {
    static COUNT: Cell<u64>;
}

/// How many statements `work` sends from this task: « this page makes at most six ».
pub async fn counted<F: Future>(work: F) -> (F::Output, u64) {
    COUNT.scope(Cell::new(0), async { (work.await, COUNT.with(Cell::get)) }).await
}

pub(crate) fn statement(query: &Query, took: Duration) {
    COUNT.try_with(|count| count.set(count.get() + 1)).ok();
    query.set_slow(took >= BLOCKING);
    if took >= SLOW {
        tracing::warn!(statement = query.place(), milliseconds = took.as_millis(), "slow statement");
    }
}
