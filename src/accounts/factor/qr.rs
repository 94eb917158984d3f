//! The square drawing that a telephone reads, as the data of one SVG path.

use anyhow::{Result, anyhow};
use fast_qr::{ECL, QRBuilder};
use serde::Serialize;

/// Clear modules that readers need around the drawing.
const MARGIN: usize = 4;

#[derive(Debug, Clone, Serialize)]
pub struct Drawing {
    /// Side of the whole, margins included, in modules.
    pub side: usize,
    /// Dark modules, run by run.
    pub path: String,
}

/// # Errors
/// When the text is too long to be drawn.
pub fn draw(text: &str) -> Result<Drawing> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|error| anyhow!("QR code: {error:?}"))?;
    let mut path = String::new();
    for y in 0..code.size {
        let row: Vec<bool> =
            code.data.iter().skip(y * code.size).take(code.size).map(|module| module.value()).collect();
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&true) {
                path.push_str(&format!("M{} {}h{}v1h-{}z", x + MARGIN, y + MARGIN, run.len(), run.len()));
            }
            x += run.len();
        }
    }
    Ok(Drawing { side: code.size + 2 * MARGIN, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dark modules of the path, as (x, y).
    fn dark(drawing: &Drawing) -> std::collections::BTreeSet<(usize, usize)> {
        let mut found = std::collections::BTreeSet::new();
        for run in drawing.path.split('M').skip(1) {
            let (place, length) = run.split_once('h').unwrap();
            let (x, y): (usize, usize) =
                place.split_once(' ').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap();
            let length: usize = length.split('v').next().unwrap().parse().unwrap();
            found.extend((x..x + length).map(|x| (x, y)));
        }
        found
    }

    #[test]
    fn the_three_corners_are_where_readers_look() {
        let drawing = draw("otpauth://totp/Valmont:camille@exemple.fr?secret=GEZDGNBVGY3TQOJQ&issuer=Valmont").unwrap();
        let dark = dark(&drawing);
        let last = drawing.side - MARGIN - 1;
        for (x, y) in [(MARGIN, MARGIN), (last, MARGIN), (MARGIN, last)] {
            assert!(dark.contains(&(x, y)), "{x} {y}");
        }
        // A finder: seven dark modules, then a light one.
        assert!((0..7).all(|x| dark.contains(&(MARGIN + x, MARGIN))) && !dark.contains(&(MARGIN + 7, MARGIN)));
        assert!(dark.iter().all(|(x, y)| (MARGIN..=last).contains(x) && (MARGIN..=last).contains(y)));
    }

    #[test]
    fn too_much_is_an_error() {
        assert!(draw(&"x".repeat(5000)).is_err());
    }
}
