//! SMS, through a real gateway: chosen and confirmed, sent, delivered or refused; what comes in.

use std::time::Duration;

use db::{args, sql};
use guichet::{
    contacts::sms::{self, Gateway},
    work,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::harness::{
    Client, Engine, OTHER_USAGER, Portal, USAGER, both,
    journey::{birth, question},
    peers::{
        eventually,
        kannel::{Kannel, PASSWORD},
    },
};

const NUMBER: &str = "+33639980001";
/// The operator takes nothing for it.
const REFUSED: &str = "+33639980009";

/// Declares a gateway; what it calls reaches the portal by its port.
pub async fn declare(portal: &Portal, url: &str, more: &[(&str, &str)]) {
    let mut gateway = serde_json::json!({
        "url": url, "username": "ville", "from": "Valmont", "department": "commerce", "callback": format!("http://{}", portal.address),
    });
    for (name, value) in more {
        gateway[*name] = (*value).into();
    }
    let gateway: Gateway = serde_json::from_value(gateway).unwrap();
    sms::declare(&portal.app, &portal.db(), &gateway, Some(PASSWORD)).await.unwrap();
}

/// Under the name by which the gateway calls.
async fn known_as(portal: &Portal) {
    let write = async |tx: &mut db::Tx| {
        tx.run(sql!("insert into authority_host (host, authority_id) values ('127.0.0.1', $1)"), args![tx.authority()])
            .await
    };
    portal.db().write(write).await.unwrap();
}

async fn token(portal: &Portal) -> String {
    sms::token(&work::visit(&portal.app, portal.city).await.unwrap())
}

async fn kannel(portal: &Portal) -> Kannel {
    known_as(portal).await;
    let get = format!("http://{}/sms/{}/recu?de=%p&texte=%a&id=%I", portal.address, token(portal).await);
    let kannel = Kannel::start(&get).await;
    declare(portal, &kannel.url(), &[]).await;
    kannel
}

/// A number that was confirmed.
async fn confirmed(portal: &Portal, email: &str, number: &str) {
    let write = async |tx: &mut db::Tx| {
        tx.run(
            sql!(
                "insert into sms_number (authority_id, account_id, number, asked_at, tries, confirmed_at, failures)
                 select $1, id, $3, $4, 0, $4, 0 from account where authority_id = $1 and email = $2 and kind = 'usager'"
            ),
            args![tx.authority(), email, number, portal.app.clock.now()],
        )
        .await
    };
    assert_eq!(portal.db().write(write).await.unwrap(), 1);
}

async fn states(portal: &Portal) -> Vec<(String, String)> {
    portal
        .db()
        .all(sql!("select what, state from sms where authority_id = $1 order by at, id"), args![portal.city])
        .await
        .unwrap()
}

/// Carries jobs out; once more for an SMS that a busy machine did not hand over in time.
async fn work_on(portal: &Portal) {
    portal.work().await;
    let late = sql!("select count(*) from job where authority_id = $1 and done_at is null and last_error is not null");
    for _ in 0..3 {
        if portal.db().one::<i64>(late, args![portal.city]).await.unwrap() == 0 {
            return;
        }
        portal.later(SignedDuration::from_mins(2));
        portal.work().await;
    }
}

async fn ask(person: &mut Client, number: &str) -> crate::harness::Page {
    person.post("/compte/sms", &[("telephone", number), ("accord", "oui")]).await
}

both! {
    async fn chosen_confirmed_told_and_stopped(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        person.get("/compte/sms").await.is(404);
        let kannel = kannel(&portal).await;
        // Off unless it is chosen.
        person.file("demande-information", &question("Quand ?")).await;
        portal.work().await;
        assert_eq!(kannel.received(), []);
        person.get("/compte/sms").await.is(200).shows("Vous restez prévenu par courriel");
        ask(&mut person, "06 39").await.is(422).shows("Saisissez un numéro de téléphone");
        let page = person.post("/compte/sms", &[("telephone", "06 39 98 00 01")]).await.is(422).shows("Cochez la case");
        assert_eq!(page.form("telephone").value("telephone"), "06 39 98 00 01");
        ask(&mut person, "06 39 98 00 01").await.leads_to("/compte/sms?fait=code");
        portal.work().await;
        let text = kannel.told(NUMBER, "est votre code").await;
        let code: String = text.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(code.len(), 6, "{text}");
        let wrong = if code == "000000" { "000001" } else { "000000" };
        person.post("/compte/sms/code", &[("code", wrong)]).await.is(422).shows("Ce n'est pas le code");
        // Until it is confirmed, nobody is told there.
        person.file("demande-information", &question("Où ?")).await;
        portal.work().await;
        assert_eq!(kannel.received().len(), 1);
        person.post("/compte/sms/code", &[("code", &code)]).await.leads_to("/compte/sms?fait=confirme");
        person.get("/compte/sms").await.is(200).shows("06 39 98 00 01").shows("Vous l'avez accepté le");

        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        let told = kannel.told(NUMBER, &filed.reference).await;
        assert!(told.contains("bien reçue") || told.contains("bien recue"), "{told}");
        for personal in ["naissance", "Camille", "Martin"] {
            assert!(!told.contains(personal), "{told}");
        }
        assert!(portal.outbox().await.iter().any(|(_, subject, body)| format!("{subject}{body}").contains(&filed.reference)), "by mail as well");
        nadia.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).shows("Prévenu aussi par SMS au 06 39 98 00 01");
        // The gateway tells what became of them.
        let delivered = async || states(&portal).await.iter().all(|(_, state)| state == "delivered").then_some(());
        eventually("both are delivered", Duration::from_secs(20), delivered).await;
        assert_eq!(states(&portal).await.len(), 2);
        let data = person.data().await;
        assert_eq!((data["sms"]["numero"].as_str(), data["sms"]["envois"].as_array().map(Vec::len)), (Some(NUMBER), Some(2)), "{data}");

        // What it said stays with the request; a code does not.
        let texts: Vec<&str> = data["sms"]["envois"].as_array().unwrap().iter().map(|sms| sms["texte"].as_str().unwrap()).collect();
        assert!(texts[0].is_empty() && texts[1].contains(&filed.reference), "{texts:?}");
        nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).shows("SMS au 06 39 98 00 01").shows(texts[1]).shows("remis");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("SMS automatique").shows(texts[1]);

        // An agent's message is told of too, without its words.
        let form = nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).form("message").with("message", "Apportez la Pamplemousse.");
        nadia.post_form(&format!("/agent/demandes/{}/messages", filed.id), &form.fields).await.is(303);
        portal.work().await;
        let told = kannel.told(NUMBER, "un message vous attend").await;
        assert!(!told.contains("Pamplemousse"), "{told}");
        person.post("/compte/sms/arreter", &[]).await.leads_to("/compte/sms?fait=arrete");
        let many = kannel.received().len();
        person.file("demande-information", &question("Encore ?")).await;
        portal.work().await;
        assert_eq!(kannel.received().len(), many);
        assert_eq!(crate::erasure::traces(&portal, "est votre code").await, Vec::<String>::new());
    }

    /// In its own words, which say no more of a person; what cannot be filled in waits among the failures.
    async fn a_department_words_its_own_sms(portal: Portal) {
        let (mut person, mut nadia, mut claire) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await, portal.agent("claire.daubigny").await);
        let path = "/agent/modeles/etat-civil/sms-recue";
        claire.get("/agent/modeles").await.is(200).hides("SMS, ");
        let kannel = kannel(&portal).await;
        confirmed(&portal, USAGER, NUMBER).await;
        assert!(claire.get("/agent/modeles").await.is(200).links_to(path));
        let page = claire.get(path).await.is(200).shows("demande VAL-7F3K-29 bien recue").shows("GSM-7").shows(": 1 SMS");
        let form = page.form("texte").with("action", "enregistrer");
        assert!(!form.holds("objet"));
        let wrong = form.clone().with("texte", "{{ usager.nom }} {{ demande.demarche }}");
        let again = claire.post_form(path, &wrong.fields).await.is(422).shows("« usager.nom »").shows("« demande.demarche »");
        assert_eq!(again.form("texte").value("texte"), wrong.value("texte"));
        // What it costs is told before it is paid.
        let long = form.clone().with("texte", &"Д".repeat(140)).with("action", "apercu");
        claire.post_form(path, &long.fields).await.is(200).shows("UCS-2").shows("Д").shows("Chaque envoi coûtera 4 SMS");
        claire.post_form(path, &form.clone().with("texte", &"a".repeat(1_001)).fields).await.is(422).shows("raccourcissez-le à 1000");
        let text = "Reçu {{ demande.reference }}. Appelez le {% si not answered(service.telephone) %}{{ service.telephone }}{% sinon %}guichet{% fin %}.";
        claire.post_form(path, &form.clone().with("texte", text).fields).await.leads_to("/agent/modeles?fait=enregistre");

        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        let told = kannel.told(NUMBER, &filed.reference).await;
        assert!(told.contains("Re") && told.contains("Appelez le guichet.") && told.contains("/mes-demandes") && told.contains("STOP"), "{told}");

        let none = async |tx: &mut db::Tx| tx.run(sql!("update department set phone = null where authority_id = $1"), args![tx.authority()]).await;
        portal.db().write(none).await.unwrap();
        let second = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        nadia.get("/agent/envois").await.is(200).shows(&second.reference).shows("Téléphone du service").shows("SMS");
        assert!(!kannel.received().iter().any(|(_, text)| text.contains(&second.reference)));
        // The mail left all the same.
        let mails: Vec<String> = portal.db().all(sql!("select body from outbox where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(mails.iter().any(|body| body.contains(&second.reference)));
        let form = claire.get(path).await.is(200).form("texte").with("action", "enregistrer");
        claire.post_form(path, &form.with("texte", "Bien noté {{ demande.reference }}.").fields).await.leads_to("/agent/modeles?fait=relances");
        portal.work().await;
        let told = kannel.told(NUMBER, &second.reference).await;
        assert!(told.contains("Bien not"), "{told}");
        portal.work().await;
        assert_eq!(kannel.received().iter().filter(|(_, text)| text.contains(&second.reference)).count(), 1);
    }

    async fn a_refused_number_is_told_and_left_alone(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let kannel = kannel(&portal).await;
        confirmed(&portal, USAGER, REFUSED).await;
        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        person.get("/compte/sms").await.is(200).shows("L'opérateur refuse nos SMS");
        nadia.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).shows("SMS refusés par l'opérateur au 06 39 98 00 09 depuis le 17 novembre 2026");
        // No job waits, and the next message tries nothing.
        person.file("demande-information", &question("Quand ?")).await;
        portal.work().await;
        let jobs: i64 = portal.db().one(sql!("select count(*) from job where authority_id = $1 and kind = 'sms'"), args![portal.city]).await.unwrap();
        let waiting: i64 = portal.db().one(sql!("select count(*) from job where authority_id = $1 and done_at is null"), args![portal.city]).await.unwrap();
        assert_eq!((jobs, waiting, kannel.received()), (1, 0, vec![]));
        // Another number starts afresh, once it is confirmed.
        ask(&mut person, "06 39 98 00 01").await.is(303);
        portal.work().await;
        let text = kannel.told(NUMBER, "est votre code").await;
        let code: String = text.chars().filter(char::is_ascii_digit).collect();
        person.get("/compte/sms").await.is(200).shows("L'opérateur refuse").shows("l'ancien numéro");
        person.post("/compte/sms/code", &[("code", &code)]).await.leads_to("/compte/sms?fait=confirme");
        person.get("/compte/sms").await.is(200).hides("L'opérateur refuse").shows("06 39 98 00 01").hides("06 39 98 00 09");
    }

    async fn a_number_to_confirm_silences_nobody_and_a_request_is_not_told_without_end(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let kannel = kannel(&portal).await;
        confirmed(&portal, USAGER, NUMBER).await;
        ask(&mut person, "06 39 98 00 02").await.is(303);
        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        kannel.told("+33639980002", "est votre code").await;
        kannel.told(NUMBER, &filed.reference).await;
        let of_request = sql!("select count(*) from sms where authority_id = $1 and request_id = $2");
        for turn in 2..13 {
            let form = nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).form("message").with("message", &format!("Bonjour {turn}"));
            nadia.post_form(&format!("/agent/demandes/{}/messages", filed.id), &form.fields).await.is(303);
            work_on(&portal).await;
            let sent: i64 = portal.db().one(of_request, args![portal.city, filed.id]).await.unwrap();
            assert_eq!(sent, turn.min(10), "after {turn}");
        }
        let mails = portal.outbox().await.iter().filter(|(to, ..)| to == USAGER).count();
        assert!(mails >= 12, "mails go on: {mails}");
        portal.later(SignedDuration::from_hours(25));
        let mut nadia = portal.agent("nadia.benali").await;
        let form = nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).form("message").with("message", "Encore");
        nadia.post_form(&format!("/agent/demandes/{}/messages", filed.id), &form.fields).await.is(303);
        work_on(&portal).await;
        let sent: i64 = portal.db().one(of_request, args![portal.city, filed.id]).await.unwrap();
        assert_eq!(sent, 11);
    }

    async fn three_that_do_not_arrive_are_enough(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let kannel = kannel(&portal).await;
        confirmed(&portal, USAGER, NUMBER).await;
        let token = token(&portal).await;
        let mut gateway = portal.client();
        for number in 1..=3 {
            let filed = person.file("demande-information", &question("Quand ?")).await;
            work_on(&portal).await;
            kannel.told(NUMBER, &filed.reference).await;
            let delivered = async || states(&portal).await.last().is_some_and(|(_, state)| state == "delivered").then_some(());
            eventually("it is delivered", Duration::from_secs(20), delivered).await;
            // As if the operator had not: heard before.
            let sms: Uuid = portal.db().one(sql!("select id from sms where authority_id = $1 order by id desc limit 1"), args![portal.city]).await.unwrap();
            let write = async |tx: &mut db::Tx| {
                let a = tx.authority();
                tx.run(sql!("update sms set state = 'sent' where authority_id = $1 and id = $2"), args![a, sms]).await?;
                tx.run(sql!("update sms_number set failures = $2 where authority_id = $1"), args![a, number - 1]).await
            };
            portal.db().write(write).await.unwrap();
            let path = format!("/sms/{token}/remise?sms={sms}&etat=2");
            gateway.get(&path).await.is(200);
            // Told twice, it counts once.
            gateway.get(&path).await.is(200);
            let refused = person.get("/compte/sms").await.is(200).words().contains("refuse nos SMS");
            assert_eq!(refused, number == 3, "after {number}");
        }
    }

    async fn nights_are_left_in_peace_and_hold_up_no_mail(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let kannel = kannel(&portal).await;
        declare(&portal, &kannel.url(), &[("quiet_from", "09:00"), ("quiet_until", "12:00")]).await;
        confirmed(&portal, USAGER, NUMBER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        assert_eq!(kannel.received(), []);
        assert!(portal.outbox().await.iter().any(|(_, subject, body)| format!("{subject}{body}").contains(&filed.reference)));
        portal.later(SignedDuration::from_mins(119));
        portal.work().await;
        assert_eq!(kannel.received(), []);
        portal.later(SignedDuration::from_mins(1));
        portal.work().await;
        kannel.told(NUMBER, &filed.reference).await;
        // Who asks for a code waits for it.
        portal.later(SignedDuration::from_hours(22));
        let mut other = portal.usager(OTHER_USAGER).await;
        ask(&mut other, "06 39 98 00 02").await.is(303);
        portal.work().await;
        kannel.told("+33639980002", "est votre code").await;
    }

    async fn what_comes_in_goes_where_one_request_is_open(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let mut kannel = kannel(&portal).await;
        confirmed(&portal, USAGER, NUMBER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        kannel.write(NUMBER, "Je passe demain").await;
        let there = async || (portal.count("message").await == 1).then_some(());
        eventually("the SMS is on the request", Duration::from_secs(20), there).await;
        nadia.get("/agent").await.is(200).shows("1 message à lire");
        nadia.get(&format!("/agent/demandes/{}?onglet=messages", filed.id)).await.is(200).shows("Je passe demain").shows("SMS reçu, expéditeur non vérifié");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("Je passe demain").shows("Le service a reçu un SMS de votre numéro");
        kannel.write("+33639980077", "Bonjour la mairie").await;
        let there = async || (portal.count("contact").await == 2).then_some(());
        eventually("the other is to qualify", Duration::from_secs(20), there).await;
        let mut marc = portal.agent("marc.rinaldi").await;
        marc.get("/agent/contacts").await.is(200).shows("Bonjour la mairie").shows("06 39 98 00 77");

        // Two open requests: nobody guesses.
        let path = format!("/sms/{}/recu?de=33639980001&texte=Lequel&id=un", token(&portal).await);
        person.file("demande-information", &question("Quand ?")).await;
        let mut gateway = portal.client();
        gateway.get(&path).await.is(200);
        gateway.get(&path).await.is(200);
        assert_eq!((portal.count("message").await, portal.count("contact").await), (1, 3));
        // « STOP » is heard.
        gateway.get(&path.replace("Lequel", "+Stop+").replace("id=un", "id=deux")).await.is(200);
        person.get("/compte/sms").await.is(200).hides("Un SMS part au");
        assert_eq!(portal.count("sms_number").await, 0);
        // Only who knows the secret.
        gateway.get(&format!("/sms/{}/recu?de=1&texte=x", "a".repeat(32))).await.is(404);
        gateway.get(&format!("/sms/{}/remise?sms={}&etat=16", "a".repeat(32), Uuid::nil())).await.is(404);
    }

    async fn a_code_is_not_guessed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let kannel = kannel(&portal).await;
        ask(&mut person, "06 39 98 00 01").await.is(303);
        portal.work().await;
        let text = kannel.told(NUMBER, "est votre code").await;
        let code: String = text.chars().filter(char::is_ascii_digit).collect();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            person.post("/compte/sms/code", &[("code", wrong)]).await.is(422);
        }
        person.post("/compte/sms/code", &[("code", &code)]).await.is(422).shows("Trop d'essais");
        // Neither is a number flooded with codes.
        for _ in 0..4 {
            ask(&mut person, "06 39 98 00 01").await.is(303);
        }
        ask(&mut person, "06 39 98 00 01").await.is(422).shows("Trop de codes");
        portal.later(SignedDuration::from_mins(16));
        person.post("/compte/sms/code", &[("code", &code)]).await.is(422).shows("n'est plus valable");
    }
}

/// A gateway that is away is tried again, and its password is told nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_away_is_tried_again() {
    let portal = Portal::start(Engine::Sqlite).await;
    let mut person = portal.usager(USAGER).await;
    declare(&portal, "http://127.0.0.1:1/sendsms", &[]).await;
    confirmed(&portal, USAGER, NUMBER).await;
    let filed = person.file("acte-naissance", &birth()).await;
    portal.work().await;
    let error: String = portal
        .db()
        .one(sql!("select last_error from job where authority_id = $1 and kind = 'sms'"), args![portal.city])
        .await
        .unwrap();
    assert!(!error.contains(PASSWORD), "{error}");
    let kannel = kannel(&portal).await;
    portal.later(SignedDuration::from_mins(1));
    portal.work().await;
    kannel.told(NUMBER, &filed.reference).await;
}

/// No text needs a second SMS, whatever the message.
#[test]
fn texts_are_short() {
    let templates = guichet::platform::page::Templates::new(std::path::PathBuf::new());
    for message in guichet::requests::jobs::MESSAGES {
        let context = minijinja::context! {
            message => message, city => "Saint-Rémy-lès-Chevr", text => "", reference => "VAL-7F3K-29", link => "https://demarches.valmont.example/mes-demandes",
        };
        let text = templates.render("sms/demande.txt", context).unwrap();
        assert!(text.trim().chars().count() <= 160, "{message}: {} {text}", text.trim().chars().count());
        assert!(text.contains("VAL-7F3K-29") && text.contains("STOP"), "{text}");
    }
}
