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
