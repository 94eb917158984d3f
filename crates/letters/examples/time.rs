//! Time and memory per receipt, once warm: `cargo run --release -p letters --example time`.

use std::time::{Duration, Instant};

use letters::{DECISION, RECEIPT, REQUEST, Template};

const LETTERS: u32 = 200;

fn main() -> Result<(), letters::LetterError> {
    for template in [&*RECEIPT, &*REQUEST, &*DECISION] {
        measure(template)?;
    }
    Ok(())
}

fn measure(template: &Template) -> Result<(), letters::LetterError> {
    let date = jiff::civil::date(2026, 11, 21);
    let mut data = template.sample();
    let mut bytes = 0;
    let first = Instant::now();
    letters::render(template, &data, date)?;
    let first = first.elapsed();
    let start = cpu();
    for number in 0..LETTERS {
        // Each letter differs by what differs in life: its reference and a name.
        data["reference"] = format!("SEL-2026-{number:06}").into();
        data["filer"] = format!("Personne {number}").into();
        data["sections"][2]["entries"][1]["value"] = format!("{number}, rue Haute").into();
        bytes = letters::render(template, &data, date)?.len();
    }
    println!(
        "{:<9} first {first:>9.1?}, then {:>8.2?} of processor each, {bytes} bytes; {}",
        template.name(),
        (cpu().saturating_sub(start)) / LETTERS,
        memory(),
    );
    Ok(())
}

/// The processor time of all the threads of this process, in steps of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|tick| tick.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// The resident memory of this process, as the kernel tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("VmRSS unknown").to_owned()
}
