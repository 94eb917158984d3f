//! `guichet check` and `guichet fmt`: procedure files, without a database.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use forms::{draw, load};

use crate::catalogue;

pub fn check(paths: &[PathBuf], drawings: Option<&Path>) -> Result<ExitCode> {
    let (mut count, mut wrong) = (0, 0);
    for path in paths {
        let sources = catalogue::folder(path)?;
        for (file, text) in &sources.procedures {
            count += 1;
            let findings = findings(&shown(path, file), text, &sources.shared);
            wrong += findings.len();
            for finding in findings {
                println!("{finding}");
            }
            if let Some(folder) = drawings {
                drawn(folder, file, text, &sources.shared)?;
            }
        }
        for (file, text) in &sources.surveys {
            count += 1;
            let findings = load::survey(&shown(path, file), text, &sources.shared).err().unwrap_or_default();
            wrong += findings.len();
            for finding in findings {
                println!("{finding}");
            }
        }
    }
    if wrong == 0 {
        println!("{count} procedures, no finding");
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the picture and the tables of a procedure's workflow; nothing for one that does not load.
fn drawn(folder: &Path, file: &str, text: &str, shared: &load::Shared) -> Result<()> {
    let Ok(procedure) = load::procedure(file, text, shared) else { return Ok(()) };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let drawings = [("svg", draw::svg(&procedure.workflow)), ("html", draw::page(&procedure))];
    for (kind, text) in drawings {
        let path = folder.join(format!("{}.{kind}", procedure.id));
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Reads the file, then its closed form: what will be published must load too.
fn findings(file: &str, text: &str, shared: &load::Shared) -> Vec<load::Finding> {
    let read = load::procedure(file, text, shared).map(drop);
    let closed = read
        .and_then(|()| load::closed(file, text, shared))
        .and_then(|closed| load::procedure(file, &closed, &load::Shared::default()).map(drop));
    closed.err().unwrap_or_default()
}

/// The file's path as the person may open it.
fn shown(path: &Path, file: &str) -> String {
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    root.join(file).display().to_string()
}

pub fn fmt(paths: &[PathBuf]) -> Result<ExitCode> {
    let mut failed = false;
    for path in paths {
        let sources = catalogue::folder(path)?;
        for (file, text) in sources.procedures.into_iter().chain(sources.surveys) {
            let place = shown(path, &file);
            match load::fmt(&place, &text) {
                Ok(canonical) if canonical != text => {
                    std::fs::write(&place, canonical).with_context(|| format!("cannot write {place}"))?;
                    println!("{place}");
                }
                Ok(_) => {}
                Err(findings) => {
                    failed = true;
                    for finding in findings {
                        println!("{finding}");
                    }
                }
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
