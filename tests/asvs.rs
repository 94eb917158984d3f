//! docs/asvs.md has one line for each requirement, and names only what exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

const TABLE: &str = include_str!("../docs/asvs.md");

/// Numbers of OWASP ASVS 5.0.0, chapters V6 to V11, by level.
const LEVEL_1: &str = "
    6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2
    7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2
    8.1.1 8.2.1 8.2.2 8.3.1
    9.1.1 9.1.2 9.1.3 9.2.1
    10.4.1 10.4.2 10.4.3 10.4.4 10.4.5
    11.3.1 11.3.2 11.4.1";
const LEVEL_2: &str = "
    6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3
    6.8.1 6.8.2 6.8.3 6.8.4
    7.1.1 7.1.2 7.1.3 7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2
    8.1.2 8.2.3 8.4.1
    9.2.2 9.2.3 9.2.4
    10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11
    10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3
    11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1";

/// A line of the tables of requirements.
struct Line {
    id: &'static str,
    level: &'static str,
    verdict: &'static str,
    how: &'static str,
}

fn lines() -> Vec<Line> {
    let mut found = Vec::new();
    for row in TABLE.lines().filter(|row| row.starts_with('|')) {
        let cells: Vec<&'static str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if !cells.first().copied().is_some_and(numbered) {
            continue;
        }
        let &[id, level, _, verdict, how] = cells.as_slice() else { panic!("five cells are expected: {row}") };
        found.push(Line { id, level, verdict, how });
    }
    found
}

/// `6.2.12`
fn numbered(id: &str) -> bool {
    id.split('.').count() == 3 && id.split('.').all(|part| part.parse::<u8>().is_ok())
}

/// What stands between backquotes and is a file of ours: its path, and the function if one is named.
fn named(text: &str) -> Vec<(&str, Option<&str>)> {
    const KINDS: [&str; 4] = [".rs", ".html", ".md", ".txt"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.split_once("::").map_or((code, None), |(path, function)| (path, Some(function))))
        .filter(|(path, _)| path.contains('/') && KINDS.iter().any(|kind| path.ends_with(kind)))
        .collect()
}

#[test]
fn every_requirement_has_its_line() {
    let levels = [("1", LEVEL_1), ("2", LEVEL_2)];
    let expected: BTreeSet<(&str, &str)> =
        levels.iter().flat_map(|(level, ids)| ids.split_whitespace().map(move |id| (id, *level))).collect();
    let lines = lines();
    let found: BTreeSet<(&str, &str)> = lines.iter().map(|line| (line.id, line.level)).collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "without a line: {missing:?}\nof no requirement: {unknown:?}");
    assert_eq!(lines.len(), expected.len(), "a requirement has two lines");
}

#[test]
fn verdicts_are_counted_and_proved() {
    let lines = lines();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines {
        *counts.entry(line.verdict).or_default() += 1;
        let known = ["met", "partly", "not met", "n/a"].contains(&line.verdict);
        assert!(known, "{}: « {} » is no verdict", line.id, line.verdict);
        assert!(!line.how.is_empty(), "{}: nothing is said", line.id);
        // A file, another document, or what this very page holds further down.
        let place = !named(line.how).is_empty() || line.how.contains(".md)") || line.how.contains(", below");
        let claims = ["met", "partly"].contains(&line.verdict);
        assert!(place || !claims, "{}: nothing proves « {} »", line.id, line.verdict);
        let lacks = ["partly", "not met"].contains(&line.verdict);
        assert!(lacks || !line.how.contains("Needed"), "{}: something is needed, though « {} »", line.id, line.verdict);
    }
    let count = |verdict: &str| counts.get(verdict).copied().unwrap_or_default();
    let said = format!(
        "Of {} requirements: {} met, {} partly, {} not met, {} n/a.",
        lines.len(),
        count("met"),
        count("partly"),
        count("not met"),
        count("n/a")
    );
    assert!(TABLE.contains(&said), "the page should say: {said}");
}

#[test]
fn what_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let named = named(TABLE);
    for (path, function) in &named {
        let Ok(text) = std::fs::read_to_string(root.join(path)) else {
            wrong.push(format!("{path}: no such file"));
            continue;
        };
        if let Some(function) = function.filter(|function| !text.contains(&format!("fn {function}("))) {
            wrong.push(format!("{path}: no function {function}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named.iter().filter(|(_, function)| function.is_some()).count() > 100, "the page names no tests any more");
}
