//! Statistics: counted as it happens, told to who processes, the same once folded, and of nobody in particular.

use db::{args, sql};
use guichet::steering::{self, Fact, Measure};
use jiff::SignedDuration;

use super::{agent::act, archives::again};
use crate::harness::{
    Client, Engine, Portal, USAGER, both,
    journey::{birth, question},
};

/// A table of the page, as its CSV gives it: the rows after the head.
async fn table(agent: &mut Client, query: &str) -> Vec<Vec<String>> {
    let page = agent.get(&format!("/agent/statistiques.csv?{query}")).await.is(200);
    assert!(page.header("content-type").starts_with("text/csv"));
    let text = page.html().trim_start_matches('\u{feff}').to_owned();
    let line = |line: &str| line.split(';').map(|cell| cell.trim_matches('"').to_owned()).collect();
    text.lines().skip(1).map(line).collect()
}

/// The row whose first cell is this, without that cell.
async fn row(agent: &mut Client, query: &str, first: &str) -> String {
    let rows = table(agent, query).await;
    let found = rows.iter().find(|row| row[0] == first).unwrap_or_else(|| panic!("{first}: {rows:?}"));
    found[1..].join(" ")
}

/// What the page says must not change when facts become counters.
async fn twice<T: PartialEq + std::fmt::Debug>(portal: &Portal, mut look: impl AsyncFnMut() -> T) -> T {
    let before = look().await;
    assert!(portal.count("fact").await > 0);
    steering::tick(&portal.app).await.unwrap();
    assert_eq!(portal.count("fact").await, 0);
    assert_eq!(look().await, before);
    before
}

/// What one round sends: subjects and recipients, in order.
async fn round(portal: &Portal) -> Vec<String> {
    let known = portal.outbox().await.len();
    steering::tick(&portal.app).await.unwrap();
    let mut sent: Vec<String> =
        portal.outbox().await[known..].iter().map(|(to, subject, _)| format!("{to}: {subject}")).collect();
    sent.sort();
    sent
}

fn days(portal: &Portal, days: i64) {
    portal.later(SignedDuration::from_hours(24 * days));
}

both! {
    async fn figures_follow_what_happens(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let mut filed = Vec::new();
        for _ in 0..3 {
            filed.push(format!("/agent/demandes/{}", person.file("acte-naissance", &birth()).await.id));
        }
        act(&mut nadia, &filed[0], "take", &[]).await.is(303);
        // Asked twice: it was incomplete once.
        let ask = [("champs", "titulaire"), ("message", "Le prénom ?"), ("jours", "15")];
        act(&mut nadia, &filed[0], "ask", &ask).await.is(303);
        let mine = filed[0].trim_start_matches("/agent");
        let path = person.get(&format!("{mine}/repondre?vers=la-personne-concernee")).await.is(303).location().to_owned();
        let check = person.answer(&path, &birth()).await;
        let fields = person.get(&check).await.is(200).form("version").fields;
        person.post_form(&check, &fields).await.is(303);
        act(&mut nadia, &filed[0], "ask", &ask).await.is(303);
        // Two days later by the calendar, though not by the clock.
        portal.later(SignedDuration::from_hours(44));
        let mut herve = portal.agent("herve.le-goff").await;
        act(&mut herve, &filed[1], "take", &[]).await.is(303);
        act(&mut herve, &filed[1], "accept", &[("message", "Voici l’acte.")]).await.is(303);
        // Long after the five working days that are promised.
        portal.later(SignedDuration::from_hours(24 * 20));
        let mut herve = portal.agent("herve.le-goff").await;
        act(&mut herve, &filed[2], "take", &[]).await.is(303);
        act(&mut herve, &filed[2], "accept", &[("message", "Voici l’acte.")]).await.is(303);
        let mut nadia = portal.agent("nadia.benali").await;

        let seen = twice(&portal, async || {
            let mut found = Vec::new();
            for period in ["12m", "30j", "2026"] {
                found.push(row(&mut nadia, &format!("tableau=demarches&periode={period}"), "Demander un acte de naissance").await);
            }
            found
        })
        .await;
        // Received, answered, half within, nine tenths within, on time, complete at first, satisfied.
        assert_eq!(seen, ["3 2 2 22 50 67 ", "3 2 2 22 50 67 ", "3 2 2 22 50 67 "]);
        let months = table(&mut nadia, "tableau=volumes&periode=12m").await;
        assert_eq!((months.len(), months[10][1..].join(" "), months[11][1..].join(" ")), (12, "3 1".into(), "0 1".into()));
        assert_eq!(row(&mut nadia, "tableau=actions&periode=30j&demarche=acte-naissance", "Prendre en charge").await, "3");
        let page = nadia.get("/agent/statistiques?periode=30j").await.is(200);
        let page = page.shows("les 30 derniers jours").shows("Demandes complètes d'emblée 67 %");
        assert!(page.html().contains("<svg class=\"g-chart\" role=\"img\"") && !page.html().contains("style="));
    }

    async fn each_sees_their_departments(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.file("demande-information", &question("Quand ouvre la piscine ?")).await;
        portal.agent("lea.fontaine").await.get("/agent/statistiques").await.is(403);
        portal.agent("maelle.keller").await.get("/agent/statistiques").await.is(403);
        let mut paulo = portal.agent("paulo.da-silva").await;
        paulo.get("/agent/statistiques").await.is(200).shows("Demandes reçues 1 (0)");
        paulo.get("/agent/statistiques?service=etat-civil").await.is(404);
        paulo.get("/agent/statistiques.csv?service=etat-civil&tableau=volumes").await.is(404);
        paulo.get("/agent/statistiques.csv?tableau=rien").await.is(404);
        // Another department's procedure has no figures here, though its name may be told.
        let mut nadia = portal.agent("nadia.benali").await;
        let rows = table(&mut nadia, "tableau=volumes&periode=7j&demarche=demande-information").await;
        assert!(rows.iter().all(|row| row[1..].join(" ") == "0 0"), "{rows:?}");
        let rows = table(&mut paulo, "tableau=volumes&periode=7j").await;
        assert_eq!(rows.last().unwrap()[1..].join(" "), "1 0");
    }

    async fn where_forms_are_left_is_counted_without_a_trace(portal: Portal) {
        let mut paulo = portal.agent("paulo.da-silva").await;
        // One sends, one stops at the check page after going back and forth, one never ends the first page.
        portal.client().file("demande-information", &question("Un ?")).await;
        let mut second = portal.client();
        let check = second.fill("demande-information", &question("Deux ?")).await;
        let draft = check.trim_end_matches("/verifier").to_owned();
        second.answer(&format!("{draft}/votre-message"), &question("Deux, encore ?")).await;
        let mut third = portal.client();
        let first = third.get("/demarches/demande-information/remplir").await.is(303).location().to_owned();
        third.get(&first).await.is(200);
        third.post(&first, &[("action", "continuer")]).await.is(422);
        // Its purge changes nothing.
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("delete from draft where authority_id = $1"), args![tx.authority()]).await).await.unwrap();
        let seen = twice(&portal, async || {
            table(&mut paulo, "tableau=abandons&periode=7j&demarche=demande-information").await
        })
        .await;
        let last = seen.last().unwrap();
        assert_eq!(last.join(" "), "Vérification et envoi 2 1 50", "{seen:?}");
        assert!(seen[..seen.len() - 1].iter().all(|row| row[1..].join(" ") == "2 0 0"), "{seen:?}");
    }

    /// Back from a page that another answer then hides, a draft is no second one.
    async fn a_draft_that_changes_its_way_is_counted_once(portal: Portal) {
        let mut person = portal.client();
        let first = person.get("/demarches/acte-naissance/remplir").await.is(303).location().to_owned();
        let second = person.answer(&first, &birth()).await;
        assert!(person.answer(&second, &birth()).await.ends_with("/ses-parents"));
        let mut simple = birth();
        simple.set("document", "simple");
        person.answer(&first, &simple).await;
        let fourth = person.answer(&second, &simple).await;
        assert!(!fourth.ends_with("/ses-parents"), "{fourth}");
        person.answer(&fourth, &simple).await;
        let mut nadia = portal.agent("nadia.benali").await;
        let seen = table(&mut nadia, "tableau=abandons&periode=7j&demarche=acte-naissance").await;
        assert_eq!(seen[1].join(" "), "La personne concernée 1 0 0", "{seen:?}");
        assert!(seen.iter().all(|row| row[1] == "1"), "{seen:?}");
    }

    /// A colour may come long before the day when the answer is due: it is shown, and managers are told in time.
    async fn early_colours_are_seen_and_told(portal: Portal) {
        let mut sources = guichet::catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| name.starts_with("acte-naissance"));
        let (_, text) = &mut sources.procedures[0];
        let early = "delay: 2 months\nalerts: {orange: 15 working days, red: 10 working days}\n";
        *text = text.replace("delay: 5 working days\n", early);
        assert_eq!(guichet::catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
        portal.app.catalogue.refresh(portal.city);
        let filed = portal.usager(USAGER).await.file("acte-naissance", &birth()).await;
        // A hundred others are due sooner, and still green.
        let now = portal.app.clock.now();
        for _ in 0..100 {
            again(&portal, filed.id, now, now + SignedDuration::from_hours(24 * 900)).await;
        }
        let due = now + SignedDuration::from_hours(24 * 59);
        let others = sql!("update request set procedure_id = 'acte-mariage', procedure_version = 1, due_at = $3 where authority_id = $1 and id <> $2");
        portal.db().write(async |tx: &mut db::Tx| tx.run(others, args![tx.authority(), filed.id, due]).await).await.unwrap();
        days(&portal, 49);
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent/retards").await.is(200).shows("1 dossier au rouge, 0 à l'orange").shows(&filed.reference).hides("Il y en a d'autres");
        let risen = "claire.daubigny@valmont.example: 1 dossier sans réponse : Service de l’état civil";
        assert!(!round(&portal).await.contains(&risen.to_owned()));
        days(&portal, 7);
        assert!(round(&portal).await.contains(&risen.to_owned()));
        assert!(portal.outbox().await.iter().any(|(_, subject, text)| subject.contains("sans réponse") && text.contains(&filed.reference)));
    }

    async fn what_is_late_is_seen_and_told(portal: Portal) {
        let filed = portal.usager(USAGER).await.file("acte-naissance", &birth()).await;
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent/retards").await.is(200).shows("Rien en retard");
        assert_eq!(round(&portal).await, [""; 0]);
        // A week later it is the last of five working days.
        days(&portal, 7);
        assert_eq!(
            round(&portal).await,
            ["claire.daubigny", "herve.le-goff", "nadia.benali"].map(|who| format!("{who}@valmont.example: 1 dossier à traiter sans tarder"))
        );
        assert_eq!(round(&portal).await, [""; 0], "once a day");
        let (_, _, text) = portal.outbox().await.pop().unwrap();
        assert!(text.contains(&format!("{}\u{a0}: à rendre aujourd’hui (à personne)", filed.reference)) && !text.contains("Martin"), "{text}");
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent/retards").await.is(200).shows(&filed.reference).shows("Orange").hides("Rouge");
        nadia.post("/agent/retards/rappels", &[("frequence", "parfois")]).await.is(400);
        nadia.post("/agent/retards/rappels", &[("frequence", "jamais")]).await.leads_to("/agent/retards?fait=rappels");
        days(&portal, 1);
        assert_eq!(
            round(&portal).await,
            ["claire.daubigny", "herve.le-goff"].map(|who| format!("{who}@valmont.example: 1 dossier à traiter sans tarder"))
        );
        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent/retards?demarche=acte-naissance").await.is(200).shows("Rouge").shows("en retard d'un jour");
        portal.agent("paulo.da-silva").await.get("/agent/retards").await.is(200).shows("Rien en retard");
        // Red since the 25th; five working days later, whenever the server comes back, its manager knows.
        days(&portal, 9);
        let risen = "claire.daubigny@valmont.example: 1 dossier sans réponse : Service de l’état civil";
        assert!(round(&portal).await.contains(&risen.to_owned()));
        days(&portal, 3);
        assert!(!round(&portal).await.contains(&risen.to_owned()), "once");
        let mut herve = portal.agent("herve.le-goff").await;
        let path = format!("/agent/demandes/{}", filed.id);
        act(&mut herve, &path, "take", &[]).await.is(303);
        act(&mut herve, &path, "accept", &[("message", "Voici l’acte.")]).await.is(303);
        days(&portal, 1);
        assert_eq!(round(&portal).await, [""; 0]);
    }

    async fn figures_are_sent_once_for_each_period(portal: Portal) {
        let mut claire = portal.agent("claire.daubigny").await;
        portal.usager(USAGER).await.file("acte-naissance", &birth()).await;
        let wanted = [("service", "etat-civil"), ("frequence", "semaine")];
        portal.agent("nadia.benali").await.post("/agent/statistiques/courriels", &wanted).await.is(403);
        claire.post("/agent/statistiques/courriels", &[("service", "etat-civil"), ("frequence", "toujours")]).await.is(400);
        claire.post("/agent/statistiques/courriels", &wanted).await.leads_to("/agent/statistiques?fait=courriels");
        let figures = async || -> Vec<String> {
            round(&portal).await.into_iter().filter(|sent| sent.contains("Statistiques")).collect()
        };
        assert_eq!(figures().await, [""; 0]);
        days(&portal, 6);
        // The same choice again loses nothing.
        portal.agent("claire.daubigny").await.post("/agent/statistiques/courriels", &wanted).await.is(303);
        let sent = figures().await;
        assert_eq!(sent, ["claire.daubigny@valmont.example: Statistiques du 16\u{a0}novembre 2026 au 22\u{a0}novembre 2026 : Service de l’état civil"]);
        let outbox = portal.outbox().await;
        let (.., text) = outbox.iter().find(|(_, subject, _)| subject.contains("Statistiques")).unwrap();
        assert!(text.contains("Demandes reçues : 1 (0)") && text.contains("/agent/statistiques?service=etat-civil"), "{text}");
        assert_eq!(figures().await, [""; 0], "once");
        // The server was down for two weeks and a day: each week is told, once.
        days(&portal, 15);
        assert_eq!(figures().await.len(), 2);
        // Nobody is told whose access is over, even since the mail was queued.
        let ends = async |last: Option<jiff::civil::Date>| {
            let end = sql!("update account set ends_on = $2 where authority_id = $1 and email = 'claire.daubigny@valmont.example'");
            assert_eq!(portal.db().write(async |tx: &mut db::Tx| tx.run(end, args![tx.authority(), last]).await).await.unwrap(), 1);
        };
        days(&portal, 7);
        let known = portal.outbox().await.len();
        steering::tick(&portal.app).await.unwrap();
        ends(Some("2026-12-01".parse().unwrap())).await;
        let sent = portal.outbox().await.split_off(known);
        assert!(sent.iter().all(|(to, ..)| !to.contains("claire.daubigny")), "{sent:?}");
        days(&portal, 7);
        assert_eq!(figures().await, [""; 0]);
        ends(None).await;
        days(&portal, 7);
        assert_eq!(figures().await.len(), 1);
        // Who manages no more is told no more.
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("delete from membership where authority_id = $1 and role = 'manager'"), args![tx.authority()]).await).await.unwrap();
        days(&portal, 7);
        assert_eq!(figures().await, [""; 0]);
    }

    async fn usagers_are_told_how_long_it_takes_now(portal: Portal) {
        let answers = async |many: usize, bucket: i64| {
            let day = "2026-11-10".parse().unwrap();
            let fact = Fact { day, department: "etat-civil", procedure: "acte-naissance", measure: Measure::OnTime, what: "accept", channel: "web", days: Some(bucket) };
            for _ in 0..many {
                let id = portal.app.clock.id();
                portal.db().write(async |tx: &mut db::Tx| steering::note(tx, id, &fact).await).await.unwrap();
            }
        };
        let mut person = portal.usager(USAGER).await;
        let usual = "En ce moment, une réponse arrive en général sous 3 jours.";
        // Folded one after the other into the same counter.
        answers(15, 3).await;
        steering::tick(&portal.app).await.unwrap();
        answers(4, 20).await;
        steering::tick(&portal.app).await.unwrap();
        person.get("/demarches/acte-naissance").await.is(200).hides("En ce moment");
        answers(1, 2).await;
        portal.later(SignedDuration::from_mins(16));
        person.get("/demarches/acte-naissance").await.is(200).shows(usual);
        person.get("/demarches/acte-mariage").await.is(200).hides("En ce moment");
        let filed = person.file("acte-naissance", &birth()).await;
        filed.page.shows(usual);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(usual);
    }

    async fn what_comes_otherwise_is_declared(portal: Portal) {
        portal.usager(USAGER).await.file("acte-naissance", &birth()).await;
        let mut claire = portal.agent("claire.daubigny").await;
        let page = "/agent/statistiques/autrement";
        let of = [("demarche", "acte-naissance"), ("mois", "2026-11")];
        let wrong = claire.post(page, &[&of[..], &[("guichet", "trois"), ("courrier", "2")]].concat()).await.is(422);
        let wrong = wrong.shows("Au guichet : écrivez un nombre entier");
        assert!(wrong.html().contains("value=\"trois\""));
        claire.post(page, &[&of[..], &[("guichet", "7"), ("courrier", "2")]].concat()).await.is(303);
        // The last word counts.
        claire.post(page, &[&of[..], &[("guichet", "3")]].concat()).await.is(303);
        let shown = claire.get(&format!("{page}?demarche=acte-naissance&mois=2026-11")).await.is(200);
        assert!(shown.html().contains("id=\"guichet\" name=\"guichet\" type=\"text\" value=\"3\""), "{}", shown.html());
        steering::tick(&portal.app).await.unwrap();
        for period in ["12m", "2026-11"] {
            let query = format!("tableau=canaux&periode={period}");
            assert_eq!(row(&mut claire, &query, "En ligne").await, "1 25", "{period}");
            assert_eq!(row(&mut claire, &query, "Au guichet").await, "3 75");
        }
        claire.get("/agent/statistiques.csv?tableau=canaux&periode=7j").await.is(404);
        // A page that was left open too long: nothing of it goes to another month, nothing typed is lost.
        let counters = portal.count("tally").await;
        let old = claire.post(page, &[("demarche", "acte-naissance"), ("mois", "2025-10"), ("guichet", "88")]).await.is(422);
        assert!(old.shows("ne se déclare plus").html().contains("value=\"88\""));
        assert_eq!(portal.count("tally").await, counters);
        // What is declared of a month is not set against a part of it.
        let sent = Fact { day: "2026-10-05".parse().unwrap(), department: "etat-civil", procedure: "acte-naissance", measure: Measure::Sent, what: "send", channel: "web", days: None };
        let id = portal.app.clock.id();
        portal.db().write(async |tx: &mut db::Tx| steering::note(tx, id, &sent).await).await.unwrap();
        claire.post(page, &[("demarche", "acte-naissance"), ("mois", "2026-10"), ("guichet", "1")]).await.is(303);
        claire.get("/agent/statistiques?periode=2026-11").await.is(200).shows("Demandes en ligne 25 % (–)");
        portal.agent("paulo.da-silva").await.post(page, &of).await.is(404);
        portal.agent("nadia.benali").await.post(page, &of).await.is(403);
    }
}
