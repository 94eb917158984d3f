//! What agents are told by mail without asking each time: late requests, those that managers must know of, the
//! figures of a department. Once each working day a round decides all of it in one transaction, which moves the
//! day of the last round: whatever happens to the server, a day has one round, and a later one catches up.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use db::{Db, Tx, args, row, sql};
use forms::calendar::Calendar;
use jiff::{ToSpan, civil::Date};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    facts,
    late::{escalated, watch},
    mails::{self, REMINDER, REPORT, RISEN},
    scope::Scope,
};
use crate::{
    agents::{self, Role},
    app::App,
    authorities,
    platform::jobs::{self, NewJob},
    visit::Visit,
    work,
};

/// Local hour from which a round is made.
const HOUR: i8 = 7;

/// How often somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    Day,
    Week,
    Never,
}

impl Every {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Never];

    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "jour",
            Self::Week => "semaine",
            Self::Never => "jamais",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.name() == name)
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Day => "Chaque jour ouvré, s’il y a quelque chose",
            Self::Week => "Une fois par semaine, s’il y a quelque chose",
            Self::Never => "Jamais",
        }
    }
}

/// How often the figures of a department are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    Weekly,
    Monthly,
}

impl Rhythm {
    pub const ALL: [Self; 2] = [Self::Weekly, Self::Monthly];

    pub fn name(self) -> &'static str {
        match self {
            Self::Weekly => "semaine",
            Self::Monthly => "mois",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.name() == name)
    }

    /// The last period that is over: first and last day.
    pub fn last(self, today: Date) -> (Date, Date) {
        let back = |day: Date, days: i32| day.checked_sub(days.days()).unwrap_or(day);
        match self {
            Self::Weekly => {
                let monday = back(today, i32::from(today.weekday().to_monday_zero_offset()));
                (back(monday, 7), back(monday, 1))
            }
            Self::Monthly => {
                let last = back(today.first_of_month(), 1);
                (last.first_of_month(), last)
            }
        }
    }
}

/// Periods told late, at most: nobody reads more.
const LATE: usize = 6;

impl Rhythm {
    /// The periods after the one that begins on `told`, up to `last`: those that a stopped server did not tell of.
    fn since(self, told: Date, last: (Date, Date)) -> Vec<(Date, Date)> {
        let before = |period: &(Date, Date)| Some(self.last(period.0));
        let mut missed: Vec<(Date, Date)> =
            std::iter::successors(Some(last), before).take_while(|(from, _)| *from > told).take(LATE).collect();
        missed.reverse();
        missed
    }
}

/// Whether a round is to be made.
fn due(last: Option<Date>, today: Date, hour: i8, calendar: &Calendar) -> bool {
    hour >= HOUR && calendar.is_working_day(today) && last.is_none_or(|last| last < today)
}

pub async fn choice(db: &Db, account: Uuid) -> Result<Every, db::Error> {
    let kept: Option<String> = db
        .first(
            sql!("select every from reminder_choice where authority_id = $1 and account_id = $2"),
            args![db.authority(), account],
        )
        .await?;
    Ok(kept.and_then(|name| Every::named(&name)).unwrap_or(Every::Day))
}

pub async fn choose(tx: &mut Tx, account: Uuid, every: Every) -> Result<(), db::Error> {
    tx.run(
        sql!(
            "insert into reminder_choice (authority_id, account_id, every) values ($1, $2, $3)
             on conflict (authority_id, account_id) do update set every = excluded.every"
        ),
        args![tx.authority(), account, every.name()],
    )
    .await?;
    Ok(())
}

row! {
    /// Who gets the figures of a department.
    #[derive(Debug, Clone)]
    pub struct Reader {
        department_id: String,
        account_id: Uuid,
        every: String,
        told: Date,
    }
}

/// Who gets figures; of one agent when they are named.
pub async fn readers(db: &Db, account: Option<Uuid>) -> Result<Vec<Reader>, db::Error> {
    db.all(
        sql!(
            "select department_id, account_id, every, told from statistics_mail
             where authority_id = $1 and (cast($2 as uuid) is null or account_id = $2) order by department_id, account_id"
        ),
        args![db.authority(), account],
    )
    .await
}

/// Chooses how often an agent gets the figures of a department; the first mail is about the period under way. The
/// same choice again changes nothing: what is not told yet still will be.
pub async fn subscribe(
    tx: &mut Tx,
    department: &str,
    account: Uuid,
    report: Option<Rhythm>,
    today: Date,
) -> Result<(), db::Error> {
    let Some(report) = report else {
        tx.run(
            sql!("delete from statistics_mail where authority_id = $1 and department_id = $2 and account_id = $3"),
            args![tx.authority(), department, account],
        )
        .await?;
        return Ok(());
    };
    tx.run(
        sql!(
            "insert into statistics_mail (authority_id, department_id, account_id, every, told) values ($1, $2, $3, $4, $5)
             on conflict (authority_id, department_id, account_id) do update set every = excluded.every,
               told = case when statistics_mail.every = excluded.every then statistics_mail.told else excluded.told end"
        ),
        args![tx.authority(), department, account, report.name(), report.last(today).0],
    )
    .await?;
    Ok(())
}

/// Makes the round of every authority where it is time.
pub async fn rounds(app: &App) -> Result<()> {
    for authority in authorities::all(&app.db).await? {
        let visit = work::visit(app, authority).await?;
        let last: Option<Date> =
            visit.db.first(sql!("select day from reminder_round where authority_id = $1"), args![authority]).await?;
        let local = visit.now.to_zoned(visit.site.zone.clone());
        if due(last, local.date(), local.hour(), &visit.site.calendar) {
            round(&visit, last).await?;
        }
    }
    Ok(())
}

/// A mail to queue.
struct Mail {
    message: &'static str,
    account: Uuid,
    more: Json,
}

async fn round(visit: &Visit, last: Option<Date>) -> Result<()> {
    let today = visit.today();
    let since = last.unwrap_or_else(|| today.yesterday().unwrap_or(today));
    let members = agents::members(&visit.db, today).await?;
    let mut mails = late(visit, &members, since).await?;
    mails.extend(reminders(visit, &members, since).await?);
    let mut told = Vec::new();
    for reader in readers(&visit.db, None).await? {
        let Some(rhythm) = Rhythm::named(&reader.every) else { continue };
        let last = rhythm.last(today);
        let manages = members.iter().any(|(account, department, role)| {
            *account == reader.account_id && *department == reader.department_id && *role >= Role::Manager
        });
        for (from, to) in rhythm.since(reader.told, last).into_iter().filter(|_| manages) {
            let more = json!({"department": reader.department_id, "every": reader.every, "from": from, "to": to});
            mails.push(Mail { message: REPORT, account: reader.account_id, more });
        }
        if reader.told < last.0 {
            told.push((reader, last.0));
        }
    }
    let ids: Vec<Uuid> = mails.iter().map(|_| visit.id()).collect();
    let made = visit
        .db
        .write(async |tx: &mut Tx| {
            // Another worker was faster: it queued all of this.
            if !claim(tx, today).await? {
                return Ok(false);
            }
            for (reader, from) in &told {
                tx.run(
                    sql!("update statistics_mail set told = $1 where authority_id = $2 and department_id = $3 and account_id = $4"),
                    args![*from, tx.authority(), &reader.department_id, reader.account_id],
                )
                .await?;
            }
            for (id, mail) in ids.iter().zip(&mails) {
                let payload = json!({"message": mail.message, "account": mail.account, "more": mail.more});
                let job = NewJob { kind: mails::LETTER, effect: format!("steering:{id}"), request: None, payload };
                jobs::enqueue(tx, *id, visit.now, job).await?;
            }
            facts::sweep(tx, today).await?;
            Ok::<bool, db::Error>(true)
        })
        .await?;
    if made && !mails.is_empty() {
        visit.app.work.notify_one();
    }
    Ok(())
}

async fn claim(tx: &mut Tx, today: Date) -> Result<bool, db::Error> {
    let moved = tx
        .run(
            sql!(
                "insert into reminder_round (authority_id, day) values ($1, $2)
                 on conflict (authority_id) do update set day = excluded.day where reminder_round.day < excluded.day"
            ),
            args![tx.authority(), today],
        )
        .await?;
    Ok(moved == 1)
}

/// To the managers of each department, what has been red for too long since the last round.
async fn late(visit: &Visit, members: &[(Uuid, String, Role)], since: Date) -> Result<Vec<Mail>> {
    let departments: BTreeSet<&String> = members.iter().map(|(_, department, _)| department).collect();
    let mut mails = Vec::new();
    for department in departments {
        let (many, _) = escalated(visit, department, since).await.map_err(|problem| mails::broken(&problem))?;
        if many == 0 {
            continue;
        }
        let managers = members.iter().filter(|(_, of, role)| of == department && *role >= Role::Manager);
        let more = json!({"department": department, "since": since});
        mails.extend(managers.map(|(account, ..)| Mail { message: RISEN, account: *account, more: more.clone() }));
    }
    Ok(mails)
}

/// To whoever processes, what is orange or red in their departments, as often as they want it.
async fn reminders(visit: &Visit, members: &[(Uuid, String, Role)], since: Date) -> Result<Vec<Mail>> {
    let chosen: BTreeMap<Uuid, String> = visit
        .db
        .all::<(Uuid, String)>(
            sql!("select account_id, every from reminder_choice where authority_id = $1"),
            args![visit.db.authority()],
        )
        .await?
        .into_iter()
        .collect();
    let today = visit.today();
    let new_week = (today - since).get_days() >= 7
        || today.weekday().to_monday_zero_offset() < since.weekday().to_monday_zero_offset();
    let mut late: BTreeMap<&str, bool> = BTreeMap::new();
    let mut wanted: BTreeSet<Uuid> = BTreeSet::new();
    for (account, department, role) in members {
        let every = chosen.get(account).and_then(|name| Every::named(name)).unwrap_or(Every::Day);
        let now = every == Every::Day || every == Every::Week && new_week;
        if *role < Role::Processor || !now {
            continue;
        }
        let found = match late.get(department.as_str()) {
            Some(found) => *found,
            None => {
                let found = watch(visit, &Scope::department(department), false)
                    .await
                    .map_err(|problem| mails::broken(&problem))?;
                *late.entry(department).or_insert(!found.groups.is_empty())
            }
        };
        if found {
            wanted.insert(*account);
        }
    }
    Ok(wanted.into_iter().map(|account| Mail { message: REMINDER, account, more: Json::Null }).collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_round_is_made_once_a_working_day() {
        let calendar = Calendar::default();
        let (friday, sunday, monday) = (date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 23));
        assert!(due(None, friday, 7, &calendar));
        assert!(!due(None, friday, 6, &calendar));
        assert!(!due(Some(friday), friday, 12, &calendar));
        assert!(!due(Some(friday), sunday, 12, &calendar));
        // The server was down all morning.
        assert!(due(Some(friday), monday, 18, &calendar));
    }

    #[test]
    fn periods_that_are_over() {
        let week = Rhythm::Weekly.last(date(2026, 11, 22));
        assert_eq!(week, (date(2026, 11, 9), date(2026, 11, 15)));
        assert_eq!(Rhythm::Weekly.last(date(2026, 11, 23)).1, date(2026, 11, 22));
        assert_eq!(Rhythm::Monthly.last(date(2026, 3, 1)), (date(2026, 2, 1), date(2026, 2, 28)));
        let since = |told| Rhythm::Weekly.since(told, week).iter().map(|(from, _)| *from).collect::<Vec<_>>();
        assert_eq!(since(date(2026, 10, 26)), [date(2026, 11, 2), date(2026, 11, 9)]);
        assert_eq!(since(date(2026, 11, 9)), []);
        assert_eq!(since(date(2020, 1, 6)).len(), LATE);
    }
}
