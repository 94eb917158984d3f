//! Bar charts, as templates draw them in SVG: lengths are parts of the width and lines are in `em`, so that text
//! keeps its size on a telephone and when it is enlarged. Each bar bears its value; the table beside says the same.

use serde::Serialize;

/// Width of the longest bar, in hundredths of the chart; the rest is for its value.
const LONGEST: i64 = 50;
/// Letters of a line of a label.
const LETTERS: usize = 32;
/// Heights, in tenths of the text's size.
const LABEL: i64 = 13;
const ABOVE: i64 = 3;
const BAR: i64 = 15;
const GAP: i64 = 7;

#[derive(Debug, Serialize)]
pub struct Chart {
    pub id: String,
    pub title: String,
    /// What it shows, in a sentence.
    pub says: String,
    /// « 24.5em ».
    pub height: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    /// Cut so that it fits a telephone: SVG breaks no lines.
    pub label: Vec<Words>,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
pub struct Words {
    pub text: String,
    /// Of its baseline.
    pub y: String,
}

#[derive(Debug, Serialize)]
pub struct Bar {
    /// 0 for the first series, 1 for the second: another pattern.
    pub kind: usize,
    pub y: String,
    /// Of the value's baseline.
    pub text_y: String,
    /// « 42.5% ».
    pub width: String,
    pub text_x: String,
    pub text: String,
}

/// A bar's value, and how it is told.
pub type Told = (Option<i64>, String);

fn em(tenths: i64) -> String {
    format!("{}.{}em", tenths / 10, tenths % 10)
}

fn part(tenths: i64) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

impl Chart {
    /// None when there is nothing to draw.
    pub fn new(id: &str, title: &str, says: String, rows: Vec<(String, Vec<Told>)>) -> Option<Self> {
        let longest = rows.iter().flat_map(|(_, values)| values).filter_map(|(value, _)| *value).max()?;
        if longest <= 0 {
            return None;
        }
        let mut top = 0;
        let mut drawn = Vec::new();
        for (label, values) in rows {
            let mut words = Vec::new();
            for text in lines(&label) {
                top += LABEL;
                words.push(Words { text, y: em(top - 2) });
            }
            top += ABOVE;
            let mut bars = Vec::new();
            for (kind, (value, text)) in values.into_iter().enumerate() {
                let at = top + BAR * i64::try_from(kind).unwrap_or_default();
                let width = value.unwrap_or_default() * LONGEST * 10 / longest;
                // What is not nothing is seen.
                let width = if value.is_some_and(|value| value > 0) { width.max(4) } else { 0 };
                bars.push(Bar {
                    kind,
                    y: em(at),
                    text_y: em(at + 10),
                    width: part(width),
                    text_x: part(width + 10),
                    text,
                });
            }
            top += BAR * i64::try_from(bars.len()).unwrap_or_default() + GAP;
            drawn.push(Row { label: words, bars });
        }
        Some(Self { id: id.to_owned(), title: title.to_owned(), says, height: em(top), rows: drawn })
    }
}

/// A label cut between words.
fn lines(label: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in label.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < LETTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// « 12 345 ».
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0 { format!("−{text}") } else { text }
}

/// « le jour même », « 1 jour », « 12 jours ».
pub fn days(days: i64) -> String {
    match days {
        0 => "le jour même".to_owned(),
        1 => "1\u{a0}jour".to_owned(),
        days => format!("{}\u{a0}jours", number(days)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_its_part() {
        let told = |value: i64| (Some(value), value.to_string());
        let rows = vec![
            ("mai".to_owned(), vec![told(200), told(50)]),
            ("juin".to_owned(), vec![told(1), (None, "–".to_owned())]),
        ];
        let chart = Chart::new("v", "Volumes", String::new(), rows).unwrap();
        let widths: Vec<&str> = chart.rows.iter().flat_map(|row| &row.bars).map(|bar| bar.width.as_str()).collect();
        assert_eq!(widths, ["50.0%", "12.5%", "0.4%", "0.0%"]);
        assert_eq!((chart.height.as_str(), chart.rows[1].bars[0].y.as_str()), ("10.6em", "6.9em"));
        assert!(Chart::new("v", "", String::new(), vec![("mai".to_owned(), vec![told(0)])]).is_none());
        assert!(Chart::new("v", "", String::new(), Vec::new()).is_none());
    }

    #[test]
    fn long_labels_take_several_lines() {
        let cut = lines("Pièce : Justificatif de domicile de moins de trois mois");
        assert_eq!(cut, ["Pièce : Justificatif de domicile", "de moins de trois mois"]);
        assert_eq!(lines("anticonstitutionnellement-anticonstitutionnellement").len(), 1);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!((days(0), days(1), days(2)), ("le jour même".into(), "1\u{a0}jour".into(), "2\u{a0}jours".into()));
    }
}
