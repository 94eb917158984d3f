//! The mailbox, read from a real server.

use std::time::Duration;

use guichet::{contacts::mail, work};

use super::mail::{answer_to, letter};
use crate::harness::{
    Engine, Portal, USAGER, both,
    journey::birth,
    peers::{
        dovecot::{ADDRESS, Dovecot, PASSWORD},
        eventually,
    },
};

async fn poll(portal: &Portal) -> anyhow::Result<Option<usize>> {
    mail::poll(&work::visit(&portal.app, portal.city).await.unwrap()).await
}

async fn declare(portal: &Portal, dovecot: &Dovecot, tls: &str, password: &str) {
    mail::declare(&portal.app, &portal.db(), &dovecot.mailbox(tls), Some(password)).await.unwrap();
}

both! {
    async fn each_mail_is_taken_once_and_put_away(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        assert_eq!(poll(&portal).await.unwrap(), None, "no mailbox");
        let dovecot = Dovecot::start().await;
        declare(&portal, &dovecot, "tls", PASSWORD).await;
        let to = answer_to(&portal, &filed).await.address;
        dovecot.deliver(USAGER, &to, &letter("1", USAGER, ADDRESS, "")).await;
        dovecot.deliver("inconnu@exemple.org", ADDRESS, &letter("2", "inconnu@exemple.org", ADDRESS, "")).await;
        assert_eq!(dovecot.holds(""), 2);
        assert_eq!(poll(&portal).await.unwrap(), Some(2));
        // Known by where it was delivered, which its own headers do not tell.
        assert_eq!((portal.count("message").await, portal.count("contact").await), (1, 2));
        assert_eq!((dovecot.holds(""), dovecot.holds("Guichet")), (0, 2));
        assert_eq!(poll(&portal).await.unwrap(), Some(0));

        // Over STARTTLS as well; two workers at once take each mail once.
        declare(&portal, &dovecot, "starttls", PASSWORD).await;
        for number in 3..8 {
            dovecot.deliver(USAGER, &to, &letter(&number.to_string(), USAGER, ADDRESS, "")).await;
        }
        let (one, other) = tokio::join!(poll(&portal), poll(&portal));
        let taken: usize = [one.unwrap(), other.unwrap()].into_iter().flatten().sum();
        assert_eq!((taken, portal.count("message").await, dovecot.holds("")), (5, 6, 0));
    }

    async fn stopped_between_keeping_and_moving_makes_one(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let dovecot = Dovecot::start().await;
        declare(&portal, &dovecot, "tls", PASSWORD).await;
        let to = answer_to(&portal, &filed).await.address;
        let sent = letter("1", USAGER, &to, "");
        dovecot.deliver(USAGER, &to, &sent).await;
        // Killed right after it was kept: the mail is still in the box.
        let visit = work::visit(&portal.app, portal.city).await.unwrap();
        mail::receive(&visit, sent.replace('\n', "\r\n").as_bytes(), mail::Envelope::default()).await.unwrap();
        assert_eq!((portal.count("message").await, dovecot.holds("")), (1, 1));
        poll(&portal).await.unwrap();
        assert_eq!((portal.count("message").await, dovecot.holds(""), dovecot.holds("Guichet")), (1, 0, 1));

        // What could not be kept stays in the box, and holds up no other.
        let (make, drop) = match portal.engine {
            Engine::Sqlite => (vec!["create trigger stuck before insert on message begin select raise(abort, 'stuck'); end"], "drop trigger stuck"),
            Engine::Postgres => (
                vec![
                    "create function stuck() returns trigger language plpgsql as 'begin raise exception ''stuck''; end'",
                    "create trigger stuck before insert on message for each row execute function stuck()",
                ],
                "drop trigger stuck on message",
            ),
        };
        portal.direct(make.into_iter().map(str::to_owned).collect()).await;
        dovecot.deliver(USAGER, &to, &letter("2", USAGER, &to, "")).await;
        dovecot.deliver("inconnu@exemple.org", ADDRESS, &letter("3", "inconnu@exemple.org", ADDRESS, "")).await;
        assert!(poll(&portal).await.is_err());
        assert_eq!((portal.count("contact").await, dovecot.holds("")), (2, 1));
        let state = mail::state(&portal.db()).await.unwrap().unwrap();
        assert!(state.last_error.is_some_and(|text| text.contains("stuck")));
        portal.direct(vec![drop.to_owned()]).await;
        assert_eq!(poll(&portal).await.unwrap(), Some(1));
        assert_eq!((portal.count("message").await, dovecot.holds("")), (2, 0));
        assert_eq!(mail::state(&portal.db()).await.unwrap().unwrap().last_error, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_or_certificate_is_told_and_nothing_is_lost() {
    let portal = Portal::start(Engine::Sqlite).await;
    let dovecot = Dovecot::start().await;
    dovecot.deliver("inconnu@exemple.org", ADDRESS, &letter("1", "inconnu@exemple.org", ADDRESS, "")).await;
    declare(&portal, &dovecot, "tls", "autre").await;
    assert!(poll(&portal).await.is_err());
    let state = mail::state(&portal.db()).await.unwrap().unwrap();
    assert!(state.last_error.unwrap().contains("login"));
    // Nobody trusts its certificate: the password does not leave.
    let mut mailbox = dovecot.mailbox("tls");
    mailbox.ca = String::new();
    mail::declare(&portal.app, &portal.db(), &mailbox, Some(PASSWORD)).await.unwrap();
    let error = format!("{:#}", poll(&portal).await.unwrap_err());
    assert!(error.contains("tls"), "{error}");
    declare(&portal, &dovecot, "tls", PASSWORD).await;
    assert_eq!(poll(&portal).await.unwrap(), Some(1));
    eventually("moved", Duration::from_secs(5), async || (dovecot.holds("Guichet") == 1).then_some(())).await;
}
