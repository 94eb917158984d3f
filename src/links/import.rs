//! A department's references from a CSV file: read as it arrives, kept aside, and counted only once the whole
//! file is right. Nothing is half loaded.

use std::collections::HashSet;

use db::Tx;
use uuid::Uuid;

use super::{
    csv::{Broken, Reader, Record},
    judge,
    model::{Declaration, Service, Told},
    store::{self, Row},
};
use crate::{error::Problem, visit::Visit};

/// References of one service: a bound on what one file costs.
const MOST: usize = 300_000;
/// Rows written at once.
const BATCH: usize = 500;
/// Mistakes that are shown.
const SHOWN: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mistake {
    pub line: u64,
    pub text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    Loaded(usize),
    /// The first mistakes, and how many in all. Nothing changed.
    Wrong(Vec<Mistake>, usize),
    /// Less than half of what is there: probably another file. Nothing changed.
    Fewer {
        before: i64,
        after: usize,
    },
}

/// Where each column of the declaration stands in the file.
struct Columns(Vec<(String, usize)>);

impl Columns {
    fn read(declaration: &Declaration, header: &[Vec<u8>]) -> Result<Self, String> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let mut missing = Vec::new();
        let mut found = Vec::new();
        for column in declaration.columns() {
            match names.iter().position(|name| name == column) {
                Some(at) => found.push((column.to_owned(), at)),
                None => missing.push(column),
            }
        }
        if missing.is_empty() {
            Ok(Self(found))
        } else {
            Err(format!("La première ligne doit nommer les colonnes ; il manque : {}.", missing.join(", ")))
        }
    }

    fn get<'a>(&self, fields: &'a [String], column: &str) -> &'a str {
        let at = self.0.iter().find(|(name, _)| name == column).map(|(_, at)| *at);
        at.and_then(|at| fields.get(at)).map(String::as_str).unwrap_or_default()
    }
}

/// One file on its way in.
pub struct Import<'a> {
    visit: &'a Visit,
    service: &'a Service,
    load: Uuid,
    reader: Option<Reader>,
    columns: Option<Columns>,
    batch: Vec<Row>,
    seen: HashSet<Vec<u8>>,
    mistakes: Vec<Mistake>,
    wrong: usize,
    /// Nothing more can be understood of the file.
    lost: bool,
}

impl<'a> Import<'a> {
    pub async fn begin(visit: &'a Visit, service: &'a Service) -> Result<Self, Problem> {
        let load = visit.id();
        visit.db.write(async |tx: &mut Tx| store::begin(tx, &service.id, load, visit.now).await).await?;
        Ok(Self {
            visit,
            service,
            load,
            reader: Some(Reader::default()),
            columns: None,
            batch: Vec::new(),
            seen: HashSet::new(),
            mistakes: Vec::new(),
            wrong: 0,
            lost: false,
        })
    }

    /// Reads a piece of the file.
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let Some(reader) = self.reader.as_mut().filter(|_| !self.lost) else { return Ok(()) };
        match reader.push(piece) {
            Ok(records) => self.take(records).await,
            Err(broken) => {
                self.give_up(&broken);
                Ok(())
            }
        }
    }

    /// The file is whole. `fewer`: it may hold less than half of what is there.
    pub async fn end(mut self, fewer: bool) -> Result<Report, Problem> {
        if let Some(reader) = self.reader.take().filter(|_| !self.lost) {
            match reader.end() {
                Ok(records) => self.take(records).await?,
                Err(broken) => self.give_up(&broken),
            }
        }
        if self.wrong == 0 && self.seen.is_empty() {
            self.mistake(1, "Le fichier ne contient aucune référence.".to_owned());
        }
        if self.wrong > 0 {
            self.abandon().await?;
            return Ok(Report::Wrong(self.mistakes, self.wrong));
        }
        self.write().await?;
        let (visit, service, after) = (self.visit, self.service, self.seen.len());
        let before = match service.load_id {
            Some(load) => store::size(&visit.db, &service.id, load).await?,
            None => 0,
        };
        if !fewer && i64::try_from(after * 2).unwrap_or(i64::MAX) < before {
            self.abandon().await?;
            return Ok(Report::Fewer { before, after });
        }
        let load = self.load;
        visit.db.write(async |tx: &mut Tx| store::change_over(tx, visit, &service.id, load).await).await?;
        visit.app.work.notify_one();
        if let Some(former) = service.load_id {
            store::drop_load(&visit.db, &service.id, former).await?;
        }
        Ok(Report::Loaded(after))
    }

    /// Keeps nothing of the file.
    pub async fn abandon(&self) -> Result<(), db::Error> {
        store::drop_load(&self.visit.db, &self.service.id, self.load).await
    }

    fn mistake(&mut self, line: u64, text: String) {
        self.wrong += 1;
        if self.mistakes.len() < SHOWN {
            self.mistakes.push(Mistake { line, text });
        }
    }

    fn give_up(&mut self, broken: &Broken) {
        let Broken::TooLong(line) = broken;
        self.mistake(*line, "Cette ligne est trop longue, ou un guillemet n’y est jamais fermé.".to_owned());
        self.lost = true;
    }

    async fn take(&mut self, records: Vec<Record>) -> Result<(), Problem> {
        for (line, fields) in records {
            if self.lost {
                return Ok(());
            }
            let Some(columns) = &self.columns else {
                match Columns::read(&self.service.declaration.0, &fields) {
                    Ok(columns) => self.columns = Some(columns),
                    Err(text) => {
                        self.mistake(line, text);
                        self.lost = true;
                    }
                }
                continue;
            };
            match read(self.visit, self.service, columns, fields) {
                Err(texts) => texts.into_iter().for_each(|text| self.mistake(line, text)),
                Ok(_) if self.seen.len() >= MOST => {
                    self.mistake(line, format!("Le fichier dépasse {MOST} références."));
                    self.lost = true;
                }
                Ok(row) if !self.seen.insert(row.key.iter().copied().take(16).collect()) => {
                    self.mistake(line, "Cette référence est déjà plus haut dans le fichier.".to_owned());
                }
                Ok(row) => self.batch.push(row),
            }
            if self.batch.len() >= BATCH {
                self.write().await?;
            }
        }
        Ok(())
    }

    /// Writes what was read; nothing any more once there is a mistake.
    async fn write(&mut self) -> Result<(), Problem> {
        let rows = std::mem::take(&mut self.batch);
        if self.wrong > 0 || rows.is_empty() {
            return Ok(());
        }
        let (service, load) = (&self.service.id, self.load);
        self.visit.db.write(async |tx: &mut Tx| store::add(tx, service, load, &rows).await).await?;
        Ok(())
    }
}

/// One line; or all that is wrong with it.
fn read(visit: &Visit, service: &Service, columns: &Columns, fields: Vec<Vec<u8>>) -> Result<Row, Vec<String>> {
    let declaration = &service.declaration.0;
    let fields: Result<Vec<String>, _> = fields.into_iter().map(String::from_utf8).collect();
    let Ok(fields) = fields else {
        return Err(vec!["Cette ligne n’est pas en UTF-8 : dans le tableur, enregistrez en « CSV UTF-8 ».".to_owned()]);
    };
    let mut wrong = Vec::new();
    let written = columns.get(&fields, "reference").trim();
    let canonical = declaration.reference.pattern.canonical(written);
    if canonical.is_none() {
        wrong.push(format!(
            "« {} » n’est pas une référence comme {}.",
            short(written),
            declaration.reference.pattern.example()
        ));
    }
    let mut proofs = Vec::new();
    for item in &declaration.proof {
        match item.kind.regular(columns.get(&fields, &item.id)) {
            Ok(proof) => proofs.push(proof),
            Err(instead) => wrong.push(format!("{} : il faut {instead}.", item.id)),
        }
    }
    let mut told = Told { reference: written.to_owned(), ..Told::default() };
    for item in &declaration.data {
        match item.kind.shown(columns.get(&fields, &item.id)) {
            Ok(value) => drop(told.values.insert(item.id.clone(), value)),
            Err(instead) => wrong.push(format!("{} : il faut {instead}.", item.id)),
        }
    }
    let Some(canonical) = canonical.filter(|_| wrong.is_empty()) else { return Err(wrong) };
    judge::row(visit, &service.id, &canonical, &proofs, &told).map_err(|error| vec![error.to_string()])
}

/// What is shown of something that is not what it should be: never more, it may be anything.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(30).collect()
}
