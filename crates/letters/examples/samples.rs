//! Writes one PDF per template into a folder: `cargo run -p letters --example samples -- DIR`.

use std::path::PathBuf;

use letters::{LETTER, RECEIPT, REQUEST, SLIP};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("a folder is needed")?);
    for template in [&*RECEIPT, &*REQUEST, &*LETTER, &*SLIP] {
        let pdf = letters::render(template, &template.sample(), jiff::civil::date(2026, 11, 21))?;
        std::fs::write(folder.join(template.name()).with_extension("pdf"), pdf)?;
    }
    Ok(())
}
