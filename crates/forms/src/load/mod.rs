//! YAML → [`Procedure`]: strict, with every mistake located and explained.
//!
//! A file becomes a positioned tree (`yaml`, `node`), its shared parts are put in (`expand`), then
//! each mapping is read by one function (`procedure`, `page`, `field`, `piece`, `workflow`) through
//! the strict reader of `keys`. `check` looks at the whole; `fmt` writes the canonical form.

mod action;
mod after;
mod approval;
mod check;
mod expand;
mod field;
mod fmt;
mod implied;
mod keys;
mod letter;
mod node;
mod options;
mod page;
mod piece;
mod procedure;
mod proof;
mod scope;
mod stuck;
mod survey;
mod told;
mod workflow;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt as format,
};

use sha2::{Digest, Sha256};

use scope::Reader;

use crate::{
    model::{Letter, Procedure, Survey},
    workflow::Workflow,
};

/// A mistake in a procedure file. Displays as `file:line:column: message (advice)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// French sentence.
    pub message: String,
    pub advice: Option<String>,
}

impl format::Display for Finding {
    fn fmt(&self, f: &mut format::Formatter<'_>) -> format::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.advice {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

/// Shared files beside the procedures, by name: `blocks/identite.yaml`, `workflows/standard.yaml`.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    pub files: BTreeMap<String, String>,
    /// Ids of the message templates; empty where nobody knows the templates: then neither `notify` nor `letter`
    /// is judged.
    pub messages: BTreeSet<String>,
}

/// Where the templates of letters stand: `letters/buvette-arrete.yaml`.
const LETTERS: &str = "letters/";

impl Shared {
    /// The file of this letter: its name and its text.
    fn letter(&self, id: &str) -> Option<(&str, &str)> {
        let (name, text) = self.files.get_key_value(&format!("{LETTERS}{id}.yaml"))?;
        Some((name, text))
    }

    /// Ids of the letters that have a file.
    pub fn letters(&self) -> impl Iterator<Item = &str> + Clone {
        self.files.keys().filter_map(|name| name.strip_prefix(LETTERS)?.strip_suffix(".yaml"))
    }
}

/// Begins the name under which a stored version is read.
pub const STORED: &str = "version";

/// Reads one procedure file, with every mistake found in it and in the shared files it uses.
///
/// When `file` ends in `.yaml`, its name must be the procedure's id. Under a name that begins with [`STORED`], a
/// version that was published once is read again: what its time allowed is no mistake.
pub fn procedure(file: &str, yaml: &str, shared: &Shared) -> Result<Procedure, Vec<Finding>> {
    let mut found = Vec::new();
    let built = yaml::read(file, yaml, &mut found)
        .map(|tree| expand::expand(file, tree, shared, &mut found))
        .and_then(|tree| procedure::read(file, &tree, shared, &mut found));
    if let Some(procedure) = &built {
        letter::check(file, procedure, shared, &mut found);
    }
    match built {
        // What was published stays readable, whatever is asked of files since.
        Some(procedure) if file.starts_with(STORED) && !file.ends_with(".yaml") => Ok(procedure),
        built => settle(built, found),
    }
}

/// Reads the template of a letter; what it names is judged with the procedures that send it.
pub fn letter(file: &str, yaml: &str) -> Result<Letter, Vec<Finding>> {
    let mut found = Vec::new();
    let built = yaml::read(file, yaml, &mut found).and_then(|tree| letter::read(&tree, &mut found));
    settle(built.map(|(letter, _)| letter), found)
}

/// The template of this letter, of the files that procedures share.
pub fn shared_letter(id: &str, shared: &Shared) -> Option<Result<Letter, Vec<Finding>>> {
    shared.letter(id).map(|(file, text)| letter(file, text))
}

/// Reads one survey file. It uses no shared block.
pub fn survey(file: &str, yaml: &str, shared: &Shared) -> Result<Survey, Vec<Finding>> {
    let mut found = Vec::new();
    let built = yaml::read(file, yaml, &mut found).and_then(|tree| survey::read(file, &tree, shared, &mut found));
    settle(built, found)
}

/// Reads one workflow file. Alone, it knows no question: a condition on answers belongs to a workflow
/// written in its procedure.
pub fn workflow(file: &str, yaml: &str, shared: &Shared) -> Result<Workflow, Vec<Finding>> {
    let mut found = Vec::new();
    let built = yaml::read(file, yaml, &mut found)
        .and_then(|tree| workflow::read(&tree, &mut Reader::new(&tree, shared, &mut found)));
    settle(built, found)
}

/// The canonical form, with shared parts inlined: what a published version stores.
pub fn closed(file: &str, yaml: &str, shared: &Shared) -> Result<String, Vec<Finding>> {
    procedure(file, yaml, shared)?;
    let mut found = Vec::new();
    let tree = yaml::read(file, yaml, &mut found).map(|tree| expand::expand(file, tree, shared, &mut found));
    settle(tree.map(|tree| fmt::write(&fmt::with_format(tree))), found)
}

/// The canonical form of a procedure, block or workflow file: `fmt(fmt(x)) == fmt(x)`. Asks only
/// that the YAML holds together, so that a procedure being written can be put in form.
pub fn fmt(file: &str, yaml: &str) -> Result<String, Vec<Finding>> {
    let mut found = Vec::new();
    let tree = yaml::read(file, yaml, &mut found);
    settle(tree.map(|tree| fmt::write(&tree)), found)
}

/// SHA-256 of a closed version, in hexadecimal.
pub fn hash(closed: &str) -> String {
    Sha256::digest(closed.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A result only when nothing was found; findings in reading order, each once.
fn settle<T>(built: Option<T>, mut found: Vec<Finding>) -> Result<T, Vec<Finding>> {
    for finding in &mut found {
        finding.message = typographic(&finding.message);
        finding.advice = finding.advice.as_deref().map(typographic);
    }
    found.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
    found.dedup();
    match built {
        Some(built) if found.is_empty() => Ok(built),
        _ => Err(found),
    }
}

/// No line break inside French quotation marks nor before high punctuation.
fn typographic(text: &str) -> String {
    let mut out = text.replace("« ", "«\u{a0}").replace(" »", "\u{a0}»").replace(" :", "\u{a0}:");
    for mark in [';', '?', '!'] {
        out = out.replace(&format!(" {mark}"), &format!("\u{202f}{mark}"));
    }
    out
}
