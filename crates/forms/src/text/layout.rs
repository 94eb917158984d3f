//! Words and values → blocks. Only the words of the text itself are markup: a value is put where it stands,
//! whatever it holds.

use super::{Block, Piece, Span};

/// Part of one line.
enum Part<'t> {
    Literal(&'t str),
    Value(&'t [String]),
}

type Line<'t> = Vec<Part<'t>>;

pub(super) fn blocks(pieces: &[Piece<'_>]) -> Vec<Block> {
    let mut page = Page::default();
    for line in lines(pieces) {
        page.line(&line);
    }
    page.end();
    page.blocks
}

fn lines<'t>(pieces: &'t [Piece<'t>]) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = Vec::new();
    let mut line = Line::new();
    for piece in pieces {
        match piece {
            Piece::Value(value) => line.push(Part::Value(value)),
            Piece::Literal(text) => {
                for (index, part) in text.split('\n').enumerate() {
                    if index > 0 {
                        lines.push(std::mem::take(&mut line));
                    }
                    if !part.is_empty() {
                        line.push(Part::Literal(part));
                    }
                }
            }
        }
    }
    lines.push(line);
    lines
}

/// The value of a line that holds nothing else.
fn alone<'t>(line: &Line<'t>) -> Option<&'t [String]> {
    let mut value = None;
    for part in line {
        match part {
            Part::Literal(text) if text.trim().is_empty() => {}
            Part::Value(lines) if value.is_none() => value = Some(*lines),
            _ => return None,
        }
    }
    value
}

fn blank(line: &Line<'_>) -> bool {
    line.iter().all(|part| matches!(part, Part::Literal(text) if text.trim().is_empty()))
}

/// How a line begins, and how many bytes that takes.
enum Sign {
    Heading,
    Bullet,
    Number(u32),
}

fn sign(line: &Line<'_>) -> Option<(Sign, usize)> {
    let Some(Part::Literal(text)) = line.first() else { return None };
    if text.starts_with("# ") {
        return Some((Sign::Heading, 2));
    }
    if text.starts_with("- ") {
        return Some((Sign::Bullet, 2));
    }
    let (digits, rest) = text.split_once('.')?;
    let numbered = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (numbered && rest.starts_with(' ')).then(|| Some((Sign::Number(digits.parse().ok()?), digits.len() + 2)))?
}

/// What is being set.
#[derive(Default)]
struct Page {
    blocks: Vec<Block>,
    /// The paragraph that is open.
    spans: Vec<Span>,
    /// The last block is a list that may go on.
    listing: bool,
}

impl Page {
    fn line(&mut self, line: &Line<'_>) {
        if blank(line) {
            self.end();
        } else if let Some(value) = alone(line) {
            self.value(value);
        } else if let Some((sign, length)) = sign(line) {
            self.signed(&sign, spans(line, length));
        } else {
            self.add(spans(line, 0));
        }
    }

    /// A value alone on its line keeps its own lines; an empty line in it begins another paragraph.
    fn value(&mut self, lines: &[String]) {
        let all = lines.join("\n").replace("\r\n", "\n");
        for (index, paragraph) in all.split("\n\n").enumerate() {
            if index > 0 {
                self.end();
            }
            let text = paragraph.trim();
            if !text.is_empty() {
                self.add(vec![Span { text: text.to_owned(), bold: false }]);
            }
        }
    }

    fn add(&mut self, spans: Vec<Span>) {
        self.listing = false;
        if spans.is_empty() {
            return;
        }
        if let Some(last) = self.spans.last_mut() {
            last.text.push('\n');
        }
        self.spans.extend(spans);
    }

    fn signed(&mut self, sign: &Sign, spans: Vec<Span>) {
        let goes_on = self.listing && self.spans.is_empty();
        if !goes_on {
            self.end();
        }
        let start = match sign {
            Sign::Heading => {
                self.end();
                if !spans.is_empty() {
                    self.blocks.push(Block::Heading { spans });
                }
                return;
            }
            Sign::Bullet => None,
            Sign::Number(number) => Some(*number),
        };
        match self.blocks.last_mut() {
            Some(Block::List { start: of, items }) if goes_on && of.is_some() == start.is_some() => items.push(spans),
            _ => self.blocks.push(Block::List { start, items: vec![spans] }),
        }
        self.listing = true;
    }

    /// Ends the open paragraph, or the list.
    fn end(&mut self) {
        self.listing = false;
        let spans = std::mem::take(&mut self.spans);
        if !spans.is_empty() {
            self.blocks.push(Block::Paragraph { spans });
        }
    }
}

/// The words of a line after the sign that it begins with; several lines of a value follow each other.
fn spans(line: &Line<'_>, skip: usize) -> Vec<Span> {
    let (mut spans, mut bold, mut skip) = (Vec::<Span>::new(), false, skip);
    let mut push = |text: &str, bold: bool| match spans.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.bold == bold => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), bold }),
    };
    for part in line {
        match part {
            Part::Literal(text) => {
                let text = text.get(std::mem::take(&mut skip)..).unwrap_or_default();
                for (index, words) in text.split("**").enumerate() {
                    bold ^= index > 0;
                    push(words, bold);
                }
            }
            Part::Value(lines) => push(&lines.join(", ").replace('\n', ", "), bold),
        }
    }
    trim(spans)
}

fn trim(mut spans: Vec<Span>) -> Vec<Span> {
    if let Some(first) = spans.first_mut() {
        first.text = first.text.trim_start().to_owned();
    }
    if let Some(last) = spans.last_mut() {
        last.text = last.text.trim_end().to_owned();
    }
    spans.retain(|span| !span.text.is_empty());
    spans
}
