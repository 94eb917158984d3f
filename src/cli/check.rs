//! `guichet check` and `guichet fmt`: procedure files, without a database.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use forms::{draw, linked, load, model::Procedure, workflow::Webhook};

use crate::catalogue;

pub fn check(paths: &[PathBuf], drawings: Option<&Path>) -> Result<ExitCode> {
    let (mut count, mut wrong) = (0, 0);
    for path in paths {
        let sources = catalogue::folder(path)?;
        for finding in unlinked(path, &sources)? {
            wrong += 1;
            println!("{finding}");
        }
        for (file, text) in &sources.procedures {
            count += 1;
            let findings = findings(&shown(path, file), text, &sources.shared);
            wrong += findings.len();
            for note in notes(file, text, &sources.shared) {
                println!("{}: note: {note}", shown(path, file));
            }
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

/// What is right, and is to be known before it is published; nothing of a file that does not load.
fn notes(file: &str, text: &str, shared: &load::Shared) -> Vec<String> {
    let Ok(procedure) = load::procedure(file, text, shared) else { return Vec::new() };
    let told = procedure.workflow.webhooks.iter().filter(|one| !one.sensitive.is_empty());
    let named = procedure.workflow.named();
    let wanted = |what: &str, ids: &BTreeSet<&str>| {
        let listed = ids.iter().copied().collect::<Vec<_>>().join(", ");
        (!ids.is_empty()).then(|| format!("à créer dans la collectivité, s’il y manque\u{a0}: {what} {listed}"))
    };
    let wanted = [wanted("service", &named.departments), wanted("agent", &named.agents)];
    let note = |one: &Webhook| {
        let (label, sent) = (&one.label, one.sensitive.join(", "));
        format!("des réponses sensibles sont envoyées à l’application «\u{a0}{label}\u{a0}»\u{a0}: {sent}")
    };
    told.map(note).chain(wanted.into_iter().flatten()).collect()
}

/// What is wrong between these procedures and those of their folder that they start; those that do not load are told
/// elsewhere.
fn unlinked(path: &Path, sources: &catalogue::Sources) -> Result<Vec<String>> {
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let all = catalogue::folder(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
    let load = |sources: &catalogue::Sources| -> Vec<Procedure> {
        let texts = sources.procedures.iter();
        texts.filter_map(|(file, text)| load::procedure(file, text, &all.shared).ok()).collect()
    };
    let (checked, all) = (load(sources), load(&all));
    let found = linked::check(&checked.iter().collect::<Vec<_>>(), &all.iter().collect::<Vec<_>>());
    Ok(found.into_iter().map(|(id, text)| format!("{}: {text}", shown(path, &format!("{id}.yaml")))).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_answers_that_leave_are_told() {
        let sources = catalogue::shipped().unwrap();
        let (file, text) = sources.procedures.iter().find(|(name, _)| name == "intervention-technique.yaml").unwrap();
        let text = format!("{text}{}", include_str!("../hooks/tests/circuit.yaml"));
        assert!(load::procedure(file, &text, &sources.shared).is_ok());
        assert_eq!(notes(file, &text, &sources.shared), Vec::<String>::new());
        let told = notes(file, &text.replace("gives:", "sensitive: [grille], gives:"), &sources.shared);
        assert!(
            told.len() == 1 && told[0].contains("Logiciel de l’atelier") && told[0].ends_with(": grille"),
            "{told:?}"
        );
    }
}
