//! What agents do, and what follows.

use super::*;
use crate::requests::jobs;

async fn state(world: &World, id: Uuid) -> (String, i64) {
    let request = store::find(&world.visit.db, id).await.unwrap().unwrap();
    (request.state, request.version)
}

async fn jobs_of(world: &World, id: Uuid) -> i64 {
    world.count(sql!("select count(*) from job where authority_id = $1 and request_id = $2"), id).await
}

#[tokio::test]
async fn a_refusal_needs_its_grounds() {
    let world = World::sqlite().await;
    let mut filing = world.filing("acte-naissance");
    filing.state = "in-progress";
    let id = world.file(filing).await;
    let cookie = world.sign_in("herve.le-goff").await;
    let path = format!("{}/actions/refuse", page(id));
    let form = world.get(&cookie, &path).await;
    assert!(
        form.text.contains("recours gracieux")
            && form.text.contains("tribunal administratif")
            && form.text.contains("deux mois")
    );
    assert!(form.text.contains("Hervé Le Goff") && form.text.contains("état civil"), "who signs is shown");
    assert!(form.text.contains("Une décision a été prise"), "the mail is shown as it will leave");
    for missing in ["motif", "faits", "recours"] {
        let fields: Vec<(&str, &str)> =
            [("version", "1"), ("motif", "Article 30"), ("faits", "Sans lien"), ("recours", "Deux mois")]
                .into_iter()
                .filter(|(name, _)| *name != missing)
                .collect();
        let again = world.post(&cookie, &path, &fields).await;
        assert_eq!(again.status.as_u16(), 422, "{missing}");
        assert!(
            again.text.contains(&format!("href=\"#{missing}\"")) && again.text.contains("Erreur : Refuser"),
            "{missing}"
        );
    }
    assert_eq!(state(&world, id).await, ("in-progress".to_owned(), 1));
    let done = world
        .post(
            &cookie,
            &path,
            &[("version", "1"), ("motif", "Article 30"), ("faits", "Sans lien"), ("recours", "Deux mois")],
        )
        .await;
    assert_eq!((done.status.as_u16(), done.location.as_str()), (303, format!("{}?fait=refuse", page(id)).as_str()));
    assert_eq!(state(&world, id).await, ("rejected".to_owned(), 2));
    let decision = store::decision(&world.visit.db, id).await.unwrap().unwrap();
    assert_eq!(
        (decision.favourable, decision.author_name.as_str(), decision.ground.as_deref(), decision.appeal.as_deref()),
        (false, "Hervé Le Goff", Some("Article 30"), Some("Deux mois"))
    );
    assert!(!decision.author_quality.is_empty() && !decision.author_department.is_empty());
    let shown = world.get(&cookie, &done.location).await;
    assert!(shown.text.contains("L’usager reçoit") && shown.text.contains("Sans lien"));
}

#[tokio::test]
async fn sent_twice_or_too_late() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let (first, second) = (world.sign_in("nadia.benali").await, world.sign_in("herve.le-goff").await);
    let path = format!("{}/actions/take", page(id));
    let taken = world.post(&first, &path, &[("version", "1")]).await;
    let twice = world.post(&first, &path, &[("version", "1")]).await;
    assert_eq!((taken.status.as_u16(), twice.status.as_u16(), twice.location == taken.location), (303, 303, true));
    assert_eq!((state(&world, id).await, jobs_of(&world, id).await), (("in-progress".to_owned(), 2), 1));
    let late = world.post(&second, &path, &[("version", "1")]).await;
    assert_eq!(late.status.as_u16(), 409);
    assert!(late.text.contains("Cette demande a changé pendant que vous la regardiez."));
    assert_eq!(world.get(&second, &path).await.status.as_u16(), 409, "no longer possible from here");
    // A colleague sees who holds it, and may take it over; a page drawn before that cannot.
    let holder = world.account("nadia.benali").await;
    assert!(world.get(&second, &page(id)).await.text.contains("Dossier pris en charge par Nadia Benali"));
    assert_eq!(world.post(&second, &format!("{}/affecter?de={holder}", page(id)), &[]).await.status.as_u16(), 303);
    assert_eq!(world.post(&first, &format!("{}/liberer?de={holder}", page(id)), &[]).await.status.as_u16(), 409);
    let held = store::find(&world.visit.db, id).await.unwrap().unwrap().holder_id;
    assert_eq!(held, Some(world.account("herve.le-goff").await));
    let history = world.get(&second, &format!("{}?onglet=historique", page(id))).await;
    assert!(
        history.text.contains("Prendre en charge → En cours d’instruction") && history.text.contains("Dossier affecté")
    );
}

#[tokio::test]
async fn asking_says_what_and_until_when() {
    let world = World::sqlite().await;
    let mut filing = world.filing("acte-naissance");
    filing.answers = serde_json::json!({"lieu": "ici"}).as_object().cloned().unwrap();
    (filing.state, filing.email) = ("in-progress", None);
    let id = world.file(filing).await;
    let cookie = world.sign_in("nadia.benali").await;
    let path = format!("{}/actions/ask", page(id));
    let form = world.get(&cookie, &path).await;
    assert!(form.text.contains("Cet usager n’a pas de courriel"));
    let offered = form
        .text
        .split("name=\"champs\" type=\"checkbox\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    let none = world
        .post(&cookie, &path, &[("version", "1"), ("message", "Bonjour"), ("jours", "15"), ("champs", "inconnu")])
        .await;
    assert_eq!(none.status.as_u16(), 422);
    assert!(none.text.contains("Bonjour"), "what was typed stays");
    let done = world
        .post(
            &cookie,
            &path,
            &[("version", "1"), ("message", "Bonjour"), ("jours", "15"), ("champs", &offered), ("champs", "inconnu")],
        )
        .await;
    assert_eq!(done.status.as_u16(), 303);
    let asks = store::asks(&world.visit.db, id).await.unwrap();
    assert_eq!(asks.len(), 1);
    assert_eq!(
        (asks[0].target.as_str(), (asks[0].until.unwrap() - world.visit.today()).get_days()),
        (offered.as_str(), 15)
    );
    assert_eq!(jobs_of(&world, id).await, 0, "nobody to write to");
    assert!(world.get(&cookie, &done.location).await.text.contains("Cet usager n’a pas de courriel"));
}

#[tokio::test]
async fn messages_and_notes_are_written_once() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let cookie = world.sign_in("nadia.benali").await;
    let (once, other) = (world.visit.id().to_string(), world.visit.id().to_string());
    for _ in 0..2 {
        assert_eq!(
            world
                .post(&cookie, &format!("{}/messages", page(id)), &[("once", &once), ("message", "Bonjour <script>")])
                .await
                .status
                .as_u16(),
            303
        );
        assert_eq!(
            world
                .post(&cookie, &format!("{}/notes", page(id)), &[("once", &other), ("note", "Vu au guichet")])
                .await
                .status
                .as_u16(),
            303
        );
    }
    let written = store::messages(&world.visit.db, id).await.unwrap();
    assert_eq!(
        written.iter().map(|message| (message.internal, message.body.as_str())).collect::<Vec<_>>(),
        [(false, "Bonjour <script>"), (true, "Vu au guichet")]
    );
    assert_eq!(jobs_of(&world, id).await, 1);
    let shown = world.get(&cookie, &format!("{}?onglet=messages", page(id))).await;
    assert!(shown.text.contains("Bonjour &lt;script&gt;") && !shown.text.contains("Vu au guichet"));
    let long = "é".repeat(10_001);
    let refused = world.post(&cookie, &format!("{}/notes", page(id)), &[("note", &long)]).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains(&long), "what was typed stays");
}

#[tokio::test]
async fn reading_tells_the_usager() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let visit = &world.visit;
    let message =
        store::NewMessage {
            id: visit.id(), author: "usager", author_id: None, internal: false, body: "Une précision"
        };
    visit.db.write(async |tx: &mut Tx| store::write(tx, id, &message, visit.now).await.map(drop)).await.unwrap();
    let cookie = world.sign_in("nadia.benali").await;
    let read = async || store::messages(&visit.db, id).await.unwrap()[0].read_at.is_some();
    assert!(world.get(&cookie, "/agent").await.text.contains("message à lire"));
    world.get(&cookie, &page(id)).await;
    assert!(!read().await, "another tab does not show it");
    assert!(world.get(&cookie, &format!("{}?onglet=messages", page(id))).await.text.contains("Une précision"));
    assert!(read().await);
}

#[tokio::test]
async fn an_undelivered_mail_is_sent_again() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let cookie = world.sign_in("nadia.benali").await;
    world.post(&cookie, &format!("{}/actions/take", page(id)), &[("version", "1")]).await;
    let visit = &world.visit;
    visit
        .db
        .write(async |tx: &mut Tx| {
            tx.run(sql!("update job set failed_at = $1, attempts = 12, last_error = '550 no such user' where authority_id = $2"), args![visit.now, tx.authority()]).await
        })
        .await
        .unwrap();
    let job: Uuid = visit
        .db
        .one(
            sql!("select id from job where authority_id = $1 and kind = $2"),
            args![visit.db.authority(), jobs::NOTIFY],
        )
        .await
        .unwrap();
    let again = format!("/agent/envois/{job}/relancer");
    for (name, seen) in [("nadia.benali", true), ("yann.le-bihan", false)] {
        let page = world.get(&world.sign_in(name).await, "/agent/envois").await;
        assert_eq!(page.text.contains(&again), seen, "{name}");
    }
    assert!(world.get(&cookie, &page(id)).await.text.contains("Un courriel n’est pas parti"));
    assert_eq!(world.post(&world.sign_in("yann.le-bihan").await, &again, &[]).await.status.as_u16(), 404);
    let back = page(id);
    for (from, to) in [
        (back.as_str(), format!("{back}?fait=relance")),
        ("https://ailleurs.example", "/agent/envois?fait=relance".to_owned()),
    ] {
        assert_eq!(world.post(&cookie, &again, &[("retour", from)]).await.location, to);
    }
    assert_eq!(
        world
            .count(
                sql!("select count(*) from job where authority_id = $1 and request_id = $2 and failed_at is null"),
                id
            )
            .await,
        1
    );
}
