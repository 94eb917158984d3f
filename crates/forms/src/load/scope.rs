//! What reading a procedure remembers on its way: the questions already asked, with their types.

use std::collections::BTreeSet;

use super::{
    Finding, Shared,
    keys::{Keys, advised, text},
    node::{At, Node},
};
use crate::{
    expr::{Expr, Scope, Type},
    model::Rule,
};

pub(super) struct Reader<'f> {
    pub found: &'f mut Vec<Finding>,
    /// The questions that an expression may use here.
    pub scope: Scope,
    /// Every question of the procedure, or also of the row being read, asked yet or not.
    pub ahead: BTreeSet<String>,
    /// Questions that could not be read: what is said of them is not judged.
    pub broken: BTreeSet<String>,
    /// The question being read.
    pub current: Option<String>,
    /// The templates that exist.
    pub shared: &'f Shared,
    /// The opinions that the workflow declares.
    pub opinions: BTreeSet<String>,
    /// The applications that it calls.
    pub webhooks: BTreeSet<String>,
    /// The circuits of approvals that it declares.
    pub approvals: BTreeSet<String>,
    /// The requests that it declares to start.
    pub starts: BTreeSet<String>,
}

impl<'f> Reader<'f> {
    pub fn new(tree: &Node, shared: &'f Shared, found: &'f mut Vec<Finding>) -> Self {
        let pages = tree.get("pages").and_then(Node::list).unwrap_or_default();
        let fields = pages.iter().filter_map(|page| page.get("fields")?.list()).flatten();
        let (scope, ahead, broken) = (Scope::default(), ids(fields), BTreeSet::new());
        let (opinions, webhooks) = (BTreeSet::new(), BTreeSet::new());
        let (approvals, starts) = (BTreeSet::new(), BTreeSet::new());
        Self { found, scope, ahead, broken, current: None, shared, opinions, webhooks, approvals, starts }
    }

    pub fn expr(&mut self, node: &Node, wanted: Option<&Type>) -> Option<Expr> {
        let source = text(node, self.found)?;
        match Expr::parse(&source, &self.scope, wanted) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                let judged = !words(&source).any(|word| self.broken.contains(word));
                for error in errors.into_iter().filter(|_| judged) {
                    let at = node.inside(error.start);
                    let finding = match self.comes_later(&source, error.start) {
                        Some(name) if self.current.as_deref() == Some(name) => itself(&at),
                        Some(name) => later(&at, name),
                        None => Finding { advice: error.advice, ..at.finding(error.message) },
                    };
                    self.found.push(finding);
                }
                None
            }
        }
    }

    /// The condition under `show-if`; `never` says what it leads to when it cannot hold.
    pub fn show_if(&mut self, keys: &mut Keys<'_>, never: &str) -> Option<Expr> {
        self.condition(keys, "show-if", never)
    }

    /// The condition under `key`.
    pub fn condition(&mut self, keys: &mut Keys<'_>, key: &str, never: &str) -> Option<Expr> {
        let node = keys.take(key)?;
        let expr = self.expr(node, Some(&Type::Bool))?;
        let place = node.inside(0);
        match verdict(&expr) {
            Some(false) => {
                self.found.push(place.finding(format!("Cette condition ne peut pas être remplie : {never}.")));
            }
            Some(true) => {
                let message = "Cette condition est toujours remplie.";
                self.found.push(advised(&place, message, "Retirez-la, ou corrigez-la."));
            }
            None => {}
        }
        Some(expr)
    }

    /// A list of `{when, say}`; `always` says what a rule leads to when it holds whatever is answered.
    pub fn rules(&mut self, keys: &mut Keys<'_>, key: &str, always: &str) -> Vec<Rule> {
        let nodes = keys.items(key, self.found);
        nodes.iter().filter_map(|node| self.rule(node, always)).collect()
    }

    fn rule(&mut self, node: &Node, always: &str) -> Option<Rule> {
        let mut keys = Keys::new(node, "de la règle", self.found)?;
        let place = keys.need("when", self.found);
        let say = keys.need_text("say", self.found);
        keys.finish(self.found);
        let place = place?;
        let when = self.expr(place, Some(&Type::Bool))?;
        match verdict(&when) {
            Some(false) => self.found.push(place.inside(0).finding("Cette règle ne peut jamais s'appliquer.")),
            Some(true) => {
                self.found.push(place.inside(0).finding(format!("Cette règle s'applique toujours : {always}.")));
            }
            None => {}
        }
        Some(Rule { when, say })
    }

    /// Whether a question of the procedure, or of a form read before, has this id.
    pub fn asked(&self, id: &str) -> bool {
        self.ahead.contains(id) || self.scope.names.contains_key(id)
    }

    fn comes_later<'s>(&self, source: &'s str, start: usize) -> Option<&'s str> {
        let rest = source.get(start..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest.get(..end)?;
        (self.ahead.contains(name) && !self.scope.names.contains_key(name)).then_some(name)
    }
}

/// What the condition is whatever is answered, when that is certain.
fn verdict(expr: &Expr) -> Option<bool> {
    match (expr.never(), expr.always()) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        (false, false) => None,
    }
}

fn later(at: &At, name: &str) -> Finding {
    let message = format!("La question « {name} » vient après celle-ci : elle n'est pas encore posée.");
    advised(at, message, "Une condition n'emploie que les questions qui précèdent ; changez leur ordre.")
}

fn itself(at: &At) -> Finding {
    let advice = "Pour juger la réponse donnée, utilisez « check ».";
    advised(at, "Une question ne peut pas dépendre de sa propre réponse.", advice)
}

/// The ids written under these fields.
pub(super) fn ids<'n>(fields: impl IntoIterator<Item = &'n Node>) -> BTreeSet<String> {
    fields.into_iter().filter_map(|field| Some(field.get("id")?.text()?.to_owned())).collect()
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}
