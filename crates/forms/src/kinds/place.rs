//! Countries and places typed as free text.

use super::clean;
use crate::answers::{Input, Json};

pub const FRANCE: &str = "France";

/// Most characters of one line of an address or of a name.
pub const LONGEST: usize = 100;

/// A country's name; nothing typed means France, however it is written.
pub fn country(text: &str) -> Result<String, String> {
    let name = clean::checked_line(text, "Pays", LONGEST)?;
    let home = ["", "france", "fr", "fra"].contains(&clean::fold(&name).as_str());
    Ok(if home { FRANCE.to_owned() } else { name })
}

/// Shows France in an input nobody has touched yet.
pub fn prefill_country(view: &mut serde_json::Map<String, Json>, input: Input<'_>) {
    let untouched = !input.raw.0.contains_key(&format!("{}.pays", input.name));
    if let Some(parts) = view.get_mut("parts").and_then(Json::as_object_mut).filter(|_| untouched) {
        parts.insert("pays".to_owned(), FRANCE.into());
    }
}
