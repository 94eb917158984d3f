//! « Calendrier », for administrators: public holidays and closed days. What a change would move is counted before it
//! is kept; then a worker counts every running delay again.

use std::{collections::BTreeMap, fmt::Write};

use axum::{
    Router,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use data_encoding::HEXLOWER;
use db::{Json, Tx, args, sql};
use forms::answers::Raw;
use jiff::{SignedDuration, Timestamp, civil::Date};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Any, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Holidays, Settings, recount::RECOUNT};
use crate::{
    app::App,
    error::Problem,
    journal::{self, Action, Line},
    platform::{
        form::Typed,
        french,
        jobs::{self, NewJob},
    },
    requests::timers,
    visit::{Administrator, Agent},
};

const HOME: &str = "/agent/calendrier";
const TITLE: &str = "Calendrier";
/// Processes know a calendar this long after it changed: delays are counted again once they all know it.
const KNOWN_BY_ALL: SignedDuration = SignedDuration::from_secs(20);
/// Longest name of a day, in characters, and most days.
const LONGEST: usize = 100;
const MOST: usize = 1_000;

pub fn routes() -> Router<App> {
    Router::new().route("/agent/calendrier", get(show).post(change))
}

/// A calendar: which public holidays, which closed days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    pub holidays: Holidays,
    pub closed: BTreeMap<Date, String>,
}

impl Days {
    fn of(settings: &Settings) -> Self {
        Self { holidays: settings.holidays, closed: settings.closed_days.clone() }
    }

    /// The same for the same calendar, and for no other.
    fn print(&self) -> String {
        let mut text = format!("{:?}\n", self.holidays);
        for (day, name) in &self.closed {
            let _ = writeln!(text, "{day} {name}");
        }
        HEXLOWER.encode(&Sha256::digest(text))
    }

    /// As it is typed: « 24/12/2026 Veille de Noël », one a line.
    fn lines(&self) -> String {
        let line = |(day, name): (&Date, &String)| format!("{} {name}", day.strftime("%d/%m/%Y")).trim_end().to_owned();
        self.closed.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What is typed, or which lines are wrong.
    fn read(typed: &Raw) -> Result<Self, String> {
        let holidays = match typed.text("feries") {
            "alsace-moselle" => Holidays::AlsaceMoselle,
            _ => Holidays::France,
        };
        let (mut closed, mut wrong) = (BTreeMap::new(), Vec::new());
        for (index, line) in typed.text("jours").lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (day, name) = line.trim().split_once([' ', '\u{a0}', '\t', ';']).unwrap_or((line.trim(), ""));
            let name = name.trim_matches([' ', '\t', ';']);
            let number = index + 1;
            match french::day(day) {
                None => wrong.push(format!(
                    "ligne {number}, « {} » n’est pas une date",
                    day.chars().take(20).collect::<String>()
                )),
                Some(_) if name.chars().count() > LONGEST => {
                    wrong.push(format!("ligne {number}, un nom de {LONGEST} caractères au plus"));
                }
                Some(day) if closed.insert(day, name.to_owned()).is_some() => {
                    wrong.push(format!("ligne {number}, le {} est déjà plus haut", french::date(day)));
                }
                Some(_) => {}
            }
        }
        if closed.len() > MOST {
            wrong.push(format!("{MOST} jours au plus"));
        }
        if wrong.is_empty() {
            return Ok(Self { holidays, closed });
        }
        let more = wrong.len().saturating_sub(3);
        wrong.truncate(3);
        let rest = if more > 0 { format!("\u{a0}; et {more} de plus") } else { String::new() };
        Err(format!("Corrigez les jours de fermeture\u{a0}: {}{rest}", wrong.join("\u{a0}; ")))
    }

    /// What makes the other out of this, for the journal: days with a plus or a minus.
    fn towards(&self, other: &Self) -> String {
        let lost = self.closed.keys().filter(|day| !other.closed.contains_key(day)).map(|day| format!("-{day}"));
        let new = other.closed.keys().filter(|day| !self.closed.contains_key(day)).map(|day| format!("+{day}"));
        let mut said: Vec<String> = lost.chain(new).collect();
        let more = said.len().saturating_sub(20);
        said.truncate(20);
        if more > 0 {
            said.push(format!("({more})"));
        }
        if self.holidays != other.holidays {
            said.push(format!("{:?}", other.holidays));
        }
        said.join(" ")
    }
}

/// A change of the calendar, by this agent; none: by the operator.
pub struct Change<'a> {
    pub by: Option<Uuid>,
    pub closed: &'a BTreeMap<Date, String>,
    /// None: as they are.
    pub holidays: Option<Holidays>,
    /// The calendar that was looked at; none: whatever it is.
    pub seen: Option<&'a str>,
}

/// Keeps a calendar, with its line in the journal. False when somebody changed it since it was seen.
pub async fn keep(tx: &mut Tx, change: &Change<'_>, now: Timestamp) -> Result<bool, db::Error> {
    let Json(mut settings): Json<Settings> =
        tx.one(sql!("select settings from authority where id = $1 for update"), args![tx.authority()]).await?;
    let before = Days::of(&settings);
    if change.seen.is_some_and(|seen| seen != before.print()) {
        return Ok(false);
    }
    settings.closed_days.clone_from(change.closed);
    settings.holidays = change.holidays.unwrap_or(settings.holidays);
    let detail = before.towards(&Days::of(&settings));
    journal::note(tx, now, &Line::city(change.by, Action::CalendarChanged).detail(&detail)).await?;
    tx.run(sql!("update authority set settings = $1 where id = $2"), args![Json(&settings), tx.authority()]).await?;
    Ok(true)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    fait: String,
}

/// As it is kept: what the visit knows may be some seconds old.
async fn present(agent: &Agent) -> Result<Days, Problem> {
    let of = sql!("select settings from authority where id = $1");
    let Json(settings): Json<Settings> = agent.db.fresh().one(of, args![agent.site.id]).await?;
    Ok(Days::of(&settings))
}

/// What the page shows.
struct Page<'a> {
    present: &'a Days,
    holidays: Holidays,
    lines: String,
    error: Option<(&'static str, String)>,
    preview: Any,
    /// The calendar whose effect is shown.
    shown: String,
}

impl Page<'_> {
    fn context(&self, agent: &Agent) -> Value {
        let errors: Vec<Any> =
            self.error.iter().map(|(field, text)| json!({"href": format!("#{field}"), "text": text})).collect();
        let option = |code: &str, label: &str, one: Holidays| json!({"code": code, "label": label, "chosen": self.holidays == one});
        let options = [
            option("france", "Ceux de la France métropolitaine", Holidays::France),
            option(
                "alsace-moselle",
                "Avec le Vendredi saint et le 26 décembre (Alsace, Moselle)",
                Holidays::AlsaceMoselle,
            ),
        ];
        let calendar = forms::calendar::Calendar {
            alsace_moselle: self.present.holidays == Holidays::AlsaceMoselle,
            ..forms::calendar::Calendar::default()
        };
        let coming = agent.today().series(jiff::Span::new().days(1)).take(365).filter(|day| calendar.is_holiday(*day));
        context! {
            errors => Serde(errors), holidays => Serde(options), lines => &self.lines, seen => self.present.print(),
            shown => &self.shown, preview => Serde(&self.preview),
            coming => coming.map(|day| day.to_string()).collect::<Vec<_>>(),
        }
    }
}

async fn show(Administrator(agent): Administrator, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let present = present(&agent).await?;
    let (holidays, lines) = (present.holidays, present.lines());
    let page = Page { present: &present, holidays, lines, error: None, preview: Any::Null, shown: String::new() };
    let text = "Le calendrier est enregistré. Les délais des demandes en cours sont recalculés dans la minute.";
    let flash = match asked.fait.as_str() {
        "change" => context! { flash => context! { kind => "success", text => text } },
        _ => context! {},
    };
    agent.page("agent/calendar.html", TITLE, context! { ..page.context(&agent), ..flash })
}

/// Shows what the typed calendar would move; keeps it, once that was seen.
async fn change(Administrator(agent): Administrator, Typed(typed): Typed) -> Result<Response, Problem> {
    let present = present(&agent).await?;
    let read = Days::read(&typed);
    let holidays = read.as_ref().map_or(present.holidays, |days| days.holidays);
    let mut page = Page {
        present: &present,
        holidays,
        lines: typed.text("jours").to_owned(),
        error: None,
        preview: Any::Null,
        shown: String::new(),
    };
    let wanted = match read {
        Ok(wanted) => wanted,
        Err(text) => {
            page.error = Some(("jours", text));
            return agent.page_again("agent/calendar.html", TITLE, page.context(&agent));
        }
    };
    if typed.text("vu") != present.print() {
        page.error = Some(("jours", changed(&present)));
        return agent.page_again("agent/calendar.html", TITLE, page.context(&agent));
    }
    if wanted == present {
        page.error = Some((
            "jours",
            "Ce calendrier est celui qui vaut déjà\u{a0}: changez un jour ou les jours fériés".to_owned(),
        ));
        return agent.page_again("agent/calendar.html", TITLE, page.context(&agent));
    }
    let print = wanted.print();
    if typed.text("confirmer") != "oui" || typed.text("apercu") != print {
        page.preview = preview(&agent, &present, &wanted).await?;
        page.shown = print;
        return agent.page("agent/calendar.html", TITLE, page.context(&agent));
    }
    let (job, now) = (agent.id(), agent.now);
    let later = now.checked_add(KNOWN_BY_ALL).unwrap_or(now);
    let seen = present.print();
    let kept = agent
        .db
        .write(async |tx: &mut Tx| {
            let change = Change {
                by: Some(agent.account.id),
                closed: &wanted.closed,
                holidays: Some(wanted.holidays),
                seen: Some(&seen),
            };
            if !keep(tx, &change, now).await? {
                return Ok(false);
            }
            let new = NewJob { kind: RECOUNT, effect: format!("{RECOUNT}:{job}"), request: None, payload: Any::Null };
            jobs::enqueue(tx, job, later, new).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if kept {
        return Ok(Redirect::to(&format!("{HOME}?fait=change")).into_response());
    }
    let present = self::present(&agent).await?;
    let page = Page { present: &present, error: Some(("jours", changed(&present))), ..page };
    agent.page_again("agent/calendar.html", TITLE, page.context(&agent))
}

/// A colleague was faster: with what they kept, to compare.
fn changed(present: &Days) -> String {
    let days: Vec<String> = present.closed.keys().map(|day| french::date(*day)).collect();
    let days = if days.is_empty() { "aucun jour de fermeture".to_owned() } else { days.join(", ") };
    format!(
        "Le calendrier a été modifié pendant votre saisie. Il comprend maintenant\u{a0}: {days}. Si vous continuez, votre saisie le remplace"
    )
}

async fn preview(agent: &Agent, present: &Days, wanted: &Days) -> Result<Any, Problem> {
    let calendar = forms::calendar::Calendar {
        alsace_moselle: wanted.holidays == Holidays::AlsaceMoselle,
        closed: wanted.closed.keys().copied().collect(),
    };
    let moved = timers::foresee(agent, &calendar).await?;
    let only = |one: &Days, other: &Days| -> Vec<Any> {
        let days = one.closed.iter().filter(|(day, name)| other.closed.get(day) != Some(name));
        days.map(|(day, name)| json!({"day": day.to_string(), "name": name})).collect()
    };
    Ok(json!({
        "added": only(wanted, present), "removed": only(present, wanted), "requests": moved.requests, "timers": moved.timers,
    }))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(text: &str) -> Result<Days, String> {
        let mut typed = Raw::default();
        typed.set("jours", text);
        Days::read(&typed)
    }

    #[test]
    fn what_is_shown_is_what_is_typed() {
        let days = read("24/12/2026 Veille de Noël\n\n 2026-05-15;Pont \r\n02.01.2027\n").unwrap();
        let expected = [(date(2026, 5, 15), "Pont"), (date(2026, 12, 24), "Veille de Noël"), (date(2027, 1, 2), "")];
        assert_eq!(days.closed, BTreeMap::from(expected.map(|(day, name)| (day, name.to_owned()))));
        assert_eq!(days.lines(), "15/05/2026 Pont\n24/12/2026 Veille de Noël\n02/01/2027");
        assert_eq!(read(&days.lines()).unwrap(), days);
        assert_eq!(read("").unwrap().closed.len(), 0);
    }

    #[test]
    fn wrong_lines_are_named() {
        let wrong = |text: &str| read(text).unwrap_err();
        assert!(wrong("31/02/2026 Rien").contains("ligne 1, « 31/02/2026 »"));
        assert!(wrong("15/05/2026\n15/05/2026 Pont").contains("ligne 2, le 15\u{a0}mai 2026 est déjà"));
        assert!(wrong(&format!("15/05/2026 {}", "é".repeat(101))).contains("100 caractères"));
        assert!(wrong("a\nb\nc\nd\ne").ends_with("et 2 de plus"));
    }

    #[test]
    fn a_print_is_of_one_calendar_and_the_journal_says_what_changed() {
        let (one, mut two) = (read("15/05/2026 Pont").unwrap(), read("15/05/2026 Pont\n24/12/2026").unwrap());
        assert_eq!(one.print(), read("15/05/2026 Pont").unwrap().print());
        assert_ne!(one.print(), read("15/05/2026").unwrap().print());
        assert_eq!((one.towards(&two).as_str(), two.towards(&one).as_str()), ("+2026-12-24", "-2026-12-24"));
        two.holidays = Holidays::AlsaceMoselle;
        assert_ne!(two.print(), Days { holidays: Holidays::France, ..two.clone() }.print());
        assert_eq!(one.towards(&two), "+2026-12-24 AlsaceMoselle");
    }
}
