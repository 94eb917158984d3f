//! How many statements, and which are slow. Never their values.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::sql::Query;

const SLOW: Duration = Duration::from_millis(100);
/// From here on SQLite warns the runtime before it runs the statement.
const BLOCKING: Duration = Duration::from_millis(2);

tokio::task_local! {
    static COUNT: Cell<u64>;
    static PLANS: RefCell<Vec<Plan>>;
}

/// How the engine went about a select.
#[derive(Debug, Clone)]
pub struct Plan {
    /// File and line of the statement.
    pub place: String,
    /// As the engine tells it, a line a step.
    pub text: String,
}

/// The plans of every select that `work` sends from this task, beside their answers: for measures. Each is asked for
/// right after its select; PostgreSQL runs it once more.
pub async fn explained<F: Future>(work: F) -> (F::Output, Vec<Plan>) {
    PLANS.scope(RefCell::default(), async { (work.await, PLANS.with(RefCell::take)) }).await
}

pub(crate) fn explaining() -> bool {
    PLANS.try_with(|_| ()).is_ok()
}

pub(crate) fn plan(place: String, text: String) {
    PLANS.try_with(|plans| plans.borrow_mut().push(Plan { place, text })).ok();
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
