//! The templates of letters: `letters/buvette-arrete.yaml`, read alone, then judged with each procedure that sends
//! them.

use std::collections::BTreeSet;

use super::{
    Finding, Shared,
    keys::{self, Keys},
    node::{At, Node},
    yaml,
};
use crate::{
    model::{Genre, Letter, Procedure},
    text::{Names, Text},
    workflow::Who,
};

const GENRES: &[(&str, Genre)] = &[("letter", Genre::Letter), ("certificate", Genre::Certificate)];

/// The template, and where its subject and its text stand.
pub(super) fn read(tree: &Node, found: &mut Vec<Finding>) -> Option<(Letter, [At; 2])> {
    let mut keys = Keys::new(tree, "du modèle de lettre", found)?;
    let title = keys.need_text("title", found);
    let genre = keys.take("genre").map_or(Some(Genre::Letter), |node| keys::word(node, GENRES, found));
    let title_place = keys.take("subject");
    let subject = keys.need_text("subject", found);
    let place = keys.need("text", found);
    let text = place.and_then(|node| keys::text(node, found)).unwrap_or_default();
    keys.finish(found);
    let at = |node: Option<&Node>| node.unwrap_or(tree).at.clone();
    Some((Letter { title, genre: genre?, subject, text }, [at(title_place), at(place)]))
}

/// Each letter that a procedure sends names only what its requests have.
pub(super) fn check(file: &str, procedure: &Procedure, shared: &Shared, found: &mut Vec<Finding>) {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let wanted: BTreeSet<&str> = procedure.letters();
    let attested = procedure.legal.as_ref().and_then(|legal| legal.attestation.as_ref());
    let alone = |id: &str| {
        let mut sending = procedure.workflow.transitions.iter().filter(|one| one.letter() == Some(id));
        sending.any(|one| one.who == Who::System) || attested.is_some_and(|one| one.automatic && one.letter == id)
    };
    for (id, (name, text)) in wanted.into_iter().filter_map(|id| Some((id, shared.letter(id)?))) {
        let names = Names::letter().with(procedure);
        // What the platform writes by itself names no agent.
        let names = if alone(id) { names.unsigned() } else { names };
        let place = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let read = yaml::read(&place, text, found).and_then(|tree| read(&tree, found));
        let Some((letter, [subject, text])) = read else { continue };
        for mistake in letter.mistakes(&names) {
            let at = if mistake.line == 0 { &subject } else { &text };
            let line = at.line + mistake.line.saturating_sub(1);
            let message = format!("{} (démarche « {} »)", mistake.message, procedure.id);
            found.push(Finding { line, column: 1, advice: mistake.advice, ..at.finding(message) });
        }
    }
}

impl Letter {
    /// What is wrong in its text or its subject; those of the subject count as the line 0.
    pub fn mistakes(&self, names: &Names) -> Vec<crate::text::Mistake> {
        let subject = Text::parse(&self.subject, names).err().unwrap_or_default();
        let subject = subject.into_iter().map(|mistake| crate::text::Mistake { line: 0, ..mistake });
        subject.chain(Text::parse(&self.text, names).err().unwrap_or_default()).collect()
    }
}
