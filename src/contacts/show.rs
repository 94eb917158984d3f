//! Contacts among the messages of their request.

use forms::kinds::phone;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    model::{Contact, slot},
    sms,
};
use crate::{
    platform::{clock, french},
    requests::{file_json, model::File},
    visit::Visit,
};

/// The SMS that the filer of a request chose, for agents.
pub async fn reach(visit: &Visit, request: Uuid) -> Result<Vec<String>, db::Error> {
    let Some((number, refused)) = sms::reach(&visit.db, request).await? else { return Ok(Vec::new()) };
    let number = phone::french(&number);
    Ok(vec![match refused {
        None => format!("Prévenu aussi par SMS au {number}"),
        Some(at) => {
            let day = french::date(clock::day(at, &visit.site.zone));
            format!("SMS refusés par l’opérateur au {number} depuis le {day} : numéro à vérifier avec l’usager")
        }
    }])
}

/// How a message that came by mail came; nothing for one typed on the site.
pub struct Came {
    /// « Courriel reçu, expéditeur non vérifié », or nothing.
    pub how: String,
    pub quoted: String,
    pub files: Vec<Json>,
}

impl Came {
    pub fn of(message: Uuid, contacts: &[Contact], files: &[File], base: &str) -> Self {
        match contacts.iter().find(|one| one.as_message && one.id == message) {
            Some(one) => Self { how: how(one), quoted: one.quoted.clone(), files: attached(one, files, base) },
            None => Self { how: String::new(), quoted: String::new(), files: Vec::new() },
        }
    }
}

fn how(one: &Contact) -> String {
    if one.unproven() { format!("{}, expéditeur non vérifié", one.how()) } else { one.how() }
}

fn attached(one: &Contact, files: &[File], base: &str) -> Vec<Json> {
    let place = slot(one.id, one.shared);
    files.iter().filter(|file| file.slot == place).map(|file| file_json(file, base)).collect()
}

/// The text with its subject above.
fn text(one: &Contact) -> String {
    [one.subject.as_str(), one.body.as_str()]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// A contact as its request's agents see it.
pub fn for_agents(one: &Contact, files: &[File], base: &str) -> Json {
    let noted = one.recorded_name.as_deref().map(|name| format!(", noté par {name}")).unwrap_or_default();
    let who =
        [one.who.as_str(), one.address.as_str()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
    json!({
        "from_usager": one.incoming, "who": who.join(", "), "text": text(one), "date": one.at, "read": (),
        "how": format!("{}{noted}", how(one)), "internal": !one.shared, "quoted": one.quoted, "files": attached(one, files, base),
    })
}

/// The same for its usager, to whom agents have no name.
pub fn for_usager(one: &Contact, department: &str, files: &[File], base: &str) -> Json {
    json!({
        "mine": one.incoming, "who": department, "text": text(one), "date": one.at.to_string(), "read": (),
        "how": how(one), "quoted": one.quoted, "files": attached(one, files, base),
    })
}
