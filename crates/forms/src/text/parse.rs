//! Source → tree. `{{ nom }}` is a value; `{% si … %}`, `{% sinon %}`, `{% fin %}` a condition. A tag alone on its
//! line leaves no empty line behind.

use std::collections::BTreeSet;

use super::{LONGEST, Mistake, Names, Node, Text, Variable};
use crate::expr::{Expr, Type};

/// Conditions within conditions: nobody reads more.
const DEEPEST: usize = 12;

pub(super) fn parse(source: &str, names: &Names) -> Result<Text, Vec<Mistake>> {
    let source = source.replace("\r\n", "\n");
    let mut reader = Reader { names, line: 1, open: Vec::new(), nodes: Vec::new(), found: Vec::new() };
    if source.chars().count() > LONGEST {
        reader.wrong("Ce texte est trop long : 20 000 caractères au plus.", None);
        return Err(reader.found);
    }
    bold(&source, &mut reader.found);
    headings(&source, &mut reader.found);
    reader.read(&source);
    for open in std::mem::take(&mut reader.open) {
        let message = "Cette condition n’est pas fermée.".to_owned();
        reader.found.push(Mistake { line: open.line, message, advice: Some("Ajoutez {% fin %} après.".to_owned()) });
    }
    reader.found.sort_by(|a, b| (a.line, &a.message).cmp(&(b.line, &b.message)));
    if reader.found.is_empty() { Ok(Text { nodes: reader.nodes }) } else { Err(reader.found) }
}

/// What is wrong in the markup alone.
pub(super) fn markup(source: &str) -> Result<(), Vec<Mistake>> {
    let mut found = Vec::new();
    if source.chars().count() > LONGEST {
        found.push(Mistake {
            line: 1,
            message: "Ce texte est trop long : 20 000 caractères au plus.".to_owned(),
            advice: None,
        });
        return Err(found);
    }
    bold(source, &mut found);
    headings(source, &mut found);
    found.sort_by_key(|mistake| mistake.line);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// A condition being read.
struct Open {
    line: usize,
    /// None when it could not be read: that was said.
    when: Option<Expr>,
    /// What it names, which may be missing elsewhere; none when that is not known.
    guards: Option<BTreeSet<String>>,
    then: Option<Vec<Node>>,
    /// What stood before it.
    before: Vec<Node>,
}

struct Reader<'n> {
    names: &'n Names,
    line: usize,
    open: Vec<Open>,
    nodes: Vec<Node>,
    found: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, message: &str, advice: Option<String>) {
        self.found.push(Mistake { line: self.line, message: message.to_owned(), advice });
    }

    fn read(&mut self, source: &str) {
        let mut rest = source;
        while let Some((at, tag)) = next(rest) {
            let (before, after) = rest.split_at(at);
            let inner = after.get(2..).unwrap_or_default();
            let close = if tag { "%}" } else { "}}" };
            let line = inner.split('\n').next().unwrap_or_default();
            let Some(end) = line.find(close) else {
                self.literal(before);
                let advice = format!("Ajoutez {close} avant la fin de la ligne.");
                self.wrong("Ces accolades ne sont pas fermées.", Some(advice));
                self.literal(after.get(..2).unwrap_or_default());
                rest = inner;
                continue;
            };
            let (content, mut follows) =
                (inner.get(..end).unwrap_or_default(), inner.get(end + 2..).unwrap_or_default());
            let mut before = before;
            let mut swallowed = false;
            if tag {
                let start = before.rfind('\n').map_or(0, |at| at + 1);
                let lead = before.get(start..).unwrap_or_default();
                let begins = lead.trim().is_empty() && (start > 0 || self.at_line_start(before));
                let trail = follows.split('\n').next().unwrap_or_default();
                if begins && trail.trim().is_empty() {
                    before = before.get(..start).unwrap_or_default();
                    swallowed = follows.len() > trail.len();
                    follows = follows.get(trail.len() + usize::from(swallowed)..).unwrap_or_default();
                }
            }
            self.literal(before);
            if tag {
                self.tag(content.trim());
            } else {
                self.value(content.trim());
            }
            self.line += usize::from(swallowed);
            rest = follows;
        }
        self.literal(rest);
    }

    /// Whether what was read before this piece ends a line: the tag before swallowed its own.
    fn at_line_start(&self, before: &str) -> bool {
        let last = self.nodes.last();
        before.trim().is_empty()
            && match last {
                None => self.open.last().is_none_or(|open| match (&open.then, open.before.last()) {
                    (Some(_), _) => true,
                    (None, Some(Node::Literal(text))) => text.ends_with('\n'),
                    (None, Some(Node::If { .. }) | None) => true,
                    (None, Some(Node::Value(_))) => false,
                }),
                Some(Node::Literal(text)) => text.ends_with('\n'),
                Some(Node::If { .. }) => true,
                Some(Node::Value(_)) => false,
            }
    }

    fn literal(&mut self, text: &str) {
        if !text.is_empty() {
            self.line += text.matches('\n').count();
            self.nodes.push(Node::Literal(text.to_owned()));
        }
    }

    fn value(&mut self, path: &str) {
        let Some(variable) = self.names.get(path) else {
            let advice = nearest(path, self.names).map(|near| format!("Vouliez-vous dire {{{{ {near} }}}} ?"));
            self.wrong(&format!("« {path} » n’est ni une variable ni une question de la démarche."), advice);
            return;
        };
        let guarded = self.open.iter().any(|open| open.guards.as_ref().is_none_or(|named| guards(named, variable)));
        if variable.maybe && !guarded {
            let advice = format!("Écrivez {{% si answered({path}) %}} avant, et {{% fin %}} après.");
            self.wrong(&format!("« {path} » peut manquer dans une demande."), Some(advice));
        }
        self.nodes.push(Node::Value(variable.clone()));
    }

    fn tag(&mut self, content: &str) {
        let (word, rest) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
        match (word, rest.trim()) {
            ("si", condition) => self.begin(condition),
            ("sinon", "") => self.otherwise(),
            ("fin", "") => self.end(),
            _ => {
                let advice = "Les mots connus : {% si condition %}, {% sinon %}, {% fin %}.".to_owned();
                self.wrong(&format!("« {content} » n’est pas compris."), Some(advice));
            }
        }
    }

    fn begin(&mut self, condition: &str) {
        if self.open.len() == DEEPEST {
            self.wrong("Trop de conditions les unes dans les autres.", None);
        }
        let when = match Expr::parse(condition, &self.names.scope, Some(&Type::Bool)) {
            Ok(when) => Some(when),
            Err(errors) => {
                for error in errors {
                    self.wrong(&error.message, error.advice);
                }
                None
            }
        };
        let guards = when.as_ref().map(Expr::paths);
        let before = std::mem::take(&mut self.nodes);
        self.open.push(Open { line: self.line, when, guards, then: None, before });
    }

    fn otherwise(&mut self) {
        match self.open.last_mut() {
            Some(open) if open.then.is_none() => open.then = Some(std::mem::take(&mut self.nodes)),
            Some(_) => self.wrong("Cette condition a déjà un {% sinon %}.", None),
            None => self.wrong("Ce {% sinon %} ne suit aucune condition.", None),
        }
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else {
            self.wrong("Ce {% fin %} ne ferme aucune condition.", None);
            return;
        };
        let last = std::mem::replace(&mut self.nodes, open.before);
        let (then, otherwise) = match open.then {
            Some(then) => (then, last),
            None => (last, Vec::new()),
        };
        if let Some(when) = open.when {
            self.nodes.push(Node::If { when, then, otherwise });
        }
    }
}

/// Whether a condition that names these says something of this variable: of itself, of a part of it, or of the
/// answer that it is always a part of.
fn guards(named: &BTreeSet<String>, variable: &Variable) -> bool {
    let path = variable.path.as_str();
    let (head, part) = path.split_once('.').map_or((path, None), |(head, part)| (head, Some(part)));
    let of_it = |one: &String| one.split_once('.').is_some_and(|(whole, _)| part.is_none() && whole == head);
    named.contains(path) || (part.is_some() && !variable.alone && named.contains(head)) || named.iter().any(of_it)
}

/// The next `{{` (false) or `{%` (true).
fn next(text: &str) -> Option<(usize, bool)> {
    let (value, tag) = (text.find("{{"), text.find("{%"));
    match (value, tag) {
        (Some(value), Some(tag)) => Some(if value < tag { (value, false) } else { (tag, true) }),
        (Some(value), None) => Some((value, false)),
        (None, Some(tag)) => Some((tag, true)),
        (None, None) => None,
    }
}

fn nearest<'n>(path: &str, names: &'n Names) -> Option<&'n str> {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(path, known);
    let all = names.variables().iter().map(|variable| (likeness(&variable.path), variable.path.as_str()));
    all.filter(|(near, _)| *near >= 0.5).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, path)| path)
}

/// What is made bold ends on its own line.
fn bold(source: &str, found: &mut Vec<Mistake>) {
    for (at, line) in source.split('\n').enumerate() {
        if line.matches("**").count() % 2 == 1 {
            let advice = Some("Mettez deux étoiles avant et après les mots en gras, sur la même ligne.".to_owned());
            found.push(Mistake { line: at + 1, message: "Le gras n’est pas fermé.".to_owned(), advice });
        }
    }
}

/// One level: what follows the title of the letter.
fn headings(source: &str, found: &mut Vec<Mistake>) {
    for (at, line) in source.split('\n').enumerate() {
        if line.starts_with("##") {
            let message = "Une lettre a un seul niveau de titres.".to_owned();
            found.push(Mistake { line: at + 1, message, advice: Some("Écrivez « # » une seule fois.".to_owned()) });
        }
    }
}
