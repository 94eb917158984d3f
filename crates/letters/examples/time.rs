//! Time and memory per receipt, once warm: `cargo run --release -p letters --example time`.

use std::time::{Duration, Instant};

use letters::{LETTER, RECEIPT, REQUEST, Template};

const LETTERS: u32 = 200;

fn main() -> Result<(), letters::LetterError> {
    for template in [&*RECEIPT, &*REQUEST, &*LETTER] {
        measure(template)?;
    }
    Ok(())
}

fn measure(template: &Template) -> Result<(), letters::LetterError> {
    let date = jiff::civil::date(2026, 11, 21);
    let sample = template.sample();
    let mut bytes = 0;
    let first = Instant::now();
    letters::render(template, &sample, date)?;
    let first = first.elapsed();
    let start = cpu();
    for number in 0..LETTERS {
        let mut data = sample.clone();
        personalise(&mut data, number);
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

/// Makes a letter like no other of the same procedure: only labels and titles stay.
fn personalise(data: &mut serde_json::Value, number: u32) {
    for key in ["reference", "filer", "received"] {
        data[key] = format!("{} {number}", data[key].as_str().unwrap_or_default()).into();
    }
    for section in data["sections"].as_array_mut().into_iter().flatten() {
        for entry in section["entries"].as_array_mut().into_iter().flatten() {
            entry["value"] = format!("{} {number}", entry["value"]).into();
        }
    }
    for piece in data["pieces"].as_array_mut().into_iter().flatten() {
        piece["name"] = format!("photo-{number}.jpg").into();
    }
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
