//! What the platform does by itself when its moment comes: once, at that moment however late it looks, and
//! by the authority's calendar.

use db::{args, sql};
use guichet::{authorities::recount, platform::jobs, requests::timers, work};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::harness::{Client, Engine, Filed, Portal, both, journey::birth};

/// An act asked for on 17 November 2026, which the department wants completed within thirty days.
async fn asked(portal: &Portal) -> (Client, Filed) {
    let mut person = portal.client();
    let filed = person.file("acte-naissance", &birth()).await;
    let mut herve = portal.agent("herve.le-goff").await;
    let path = format!("/agent/demandes/{}/actions/ask", filed.id);
    let form = herve.get(&path).await.is(200).form("version");
    let form = form.with("champs", "titulaire").with("message", "Le prénom est illisible.").with("jours", "30");
    herve.post_form(&path, &form.fields).await.is(303);
    (person, filed)
}

async fn days(portal: &Portal, days: i64) {
    portal.later(SignedDuration::from_hours(24 * days));
}

/// What the platform did: code and moment.
async fn done(portal: &Portal, request: Uuid) -> Vec<(String, Timestamp)> {
    portal
        .db()
        .all(
            sql!("select code, at from request_event where authority_id = $1 and request_id = $2 and actor = 'system' order by seq"),
            args![portal.city, request],
        )
        .await
        .unwrap()
}

async fn mails(portal: &Portal, subject: &str) -> usize {
    portal.work().await;
    portal.outbox().await.iter().filter(|(_, title, _)| title.contains(subject)).count()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

both! {
    async fn a_reminder_then_the_end_without_answer(portal: Portal) {
        let (_, filed) = asked(&portal).await;
        days(&portal, 22).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0, "not before its day");
        days(&portal, 1).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0, "once");
        assert_eq!(mails(&portal, "Rappel").await, 1);
        days(&portal, 23).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(mails(&portal, "est terminée").await, 1);
        // Whoever filed without account has no session any more; the correspondence is one.
        let mut herve = portal.agent("herve.le-goff").await;
        let page = herve.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200);
        page.shows("Nous n’avons pas reçu ce que nous vous demandions").shows("Le service");
        let codes: Vec<String> = done(&portal, filed.id).await.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["remind", "lapse"]);
    }

    async fn after_a_stop_everything_at_its_own_moment_with_two_workers(portal: Portal) {
        let (_, filed) = asked(&portal).await;
        days(&portal, 60).await;
        let (one, two) = tokio::join!(timers::tick(&portal.app), timers::tick(&portal.app));
        assert_eq!(one.unwrap() + two.unwrap(), 2);
        // Until 17 December: a week before in the morning; fifteen days after, the 1st of January, is over.
        let expected = [("remind", at("2026-12-09T23:00:00Z")), ("lapse", at("2027-01-01T23:00:00Z"))];
        assert_eq!(done(&portal, filed.id).await, expected.map(|(code, at)| (code.to_owned(), at)));
        let ended: Timestamp = portal
            .db()
            .one(sql!("select ended_at from request where authority_id = $1 and id = $2"), args![portal.city, filed.id])
            .await
            .unwrap();
        assert_eq!(ended, at("2027-01-01T23:00:00Z"));
        assert_eq!((mails(&portal, "Rappel").await, mails(&portal, "est terminée").await), (1, 1));
    }

    async fn who_answers_in_time_hears_nothing(portal: Portal) {
        let (mut person, filed) = asked(&portal).await;
        let check = person.get(&format!("/demandes/{}/repondre", filed.id)).await.is(303).location().to_owned();
        let page = person.get(&check).await.is(200);
        person.post_form(&check, &page.form("version").fields).await.is(303);
        days(&portal, 100).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0);
    }

    async fn a_changed_calendar_moves_what_was_promised(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        let due = async |portal: &Portal| -> Timestamp {
            let of = sql!("select due_at from request where authority_id = $1 and id = $2");
            portal.db().one(of, args![portal.city, filed.id]).await.unwrap()
        };
        let before = due(&portal).await;
        let file = portal.files().with_file_name("jours.txt");
        std::fs::write(&file, "2026-11-20 Pont\n").unwrap();
        let run = |file: &str| portal.admin(&["calendar", file]);
        let (ok, says) = run(file.to_str().unwrap());
        assert!(ok && says.contains("1 closed days; the delays of 1 requests moved"), "{says}");
        assert!(due(&portal).await > before);
        assert_eq!(done(&portal, filed.id).await.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["calendar"]);
        let (ok, says) = run(file.to_str().unwrap());
        assert!(ok && says.contains("the delays of 0 requests moved"), "{says}");
        let mut herve = portal.agent("herve.le-goff").await;
        herve.get(&format!("/agent/demandes/{}?onglet=historique", filed.id)).await.is(200).shows("Délais recalculés");
    }
}

/// The days on which the city is closed, as they are kept.
async fn closed(portal: &Portal) -> Vec<String> {
    let db::Json(settings): db::Json<serde_json::Value> =
        portal.db().one(sql!("select settings from authority where id = $1"), args![portal.city]).await.unwrap();
    let days = settings["closed_days"].as_object().cloned().unwrap_or_default();
    days.into_iter().map(|(day, name)| format!("{day} {}", name.as_str().unwrap())).collect()
}

both! {
    async fn administrators_see_what_a_calendar_moves_before_they_keep_it(portal: Portal) {
        const PAGE: &str = "/agent/calendrier";
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        let due = async |portal: &Portal| -> Timestamp {
            let of = sql!("select due_at from request where authority_id = $1 and id = $2");
            portal.db().one(of, args![portal.city, filed.id]).await.unwrap()
        };
        let before = (due(&portal).await, closed(&portal).await);
        let mut maelle = portal.agent("maelle.keller").await;
        let form = maelle.get(PAGE).await.is(200).shows("25 décembre 2026").form("jours");
        let present = form.value("jours").to_owned();
        // What is wrong is told, and stays as it was typed.
        let page = maelle.post_form(PAGE, &form.clone().with("jours", "20/11/2026 Pont\n31/11/2026").fields).await;
        let page = page.is(422).shows("ligne 2, « 31/11/2026 » n'est pas une date");
        assert_eq!(page.form("jours").value("jours"), "20/11/2026 Pont\n31/11/2026");
        maelle.post_form(PAGE, &form.fields).await.is(422).shows("celui qui vaut déjà");
        let wanted = form.clone().with("jours", &format!("{present}\n20/11/2026 Pont"));
        let page = maelle.post_form(PAGE, &wanted.fields).await.is(200).shows("1 demande en cours change de délai");
        let seen = page.shows("20 novembre 2026 (Pont)").form("confirmer").with("confirmer", "oui");
        // Another calendar than the one whose effect was seen: its own effect is shown first.
        let other = seen.clone().with("jours", &format!("{present}\n28/12/2026 Fermeture"));
        maelle.post_form(PAGE, &other.fields).await.is(200).shows("Rien n'est encore enregistré").shows("Aucune demande en cours");
        assert_eq!((due(&portal).await, closed(&portal).await), before);
        maelle.post_form(PAGE, &seen.fields).await.leads_to("/agent/calendrier?fait=change");
        maelle.get("/agent/calendrier?fait=change").await.is(200).shows("Le calendrier est enregistré");
        assert!(closed(&portal).await.contains(&"2026-11-20 Pont".to_owned()));
        // Once every process knows it.
        portal.work().await;
        assert_eq!(due(&portal).await, before.0);
        portal.later(SignedDuration::from_mins(1));
        portal.work().await;
        assert!(due(&portal).await > before.0);
        assert_eq!(done(&portal, filed.id).await.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["calendar"]);
        // Who typed before that does not undo it unaware.
        maelle.post_form(PAGE, &wanted.fields).await.is(422).shows("modifié pendant votre saisie").shows("20 novembre 2026");
        let said: Vec<String> = portal
            .db()
            .all(sql!("select detail from journal where authority_id = $1 and action = 'calendar-changed'"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(said, ["+2026-11-20"]);
    }

    /// A recount goes on from job to job; a worker that dies in between loses nothing and moves nothing twice.
    async fn a_recount_goes_on_by_turns(portal: Portal) {
        let mut person = portal.client();
        let mut filed = Vec::new();
        for _ in 0..5 {
            filed.push(person.file("acte-naissance", &birth()).await.id);
        }
        portal.work().await;
        let moved = async || -> i64 {
            portal.db().one(sql!("select count(*) from request_event where authority_id = $1 and code = 'calendar'"), args![portal.city]).await.unwrap()
        };
        let close = async |tx: &mut db::Tx| {
            let db::Json(mut settings): db::Json<serde_json::Value> = tx.one(sql!("select settings from authority where id = $1"), args![tx.authority()]).await?;
            settings["closed_days"]["2026-11-20"] = "Pont".into();
            tx.run(sql!("update authority set settings = $1 where id = $2"), args![db::Json(&settings), tx.authority()]).await?;
            let job = jobs::NewJob { kind: recount::RECOUNT, effect: "calendar:test".into(), request: None, payload: serde_json::Value::Null };
            jobs::enqueue(tx, Uuid::from_u128(1), portal.app.clock.now(), job).await
        };
        portal.db().write(close).await.unwrap();
        let turn = recount::Turn { requests: 1, times: 2 };
        let of = jobs::Of { kind: recount::RECOUNT, only: true };
        let claim = async || {
            let mut claimed = jobs::claim(&portal.app.db, portal.app.clock.id(), portal.app.clock.now(), (of, 8)).await.unwrap();
            assert!(claimed.len() < 2, "one at a time: {claimed:?}");
            claimed.pop()
        };
        let visit = async || work::visit(&portal.app, portal.city).await.unwrap();
        let (first, dead) = (claim().await.unwrap(), visit().await);
        // It is killed after its turn's work, before it says so: its lease runs out, and another begins it again.
        recount::turn(&dead, &jobs::Claimed { lease: Uuid::new_v4(), ..first }, turn).await.unwrap();
        assert_eq!(moved().await, 2);
        assert!(claim().await.is_none());
        portal.later(jobs::LEASE + SignedDuration::from_secs(1));
        let mut turns = 0;
        while let Some(job) = claim().await {
            turns += 1;
            let visit = visit().await;
            match recount::turn(&visit, &job, turn).await.unwrap() {
                jobs::Outcome::Done => jobs::done(&portal.app.db, &job, visit.now).await.unwrap(),
                jobs::Outcome::Recorded => {}
            }
        }
        assert_eq!((moved().await, turns), (5, 3), "each once, by twos");
    }
}
