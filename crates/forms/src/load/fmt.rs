//! The canonical form: which keys come in which order.

use super::{
    node::{Body, Entry, Node},
    procedure::FORMAT,
    write,
};

/// What a mapping is, which decides the order of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A procedure, a block or a workflow.
    File,
    Page,
    Field,
    Rule,
    Rows,
    Piece,
    State,
    Transition,
    Opinion,
    Expert,
    Webhook,
    Approval,
    Visa,
    Start,
    Dispatch,
    Setting,
    Alerts,
    Legal,
    Attestation,
    Notice,
    Retention,
    Opening,
    /// Kept in the order of the file: the possible answers of a question.
    Free,
}

impl Shape {
    fn order(self) -> &'static [&'static str] {
        match self {
            Self::File => &[
                "format",
                "use",
                "id",
                "note",
                "title",
                "summary",
                "description",
                "theme",
                "events",
                "audience",
                "reserved-to",
                "keywords",
                "department",
                "other-departments",
                "identification",
                "beneficiary",
                "cost",
                "minutes",
                "anonymous",
                "delay",
                "alerts",
                "legal",
                "appeal",
                "decisions",
                "confidential",
                "notice",
                "opening",
                "before",
                "fields",
                "pages",
                "pieces",
                "declaration",
                "after",
                "workflow",
                "initial",
                "opinions",
                "webhooks",
                "approvals",
                "starts",
                "states",
                "transitions",
            ],
            Self::Page => &["id", "note", "title", "intro", "show-if", "fields", "stop-if"],
            Self::Field => &[
                "use",
                "prefix",
                "id",
                "note",
                "ask",
                "help",
                "kind",
                "options",
                "text",
                "value",
                "format",
                "unit",
                "min",
                "max",
                "decimals",
                "pattern",
                "example",
                "autocomplete",
                "rows",
                "fields",
                "optional",
                "show-if",
                "error",
                "sensitive",
                "search",
                "verified",
                "was",
                "check",
            ],
            Self::Rule => &["note", "when", "say"],
            Self::Rows => &["note", "min", "max", "title"],
            Self::Piece => {
                &["id", "note", "title", "help", "basis", "instead", "optional", "show-if", "files", "sensitive"]
            }
            Self::State => &["id", "note", "label", "usager", "status", "end", "open"],
            Self::Transition => &[
                "id", "note", "label", "from", "to", "who", "when", "after", "times", "needs", "approved", "form",
                "does", "dispatch", "assign", "set", "receives", "says",
            ],
            Self::Opinion => &["id", "note", "department", "expert", "question", "delay", "shows", "pieces"],
            Self::Expert => &["name", "email"],
            Self::Webhook => &["id", "note", "label", "sends", "sensitive", "gives"],
            Self::Approval => &["id", "note", "title", "delay", "together", "asker-too", "steps"],
            Self::Start => &["id", "note", "procedure", "title", "with"],
            Self::Visa => &["note", "title", "department", "who"],
            Self::Dispatch => &["note", "when", "to"],
            Self::Setting => &["note", "field", "value"],
            Self::Alerts => &["note", "orange", "red", "escalate"],
            Self::Legal => &["note", "delay", "silence", "basis", "attestation"],
            Self::Attestation => &["letter", "automatic"],
            Self::Notice => &["note", "purpose", "basis", "recipients", "retention"],
            Self::Retention => &["note", "current", "dua", "basis", "final"],
            Self::Opening => &["note", "from", "to"],
            Self::Free => &[],
        }
    }

    /// Keys without a place of their own stand before this one.
    fn others(self) -> &'static str {
        match self {
            Self::Field => "optional",
            _ => "",
        }
    }

    /// What stands under this key.
    pub fn under(self, key: &str) -> Self {
        match (self, key) {
            (Self::File, "pages") => Self::Page,
            (Self::File | Self::Page | Self::Field, "fields") => Self::Field,
            (Self::Transition, "form") => Self::Field,
            (Self::Transition, "assign" | "dispatch") => Self::Dispatch,
            (Self::Opinion, "expert") => Self::Expert,
            (Self::Transition, "set") => Self::Setting,
            (Self::File, "pieces") => Self::Piece,
            (Self::File, "workflow") => Self::File,
            (Self::File, "states") => Self::State,
            (Self::File, "transitions") => Self::Transition,
            (Self::File, "opinions") => Self::Opinion,
            (Self::File, "webhooks") => Self::Webhook,
            (Self::File, "approvals") => Self::Approval,
            (Self::File, "starts") => Self::Start,
            (Self::Approval, "steps") => Self::Visa,
            (Self::File, "legal") => Self::Legal,
            (Self::Legal, "attestation") => Self::Attestation,
            (Self::File, "notice") => Self::Notice,
            (Self::Notice, "retention") => Self::Retention,
            (Self::File, "alerts") => Self::Alerts,
            (Self::File, "opening") => Self::Opening,
            (Self::Page, "stop-if") | (Self::Field, "check") => Self::Rule,
            (Self::Field, "rows") => Self::Rows,
            _ => Self::Free,
        }
    }

    /// The entries in canonical order; those of equal rank as they were.
    pub fn sorted(self, entries: &[Entry]) -> Vec<&Entry> {
        let order = self.order();
        let place = |key: &str| order.iter().position(|known| *known == key);
        let others = place(self.others()).unwrap_or(order.len());
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by_key(|entry| match place(&entry.key) {
            Some(place) => (place, 1),
            None => (others, 0),
        });
        sorted
    }
}

pub(super) fn write(tree: &Node) -> String {
    write::file(tree)
}

/// Says which format a closed version is in, so that it stays readable for ever.
pub(super) fn with_format(mut tree: Node) -> Node {
    let at = tree.at.clone();
    if let Body::Map(entries) = &mut tree.body {
        entries.retain(|entry| entry.key != "format");
        let value = Node::of_text(at.clone(), FORMAT.to_string());
        entries.insert(0, Entry { key: "format".to_owned(), at, value });
    }
    tree
}
