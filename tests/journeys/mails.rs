//! Mails through a real server: what they hold, what happens when it is away or refuses.

use db::{args, sql};
use jiff::SignedDuration;

use crate::harness::{
    Engine, Portal, USAGER,
    journey::{birth, question},
    peers::Smtp,
};

async fn portal(engine: Engine, smtp: &Smtp) -> Portal {
    let url = smtp.url();
    Portal::start_with(engine, |config| {
        config.mail.smtp = url;
        config.mail.from = "Ville de Valmont <ne-pas-repondre@valmont.example>".into();
    })
    .await
}

async fn nothing_personal_travels(engine: Engine) {
    let smtp = Smtp::up();
    let portal = portal(engine, &smtp).await;
    let mut person = portal.usager(USAGER).await;
    let mut answers = portal.sample("operation-tranquillite-vacances").await;
    answers.set("courriel", USAGER);
    let secret = person.file("operation-tranquillite-vacances", &answers).await;
    let plain = portal.client().file("acte-naissance", &birth()).await;
    portal.work().await;
    let mails = smtp.received();
    assert_eq!(mails.len(), 2, "{mails:?}");
    for mail in &mails {
        assert_eq!(mail.to, USAGER);
        for personal in
            ["Martin", "Zéphyrine", "République", "1989", "Tranquillité", "tranquillité", "vacances", "Copie intégrale"]
        {
            assert!(!mail.body.contains(personal) && !mail.subject.contains(personal), "{personal} in {}", mail.whole);
        }
        assert!(
            mail.whole.contains("Auto-Submitted: auto-generated") && mail.id.ends_with("@valmont.example>"),
            "{}",
            mail.whole
        );
        assert!(mail.body.contains("04 65 71 10 00") && mail.body.contains("http://ville.test/"), "{}", mail.body);
    }
    let confidential = mails.iter().find(|mail| mail.body.contains(&secret.reference)).unwrap();
    assert!(confidential.body.contains(&format!("/demandes/{}", secret.id)), "{}", confidential.body);
    let open = mails.iter().find(|mail| mail.body.contains(&plain.reference)).unwrap();
    assert!(open.body.contains("Demander un acte de naissance"), "{}", open.body);
}

async fn a_server_that_is_away_delays_and_doubles_nothing(engine: Engine) {
    let mut smtp = Smtp::down();
    let portal = portal(engine, &smtp).await;
    let filed = portal.client().file("demande-information", &question("Le serveur dort")).await;
    portal.work().await;
    portal.later(SignedDuration::from_secs(30));
    portal.work().await;
    let waiting: Vec<(i64, Option<String>)> =
        portal.db().all(sql!("select attempts, last_error from job where authority_id = $1 and kind = 'notify' and done_at is null and failed_at is null"), args![portal.city]).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].0 == 2 && waiting[0].1.is_some(), "{waiting:?}");
    // Meanwhile the request lives its life: the receipt is there.
    assert_eq!(portal.count("file").await, 1);
    smtp.start();
    portal.work().await;
    assert_eq!(smtp.received().len(), 0, "not before its time");
    portal.later(SignedDuration::from_secs(60));
    portal.work().await;
    portal.later(SignedDuration::from_hours(24));
    portal.work().await;
    let mails = smtp.received();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body.contains(&filed.reference));
    smtp.stop();
}

async fn a_refused_address_is_shown_to_agents_and_sent_again(engine: Engine) {
    let smtp = Smtp::up();
    let portal = portal(engine, &smtp).await;
    let mut answers = birth();
    answers.set("courriel", "refuse@exemple.fr");
    let filed = portal.client().file("acte-naissance", &answers).await;
    answers.set("courriel", "lent@exemple.fr");
    portal.client().file("acte-naissance", &answers).await;
    portal.work().await;
    assert_eq!(smtp.received().len(), 0);

    let mut nadia = portal.agent("nadia.benali").await;
    // Refused for good is told at once; « try later » is tried later.
    let page = nadia
        .get("/agent/envois")
        .await
        .is(200)
        .shows(&filed.reference)
        .shows("refuse@exemple.fr")
        .shows("Prévenez l'usager autrement")
        .hides("lent@exemple.fr");
    let form = page.forms().into_iter().find(|form| form.action.ends_with("/relancer")).unwrap();
    portal.agent("fatoumata.diallo").await.get("/agent/envois").await.is(200).hides(&filed.reference);
    portal.agent("fatoumata.diallo").await.post_form(&form.action, &[]).await.is(404);

    let messages = format!("/agent/demandes/{}?onglet=messages", filed.id);
    nadia.get(&messages).await.is(200).shows("Courriel à refuse@exemple.fr").shows("refusé, pas remis");

    smtp.accept_all();
    for _ in 0..2 {
        let again = nadia.post_form(&form.action, &form.fields).await;
        nadia.follow(&again).await.is(200);
        portal.work().await;
    }
    nadia.get("/agent/envois").await.is(200).shows("Tous les messages sont partis");
    nadia.get(&messages).await.is(200).shows("pris par le serveur de courriel").hides("refusé, pas remis");
    portal.later(SignedDuration::from_mins(10));
    portal.work().await;
    let mut to: Vec<String> = smtp.received().into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["lent@exemple.fr", "refuse@exemple.fr"]);
}

/// Two workers at once, and one whose lease ran out: each effect leaves once.
async fn many_workers_send_each_mail_once(engine: Engine) {
    let smtp = Smtp::up();
    let portal = portal(engine, &smtp).await;
    let mut person = portal.client();
    let mut references = Vec::new();
    for number in 0..12 {
        references.push(person.file("demande-information", &question(&format!("Question {number}"))).await.reference);
    }
    tokio::join!(portal.work(), portal.work(), portal.work(), portal.work());
    portal.work().await;
    let mails = smtp.received();
    assert_eq!(mails.len(), 12);
    for reference in &references {
        assert_eq!(mails.iter().filter(|mail| mail.body.contains(reference)).count(), 1, "{reference}");
    }
    assert_eq!(portal.count("file").await, 12, "as many receipts");
}

macro_rules! both_engines {
    ($($name:ident),+) => {$(
        mod $name {
            use super::Engine;
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Engine::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(Engine::Postgres).await;
            }
        }
    )+};
}

both_engines!(
    nothing_personal_travels,
    a_server_that_is_away_delays_and_doubles_nothing,
    a_refused_address_is_shown_to_agents_and_sent_again,
    many_workers_send_each_mail_once
);
