//! Recovery codes: twelve clear characters each, kept like passwords.

use anyhow::Result;
use uuid::Uuid;

use crate::{accounts::password, platform::secret, visit::Visit};

const COUNT: usize = 10;
const LENGTH: usize = 12;
const GROUP: usize = 4;

/// New codes: as their owner reads them, and as they are kept.
pub struct New {
    pub readable: Vec<String>,
    pub kept: Vec<(Uuid, String)>,
}

pub async fn make(visit: &Visit) -> Result<New> {
    let mut new = New { readable: Vec::new(), kept: Vec::new() };
    for _ in 0..COUNT {
        let code = secret::clear_text(LENGTH);
        new.kept.push((visit.id(), password::hash(&code).await?));
        new.readable.push(secret::grouped(&code, GROUP));
    }
    Ok(new)
}

/// The one among `kept` that was typed.
pub async fn matching(typed: &str, kept: &[(Uuid, String)]) -> Result<Option<Uuid>> {
    let typed = secret::regular(typed);
    // Nothing to compute for what cannot be one.
    if typed.len() != LENGTH {
        return Ok(None);
    }
    for (id, hash) in kept {
        if password::matches(&typed, Some(hash)).await? {
            return Ok(Some(*id));
        }
    }
    Ok(None)
}
