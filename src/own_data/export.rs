//! The export of one's data: a ZIP file made as it leaves, with everything in JSON and every file. A file is
//! read twice, for its checksum then for itself, and never held whole.

use axum::{http::HeaderMap, response::Response};
use db::Tx;
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::pages;
use crate::{
    accounts::{
        self, citizen,
        connections::{self, Happened},
        session::Kind,
    },
    app::App,
    approvals, consultations, contacts,
    error::Problem,
    journal::{self, Action, Line},
    platform::{
        clock,
        form::Typed,
        zip::{self, Entry, Out, part},
    },
    requests::{
        export::{self as requests, Held},
        readings, recipients,
    },
    safe::{self, Contents},
    visit::{Citizen, Staff, Visit},
};

/// Field of the present password.
pub const PASSWORD: &str = "mot-de-passe-export";

pub async fn send(citizen: Citizen, headers: HeaderMap, Typed(typed): Typed) -> Result<Response, Problem> {
    let (account, visit) = (&citizen.account, &citizen.visit);
    // Who has no password has nothing to give: the right to one's data does not wait for one.
    let asked = accounts::has_password(visit, Kind::Usager, &account.login).await?;
    if asked && let Some(text) = accounts::owner(visit, Kind::Usager, &account.login, typed.text(PASSWORD)).await? {
        return pages::again(&citizen, PASSWORD, &text).await;
    }
    let package = Package::gather(&citizen, &headers).await?;
    visit
        .db
        .write(async |tx: &mut Tx| {
            journal::note(tx, visit.now, &Line::usager(account.id, Action::DataExported)).await?;
            connections::remember(tx, visit, account.id, Happened::DataExported).await
        })
        .await?;
    Ok(zip::download("mes-donnees.zip", |out| package.send(out)))
}

/// What an agent asked of their own administration: neither their account of usager, if they have one, nor what
/// they treat.
pub async fn send_to_staff(staff: Staff) -> Result<Response, Problem> {
    let (visit, account) = (&staff.visit, &staff.account);
    let mut data = requests::data(&visit.db, account.id).await?;
    if let Some(data) = data.as_object_mut() {
        let of = json!({"prenom": account.first_name, "nom": account.last_name, "identifiant": account.login, "courriel": account.email});
        data.insert("compte".into(), of);
        data.insert("destinataires".into(), recipients::export(visit, account.id).await?.into());
        data.insert("consultations".into(), readings::export(&visit.db, account.id).await?.into());
        data.insert("avis_demandes".into(), consultations::export(&visit.db, account.id).await?.into());
        data.insert("visas_demandes".into(), approvals::export(&visit.db, account.id).await?.into());
        data.insert("contacts".into(), contacts::export(&visit.db, account.id).await?.into());
    }
    let package = Package::of(visit, account.id, &data, Contents::None).await?;
    journal::read(&staff, &Line::agent(&staff, Action::DataExported)).await?;
    Ok(zip::download("mes-demandes-internes.zip", |out| package.send(out)))
}

/// What goes into an export.
struct Package {
    app: App,
    authority: Uuid,
    today: Date,
    city: String,
    data: Vec<u8>,
    /// Path and stored object.
    files: Vec<(String, Held, Date)>,
    documents: Contents,
}

impl Package {
    async fn gather(citizen: &Citizen, headers: &HeaderMap) -> Result<Self, Problem> {
        let data = citizen::mine::data(citizen).await?;
        Self::of(&citizen.visit, citizen.account.id, &data, safe::contents(citizen, headers).await?).await
    }

    async fn of(visit: &Visit, account: Uuid, data: &Json, documents: Contents) -> Result<Self, Problem> {
        let (sent, drafts) = requests::files(&visit.db, account).await?;
        let sent = sent.into_iter().map(|file| placed(visit, "demandes", file));
        let drafts = drafts.into_iter().map(|file| placed(visit, "brouillons", file));
        Ok(Self {
            app: visit.app.clone(),
            authority: visit.site.id,
            today: visit.today(),
            city: visit.site.name.clone(),
            data: serde_json::to_vec_pretty(data).map_err(anyhow::Error::from)?,
            files: sent.chain(drafts).collect(),
            documents,
        })
    }

    async fn send(self, mut out: Out) -> anyhow::Result<Out> {
        out.bytes("donnees.json", self.today, self.data).await?;
        let mut missing = Vec::new();
        for (path, file, day) in self.files {
            match checked(&self.app, self.authority, &file).await {
                Ok((size, crc)) => {
                    let content = self.app.storage.read(self.authority, file.id).await?;
                    out.file(&Entry { path, size, crc, day }, content).await?;
                }
                // The rest must not be lost with it: the note says so.
                Err(error) => {
                    tracing::error!(file = %file.id, error = format!("{error:#}"), "not exported");
                    missing.push(path);
                }
            }
        }
        let documents = match self.documents {
            Contents::None => "",
            Contents::Closed => CLOSED,
            Contents::Open(entries, key) => {
                missing.extend(entries.put(&mut out, &self.app, self.authority, &key, "documents/").await?);
                OPEN
            }
        };
        out.bytes("LISEZ-MOI.txt", self.today, note(&self.city, documents, &missing)).await?;
        Ok(out)
    }
}

fn placed(visit: &Visit, folder: &str, file: Held) -> (String, Held, Date) {
    let path = format!("{folder}/{}/{}", part(&file.reference), part(&file.name));
    let day = clock::day(file.at, &visit.site.zone);
    (path, file, day)
}

/// Size and CRC-32 of a stored file, read through.
async fn checked(app: &App, authority: Uuid, file: &Held) -> anyhow::Result<(u32, u32)> {
    let (size, crc) = zip::measure(app.storage.read(authority, file.id).await?).await?;
    anyhow::ensure!(i64::try_from(size) == Ok(file.size), "its size is not the one kept");
    Ok((u32::try_from(size)?, crc))
}

const CLOSED: &str = "\nVos documents personnels (« Mes documents ») ne sont pas ici : ils étaient fermés, et personne d’autre que vous ne peut les ouvrir. \
             Ouvrez-les, puis recommencez l’export, ou choisissez « Tout télécharger » dans « Mes documents ».\n";
const OPEN: &str = "\n- documents : vos documents personnels (« Mes documents »).\n";

/// What the reader of the folder has to know; `documents`: of their personal ones.
fn note(city: &str, documents: &str, missing: &[String]) -> Vec<u8> {
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!("\nCes fichiers n’ont pas pu être lus ; prévenez-nous :\n{}\n", missing.join("\n"))
    };
    let text = format!(
        "Vos données – {city}\n\n\
         - donnees.json : tout ce que vous avez donné ou reçu, dans un format que d’autres programmes savent lire.\n\
         - demandes : les fichiers de vos demandes, un dossier par référence, avec les accusés d’enregistrement.\n\
         - brouillons : les fichiers de ce que vous n’avez pas encore envoyé.\n{documents}{missing}"
    );
    zip::lines(&text)
}
