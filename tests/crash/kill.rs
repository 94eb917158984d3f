//! Two hundred people send at once and the program is killed: who saw a confirmation has a request,
//! once; the others still have their draft and send it again.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use db::{Db, DbOptions, args, sql};
use guichet::work;
use jiff::SignedDuration;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::harness::{
    Client, Engine, Folder, client,
    journey::{filed, question},
    portal,
    process::Process,
};

const PEOPLE: usize = 200;

struct Person {
    client: Client,
    check: String,
    /// Reference read on the confirmation page.
    confirmed: Option<String>,
}

impl Person {
    fn id(&self) -> Uuid {
        self.check.split('/').nth(2).unwrap().parse().unwrap()
    }

    /// Sends and reads the confirmation; nothing when the program went away meanwhile.
    async fn send(&mut self) -> Option<String> {
        let typed = |request: reqwest::RequestBuilder| {
            request.header("content-type", "application/x-www-form-urlencoded").body("version=")
        };
        let sent = self
            .client
            .try_send(reqwest::Method::POST, &self.check, typed)
            .await
            .ok()
            .filter(|page| page.status == 303)?;
        let page = self.client.try_send(reqwest::Method::GET, sent.location(), |request| request).await.ok()?;
        if page.status == 200 { Some(filed(page).reference) } else { None }
    }
}

/// Everybody up to the check page.
async fn prepare(process: &Process, http: &reqwest::Client) -> Vec<Person> {
    let few = Arc::new(Semaphore::new(8));
    let tasks: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let (few, mut client) = (few.clone(), process.client(http));
            tokio::spawn(async move {
                let _turn = few.acquire_owned().await.unwrap();
                let check = client.fill("demande-information", &question(&format!("Question numéro {number}"))).await;
                Person { client, check, confirmed: None }
            })
        })
        .collect();
    let mut people = Vec::new();
    for task in tasks {
        people.push(task.await.unwrap());
    }
    people
}

/// All send at once; the program is killed as soon as `enough` have their confirmation.
async fn send_all(mut people: Vec<Person>, process: Process, enough: usize) -> Vec<Person> {
    let (count, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let tasks: Vec<_> = people
        .drain(..)
        .map(|mut person| {
            let (count, reached) = (count.clone(), reached.clone());
            tokio::spawn(async move {
                person.confirmed = person.send().await;
                if person.confirmed.is_some() && count.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                    reached.notify_one();
                }
                person
            })
        })
        .collect();
    reached.notified().await;
    process.kill();
    for task in tasks {
        people.push(task.await.unwrap());
    }
    people
}

async fn ids(db: &Db, query: db::Sql) -> BTreeSet<Uuid> {
    db.all::<Uuid>(query, args![]).await.unwrap().into_iter().collect()
}

async fn killed_while_two_hundred_send(engine: Engine) {
    portal::ready_tls();
    let (made, folder, http) = (portal::city(engine).await, Folder::new(), client::http());
    let process = Process::serve(&folder.0, &made.url, &[]);
    let people = prepare(&process, &http).await;
    let mut people = send_all(people, process, PEOPLE / 3).await;
    let confirmed = people.iter().filter(|person| person.confirmed.is_some()).count();
    assert!((PEOPLE / 3..PEOPLE).contains(&confirmed), "killed too early or too late: {confirmed}");

    let process = Process::serve(&folder.0, &made.url, &[("GUICHET_WORK_IN_SERVE", "false")]);
    let db = Db::open(&made.url, &DbOptions::default()).unwrap();
    let (requests, drafts) =
        (ids(&db, sql!("select id from request")).await, ids(&db, sql!("select id from draft")).await);
    assert!(requests.is_disjoint(&drafts), "a draft and its request are never both there");
    assert_eq!(requests.len() + drafts.len(), PEOPLE, "nobody lost anything");
    for person in &mut people {
        person.client.moved(&process);
        if let Some(reference) = person.confirmed.clone() {
            assert!(requests.contains(&person.id()), "{reference} was confirmed and is lost");
            let page = person.client.get(&format!("/demandes/{}/envoyee", person.id())).await.is(200);
            assert_eq!(filed(page).reference, reference);
        }
    }
    // The others try again, and so do some who need not.
    for person in people
        .iter_mut()
        .enumerate()
        .filter(|(index, person)| person.confirmed.is_none() || index % 10 == 0)
        .map(|(_, person)| person)
    {
        let reference = person.send().await.expect("a confirmation");
        assert!(person.confirmed.as_ref().is_none_or(|before| *before == reference));
        person.confirmed = Some(reference);
    }
    let references: BTreeSet<&String> = people.iter().filter_map(|person| person.confirmed.as_ref()).collect();
    assert_eq!(references.len(), PEOPLE);
    assert_eq!(ids(&db, sql!("select id from request")).await, people.iter().map(Person::id).collect());
    let per_request =
        sql!("select count(*) from (select request_id from request_event group by request_id having count(*) <> 1) t");
    assert_eq!(db.one::<i64>(per_request, args![]).await.unwrap(), 0, "each was sent once");
    drop(process);
    let queued = sql!("select count(*), count(distinct request_id) from job where kind = $1");
    for kind in ["notify", "receipt"] {
        assert_eq!(db.one::<(i64, i64)>(queued, args![kind]).await.unwrap(), (200, 200), "{kind}");
    }
    the_rest_is_carried_out(&db, &made.url, &folder).await;
}

/// Later, when the dead worker's leases have run out.
async fn the_rest_is_carried_out(db: &Db, url: &str, folder: &Folder) {
    // A handful of receipts is enough: each takes a while to draw.
    db.write(async |tx: &mut db::Tx| {
        let spare = sql!(
            "delete from job where kind = 'receipt' and done_at is null and leased_until is null
             and id not in (select id from job where kind = 'receipt' and done_at is null order by id limit 5)"
        );
        tx.run(spare, args![]).await
    })
    .await
    .unwrap();
    let app = portal::app(url, &folder.0, SignedDuration::from_mins(5)).await;
    while work::turn(&app).await.unwrap() > 0 {}
    let wrong: Vec<String> =
        db.all(sql!("select last_error from job where last_error is not null"), args![]).await.unwrap();
    assert_eq!(wrong, Vec::<String>::new());
    let left: i64 = db.one(sql!("select count(*) from job where done_at is null"), args![]).await.unwrap();
    let mails: i64 = db.one(sql!("select count(*) from outbox"), args![]).await.unwrap();
    let doubles: i64 = db.one(sql!("select count(*) - count(distinct owner_id) from file"), args![]).await.unwrap();
    assert_eq!((left, mails, doubles), (0, 200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    killed_while_two_hundred_send(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    killed_while_two_hundred_send(Engine::Postgres).await;
}
