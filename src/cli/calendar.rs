//! The authority's calendar from the command line: its closed days and its public holidays.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;

use super::admin::find;
use crate::{
    app::App,
    authorities::{
        Holidays,
        calendar::{self, Change},
    },
    requests::timers,
};

#[derive(Subcommand)]
pub enum Command {
    /// Replaces the days on which an authority is closed by those of a file, one a line: « 2026-12-24 Veille de
    /// Noël ». Weekends and public holidays are known already. Delays that run are counted again.
    Calendar {
        #[arg(long)]
        authority: String,
        file: PathBuf,
        /// Public holidays of the place; left out, they stay as they are.
        #[arg(long)]
        holidays: Option<Place>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Place {
    France,
    /// With Good Friday and 26 December.
    AlsaceMoselle,
}

pub async fn run(app: &App, command: Command) -> Result<()> {
    let Command::Calendar { authority, file, holidays } = command;
    let authority = find(app, &authority).await?;
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let closed = closed_days(&text)?;
    let holidays = holidays.map(|place| match place {
        Place::France => Holidays::France,
        Place::AlsaceMoselle => Holidays::AlsaceMoselle,
    });
    let now = app.clock.now();
    let db = app.db.for_authority(authority);
    let change = Change { by: None, closed: &closed, holidays, seen: None };
    db.write(async |tx: &mut db::Tx| calendar::keep(tx, &change, now).await).await?;
    let moved = timers::recount(app, authority).await?;
    println!("{} closed days; the delays of {moved} requests moved", closed.len());
    Ok(())
}

/// Day and name, one a line; blank lines do not count.
fn closed_days(text: &str) -> Result<BTreeMap<Date, String>> {
    let mut days = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (day, name) = line.split_once([' ', ';', ',', '\t']).unwrap_or((line, ""));
        let name = name.trim_matches([' ', ';', ',', '\t', '"']);
        let Ok(day) = day.trim_matches('"').parse::<Date>() else {
            bail!("line {}: a day (YYYY-MM-DD), then its name: {line}", index + 1);
        };
        if days.insert(day, name.to_owned()).is_some() {
            bail!("line {}: {day} is there already", index + 1);
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_and_their_names() {
        let days = closed_days("2026-12-24 Veille de Noël\n\n2026-05-15;Pont\r\n2027-01-02\n").unwrap();
        let expected = [(date(2026, 5, 15), "Pont"), (date(2026, 12, 24), "Veille de Noël"), (date(2027, 1, 2), "")];
        assert_eq!(days, BTreeMap::from(expected.map(|(day, name)| (day, name.to_owned()))));
        for (wrong, says) in [("24/12/2026 Noël", "line 1"), ("2026-05-15 a\n2026-05-15 b", "line 2")] {
            assert!(closed_days(wrong).unwrap_err().to_string().starts_with(says), "{wrong}");
        }
    }
}
