//! With a real clamd, and one that is gone.

use super::*;
use crate::harness::peers::{Clamd, free_port};

/// In two halves, so that no antivirus takes this file for one.
fn eicar() -> Vec<u8> {
    [&br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-"[..], &br"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"[..]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_antivirus_finds_is_not_kept() {
    let clamd = Clamd::start(&eicar()).await;
    let portal = Portal::start_with(Engine::Sqlite, |config| config.clamd = clamd.address.clone()).await;
    let (mut person, _, document) = owner(&portal).await;
    person.get("/mes-documents/ajouter").await.is(200).shows("Un antivirus examine le fichier");
    send(&mut person, "piège.pdf", "autre", &[PDF, &eicar()].concat()).await.is(422).shows("contient un virus");
    // More than clamd takes: not looked at, not kept.
    let large = [PDF, &vec![b'x'; 3_000_000][..]].concat();
    send(&mut person, "grand.pdf", "autre", &large).await.is(422).shows("n’a pas pu être vérifié");
    drop(clamd);
    send(&mut person, "sain.pdf", "autre", PDF).await.is(422).shows("n’a pas pu être vérifié");
    assert_eq!(documents(&person.get("/mes-documents").await), [document]);
    assert_eq!(std::fs::read_dir(portal.files().join(portal.city.to_string())).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_antivirus_that_does_not_answer_is_not_forgotten() {
    let portal = Portal::start_with(Engine::Sqlite, |config| config.clamd = format!("127.0.0.1:{}", free_port())).await;
    let mut person = portal.usager(USAGER).await;
    create(&mut person).await;
    send(&mut person, "sain.pdf", "autre", PDF).await.is(422).shows("n’a pas pu être vérifié");
}
