//! Power cuts, on SQLite and files on disk: every write that was not synced is lost, yet nothing that
//! somebody saw confirmed. (PostgreSQL and S3 keep this promise themselves.)

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use crate::harness::{
    Client, Engine, Filed, Folder, client, html,
    journey::{PDF, filed, filled, question},
    portal,
    process::Process,
    unsynced::Unsynced,
};

/// What a person holds of their request, after its confirmation was shown.
struct Held {
    client: Client,
    filed: Filed,
    file: String,
    bytes: Vec<u8>,
}

/// A question with a document, sent; nothing when the program went away meanwhile.
async fn send(mut client: Client, number: usize) -> Option<Held> {
    let start = client
        .try_send(reqwest::Method::GET, "/demarches/demande-information/remplir", |request| request)
        .await
        .ok()?;
    let page = client.try_send(reqwest::Method::GET, start.location(), |request| request).await.ok()?;
    let fields = filled(&page.form("action"), &question(&format!("Question {number}")));
    // Some fit in one write, some do not.
    let bytes = [PDF, vec![b'x'; 1_000 + (number % 3) * 300_000].as_slice(), number.to_string().as_bytes()].concat();
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in fields {
        form = form.text(name, value);
    }
    form = form.part("document.fichier", reqwest::multipart::Part::bytes(bytes.clone()).file_name("preuve.pdf"));
    let next =
        client.try_send(reqwest::Method::POST, start.location(), |request| request.multipart(form)).await.ok()?;
    let next = next.location().to_owned();
    let page =
        client.try_send(reqwest::Method::GET, &next, |request| request).await.ok().filter(|page| page.status == 200)?;
    let body = client::urlencoded(&filled(&page.form("action"), &question("")));
    let typed = |body: String| {
        move |request: reqwest::RequestBuilder| {
            request.header("content-type", "application/x-www-form-urlencoded").body(body)
        }
    };
    let check = client
        .try_send(reqwest::Method::POST, &next, typed(body))
        .await
        .ok()
        .filter(|page| page.status == 303)?
        .location()
        .to_owned();
    let sent = client
        .try_send(reqwest::Method::POST, &check, typed("version=".into()))
        .await
        .ok()
        .filter(|page| page.status == 303)?;
    let page = client
        .try_send(reqwest::Method::GET, sent.location(), |request| request)
        .await
        .ok()
        .filter(|page| page.status == 200)?;
    Some(Held { client, filed: filed(page), file: String::new(), bytes })
}

/// Serves, lets `people` send, cuts the power once `enough` have their confirmation; gives those.
async fn until_the_cut(
    folder: &Folder,
    watch: &Unsynced,
    more: &[(&str, &str)],
    people: usize,
    enough: usize,
) -> Vec<Held> {
    let environment = watch.environment();
    let all: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect();
    // The installation's secret is its own: it must survive too.
    let process = Process::serve(&folder.0, "sqlite:", &[all.as_slice(), &[("GUICHET_SECRET", "")]].concat());
    let http = client::http();
    let (count, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let tasks: Vec<_> = (0..people)
        .map(|number| {
            let (client, count, reached) = (process.client(&http), count.clone(), reached.clone());
            tokio::spawn(async move {
                let held = send(client, number).await;
                if held.is_some() && count.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                    reached.notify_one();
                }
                held
            })
        })
        .collect();
    reached.notified().await;
    process.kill();
    let mut held = Vec::new();
    for task in tasks {
        held.extend(task.await.unwrap());
    }
    watch.cut();
    held
}

async fn installed() -> Folder {
    portal::ready_tls();
    let (made, folder) = (portal::city(Engine::Sqlite).await, Folder::new());
    std::fs::copy(made.url.trim_start_matches("sqlite:"), folder.0.join("guichet.sqlite")).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_survives() {
    let folder = installed().await;
    let watch = Unsynced::under(&folder.0);
    let mut held = until_the_cut(&folder, &watch, &[], 40, 15).await;
    assert!(held.len() >= 15);
    let process = Process::serve(&folder.0, "sqlite:", &[("GUICHET_SECRET", "")]);
    let http = client::http();
    for one in &mut held {
        // With the code that was shown, from another device: the secret is the same.
        let mut elsewhere = process.client(&http);
        let form = [("reference", one.filed.reference.as_str()), ("code", one.filed.code.as_str())];
        let request = elsewhere.post("/suivre", &form).await.is(303).location().to_owned();
        assert_eq!(request, format!("/demandes/{}", one.filed.id));
        let page = elsewhere.get(&request).await.is(200);
        one.file = html::tags(page.html())
            .into_iter()
            .find_map(|tag| tag.get("href").strip_prefix("/fichiers/").map(str::to_owned))
            .expect("the document");
        one.client.moved(&process);
        let file = one.client.get(&format!("/fichiers/{}", one.file)).await.is(200);
        assert_eq!(file.bytes, one.bytes, "{}", one.filed.reference);
        let receipt = elsewhere.get(&format!("{request}/recepisse.pdf")).await.is(200);
        assert!(receipt.bytes.starts_with(b"%PDF"));
    }
}

/// The same with a program whose syncs do nothing: this test would notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_sync_it_would_not() {
    let folder = installed().await;
    let watch = Unsynced::under(&folder.0);
    let held = until_the_cut(&folder, &watch, &[("UNSYNCED_DEAF", "1")], 8, 4).await;
    let db = db::Db::open(&format!("sqlite:{}", folder.0.join("guichet.sqlite").display()), &db::DbOptions::default())
        .unwrap();
    let left: i64 = db.one(db::sql!("select count(*) from request"), db::args![]).await.unwrap();
    assert!(held.len() >= 4 && left == 0, "{left} requests survive a disk that keeps nothing");
}
