//! Where things stand: states in one column, in the order of the file; what goes down on the right, what comes
//! back on the left, the further the wider. So no arrow crosses a box, and no two numbers meet.

use std::collections::BTreeMap;

use crate::workflow::Workflow;

pub(super) const WIDTH: f64 = 230.0;
pub(super) const HEIGHT: f64 = 58.0;
const STEP: f64 = 96.0;
/// How much wider an arrow is for each state that it passes.
const WIDER: f64 = 36.0;
const MARGIN: f64 = 60.0;

pub(super) struct Layout<'w> {
    rows: BTreeMap<&'w str, usize>,
    /// Left of every box.
    pub left: f64,
    pub width: f64,
    pub height: f64,
}

/// The four points of a curve, and where its number stands.
pub(super) struct Curve {
    pub points: [(f64, f64); 4],
    pub number: (f64, f64),
}

pub(super) fn place(workflow: &Workflow) -> Layout<'_> {
    let rows = workflow.states.iter().enumerate().map(|(row, state)| (state.id.as_str(), row)).collect();
    let count = workflow.states.len().max(1);
    let side = number(count - 1) * WIDER + MARGIN;
    let height = number(count) * STEP;
    Layout { rows, left: side, width: WIDTH + 2.0 * side, height }
}

impl Layout<'_> {
    /// Top of a state's box.
    pub fn top(&self, state: &str) -> Option<f64> {
        self.rows.get(state).map(|row| number(*row) * STEP + (STEP - HEIGHT) / 2.0)
    }

    pub fn curve(&self, from: &str, to: &str) -> Option<Curve> {
        let (start, end) = (*self.rows.get(from)?, *self.rows.get(to)?);
        let passed = start.abs_diff(end);
        let (right, middle) = (self.left + WIDTH, |row: usize| number(row) * STEP + STEP / 2.0);
        if passed == 0 {
            let y = middle(start);
            let points = [(right, y - 9.0), (right + 40.0, y - 18.0), (right + 40.0, y + 18.0), (right, y + 9.0)];
            return Some(Curve { points, number: (right + 30.0, y) });
        }
        // Those that come from further touch the box nearer to its edge.
        let apart = 10.0 + number(passed.min(6)) * 2.5;
        let (side, way) = if end > start { (right, 1.0) } else { (self.left, -1.0) };
        let (y1, y2) = (middle(start) + way * apart, middle(end) - way * apart);
        let bend = way * (number(passed) * WIDER + 6.0);
        // The middle of such a curve is at three quarters of its controls.
        let control = side + bend / 0.75;
        let points = [(side, y1), (control, y1), (control, y2), (side, y2)];
        Some(Curve { points, number: (side + bend, (y1 + y2) / 2.0) })
    }
}

/// A count as a length; a workflow has few states.
pub(super) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}
