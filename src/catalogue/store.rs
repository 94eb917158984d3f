use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result, bail};
use db::{Db, args, sql};
use forms::{
    linked,
    load::{self, Shared},
    model::Procedure,
};
use jiff::Timestamp;
use rust_embed::RustEmbed;

use crate::{correspondence, requests::jobs::MESSAGES, surveys};

#[derive(RustEmbed)]
#[folder = "procedures"]
struct Files;

/// Procedure files with their shared parts: (name, text).
pub struct Sources {
    pub procedures: Vec<(String, String)>,
    pub surveys: Vec<(String, String)>,
    pub shared: Shared,
}

/// Those of the binary.
pub fn shipped() -> Result<Sources> {
    let mut texts = Vec::new();
    for name in Files::iter() {
        let file = Files::get(&name).context("embedded file")?;
        texts.push((name.into_owned(), String::from_utf8(file.data.into_owned())?));
    }
    Ok(sort(texts))
}

/// Those of a folder, or of one file with the shared parts beside it.
pub fn folder(path: &Path) -> Result<Sources> {
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let mut texts = Vec::new();
    for folder in ["", "blocks", "workflows", "letters", "surveys"].map(|name| root.join(name)) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
                texts.push((name, text));
            }
        }
    }
    let mut sources = sort(texts);
    if !path.is_dir() {
        let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.procedures.retain(|(name, _)| *name == wanted);
        sources.surveys.clear();
    }
    if sources.procedures.is_empty() {
        bail!("no procedure in {}", path.display());
    }
    Ok(sources)
}

fn sort(mut texts: Vec<(String, String)>) -> Sources {
    texts.sort();
    let (surveys, texts): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(name, _)| name.starts_with("surveys/"));
    let (shared, procedures) = texts.into_iter().partition(|(name, _)| name.contains('/'));
    Sources {
        procedures,
        surveys,
        shared: Shared {
            files: shared.into_iter().collect(),
            messages: MESSAGES.iter().map(|name| (*name).to_owned()).collect(),
        },
    }
}

/// The departments which a procedure asks for opinions or approvals and which are not there: where it does, and which.
fn unknown<'p>(procedure: &'p Procedure, departments: &BTreeSet<String>) -> Vec<(String, &'p str)> {
    let workflow = &procedure.workflow;
    let opinions =
        workflow.opinions.iter().filter_map(|one| Some((format!("opinions: {}", one.id), one.department()?)));
    let approvals = workflow.approvals.iter().flat_map(|circuit| {
        let steps = circuit.steps.iter().filter_map(|step| step.department.as_deref());
        steps.map(|department| (format!("approvals: {}", circuit.id), department))
    });
    let moves = workflow.transitions.iter().flat_map(|one| {
        one.moves.iter().filter_map(move |rule| Some((format!("dispatch: {}", one.id), rule.to.as_deref()?)))
    });
    let others = procedure.other_departments.iter().map(|id| ("other-departments".to_owned(), id.as_str()));
    opinions
        .chain(approvals)
        .chain(moves)
        .chain(others)
        .filter(|(_, department)| !departments.contains(*department))
        .collect()
}

/// Publishes each procedure that differs from its current version; gives how many did.
///
/// # Errors
/// Findings, or a department that the authority does not have: nothing is published, all is told.
pub async fn publish(db: &Db, sources: &Sources, now: Timestamp) -> Result<usize> {
    let departments: BTreeSet<String> = db
        .fresh()
        .all::<String>(sql!("select id from department where authority_id = $1"), args![db.authority()])
        .await?
        .into_iter()
        .collect();
    let (mut ready, mut wrong) = (Vec::new(), Vec::new());
    for (file, text) in &sources.procedures {
        match read(file, text, &sources.shared) {
            Ok((procedure, _)) if !departments.contains(&procedure.department) => {
                wrong
                    .push(format!("{file}: department: this authority has no department « {} »", procedure.department));
            }
            Ok((procedure, _)) if procedure.reserved_to.iter().any(|id| !departments.contains(id)) => {
                let absent = procedure.reserved_to.iter().filter(|id| !departments.contains(*id));
                wrong
                    .extend(absent.map(|id| format!("{file}: reserved-to: this authority has no department « {id} »")));
            }
            Ok((procedure, _)) if !unknown(&procedure, &departments).is_empty() => {
                wrong.extend(unknown(&procedure, &departments).into_iter().map(|(place, department)| {
                    format!("{file}: {place}: this authority has no department « {department} »")
                }));
            }
            Ok((procedure, body)) => match correspondence::ready(db, &procedure, &sources.shared).await? {
                Ok(letters) => ready.push((procedure, body, letters)),
                Err(told) => wrong.extend(told),
            },
            Err(findings) => wrong.extend(findings.iter().map(ToString::to_string)),
        }
    }
    let procedures: Vec<&Procedure> = ready.iter().map(|(procedure, ..)| procedure).collect();
    wrong.extend(unlinked(db, &procedures).await?);
    let mut asked = Vec::new();
    for (file, text) in &sources.surveys {
        match load::survey(file, text, &sources.shared).and_then(|survey| Ok((survey, load::fmt(file, text)?))) {
            Ok((survey, _)) if !departments.contains(&survey.department) => {
                wrong.push(format!("{file}: department: this authority has no department « {} »", survey.department));
            }
            Ok(found) => asked.push(found),
            Err(findings) => wrong.extend(findings.iter().map(ToString::to_string)),
        }
    }
    if !wrong.is_empty() {
        bail!("nothing was published:\n{}", wrong.join("\n"));
    }
    let mut published = 0;
    for (procedure, body, letters) in ready {
        let departments = procedure.serving();
        db.write(async |tx: &mut db::Tx| {
            for (code, letter) in &letters {
                for department in &departments {
                    correspondence::seed(tx, department, code, letter, now).await?;
                }
            }
            Ok::<(), db::Error>(())
        })
        .await?;
        published += usize::from(publish_one(db, &procedure.id, i64::from(procedure.format), &body, now).await?);
    }
    for (survey, body) in asked {
        published += usize::from(surveys::put(db, &survey, &body, now).await?);
    }
    Ok(published)
}

/// What is wrong between the procedures to publish and those that they start, which may be published already.
async fn unlinked(db: &Db, ready: &[&Procedure]) -> Result<Vec<String>> {
    let (mut known, mut asked): (Vec<Procedure>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    loop {
        let all: Vec<&Procedure> = ready.iter().copied().chain(&known).collect();
        let mut started = all.iter().flat_map(|one| &one.workflow.starts).map(|start| start.procedure.clone());
        let missing = started.find(|id| !asked.contains(id) && all.iter().all(|one| one.id != *id));
        let Some(id) = missing else {
            let found = linked::check(ready, &all);
            return Ok(found.into_iter().map(|(id, text)| format!("{id}: {text}")).collect());
        };
        let body: Option<String> = db
            .first(
                sql!("select body from procedure_version where authority_id = $1 and procedure_id = $2 and retired_at is null"),
                args![db.authority(), &id],
            )
            .await?;
        known.extend(body.and_then(|body| load::procedure(load::STORED, &body, &Shared::default()).ok()));
        asked.insert(id);
    }
}

/// Running requests that stand where the published version of their procedure has no state any more, in words for the
/// operator: they keep their version to the end, so that nothing of them is lost.
pub async fn left_behind(db: &Db) -> Result<Vec<String>> {
    let db = db.fresh();
    let standing: Vec<(String, i64, String, i64)> = db
        .all(
            sql!(
                "select procedure_id, procedure_version, state, count(*) from request where authority_id = $1 and not ended
                 group by procedure_id, procedure_version, state order by procedure_id, procedure_version, state"
            ),
            args![db.authority()],
        )
        .await?;
    let bodies: Vec<(String, i64, String)> = db
        .all(
            sql!("select procedure_id, version, body from procedure_version where authority_id = $1 and retired_at is null"),
            args![db.authority()],
        )
        .await?;
    let mut told = Vec::new();
    for (id, version, body) in bodies {
        let earlier = standing.iter().filter(|(of, made, ..)| *of == id && *made < version);
        let earlier: Vec<_> = earlier.collect();
        let Some(procedure) =
            (!earlier.is_empty()).then(|| load::procedure(load::STORED, &body, &Shared::default()).ok()).flatten()
        else {
            continue;
        };
        told.extend(earlier.into_iter().filter(|(_, _, state, _)| procedure.workflow.state(state).is_none()).map(
            |(_, made, state, many)| {
                format!(
                    "{id}: {many} at « {state} », which version {version} does not have: they go on by version {made}"
                )
            },
        ));
    }
    Ok(told)
}

fn read(file: &str, text: &str, shared: &Shared) -> Result<(Procedure, String), Vec<load::Finding>> {
    Ok((load::procedure(file, text, shared)?, load::closed(file, text, shared)?))
}

/// Takes a procedure out of the catalogue. False when it was not in it.
pub async fn retire(db: &Db, id: &str, now: Timestamp) -> Result<bool, db::Error> {
    db.write(async |tx: &mut db::Tx| {
        let retired = tx
            .run(
                sql!("update procedure_version set retired_at = $1 where authority_id = $2 and procedure_id = $3 and retired_at is null"),
                args![now, tx.authority(), id],
            )
            .await?;
        Ok(retired > 0)
    })
    .await
}

async fn publish_one(db: &Db, id: &str, format: i64, body: &str, now: Timestamp) -> Result<bool, db::Error> {
    let hash = load::hash(body);
    db.write(async |tx: &mut db::Tx| {
        let last: Option<(i64, String)> = tx
            .first(
                sql!("select version, hash from procedure_version where authority_id = $1 and procedure_id = $2 order by version desc limit 1"),
                args![tx.authority(), id],
            )
            .await?;
        let version = match last {
            Some((_, current)) if current == hash => return Ok(false),
            Some((version, _)) => version + 1,
            None => 1,
        };
        tx.run(
            sql!("update procedure_version set retired_at = $1 where authority_id = $2 and procedure_id = $3 and retired_at is null"),
            args![now, tx.authority(), id],
        )
        .await?;
        tx.run(
            sql!("insert into procedure_version (authority_id, procedure_id, version, hash, format, body, published_at) values ($1, $2, $3, $4, $5, $6, $7)"),
            args![tx.authority(), id, version, &hash, format, body, now],
        )
        .await?;
        Ok(true)
    })
    .await
}

/// (id, version, hash) of what is published.
pub async fn current(db: &Db) -> Result<Vec<(String, i64, String)>, db::Error> {
    db.all(
        sql!("select procedure_id, version, hash from procedure_version where authority_id = $1 and retired_at is null order by procedure_id"),
        args![db.authority()],
    )
    .await
}

pub async fn hash(db: &Db, id: &str, version: i64) -> Result<String, db::Error> {
    db.one(
        sql!("select hash from procedure_version where authority_id = $1 and procedure_id = $2 and version = $3"),
        args![db.authority(), id, version],
    )
    .await
}

pub async fn body(db: &Db, id: &str, version: i64) -> Result<String, db::Error> {
    db.one(
        sql!("select body from procedure_version where authority_id = $1 and procedure_id = $2 and version = $3"),
        args![db.authority(), id, version],
    )
    .await
}
