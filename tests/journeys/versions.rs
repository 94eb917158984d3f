//! A workflow that changes under live requests: each keeps the version it was made with, to the end, and it is seen.

use db::{args, sql};
use guichet::{catalogue, requests::timers};
use jiff::SignedDuration;
use uuid::Uuid;

use super::agent::act;
use crate::harness::{Client, Engine, Filed, Portal, USAGER, both, journey::birth};

const BIRTH: &str = "acte-naissance";

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

async fn state(portal: &Portal, filed: &Filed) -> String {
    let of = sql!("select state from request where authority_id = $1 and id = $2");
    portal.db().one(of, args![portal.city, filed.id]).await.unwrap()
}

/// Publishes the procedure anew, where two of its states have another name, what reminds is gone and an action is
/// called otherwise.
async fn renamed(portal: &Portal) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.retain(|(name, _)| name.starts_with(BIRTH));
    let workflow = sources.shared.files.get_mut("workflows/standard.yaml").unwrap();
    let (before, rest) = workflow.split_once("  - id: remind\n").unwrap();
    let (_, after) = rest.split_once("  - id: lapse\n").unwrap();
    let mut text = format!("{before}  - id: lapse\n{after}");
    for (old, new) in [("in-progress", "being-read"), ("incomplete", "waiting")] {
        for (sign, end) in [("id: ", "\n"), ("to: ", "\n"), ("[", ","), (" ", ","), (" ", "]"), ("[", "]")] {
            text = text.replace(&format!("{sign}{old}{end}"), &format!("{sign}{new}{end}"));
        }
    }
    // A status is no state.
    text = text.replace("status: being-read\n", "status: in-progress\n").replace("id: take\n", "id: begin\n");
    *workflow = text;
    assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
    portal.app.catalogue.refresh(portal.city);
}

async fn ask(herve: &mut Client, filed: &Filed) {
    act(herve, &desk(filed), "ask", &[("champs", "titulaire"), ("message", "Le prénom ?"), ("jours", "15")])
        .await
        .is(303);
}

both! {
    async fn live_requests_keep_their_version(portal: Portal) {
        let (mut person, mut nadia, mut herve) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        let mut filed = Vec::new();
        for _ in 0..4 {
            filed.push(person.file(BIRTH, &birth()).await);
        }
        let [going, waiting, answered, fresh] = <[Filed; 4]>::try_from(filed).ok().unwrap();
        act(&mut nadia, &desk(&going), "take", &[]).await.is(303);
        for one in [&waiting, &answered] {
            act(&mut nadia, &desk(one), "take", &[]).await.is(303);
            ask(&mut herve, one).await;
        }
        // A page of an action, a page of a correction and a draft are open when the version changes.
        let action = format!("{}/actions/mark-complete", desk(&going));
        let open = nadia.get(&action).await.is(200).form("version");
        let correcting = person.get(&format!("/demandes/{}/repondre?vers=la-personne-concernee", answered.id)).await.is(303).location().to_owned();
        let mut late = portal.client();
        let check = late.fill(BIRTH, &birth()).await;
        nadia.get(&desk(&going)).await.is(200).hides("qu'elle garde jusqu'au bout");

        renamed(&portal).await;
        let told = catalogue::left_behind(&portal.db()).await.unwrap();
        assert_eq!(told, [
            "acte-naissance: 1 at « in-progress », which version 2 does not have: they go on by version 1",
            "acte-naissance: 2 at « incomplete », which version 2 does not have: they go on by version 1",
        ]);
        // It is seen, by its own words; lists and search hold it.
        nadia.get(&desk(&going)).await.is(200).shows("Version 1, qu'elle garde jusqu'au bout ; la 2 est publiée").shows("En cours d'instruction");
        let list = nadia.get("/agent?vue=toutes").await.is(200);
        for one in [&going, &waiting, &answered, &fresh] {
            assert!(list.words().contains(&one.reference), "{}", one.reference);
        }
        nadia.get("/agent/export.csv?vue=toutes").await.is(200).shows(&going.reference);
        nadia.get(&format!("{}/dossier.pdf", desk(&going))).await.is(200);
        person.get(&format!("/demandes/{}", going.id)).await.is(200);

        // The open page of an action counts.
        nadia.post_form(&action, &open.fields).await.is(303);
        assert_eq!(state(&portal, &going).await, "complete");
        // An action of the new version is none of an old request, and the other way round.
        nadia.get(&format!("{}/actions/begin", desk(&fresh))).await.is(404);
        act(&mut nadia, &desk(&fresh), "take", &[]).await.is(303);
        assert_eq!(state(&portal, &fresh).await, "in-progress");
        // The usager's correction goes to the state of its own version.
        let mut corrected = birth();
        corrected.set("titulaire.prenoms", "Camille Zoëlle");
        let sent = person.answer(&correcting, &corrected).await;
        let fields = person.get(&sent).await.is(200).form("version").fields;
        person.post_form(&sent, &fields).await.is(303);
        assert_eq!(state(&portal, &answered).await, "in-progress");
        // The draft was begun before: it is sent by its own version; another begins by the new one.
        let before = late.send_checked(&check).await;
        act(&mut nadia, &desk(&before), "take", &[]).await.is(303);
        let after = late.file(BIRTH, &birth()).await;
        act(&mut nadia, &desk(&after), "begin", &[]).await.is(303);
        assert_eq!((state(&portal, &before).await, state(&portal, &after).await), ("in-progress".to_owned(), "being-read".to_owned()));
        nadia.get(&desk(&after)).await.is(200).hides("qu'elle garde jusqu'au bout");

        // Timers of the old version fire at their moments, what the new one dropped included.
        let events = async |request: Uuid| -> Vec<String> {
            portal.db().all(sql!("select code from request_event where authority_id = $1 and request_id = $2 and actor = 'system' and to_state is not null order by seq"), args![portal.city, request]).await.unwrap()
        };
        portal.later(SignedDuration::from_hours(24 * 9));
        timers::tick(&portal.app).await.unwrap();
        assert_eq!((events(waiting.id).await, state(&portal, &waiting).await), (vec!["remind".to_owned()], "incomplete".to_owned()));
        portal.later(SignedDuration::from_hours(24 * 30));
        timers::tick(&portal.app).await.unwrap();
        assert_eq!(events(waiting.id).await, ["remind", "lapse"]);
        // And they come to their end.
        let mut herve = portal.agent("herve.le-goff").await;
        act(&mut herve, &desk(&going), "accept", &[]).await.is(303);
        act(&mut herve, &desk(&going), "close", &[]).await.is(303);
        assert_eq!(state(&portal, &going).await, "closed");
    }

    /// A changed calendar, a hand-over and a call that waits follow each request's own version too.
    async fn what_the_platform_does_follows_each_version(portal: Portal) {
        let (mut person, mut nadia, mut herve) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        let filed = person.file(BIRTH, &birth()).await;
        act(&mut nadia, &desk(&filed), "take", &[]).await.is(303);
        ask(&mut herve, &filed).await;
        renamed(&portal).await;
        let timers = async || -> String { portal.db().one(sql!("select cast(clocks as text) from request where authority_id = $1 and id = $2"), args![portal.city, filed.id]).await.unwrap() };
        let before = timers().await;
        assert_eq!(guichet::requests::timers::recount(&portal.app, portal.city).await.unwrap(), 0);
        assert_eq!(timers().await, before, "its timers are those of its version");
        // A procedure that is taken out keeps its requests as well.
        assert!(catalogue::retire(&portal.db(), BIRTH, portal.app.clock.now()).await.unwrap());
        portal.app.catalogue.refresh(portal.city);
        nadia.get(&desk(&filed)).await.is(200).hides("qu'elle garde jusqu'au bout");
        portal.later(SignedDuration::from_hours(24 * 9));
        assert_eq!(guichet::requests::timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(state(&portal, &filed).await, "incomplete");
        assert_eq!(catalogue::left_behind(&portal.db()).await.unwrap(), Vec::<String>::new());
    }
}
