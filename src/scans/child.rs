//! The other side of [`super::aside`]: this program once more, which reads one file on its standard input, within
//! limits, and knows neither settings nor secrets.

use std::{
    io::{Read, Write},
    ops::RangeInclusive,
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use scans::{Pages, Picture, Printed, Unreadable, of_image, printed};

use super::bound;

/// A password protects the file.
pub const LOCKED: u8 = 3;
/// It cannot be read.
pub const BROKEN: u8 = 4;
/// It holds answers to a form that cannot be drawn.
pub const FORM: u8 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// How many pages, in digits.
    Count,
    /// Some pages, as a PDF.
    Cut,
    /// Pictures: see [`frame`].
    Draw,
    /// All of it, as pages to put behind others: how many in four bytes, the highest first, then a PDF.
    Print,
    /// Not of one file: see [`bound::bind`].
    Bind,
}

#[derive(Debug, Args)]
pub struct Asked {
    what: What,
    /// First page, from 1.
    #[arg(default_value_t = 1)]
    first: usize,
    #[arg(default_value_t = 1)]
    last: usize,
}

pub fn run(asked: &Asked) -> ExitCode {
    if limit().is_err() {
        return ExitCode::FAILURE;
    }
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    match carry_out(asked.what, asked.first..=asked.last, bytes) {
        Ok(answer) => match std::io::stdout().lock().write_all(&answer) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(Unreadable::Locked) => ExitCode::from(LOCKED),
        Err(Unreadable::Broken) => ExitCode::from(BROKEN),
        Err(Unreadable::Form) => ExitCode::from(FORM),
    }
}

/// Bounds what a file made to do harm can take: a minute of processor, four gigabytes, no file, no core.
#[cfg(unix)]
fn limit() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits: [(Resource, u64); 5] = [
        (Resource::Cpu, 60),
        (Resource::As, 4 << 30),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Nofile, 16),
    ];
    for (resource, most) in limits {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> std::io::Result<()> {
    Ok(())
}

fn carry_out(what: What, numbers: RangeInclusive<usize>, bytes: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
    if !bytes.starts_with(b"%PDF") && what == What::Draw {
        return Ok(frame(of_image(&bytes)));
    }
    match what {
        What::Count => Ok(Pages::read(bytes)?.count().to_string().into_bytes()),
        What::Cut => Pages::read(bytes)?.cut(numbers),
        What::Draw => {
            let pages = Pages::read(bytes)?;
            Ok(numbers.flat_map(|number| frame(pages.picture(number))).collect())
        }
        What::Print => {
            let Printed { pages, pdf } = printed(bytes)?;
            Ok([&u32::try_from(pages).unwrap_or(u32::MAX).to_be_bytes()[..], &pdf].concat())
        }
        What::Bind => bound::bind(&bytes).ok_or(Unreadable::Broken),
    }
}

/// One page: 0 when it cannot be drawn, 1 when something is on it, 2 when it is blank; then the two pictures, each
/// after its length in four bytes, the highest first.
fn frame(picture: Option<Picture>) -> Vec<u8> {
    let Some(picture) = picture else { return vec![0] };
    let mut bytes = vec![if picture.blank { 2 } else { 1 }];
    for part in [picture.small, picture.large] {
        bytes.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Reads frames back; none when they are cut short.
pub fn frames(mut bytes: &[u8]) -> Option<Vec<Option<Picture>>> {
    let mut pictures = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        bytes = rest;
        if *kind == 0 {
            pictures.push(None);
            continue;
        }
        let (small, rest) = part(bytes)?;
        let (large, rest) = part(rest)?;
        bytes = rest;
        pictures.push(Some(Picture { small, large, blank: *kind == 2 }));
    }
    Some(pictures)
}

fn part(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((part.to_vec(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back() {
        let picture = |blank| Picture { small: vec![1, 2], large: vec![3; 70_000], blank };
        let bytes = [frame(Some(picture(true))), frame(None), frame(Some(picture(false)))].concat();
        let back = frames(&bytes).unwrap();
        let shape = |one: &Option<Picture>| one.as_ref().map(|one| (one.small.len(), one.large.len(), one.blank));
        assert_eq!(
            back.iter().map(shape).collect::<Vec<_>>(),
            [Some((2, 70_000, true)), None, Some((2, 70_000, false))]
        );
        assert!(frames(&bytes[..bytes.len() - 1]).is_none());
        assert!(frames(&[]).unwrap().is_empty());
    }
}
