//! YAML events → [`Node`]. Refuses what a procedure never needs: comments, anchors, tags, several
//! documents, keys that are not words, and files too large or too deep.

use std::{collections::BTreeSet, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::{
    Finding,
    node::{At, Body, Entry, Node, Text},
};

const MOST_BYTES: usize = 1_000_000;
const MOST_DEPTH: usize = 64;

/// Reads one file. The tree is there when the YAML holds together, findings or not.
pub(super) fn read(file: &str, source: &str, found: &mut Vec<Finding>) -> Option<Node> {
    let file: Arc<str> = file.into();
    let start = At { file: Arc::clone(&file), line: 1, column: 1 };
    if source.len() > MOST_BYTES {
        found.push(start.finding("Ce fichier est trop grand : 1 Mo au plus."));
        return None;
    }
    let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut build = Build {
        chars: source.chars().collect(),
        file,
        open: Vec::new(),
        root: None,
        documents: 0,
        gap: (0, 1, 1),
        found,
    };
    let whole = build.run(&source);
    let root = build.root.take();
    if !whole {
        return None;
    }
    if root.is_none() {
        found.push(start.finding("Ce fichier est vide."));
    }
    root
}

/// A list or a mapping that is not closed yet.
enum Open {
    List(At, Vec<Node>),
    /// With the key that waits for its value.
    Map(At, Vec<Entry>, BTreeSet<String>, Option<(String, At)>),
}

struct Build<'f> {
    chars: Vec<char>,
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    /// Index, line and column up to which comments were looked for.
    gap: (usize, usize, usize),
    found: &'f mut Vec<Finding>,
}

impl Build<'_> {
    /// False when reading had to stop.
    fn run(&mut self, source: &str) -> bool {
        let mut parser = Parser::new_from_str(source);
        while let Some(next) = parser.next_event() {
            match next {
                Ok((event, span)) => {
                    if !self.event(event, span) {
                        return false;
                    }
                }
                Err(error) => {
                    self.broken(&error);
                    return false;
                }
            }
        }
        self.comments(self.chars.len());
        true
    }

    fn at(&self, mark: Marker) -> At {
        At { file: Arc::clone(&self.file), line: mark.line(), column: mark.col().saturating_add(1) }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        let at = self.at(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.document(&at),
            Event::Alias(_) => self.refuse(&at, "Les renvois de YAML (« * ») sont refusés ici.", REPEAT),
            Event::Scalar(value, style, anchor, tag) => {
                if anchor != 0 {
                    return self.refuse(&at, "Les ancres de YAML (« & ») sont refusées ici.", REPEAT);
                }
                if tag.is_some() {
                    return self.refuse(&at, "Les étiquettes de YAML (« ! ») sont refusées ici.", NEGATE);
                }
                self.scalar(&value, style, span);
                true
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(&at, anchor, tag.is_some()) && self.push(Open::List(at, Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(&at, anchor, tag.is_some()) && self.push(Open::Map(at, Vec::new(), BTreeSet::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                true
            }
        }
    }

    fn refuse(&mut self, at: &At, message: &str, advice: &str) -> bool {
        self.found.push(Finding { advice: Some(advice.to_owned()), ..at.finding(message) });
        false
    }

    fn document(&mut self, at: &At) -> bool {
        self.documents += 1;
        self.documents == 1
            || self.refuse(
                at,
                "Un fichier ne contient qu'une démarche : « --- » est refusé.",
                "Faites un fichier par démarche.",
            )
    }

    fn begin(&mut self, at: &At, anchor: usize, tagged: bool) -> bool {
        if anchor != 0 {
            return self.refuse(at, "Les ancres de YAML (« & ») sont refusées ici.", REPEAT);
        }
        if tagged {
            return self.refuse(at, "Les étiquettes de YAML (« ! ») sont refusées ici.", NEGATE);
        }
        true
    }

    fn push(&mut self, open: Open) -> bool {
        let (Open::List(at, ..) | Open::Map(at, ..)) = &open;
        if self.open.len() >= MOST_DEPTH {
            let at = at.clone();
            return self.refuse(&at, "Trop de niveaux imbriqués.", "64 niveaux au plus.");
        }
        self.open.push(open);
        true
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::List(at, items)) => self.place(Node { at, body: Body::List(items) }),
            Some(Open::Map(at, entries, ..)) => self.place(Node { at, body: Body::Map(entries) }),
            None => {}
        }
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span) {
        self.comments(span.start.index());
        let raw = self.raw(style, span);
        self.skip(span.start.index().saturating_add(raw.chars().count()));
        let text = Text { value: value.trim().to_owned(), plain: style == ScalarStyle::Plain, raw, added: Vec::new() };
        let at = self.at(span.start);
        self.place(Node { at, body: Body::Text(text) });
    }

    /// The text as written; the parser's span of a quoted text may run past its end.
    fn raw(&self, style: ScalarStyle, span: Span) -> String {
        let all = self.chars.get(span.start.index()..span.end.index()).unwrap_or_default();
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => return all.iter().collect(),
        };
        let mut raw = String::new();
        let mut rest = all.iter().copied().peekable();
        raw.extend(rest.next());
        while let Some(next) = rest.next() {
            raw.push(next);
            if quote == '"' && next == '\\' {
                raw.extend(rest.next());
            } else if next == quote {
                match rest.next_if(|&after| quote == '\'' && after == quote) {
                    Some(after) => raw.push(after),
                    None => break,
                }
            }
        }
        raw
    }

    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, seen, waiting)) => match waiting.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node }),
                None => {
                    let key = node.text().unwrap_or_default().to_owned();
                    if node.text().is_none() || key.is_empty() {
                        self.found.push(node.at.finding("Une clé est un mot suivi de « : »."));
                    } else if !seen.insert(key.clone()) {
                        let message = format!("La clé « {key} » est écrite deux fois.");
                        let advice = Some("Gardez une seule des deux.".to_owned());
                        self.found.push(Finding { advice, ..node.at.finding(message) });
                    }
                    *waiting = Some((key, node.at));
                }
            },
        }
    }

    /// Between two scalars there is only punctuation: a `#` there begins a comment.
    fn comments(&mut self, end: usize) {
        let (mut index, mut line, mut column) = self.gap;
        let mut inside = false;
        while index < end {
            match self.chars.get(index) {
                Some('\n') => {
                    inside = false;
                    line += 1;
                    column = 0;
                }
                Some('#') if !inside => {
                    inside = true;
                    let at = At { file: Arc::clone(&self.file), line, column };
                    self.found.push(Finding {
                        advice: Some("Utilisez la clé « note: », permise partout.".to_owned()),
                        ..at.finding("Les commentaires (« # ») sont refusés : ils se perdraient.")
                    });
                }
                _ => {}
            }
            index += 1;
            column += 1;
        }
        self.gap = (index, line, column);
    }

    /// Passes over a scalar, where `#` is text.
    fn skip(&mut self, end: usize) {
        let (mut index, mut line, mut column) = self.gap;
        while index < end {
            if self.chars.get(index) == Some(&'\n') {
                line += 1;
                column = 0;
            }
            index += 1;
            column += 1;
        }
        self.gap = (index, line, column);
    }

    fn broken(&mut self, error: &ScanError) {
        let at = self.at(*error.marker());
        let info = error.info();
        let (message, advice) = SYNTAX
            .iter()
            .find(|(part, ..)| info.contains(part))
            .map_or((UNKNOWN.0, UNKNOWN.1), |(_, message, advice)| (*message, *advice));
        self.found.push(Finding { advice: Some(advice.to_owned()), ..at.finding(message) });
    }
}

const REPEAT: &str = "Répétez le texte, ou faites-en un bloc partagé (« use: »).";
const NEGATE: &str = "Pour une négation, écrivez « not ».";
const UNKNOWN: (&str, &str) = (
    "Ce passage n'est pas du YAML correct.",
    "Vérifiez le retrait des lignes, les guillemets et les « : » autour de cet endroit.",
);

/// Part of the parser's message → what is said and advised.
const SYNTAX: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "« : » suivi d'une espace ne peut pas se trouver ici.",
        "Un texte qui contient « : » s'écrit entre guillemets ; sinon, vérifiez le retrait de la ligne.",
    ),
    (
        "trailing content after",
        "Du texte suit des guillemets fermés.",
        "Une valeur qui commence par un guillemet s'écrit tout entière entre apostrophes : '\"a\" in x'.",
    ),
    ("tabs disallowed", "Une tabulation sert de retrait.", "Utilisez deux espaces par niveau."),
    ("unexpected character", "Un texte ne peut pas commencer par ce caractère.", "Mettez le texte entre guillemets."),
    ("simple key expect", "Cette ligne n'a pas de « : » après sa clé.", "Écrivez « clé: valeur »."),
    (
        "in quoted scalar",
        "Un guillemet ouvert n'est pas fermé, ou la suite du texte n'est pas assez en retrait.",
        "Fermez le guillemet.",
    ),
    ("unexpected end of stream", "Un guillemet ouvert n'est pas fermé.", "Fermez le guillemet."),
    (
        "unknown escape",
        "Une barre oblique inverse (« \\ ») est mal employée entre guillemets doubles.",
        "Utilisez des apostrophes, ou doublez-la.",
    ),
    ("while parsing a flow sequence", "Un crochet « [ » n'est pas fermé.", "Ajoutez « ] »."),
    ("while parsing a flow mapping", "Une accolade « { » n'est pas fermée.", "Ajoutez « } »."),
    ("recursion limit", "Trop de niveaux imbriqués.", "64 niveaux au plus."),
    (
        "comment intercepting",
        "Les commentaires (« # ») sont refusés : ils se perdraient.",
        "Utilisez la clé « note: », permise partout.",
    ),
    ("tab", "Une tabulation ne peut pas se trouver ici.", "Utilisez des espaces."),
    ("misplaced bracket", "Un crochet ou une accolade est en trop.", "Retirez-le."),
    (
        "illegal placement of ':'",
        "« : » ne peut pas se trouver ici.",
        "Un crochet ou une accolade est-il resté ouvert ?",
    ),
    ("anchor", "Les ancres et renvois de YAML (« & », « * ») sont refusés ici.", REPEAT),
    (
        "did not find expected key",
        "Cette ligne n'est pas au bon niveau.",
        "Alignez-la avec les autres clés ou les autres tirets du même niveau.",
    ),
    (
        "did not find expected '-' indicator",
        "Cette ligne n'est pas au bon niveau.",
        "Alignez-la avec les autres tirets de la liste.",
    ),
];
