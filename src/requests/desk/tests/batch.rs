//! The same deed on several requests.

use super::*;
use crate::requests::jobs;

const TAKE: &str = "take|Prendre en charge";

fn line(id: Uuid, version: i64) -> String {
    format!("{id}:{version}")
}

async fn state(world: &World, id: Uuid) -> String {
    store::find(&world.visit.db, id).await.unwrap().unwrap().state
}

async fn takes(world: World) {
    let (one, mut silent, mut ended) =
        (world.filing("acte-naissance"), world.filing("acte-naissance"), world.filing("acte-naissance"));
    silent.email = None;
    ended.state = "closed";
    let ids = [world.file(one).await, world.file(silent).await, world.file(ended).await];
    let elsewhere = world.file(world.filing("encombrants")).await;
    let cookie = world.sign_in("nadia.benali").await;
    let list = world.get(&cookie, "/agent?vue=toutes").await.text;
    assert!(ids.iter().all(|id| list.contains(&format!("name=\"d\" value=\"{id}\""))), "{list}");
    let chosen: Vec<String> = ids.iter().chain([&elsewhere]).map(|id| format!("d={id}")).collect();
    let chosen = format!("/agent/lot?{}&liste=vue%3Dtoutes", chosen.join("&"));
    let deeds = world.get(&cookie, &chosen).await.text;
    assert!(deeds.contains("Prendre en charge <span class=\"g-muted\">(2 sur 3)"), "{deeds}");
    assert!(deeds.contains("1 dossier de votre choix n’est pas de ceux que vous pouvez traiter"));
    assert!(!deeds.contains("Refuser"), "a decision is taken one request at a time");
    let shown = world.get(&cookie, &format!("{chosen}&action={}", crate::platform::encode(TAKE))).await.text;
    for part in
        ["Pas de courriel", "Son état ne permet pas cette action.", "Confirmer pour 2 dossiers", "class=\"g-preview\""]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(state(&world, ids[0]).await, "submitted", "looking does nothing");
    // A colleague is faster on one of them.
    let colleague = world.sign_in("herve.le-goff").await;
    world.post(&colleague, &format!("{}/actions/take", page(ids[1])), &[("version", "1")]).await;
    let lines: Vec<String> = ids.iter().chain([&elsewhere]).map(|id| line(*id, 1)).collect();
    let mut fields = vec![("action", TAKE), ("liste", "vue=toutes")];
    fields.extend(lines.iter().map(|line| ("d", line.as_str())));
    let done = world.post(&cookie, "/agent/lot", &fields).await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.text.contains("Prendre en charge\u{a0}: 1 dossier"), "{}", done.text);
    assert!(done.text.contains("2 dossiers n’ont pas changé"));
    assert_eq!(state(&world, ids[0]).await, "in-progress");
    assert_eq!((state(&world, ids[2]).await, state(&world, elsewhere).await), ("closed".into(), "submitted".into()));
    let mails = sql!("select count(*) from job where authority_id = $1 and request_id = $2 and kind = 'notify'");
    assert_eq!(world.count(mails, ids[0]).await, 1, "{}", jobs::NOTIFY);
    // Sent again, it does nothing twice, and tells the same.
    let again = world.post(&cookie, "/agent/lot", &fields).await;
    assert_eq!((again.status, world.count(mails, ids[0]).await), (StatusCode::OK, 1));
    assert!(again.text.contains("Prendre en charge\u{a0}: 1 dossier"), "{}", again.text);
    // Each request keeps who did it, and the journal has every line.
    let traced = sql!(
        "select count(*) from journal where authority_id = $1 and request_id = $2 and action = 'request-changed' and detail = 'take'"
    );
    assert_eq!(world.count(traced, ids[0]).await, 1);
    hands(&world, &cookie, ids[0]).await;
    busy(&world, ids).await;
}

/// Taking and releasing; who may only read has neither boxes nor deeds.
async fn hands(world: &World, cookie: &str, id: Uuid) {
    let holder = async || store::find(&world.visit.db, id).await.unwrap().unwrap().holder_id;
    let version = store::find(&world.visit.db, id).await.unwrap().unwrap().version.to_string();
    let nadia = world.account("nadia.benali").await;
    let seen = format!("{id}:{version}:{nadia}");
    let freed = world.post(cookie, "/agent/lot", &[("d", &seen), ("action", "liberer")]).await;
    assert_eq!((freed.status, holder().await), (StatusCode::OK, None));
    let again = world.post(cookie, "/agent/lot", &[("d", &seen), ("action", "liberer")]).await;
    assert!(again.text.contains("1 dossier") && !again.text.contains("pas changé"), "{}", again.text);
    let free = format!("{id}:{version}:");
    let shown = world.get(cookie, &format!("/agent/lot?d={id}&action=affecter")).await.text;
    assert!(shown.contains(&free), "{shown}");
    let taken = world.post(cookie, "/agent/lot", &[("d", &free), ("action", "affecter")]).await;
    assert_eq!((taken.status, holder().await), (StatusCode::OK, Some(nadia)));
    // What was free when it was shown is not taken from who has it since.
    let herve = world.sign_in("herve.le-goff").await;
    let late = world.post(&herve, "/agent/lot", &[("d", &free), ("action", "affecter")]).await;
    assert!(late.text.contains("Ce dossier vient de changer de mains."), "{}", late.text);
    assert_eq!(holder().await, Some(nadia));
    let told = world.get(&herve, &format!("/agent/lot?d={id}&action=affecter")).await.text;
    assert!(told.contains("Affecté à Nadia Benali en ce moment"), "{told}");
    let nothing = world.post(cookie, "/agent/lot", &[("d", &seen), ("action", "invente")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text.contains("Choisissez une action"));
    let reader = sql!("update membership set role = 'reader' where authority_id = $1 and account_id = $2");
    let account = world.account("claire.daubigny").await;
    let write = async |tx: &mut Tx| tx.run(reader, args![tx.authority(), account]).await;
    world.visit.db.write(write).await.unwrap();
    let reader = world.sign_in("claire.daubigny").await;
    assert!(!world.get(&reader, "/agent?vue=toutes").await.text.contains("name=\"d\""));
    assert!(world.get(&reader, &format!("/agent/lot?d={id}")).await.text.contains("Aucun dossier n’est choisi"));
}

/// A list tells which of its requests a colleague has just opened, and only colleagues'.
async fn busy(world: &World, ids: [Uuid; 3]) {
    let (nadia, claire) = (world.sign_in("nadia.benali").await, world.sign_in("claire.daubigny").await);
    let quiet = world.get(&nadia, "/agent?vue=termines").await.text;
    assert!(!quiet.contains("y travaille"), "{quiet}");
    world.get(&claire, &page(ids[2])).await;
    let seen = world.get(&nadia, "/agent?vue=termines").await.text;
    assert!(seen.contains("Claire d’Aubigny y travaille"), "{seen}");
    assert!(!world.get(&claire, "/agent?vue=termines").await.text.contains("Claire d’Aubigny y travaille"));
}

#[tokio::test]
async fn several_at_once_on_sqlite() {
    takes(World::new(db::testing::sqlite()).await).await;
}

#[tokio::test]
async fn several_at_once_on_postgres() {
    takes(World::new(db::testing::postgres().await).await).await;
}

/// All of a list, more than a page: each page is seen and confirmed by itself.
#[tokio::test]
async fn a_whole_list_a_page_at_a_time() {
    let world = World::sqlite().await;
    let mut ids = Vec::new();
    for hours in 0..53 {
        let mut filing = world.filing("acte-naissance");
        filing.hours = hours;
        ids.push(world.file(filing).await);
    }
    let mut other = world.filing("acte-naissance");
    other.state = "in-progress";
    let other = world.file(other).await;
    let cookie = world.sign_in("nadia.benali").await;
    let query = "vue=toutes&statut=sent&tri=activite";
    let list = world.get(&cookie, &format!("/agent?{query}")).await.text;
    assert!(list.contains("name=\"tout\" value=\"debut\""), "{list}");
    let mut address = format!("/agent/lot?liste={}&tout=debut", crate::platform::encode(query));
    let mut held = 0;
    for many in [50, 3] {
        let deeds = world.get(&cookie, &address).await.text;
        assert!(deeds.contains(&format!("Que faire de ces {many} dossiers")), "{deeds}");
        let value = |text: &str, name: &str| {
            let after = text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
            after.split('"').next().unwrap().to_owned()
        };
        let (chosen, next) = (value(&deeds, "d"), value(&deeds, "suite"));
        assert_eq!(next.is_empty(), many == 3);
        let fields = [("d", chosen.as_str()), ("liste", query), ("suite", next.as_str()), ("action", "affecter")];
        let done = world.post(&cookie, "/agent/lot", &fields).await;
        assert_eq!(done.status, StatusCode::OK);
        held += many;
        let sql = sql!("select count(*) from request where authority_id = $1 and holder_id is not null and id <> $2");
        assert_eq!(world.count(sql, other).await, held);
        if let Some((_, after)) = done.text.split_once("href=\"/agent/lot?liste=") {
            address = format!("/agent/lot?liste={}", after.split('"').next().unwrap());
        }
    }
    let sql = sql!("select count(*) from request where authority_id = $1 and holder_id is not null and id = $2");
    assert_eq!(world.count(sql, other).await, 0, "what the list does not show is left alone");
}
