//! `guichet bench seed`: requests of forty procedures in twenty departments, with five years of history, written
//! in bulk with their index, events, messages and counters. The same number always gives the same rows but for
//! their dates, which end today; nothing of them stays in memory but counters.

use std::time::Instant;

use anyhow::Result;
use db::{Db, Json, Query, Tx, args};
use forms::{
    journey::{Said, Told},
    step::{Clocks, Life},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use uuid::Uuid;

use self::{
    tables::Tables,
    words::{Dice, ENDS, FIRST, OCCASIONS, REMARKS, ROOTS, STREETS},
};
use super::site::PROCEDURE;
use crate::{
    accounts::{self, NewAccount, session::Kind},
    agents::{self, Role},
    authorities::{self, Department},
    catalogue::{self, Sources},
    platform::clock,
    requests::{Channel, model, owner::Whose, search, store::New},
    steering::{
        self,
        facts::{Fact, Measure, Sums, WEB},
    },
    visit::Visit,
};

mod tables;
mod words;

pub const DEPARTMENTS: u64 = 20;
pub const PROCEDURES: u64 = 40;
/// Agents: one of one department, one of all of them.
pub const ONE: &str = "un@mesure.example";
pub const TWENTY: &str = "vingt@mesure.example";
const YEARS: i64 = 5;
/// Requests of one transaction.
const BATCH: u64 = 2_000;

/// Departments, procedures and agents, then `count` requests.
pub async fn seed(visit: &Visit, count: u64) -> Result<()> {
    let begun = Instant::now();
    let agent = city(visit).await?;
    let db = &visit.db;
    index(db, false).await?;
    let mut sums = Sums::on(visit.today());
    let mut done = 0;
    while done < count {
        let end = (done + BATCH).min(count);
        let mut tables = Tables::new();
        for at in done..end {
            request(&mut tables, &mut sums, visit, agent, at, count)?;
        }
        db.write(async |tx: &mut Tx| tables.write(tx).await).await?;
        done = end;
        if done % 100_000 == 0 {
            tracing::info!(done, seconds = begun.elapsed().as_secs_f64(), "requests made");
        }
    }
    // As the worker leaves them.
    db.write(async |tx: &mut Tx| sums.clone().write(tx, visit.now).await).await?;
    index(db, true).await?;
    tracing::info!(done, seconds = begun.elapsed().as_secs_f64(), "requests made, indexes ready");
    Ok(())
}

/// PostgreSQL fills a whole index faster than an existing one, and wants to know what its tables hold.
async fn index(db: &Db, ready: bool) -> Result<()> {
    if db.engine() == "sqlite" {
        return Ok(());
    }
    let statements: &[&'static str] = if ready {
        &[
            "set local statement_timeout = 0",
            "create index request_search_tokens on request_search using gin (tokens) with (fastupdate = off)",
            "analyze",
        ]
    } else {
        &["drop index if exists request_search_tokens"]
    };
    let work = async |tx: &mut Tx| {
        for statement in statements {
            tx.run(Query::new(statement), args![]).await?;
        }
        Ok::<(), db::Error>(())
    };
    db.write(work).await?;
    Ok(())
}

fn department_of(procedure: u64) -> String {
    format!("mesure-{:02}", procedure % DEPARTMENTS + 1)
}

fn procedure_id(procedure: u64) -> String {
    format!("mesure-{:02}", procedure + 1)
}

/// Gives the id of the agent of all departments.
async fn city(visit: &Visit) -> Result<Uuid> {
    for at in 0..DEPARTMENTS {
        let id = department_of(at);
        let department =
            Department { name: format!("Service {id}"), id, email: None, phone: None, address: None, hours: None };
        authorities::add_department(&visit.db, &department).await?;
    }
    let procedures = (0..PROCEDURES).map(|at| {
        let text = PROCEDURE
            .replace("id: mesure\n", &format!("id: {}\n", procedure_id(at)))
            .replace("department: relations-usagers\n", &format!("department: {}\n", department_of(at)));
        (format!("{}.yaml", procedure_id(at)), text)
    });
    let shared = catalogue::shipped()?.shared;
    catalogue::publish(
        &visit.db,
        &Sources { procedures: procedures.collect(), surveys: Vec::new(), shared },
        visit.now,
    )
    .await?;
    let mut last = Uuid::nil();
    for (email, many) in [(ONE, 1), (TWENTY, DEPARTMENTS)] {
        let new = NewAccount {
            id: visit.id(),
            kind: Kind::Agent,
            email: email.to_owned(),
            password_hash: None,
            first_name: "Agent".to_owned(),
            last_name: format!("de {many}"),
            phone: None,
            quality: Some("Agent de mesure".to_owned()),
            confirmed_at: Some(visit.now),
        };
        last = new.id;
        accounts::create(&visit.db, &new, visit.now).await?;
        for at in 0..many {
            agents::add_membership(&visit.db, new.id, &department_of(at), Role::Decider).await?;
        }
    }
    Ok(last)
}

/// Ids in the order of time, as ours are.
fn id(at: Timestamp, kind: u8, number: u64) -> Uuid {
    let mut rest = [kind; 10];
    for (place, byte) in rest.iter_mut().skip(1).zip(number.to_be_bytes()) {
        *place = byte;
    }
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.as_millisecond()).unwrap_or_default(), &rest).into_uuid()
}

/// As references look; no two are alike below two thousand millions.
fn reference(number: u64) -> String {
    const SPACE: u64 = 36_u64.pow(6);
    let mut left = number.wrapping_mul(1_000_003) % SPACE;
    let mut letters = [b'0'; 6];
    for letter in &mut letters {
        let digit = u8::try_from(left % 36).unwrap_or_default();
        *letter = if digit < 10 { b'0' + digit } else { b'A' + digit - 10 };
        left /= 36;
    }
    let text = String::from_utf8_lossy(&letters).into_owned();
    let (start, end) = text.split_at(4);
    format!("VAL-{start}-{end}")
}

/// Where a request stands: state, status, and the transitions that led there.
type Path = (&'static str, &'static str, &'static [Step]);
/// (transition, from, to).
type Step = (&'static str, &'static str, &'static str);
const SENT: Path = ("submitted", "sent", &[("send", "draft", "submitted")]);
const TAKEN: Path =
    ("in-progress", "in-progress", &[("send", "draft", "submitted"), ("take", "submitted", "in-progress")]);
const ASKED: Path = (
    "incomplete",
    "action-needed",
    &[("send", "draft", "submitted"), ("take", "submitted", "in-progress"), ("ask", "in-progress", "incomplete")],
);
const CLOSED: Path = (
    "closed",
    "ended",
    &[
        ("send", "draft", "submitted"),
        ("take", "submitted", "in-progress"),
        ("accept", "in-progress", "validated"),
        ("close", "validated", "closed"),
    ],
);
const REFUSED: Path = (
    "rejected",
    "refused",
    &[("send", "draft", "submitted"), ("take", "submitted", "in-progress"), ("refuse", "in-progress", "rejected")],
);

fn path(dice: &mut Dice, at: u64, count: u64) -> Path {
    // Of a city's requests, those of the last month run.
    if at * 60 / count.max(1) >= 59 {
        return match dice.roll(10) {
            0..4 => SENT,
            4..8 => TAKEN,
            _ => ASKED,
        };
    }
    if dice.roll(12) == 0 { REFUSED } else { CLOSED }
}

fn request(tables: &mut Tables, sums: &mut Sums, visit: &Visit, agent: Uuid, at: u64, count: u64) -> Result<()> {
    let mut dice = Dice(at);
    let authority = visit.db.authority();
    let span = u64::try_from(YEARS * 365 * 24 * 3600 * 1000)?;
    let ago = (u128::from(count - at) * u128::from(span) / u128::from(count.max(1))).try_into().unwrap_or(span);
    let sent = visit.now.checked_sub(SignedDuration::from_millis(i64::try_from(ago)?))?;
    let after = |hours: i64| sent.checked_add(SignedDuration::from_hours(hours)).map(|then| then.min(visit.now));
    let (state, status, steps) = path(&mut dice, at, count);
    let ended = matches!(status, "ended" | "refused");
    let procedure = dice.skewed(PROCEDURES);
    let (procedure_id, department) = (procedure_id(procedure), department_of(procedure));
    let name = format!("{}{}", dice.of(&ROOTS), dice.of(&ENDS));
    let (first, street, occasion) = (dice.of(&FIRST), dice.of(&STREETS), dice.of(&OCCASIONS));
    let number = dice.roll(150) + 1;
    let mut remarks: Vec<&str> = (0..12).map(|_| dice.of(&REMARKS)).collect();
    if at % 20_000 == 7 {
        remarks.push("xylophone");
    }
    let remarks = remarks.join(" ");
    let email = format!("{}.{}@exemple.fr", first.to_lowercase(), at % 50_000);
    let answers = json!({
        "salle": "grande", "occasion": occasion, "debut": "2027-06-12", "personnes": number.to_string(), "materiel": ["tables"],
        "traiteur": "oui", "remarques": remarks, "demandeur": {"nom_naissance": name, "prenoms": first},
        "adresse": {"numero_voie": format!("{number} {street}"), "code_postal": "63100", "commune": "Valmont"},
        "courriel": email, "qualite": "moi",
    });
    let said =
        format!("grande salle {occasion} {number} {remarks} {name} {first} {number} {street} 63100 Valmont {email}");
    let full_name = format!("{first} {name}");
    let request = id(sent, 1, at);
    let life = Life {
        state: state.to_owned(),
        submitted: sent,
        due: after(24 * 20)?.max(sent.checked_add(SignedDuration::from_hours(24 * 20))?),
        suspended: (status == "action-needed").then_some(sent),
        completed: None,
        ended: ended.then_some(after(24 * 15)?),
        held: false,
        clocks: Clocks::default(),
    };
    let no_answers = forms::answers::Answers::new();
    let new = New {
        id: request,
        reference: &reference(at),
        procedure_id: &procedure_id,
        procedure_version: 1,
        department_id: &department,
        whose: Whose::default(),
        acted_as: None,
        filer_name: Some(&full_name),
        beneficiary: None,
        email: Some(&email),
        answers: &no_answers,
        said: &Said {
            words: said,
            addresses: format!("{number} {street} 63100 Valmont"),
            told: [
                ("salle".to_owned(), Told::One("grande".to_owned())),
                ("occasion".to_owned(), Told::Words(occasion.to_owned())),
                ("debut".to_owned(), Told::Day(clock::day(sent, &TimeZone::UTC))),
            ]
            .into(),
        },
        status,
        life: &life,
        archive_at: None,
        confidential_address: false,
        channel: Channel::Web,
        now: sent,
    };
    let (place, names, tokens) = search::tokens(authority, &new);
    let holder = (steps.len() > 1 && dice.roll(4) == 0).then_some(agent);
    tables.requests.values.extend(args![
        authority,
        request,
        new.reference,
        new.procedure_id,
        1_i64,
        new.department_id,
        new.filer_name,
        new.email,
        Json(&answers),
        state,
        status,
        ended,
        holder,
        sent,
        sent,
        life.due,
        life.suspended,
        life.ended,
        false,
        i64::try_from(steps.len())?,
        sent,
        model::filer_key(&no_answers, new.filer_name)
    ]);
    // One number of the index each: the same millisecond may have several.
    let place_in_time = search::number(sent) + i64::try_from(at % 1024)?;
    tables.index.values.extend(args![authority, request, place_in_time, place, names, tokens, ""]);
    for (seq, (code, from, to)) in steps.iter().enumerate() {
        let when = after(i64::try_from(seq)? * 30)?;
        let actor = (seq > 0).then_some(agent);
        let who = if seq == 0 { "usager" } else { "agent" };
        let seq = i64::try_from(seq)?;
        tables.events.values.extend(args![authority, request, seq + 1, when, who, actor, *code, *from, *to]);
    }
    if dice.roll(3) == 0 {
        let read = ended.then_some(sent);
        let body = "Bonjour, pouvez-vous me dire où en est ma demande ? Merci.";
        let nobody: Option<Uuid> = None;
        tables.messages.values.extend(args![
            authority,
            id(sent, 3, at),
            request,
            "usager",
            nobody,
            false,
            body,
            sent,
            read
        ]);
    }
    counted(sums, &mut dice, (&procedure_id, &department), sent, steps);
    Ok(())
}

/// What statistics would have counted, with answers after a day to six weeks.
fn counted(sums: &mut Sums, dice: &mut Dice, (procedure, department): (&str, &str), sent: Timestamp, steps: &[Step]) {
    let mut add = |measure, what: &str, days: u64| {
        let days = i64::try_from(days).unwrap_or_default();
        let when = sent.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(sent);
        let answer = matches!(measure, Measure::OnTime | Measure::Late);
        let told = answer.then(|| steering::bucket(days));
        let day = clock::day(when, &TimeZone::UTC);
        sums.add(&Fact { day, department, procedure, measure, what, channel: WEB, days: told }, 1);
    };
    for what in ["occasion>vous", "vous>verifier", "verifier>"] {
        add(Measure::Page, what, 0);
    }
    for (code, ..) in steps {
        match *code {
            "send" => add(Measure::Sent, code, 0),
            "accept" | "refuse" => {
                let days = dice.skewed(42) + 1;
                add(if days > 20 { Measure::Late } else { Measure::OnTime }, code, days);
            }
            _ => add(Measure::Step, code, 1),
        }
    }
    if dice.roll(8) == 0 {
        add(Measure::Asked, "ask", 0);
    }
    if dice.roll(6) == 0 {
        add(Measure::Score, dice.of(&["1", "3", "4", "5", "5"]), 30);
    }
}
