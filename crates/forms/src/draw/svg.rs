//! The picture: boxes for states, numbered arrows for transitions; the numbers are those of the table.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    escape, label,
    layout::{self, Curve, HEIGHT, Layout, WIDTH, number},
};
use crate::workflow::{State, Status, Who, Workflow};

/// Longest line in a box, in characters.
const LINE: usize = 26;

/// Arrows between two states: the numbers of their transitions, and whether the platform fires them all.
struct Arrow<'w> {
    from: &'w str,
    to: &'w str,
    numbers: Vec<usize>,
    alone: bool,
}

/// The workflow as SVG, with a title and a description for who does not see it.
pub fn svg(workflow: &Workflow) -> String {
    let layout = layout::place(workflow);
    let arrows = arrows(workflow);
    let mut out = String::new();
    let (width, height) = (layout.width, layout.height);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"circuit-titre circuit-description\" font-family=\"sans-serif\" font-size=\"14\">\n<title id=\"circuit-titre\">{}</title>\n<desc id=\"circuit-description\">{}</desc>",
        escape(&workflow.title),
        escape(&description(workflow)),
    );
    out.push_str("<defs><marker id=\"fleche\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0 10 5 0 10z\" fill=\"#333\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    let mut labels = String::new();
    for arrow in &arrows {
        line(&mut out, &mut labels, &layout, arrow);
    }
    for state in &workflow.states {
        if let Some(top) = layout.top(&state.id) {
            boxed(&mut out, state, layout.left, top);
        }
    }
    out.push_str(&labels);
    out.push_str("</svg>\n");
    out
}

/// The same in one sentence per state.
fn description(workflow: &Workflow) -> String {
    let mut sentences = Vec::new();
    for state in &workflow.states {
        let leaving = workflow.transitions.iter().filter(|one| one.from.contains(&state.id));
        let ways: Vec<String> = leaving.map(|one| format!("{} ({})", label(workflow, &one.to), one.label)).collect();
        let ways = if ways.is_empty() { "fin".to_owned() } else { format!("vers {}", ways.join(", ")) };
        sentences.push(format!("De « {} » : {ways}.", state.label));
    }
    sentences.join(" ")
}

fn arrows(workflow: &Workflow) -> Vec<Arrow<'_>> {
    let mut arrows: BTreeMap<(&str, &str), Arrow<'_>> = BTreeMap::new();
    for (index, transition) in workflow.transitions.iter().enumerate() {
        for from in &transition.from {
            let (from, to, alone) = (from.as_str(), transition.to.as_str(), transition.who == Who::System);
            let arrow = arrows.entry((from, to)).or_insert(Arrow { from, to, numbers: Vec::new(), alone: true });
            arrow.numbers.push(index.saturating_add(1));
            arrow.alone &= alone;
        }
    }
    arrows.into_values().collect()
}

fn line(out: &mut String, labels: &mut String, layout: &Layout<'_>, arrow: &Arrow<'_>) {
    let Some(Curve { points: [start, one, two, end], number: (x, y) }) = layout.curve(arrow.from, arrow.to) else {
        return;
    };
    let dashes = if arrow.alone { " stroke-dasharray=\"6 4\"" } else { "" };
    let _ = writeln!(
        out,
        "<path d=\"M{:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}\" fill=\"none\" stroke=\"#333\" stroke-width=\"1.5\" marker-end=\"url(#fleche)\"{dashes}/>",
        start.0, start.1, one.0, one.1, two.0, two.1, end.0, end.1
    );
    let text = arrow.numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let wide = number(text.chars().count()) * 7.5 + 12.0;
    let _ = writeln!(
        labels,
        "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{wide:.0}\" height=\"20\" rx=\"10\" fill=\"#fff\" stroke=\"#333\"/><text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\" font-size=\"13\">{text}</text>",
        x - wide / 2.0,
        y - 10.0,
        y + 4.5
    );
}

fn boxed(out: &mut String, state: &State, x: f64, y: f64) {
    let fill = match state.status {
        Status::Draft => "#f3f2f1",
        Status::Sent => "#e8f1fa",
        Status::InProgress => "#fff",
        Status::ActionNeeded => "#fff4d6",
        Status::Accepted => "#e3f3e6",
        Status::Refused => "#fbe4e2",
        Status::Ended => "#e9e6f2",
    };
    let wide = if state.end { 3.0 } else { 1.5 };
    let _ = write!(
        out,
        "<rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{WIDTH:.0}\" height=\"{HEIGHT:.0}\" rx=\"6\" fill=\"{fill}\" stroke=\"#0b0c0c\" stroke-width=\"{wide}\"/>"
    );
    let lines = cut(&state.label);
    let top = y + HEIGHT / 2.0 + 5.0 - number(lines.len().saturating_sub(1)) * 9.0;
    for (index, text) in lines.iter().enumerate() {
        let _ = write!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            x + WIDTH / 2.0,
            top + number(index) * 18.0,
            escape(text)
        );
    }
    out.push('\n');
}

/// At most three lines, cut between words.
fn cut(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > 3 {
        lines.truncate(3);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}
