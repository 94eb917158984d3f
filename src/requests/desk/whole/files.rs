//! The files of a request as its printed file tells of them: what each is, who brought it, whether it can be printed.

use db::{Db, args, row, sql};
use forms::model::Procedure;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    consultations,
    contacts::{self, Contact},
    correspondence,
    platform::french,
    requests::{citizen::field_slot, jobs::RECEIPT_SLOT, model::piece_slot},
};

row! {
    #[derive(Debug)]
    pub struct Stored {
        pub id: Uuid,
        pub slot: String,
        pub name: String,
        pub media_type: String,
        pub size: i64,
        pub at: Timestamp,
        pub sha256: Vec<u8>,
    }
}

/// A file, what it is and who brought it.
#[derive(Debug)]
pub struct Entry {
    pub stored: Stored,
    pub title: String,
    pub by: String,
}

/// What tells what files are.
pub struct Known<'a> {
    pub procedure: &'a Procedure,
    pub filer: &'a str,
    pub city: &'a str,
    /// Those that are printed: files of others are left out.
    pub contacts: &'a [Contact],
    /// See [`consultations::on_request`].
    pub opinions: &'a [Json],
}

/// The files to print or to name: pieces, then what was given otherwise, opinions, documents of the city.
pub async fn of(db: &Db, request: Uuid, known: &Known<'_>) -> Result<Vec<Entry>, db::Error> {
    let all: Vec<Stored> = db
        .all(
            sql!("select id, slot, name, media_type, size, at, sha256 from file where authority_id = $1 and owner_id = $2 order by at, id"),
            args![db.authority(), request],
        )
        .await?;
    let mut entries: Vec<(usize, Entry)> = all.into_iter().filter_map(|stored| known.entry(stored)).collect();
    entries.sort_by_key(|(place, _)| *place);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

impl Known<'_> {
    /// With its place among the others; none: not to be told of.
    fn entry(&self, stored: Stored) -> Option<(usize, Entry)> {
        let (pieces, fields) = (self.procedure.pieces.len(), self.procedure.fields().count());
        let slot = stored.slot.as_str();
        let (place, title, by) =
            if let Some(place) = self.procedure.pieces.iter().position(|piece| slot == piece_slot(&piece.id)) {
                (place, self.procedure.pieces.get(place)?.title.clone(), self.filer.to_owned())
            } else if let Some((place, field)) =
                self.procedure.fields().enumerate().find(|(_, field)| slot == field_slot(&field.id))
            {
                (pieces + place, field.ask.clone(), self.filer.to_owned())
            } else if slot.starts_with(consultations::SLOT) {
                let (who, title) = self.opinion(stored.id)?;
                (pieces + fields + 1, title, who)
            } else if let Some(name) = slot.strip_prefix("document:") {
                let title = match name {
                    _ if slot == RECEIPT_SLOT => "Accusé d’enregistrement",
                    _ if slot.starts_with(correspondence::jobs::SLOT) => "Lettre de la collectivité",
                    _ => "Document de la collectivité",
                };
                (pieces + fields + 2, title.to_owned(), self.city.to_owned())
            } else {
                let contact = self.contacts.iter().find(|one| slot == contacts::slot(one.id, one.shared))?;
                let who = if contact.who.is_empty() { self.filer } else { &contact.who };
                (pieces + fields, contact.how(), who.to_owned())
            };
        Some((place, Entry { stored, title, by }))
    }

    /// Who gave an opinion with this file, and what it is called.
    fn opinion(&self, file: Uuid) -> Option<(String, String)> {
        let end = format!("/{file}");
        let has = |one: &&Json| {
            let mut files = one["files"].as_array().into_iter().flatten();
            files.any(|file| file["href"].as_str().is_some_and(|href| href.ends_with(&end)))
        };
        let who = self.opinions.iter().find(has)?["who"].as_str()?;
        Some((who.to_owned(), format!("Avis\u{a0}: {who}")))
    }
}

impl Entry {
    pub fn size(&self) -> u64 {
        u64::try_from(self.stored.size).unwrap_or_default()
    }

    /// Why it is not printed, when its kind is enough to say so.
    pub fn apart(&self) -> Option<&'static str> {
        const PRINTED: [&str; 4] = ["application/pdf", "image/jpeg", "image/png", "image/webp"];
        (!PRINTED.contains(&self.stored.media_type.as_str())).then_some("Ce format ne s’imprime pas ici.")
    }

    /// What its page, or its line, says.
    pub fn lines(&self, zone: &TimeZone) -> Vec<Json> {
        let hash = data_encoding::HEXLOWER.encode(&self.stored.sha256);
        [
            ("Nom du fichier", self.stored.name.clone()),
            ("Reçu ou établi le", french::datetime(self.stored.at, zone)),
            ("Apporté par", self.by.clone()),
            ("Taille", french::size(self.size())),
            ("Empreinte SHA-256", hash),
        ]
        .into_iter()
        .map(|(label, value)| json!({"label": label, "value": value}))
        .collect()
    }
}
