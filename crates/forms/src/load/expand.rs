//! Puts shared parts in: `use: identite` becomes the fields of `blocks/identite.yaml`, and
//! `workflow: standard` the content of `workflows/standard.yaml`. What comes out needs no other file.

use std::collections::BTreeSet;

use super::{
    Finding, Shared,
    keys::{self, Keys, advised},
    node::{Body, Entry, Node, Text},
    scope, yaml,
};

/// More fields than any form has: blocks that use blocks could otherwise grow without end.
const MOST_FIELDS: usize = 2_000;

pub(super) fn expand(file: &str, mut tree: Node, shared: &Shared, found: &mut Vec<Finding>) -> Node {
    let folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let mut expander = Expander { shared, folder, fields: 0, within: Vec::new(), found };
    if let Body::Map(entries) = &mut tree.body {
        for entry in entries {
            match entry.key.as_str() {
                "pages" => expander.pages(&mut entry.value),
                "workflow" => expander.workflow(&mut entry.value),
                _ => {}
            }
        }
    }
    tree
}

struct Expander<'a> {
    shared: &'a Shared,
    /// Where the procedure stands, to name shared files in findings.
    folder: String,
    fields: usize,
    /// Blocks being put in, the outermost first.
    within: Vec<String>,
    found: &'a mut Vec<Finding>,
}

impl Expander<'_> {
    fn pages(&mut self, pages: &mut Node) {
        let Body::List(pages) = &mut pages.body else { return };
        for page in pages {
            if let Some(fields) = value_mut(page, "fields") {
                self.fields(fields);
            }
        }
    }

    fn workflow(&mut self, place: &mut Node) {
        self.circuit(place);
        if let Some(Body::List(transitions)) = value_mut(place, "transitions").map(|node| &mut node.body) {
            for form in transitions.iter_mut().filter_map(|transition| value_mut(transition, "form")) {
                self.fields(form);
            }
        }
    }

    fn circuit(&mut self, place: &mut Node) {
        if place.text().is_some_and(|text| !text.is_empty())
            && let Some(workflow) = self.file("workflows", "circuit", place)
        {
            *place = workflow;
        } else if let Some(used) = place.get("use").cloned()
            && let Some(workflow) = self.file("workflows", "circuit", &used)
        {
            let own = std::mem::replace(place, workflow);
            self.adapt(place, own);
        }
    }

    /// `workflow: {use: standard, transitions: [{id: accept, when: …}]}`: a shared workflow with some of its keys
    /// changed. A state or a transition of the same id keeps the keys that are not written; another is added.
    fn adapt(&mut self, place: &mut Node, own: Node) {
        let (at, Body::Map(own)) = (own.at, own.body) else { return };
        for entry in own.into_iter().filter(|entry| entry.key != "use") {
            let parts = matches!(
                entry.key.as_str(),
                "states" | "transitions" | "opinions" | "webhooks" | "approvals" | "starts"
            );
            match (value_mut(place, &entry.key), entry.value.body) {
                (Some(Node { body: Body::List(known), .. }), Body::List(items)) if parts => {
                    for item in items {
                        let id = item.get("id").and_then(Node::text).map(str::to_owned);
                        match known.iter_mut().find(|one| one.get("id").and_then(Node::text) == id.as_deref()) {
                            Some(one) => change(one, item),
                            None => known.push(item),
                        }
                    }
                }
                (_, body) => change(
                    place,
                    Node {
                        at: at.clone(),
                        body: Body::Map(vec![Entry { value: Node { body, at: entry.value.at }, ..entry }]),
                    },
                ),
            }
        }
    }

    fn fields(&mut self, place: &mut Node) {
        let Body::List(items) = &mut place.body else { return };
        let written = std::mem::take(items);
        for mut item in written {
            // Blocks count too: even empty ones could be put in without end.
            self.fields = self.fields.saturating_add(1);
            if self.fields == MOST_FIELDS {
                self.found.push(item.at.finding("Trop de questions : 2 000 au plus."));
            }
            if self.fields >= MOST_FIELDS {
                return;
            }
            if item.get("use").is_some() {
                items.extend(self.block(&item));
                continue;
            }
            if let Some(rows) = value_mut(&mut item, "fields") {
                self.fields(rows);
            }
            items.push(item);
        }
    }

    fn block(&mut self, place: &Node) -> Vec<Node> {
        let Some(mut keys) = Keys::new(place, "d'un bloc partagé", self.found) else { return Vec::new() };
        let name = keys.take("use");
        let prefix = keys.take("prefix").and_then(|node| keys::name(node, self.found));
        keys.finish(self.found);
        let Some((node, name)) = name.and_then(|node| Some((node, keys::id(node, self.found)?))) else {
            return Vec::new();
        };
        if self.within.contains(&name) {
            let path = [self.within.as_slice(), &[name]].concat().join(" → ");
            self.found.push(node.at.finding(format!("Ce bloc finit par se contenir lui-même : {path}.")));
            return Vec::new();
        }
        let Some(block) = self.file("blocks", "bloc", node) else { return Vec::new() };
        let Some(mut keys) = Keys::new(&block, "d'un bloc partagé", self.found) else { return Vec::new() };
        let fields = keys.need("fields", self.found).cloned();
        keys.finish(self.found);
        let Some(mut fields) = fields else { return Vec::new() };
        keys::items(&fields, self.found);
        self.within.push(name);
        self.fields(&mut fields);
        self.within.pop();
        let Body::List(mut fields) = fields.body else { return Vec::new() };
        if let Some(prefix) = prefix {
            self.prefix(&mut fields, &prefix);
        }
        fields
    }

    /// Reads the shared file that `node` names.
    fn file(&mut self, folder: &str, what: &str, node: &Node) -> Option<Node> {
        let name = node.text().unwrap_or_default();
        let path = format!("{folder}/{name}.yaml");
        let Some(source) = self.shared.files.get(&path) else {
            let known = self
                .shared
                .files
                .keys()
                .filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".yaml"));
            let message = format!("Le {what} « {name} » n'existe pas (fichier {path}).");
            self.found.push(advised(&node.at, message, keys::known_words(name, known)));
            return None;
        };
        yaml::read(&format!("{}{path}", self.folder), source, self.found)
    }

    fn prefix(&mut self, fields: &mut [Node], prefix: &str) {
        let ids = scope::ids(fields.iter());
        for field in fields.iter() {
            for row in field.get("fields").and_then(Node::list).unwrap_or_default() {
                if let Some(id) = row.get("id").filter(|id| id.text().is_some_and(|id| ids.contains(id))) {
                    let message =
                        "Cette question a le même identifiant qu'une question du bloc, ce qui rend « prefix » ambigu.";
                    self.found.push(advised(&id.at, message, "Changez l'un des deux identifiants."));
                }
            }
        }
        for field in fields {
            for key in ["id", "was"] {
                if let Some(Node { body: Body::Text(text), .. }) = value_mut(field, key) {
                    text.value.insert_str(0, &format!("{prefix}_"));
                    text.added = vec![(0, prefix.len().saturating_add(1))];
                }
            }
            conditions(field, &ids, prefix);
        }
    }
}

/// Puts the keys of `own` in, each in place of the same one.
fn change(place: &mut Node, own: Node) {
    let Body::Map(own) = own.body else { return };
    for entry in own {
        match value_mut(place, &entry.key) {
            Some(value) => *value = entry.value,
            None => {
                if let Body::Map(entries) = &mut place.body {
                    entries.push(entry);
                }
            }
        }
    }
}

fn value_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Body::Map(entries) = &mut node.body else { return None };
    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
}

/// Renames what the expressions of a field, and of its rows, say of these ids.
fn conditions(field: &mut Node, ids: &BTreeSet<String>, prefix: &str) {
    let Body::Map(entries) = &mut field.body else { return };
    for Entry { key, value, .. } in entries {
        match (key.as_str(), &mut value.body) {
            ("show-if" | "value", Body::Text(text)) => rename(text, ids, prefix),
            ("check", Body::List(rules)) => {
                for rule in rules {
                    if let Some(Node { body: Body::Text(text), .. }) = value_mut(rule, "when") {
                        rename(text, ids, prefix);
                    }
                }
            }
            ("fields", Body::List(rows)) => {
                let outer: BTreeSet<_> = ids.difference(&scope::ids(rows.iter())).cloned().collect();
                for row in rows {
                    conditions(row, &outer, prefix);
                }
            }
            _ => {}
        }
    }
}

/// Puts `prefix_` before each of these names in an expression, outside texts and after no dot.
fn rename(text: &mut Text, ids: &BTreeSet<String>, prefix: &str) {
    let mut out = String::new();
    let mut added = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    let mut before = ' ';
    for next in text.value.chars().chain(Some(' ')) {
        if !quoted && (next.is_ascii_alphanumeric() || next == '_') {
            word.push(next);
            continue;
        }
        if ids.contains(&word) && before != '.' {
            added.push((out.len(), prefix.len().saturating_add(1)));
            out.push_str(prefix);
            out.push('_');
        }
        if !word.is_empty() {
            out.push_str(&word);
            word.clear();
        }
        quoted ^= next == '"';
        out.push(next);
        before = next;
    }
    out.pop();
    // Renamed once per level of block: earlier marks move with what is put before them.
    let moved = text.added.iter().map(|&(start, len)| {
        let shift: usize = added.iter().filter(|&&(at, _)| at <= start).map(|&(_, len)| len).sum();
        (start.saturating_add(shift), len)
    });
    let mut marks: Vec<_> = moved.collect();
    marks.extend(added);
    marks.sort_unstable();
    text.value = out;
    text.added = marks;
}
