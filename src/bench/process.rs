//! What a process used, as Linux tells it in /proc.

use std::time::Duration;

/// Length of the kernel's accounting tick, the same on every architecture we know.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of `pid` so far, user and system, and that of its children that ended.
pub fn cpu(pid: u32) -> Option<Duration> {
    let ticks: u32 = fields(pid)?.iter().skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    Some(TICK * ticks)
}

/// The same for `pid` with all of its children.
pub fn cpu_of_family(pid: u32) -> Option<Duration> {
    let children =
        std::fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let family = children.filter(|child| parent(*child) == Some(pid)).filter_map(cpu);
    Some(cpu(pid)? + family.sum::<Duration>())
}

pub fn parent(pid: u32) -> Option<u32> {
    fields(pid)?.get(1)?.parse().ok()
}

/// Memory in use now, in mebibytes.
pub fn resident(pid: u32) -> Option<f64> {
    status(pid, "VmRSS:")
}

/// The most memory ever in use, in mebibytes.
pub fn most_resident(pid: u32) -> Option<f64> {
    status(pid, "VmHWM:")
}

/// Fields of /proc/PID/stat from the third (state) on: the second, the name, may hold spaces.
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn status(pid: u32, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes / 1024.0)
}
