//! Taking every document at once, decrypted on the way out.

use axum::response::Response;
use db::Db;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    crypt::Key,
    kinds,
    model::{Document, Safe},
    opening::Open,
    store,
};
use crate::{
    app::App,
    error::Problem,
    platform::zip::{self, Entry, Out},
};

/// Documents of an open safe, as a ZIP file takes them.
pub struct Entries {
    readable: Vec<(Uuid, Entry)>,
    /// What to call those whose label cannot be read.
    lost: Vec<String>,
}

impl Entries {
    pub async fn of(db: &Db, safe: &Safe, key: &Key) -> Result<Self, Problem> {
        let mut entries = Self { readable: Vec::new(), lost: Vec::new() };
        for document in store::documents(db, safe.id).await? {
            match entry(key, &document) {
                Ok(entry) => entries.readable.push((document.id, entry)),
                Err(error) => {
                    tracing::error!(document = %document.id, error = format!("{error:#}"), "label not readable");
                    entries.lost.push(format!("{}/document du {}", kinds::of(&document.kind).name, document.issued_on));
                }
            }
        }
        Ok(entries)
    }

    /// Puts each in a ZIP file, under `folder` (`documents/`). One that cannot be read is left out, so that the
    /// others leave all the same: gives their paths.
    ///
    /// # Errors
    /// Nobody receives any more.
    pub async fn put(
        self,
        out: &mut Out,
        app: &App,
        authority: Uuid,
        key: &Key,
        folder: &str,
    ) -> anyhow::Result<Vec<String>> {
        let mut missing: Vec<String> = self.lost.iter().map(|path| format!("{folder}{path}")).collect();
        for (id, mut entry) in self.readable {
            entry.path = format!("{folder}{}", entry.path);
            // A ZIP file has no way back from a file that it has begun.
            if let Err(error) = whole(app, authority, key, id, &entry).await {
                tracing::error!(document = %id, error = format!("{error:#}"), "not taken out");
                missing.push(entry.path);
                continue;
            }
            out.file(&entry, key.open(&app.storage, authority, id).await?).await?;
        }
        Ok(missing)
    }
}

fn entry(key: &Key, document: &Document) -> anyhow::Result<Entry> {
    let label = key.read_label(&document.label)?;
    let path = format!("{}/{}", kinds::of(&document.kind).name, zip::part(&label.name));
    Ok(Entry { path, size: u32::try_from(document.size)?, crc: label.crc, day: document.issued_on })
}

/// Reads a document through.
async fn whole(app: &App, authority: Uuid, key: &Key, id: Uuid, entry: &Entry) -> anyhow::Result<()> {
    let found = zip::measure(key.open(&app.storage, authority, id).await?).await?;
    anyhow::ensure!(found == (u64::from(entry.size), entry.crc), "it is not what was put in");
    Ok(())
}

/// Every document in one ZIP file.
pub async fn all(open: Open) -> Result<Response, Problem> {
    let entries = Entries::of(&open.db, &open.safe, &open.key).await?;
    let (app, authority, key, today) = (open.app.clone(), open.site.id, open.key.clone(), open.today());
    let name = if open.organisation().is_some() { "documents-organisation.zip" } else { "mes-documents.zip" };
    Ok(zip::download(name, move |mut out| async move {
        let missing = entries.put(&mut out, &app, authority, &key, "").await?;
        tell(&mut out, &missing, today).await?;
        Ok(out)
    }))
}

/// A note in the folder, when something is not there.
async fn tell(out: &mut Out, missing: &[String], today: Date) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("Ces documents n’ont pas pu être lus ; prévenez-nous :\n{}\n", missing.join("\n"));
    out.bytes("LISEZ-MOI.txt", today, zip::lines(&text)).await
}
