//! What operators declare in a file: an identity provider, an application, a linked service.

use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

/// Reads a file: JSON when its name ends so, TOML otherwise.
///
/// # Errors
/// The first mistake, after the name of the file.
pub fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    if Path::new(name).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("json")) {
        serde_json::from_str(text).with_context(|| name.to_owned())
    } else {
        toml::from_str(text).with_context(|| name.to_owned())
    }
}

/// Reads a file that is there, and checks what it says.
///
/// # Errors
/// It cannot be read, or the first mistake, after the name of the file.
pub fn file<T: DeserializeOwned>(path: &Path, check: impl FnOnce(&mut T) -> Result<()>) -> Result<T> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let mut found: T = read(&name, &text)?;
    check(&mut found).context(name)?;
    Ok(found)
}
