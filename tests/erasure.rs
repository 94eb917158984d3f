//! What somebody gave up leaves no trace: not in any table, not in any file.

use db::{args, sql};
use guichet::{requests::sweep, work};
use jiff::SignedDuration;

use crate::harness::{
    Engine, Portal, both,
    journey::{PDF, filled, question},
};

/// Every value of every row, as text; and of which table.
async fn everything(portal: &Portal) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (table, columns) in tables() {
        for column in columns {
            // Identifiers and bytes tell nothing of what was typed.
            let text = format!("select cast({column} as text) as value from {table} where {column} is not null");
            let query = db::Query::new(Box::leak(text.into_boxed_str()));
            let values: Vec<String> = portal.app.db.all(query, args![]).await.unwrap();
            found.extend(values.into_iter().map(|value| (format!("{table}.{column}"), value)));
        }
    }
    found
}

/// Tables and their columns of text or JSON, read from the migrations.
fn tables() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in guichet::migrations::ALL.iter().flat_map(|migration| migration.sql.split("create table ").skip(1)) {
        let (name, rest) = part.split_once(" (").unwrap();
        let body = rest.split("\n);").next().unwrap();
        let column = |line: &str| {
            let mut words = line.split_whitespace();
            let (name, kind) = (words.next()?, words.next()?.trim_end_matches(','));
            ["text", "{json}"].contains(&kind).then(|| name.to_owned())
        };
        found.push((name.to_owned(), body.lines().filter_map(column).collect::<Vec<String>>()));
    }
    assert!(found.iter().any(|(table, columns)| table == "draft" && columns.contains(&"raw".to_owned())), "{found:?}");
    found
}

pub async fn traces(portal: &Portal, secret: &str) -> Vec<String> {
    everything(portal).await.into_iter().filter(|(_, value)| value.contains(secret)).map(|(place, _)| place).collect()
}

const SECRET: &str = "Pamplemousse";

/// A draft with a secret word in its text, its file's name and its file.
async fn draft(portal: &Portal) -> (crate::harness::Client, String) {
    let mut person = portal.client();
    let start = person.get("/demarches/demande-information/remplir").await.location().to_owned();
    let fields = filled(&person.get(&start).await.form("action"), &question(SECRET));
    let file = [PDF, SECRET.as_bytes()].concat();
    let next = person.upload(&start, &fields, &[("document.fichier", &format!("{SECRET}.pdf"), &file)]).await.is(303);
    let draft = next.location().rsplit_once('/').unwrap().0.to_owned();
    assert!(traces(portal, SECRET).await.len() >= 2);
    assert_eq!(objects(portal), 1);
    (person, draft)
}

pub fn objects(portal: &Portal) -> usize {
    std::fs::read_dir(portal.files().join(portal.city.to_string())).map_or(0, |folder| folder.count())
}

/// Objects younger than a day may still be waiting for their row: these become old.
pub fn age(portal: &Portal) {
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for entry in std::fs::read_dir(portal.files().join(portal.city.to_string())).into_iter().flatten() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(long_ago).unwrap();
    }
}

both! {
    async fn a_discarded_draft_is_gone(portal: Portal) {
        let (mut person, draft) = draft(&portal).await;
        person.get(&format!("{draft}/supprimer")).await.is(200).shows("Effacer");
        person.post(&format!("{draft}/supprimer"), &[]).await.leads_to("/demarches");
        assert_eq!(traces(&portal, SECRET).await, Vec::<String>::new());
        person.get(&format!("{draft}/verifier")).await.is(303);
        age(&portal);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(objects(&portal), 0);
    }

    async fn a_forgotten_draft_goes_by_itself(portal: Portal) {
        draft(&portal).await;
        sweep::all(&portal.app).await.unwrap();
        assert!(!traces(&portal, SECRET).await.is_empty() && objects(&portal) == 1, "not before its time");
        portal.later(SignedDuration::from_hours(24 * 91));
        age(&portal);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(traces(&portal, SECRET).await, Vec::<String>::new());
        assert_eq!(objects(&portal), 0);
        let sessions: i64 = portal.db().one(sql!("select count(*) from session where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(sessions, 0, "nor the session that held it");
    }

    /// Jobs that are done keep nothing; a file taken out of a draft is swept.
    async fn nothing_stays_behind(portal: Portal) {
        let (mut person, draft) = draft(&portal).await;
        let page = person.get(&format!("{draft}/votre-message")).await;
        let form = page.form("retirer");
        let (name, value) = form.buttons.iter().find(|(name, _)| name == "retirer").unwrap();
        let mut fields = form.fields.clone();
        fields.push((name.clone(), value.clone()));
        person.upload(&format!("{draft}/votre-message"), &fields, &[]).await.is(200).hides("Pamplemousse.pdf");
        age(&portal);
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(objects(&portal), 0);
        person.file("demande-information", &question("Autre chose")).await;
        let payloads: Vec<db::Json<serde_json::Value>> = portal.db().all(sql!("select payload from job where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(payloads.iter().all(|payload| !payload.0.to_string().contains("Autre chose") && !payload.0.to_string().contains('@')), "{payloads:?}");
        portal.work().await;
        let visit = work::visit(&portal.app, portal.city).await.unwrap();
        let left: i64 = visit.db.one(sql!("select count(*) from job where authority_id = $1 and done_at is not null and cast(payload as text) <> 'null'"), args![portal.city]).await.unwrap();
        assert_eq!(left, 0);
    }
}
