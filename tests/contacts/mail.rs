//! Mails that come in, by the pipe of a mail server.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use db::{args, sql};
use guichet::{
    contacts::mail::{self, Envelope, Mailbox, Outcome},
    work,
};
use jiff::SignedDuration;

use crate::harness::{
    Engine, Filed, Folder, OTHER_USAGER, Portal, USAGER, both,
    html::tags,
    journey::{PDF, birth, question},
    peers::{Smtp, dovecot::ADDRESS},
};

pub const TEXT: &str = "Il faudrait aussi le nom de ma Pamplemousse.";

/// Declares a mailbox that only the pipe fills.
pub async fn declare(portal: &Portal) {
    let mailbox: Mailbox =
        serde_json::from_value(serde_json::json!({"address": ADDRESS, "department": "commerce"})).unwrap();
    mail::declare(&portal.app, &portal.db(), &mailbox, None).await.unwrap();
}

/// Where an answer about a request goes.
pub async fn answer_to(portal: &Portal, filed: &Filed) -> mail::Back {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    mail::back(&visit, filed.id).await.unwrap().unwrap()
}

pub fn letter(id: &str, from: &str, to: &str, more: &str) -> String {
    format!(
        "From: {from}\nTo: {to}\nSubject: Re: Votre demande\nMessage-ID: <{id}@exemple.fr>\n{more}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{TEXT}\n\nLe 17 nov. 2026 à 10:00, Ville de Valmont a écrit :\n> Bonjour\n"
    )
}

async fn take(portal: &Portal, mail: &str) -> Outcome {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    mail::receive(&visit, mail.replace('\n', "\r\n").as_bytes(), Envelope::default()).await.unwrap()
}

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}?onglet=messages", filed.id)
}

both! {
    async fn an_answer_of_the_usager_is_a_message_on_its_request(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        // Mail servers change the case of addresses; people do too.
        let mail = letter("1", "Camille <Camille.Martin@Exemple.FR>", &to.to_uppercase(), "");
        assert_eq!(take(&portal, &mail).await, Outcome::Message(filed.id));
        assert_eq!(take(&portal, &mail).await, Outcome::Known);
        nadia.get("/agent").await.is(200).shows("1 message à lire");
        let page = nadia.get(&desk(&filed)).await.is(200).shows(TEXT).shows("Courriel reçu, expéditeur non vérifié").shows("Messages précédents cités");
        assert_eq!(page.words().matches("Pamplemousse").count(), 1);
        nadia.get("/agent?q=pamplemousse").await.is(200).shows(&filed.reference);
        nadia.get(&format!("/agent/demandes/{}?onglet=historique", filed.id)).await.is(200).shows("Courriel reçu de l'adresse de l'usager");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows(TEXT).shows("Le service a reçu un courriel de votre adresse");
        assert_eq!((portal.count("contact").await, portal.count("message").await), (1, 1));
        let data = person.data().await.to_string();
        assert!(data.contains("Pamplemousse"), "{data}");
        nadia.get("/agent/contacts").await.is(200).shows("Aucun contact n'attend");
    }

    async fn its_message_id_is_enough(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let token = answer_to(&portal, &filed).await.token;
        let headers = format!("References: <autre@exemple.fr>\n <0198f.{token}@valmont.example>\n");
        assert_eq!(take(&portal, &letter("1", USAGER, ADDRESS, &headers)).await, Outcome::Message(filed.id));
    }

    async fn who_is_not_its_usager_is_qualified_by_its_department(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        // Another's address; then no token, one that nobody made.
        assert_eq!(take(&portal, &letter("1", "Qui <inconnu@exemple.org>", &to, "")).await, Outcome::ToQualify);
        let (local, domain) = to.split_once('@').unwrap();
        let last = if local.ends_with('a') { "b" } else { "a" };
        let bent = format!("{}{last}@{domain}", &local[..local.len() - 1]);
        assert_eq!(take(&portal, &letter("2", USAGER, &bent, "")).await, Outcome::ToQualify);
        assert_eq!(take(&portal, &letter("3", USAGER, ADDRESS, "")).await, Outcome::ToQualify);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides(TEXT);
        nadia.get(&desk(&filed)).await.is(200).hides(TEXT);
        let page = nadia.get("/agent/contacts").await.is(200).shows("Courriel reçu, Qui").shows("Expéditeur non vérifié");
        let href = tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned()).find(|href| href.starts_with("/agent/contacts/0")).unwrap();
        nadia.get(&href).await.is(200).shows("Rien ne prouve qui l'a envoyé").shows("inconnu@exemple.org");
        // Tied by who has checked: it is still said that nobody proved it.
        nadia.post(&format!("{href}/rattacher"), &[("reference", &filed.reference)]).await.is(303);
        nadia.get(&desk(&filed)).await.is(200).shows(TEXT).shows("expéditeur non vérifié").shows("Interne");
        let waiting: Vec<String> = portal.db().all(sql!("select department_id from contact where authority_id = $1 and state = 'waiting'"), args![portal.city]).await.unwrap();
        assert_eq!(waiting, ["commerce", "commerce"]);
    }

    async fn another_usager_s_token_opens_nothing(portal: Portal) {
        let (mut person, mut other) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let filed = person.file("acte-naissance", &birth()).await;
        other.file("demande-information", &question("Et moi ?")).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        assert_eq!(take(&portal, &letter("1", OTHER_USAGER, &to, "")).await, Outcome::ToQualify);
        assert_eq!(portal.count("message").await, 0);
    }

    async fn what_is_attached_is_judged_by_its_content(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        let part = |name: &str, bytes: &[u8]| {
            format!("--x\nContent-Type: application/pdf; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n", data_encoding::BASE64.encode(bytes))
        };
        let mail = format!(
            "From: {USAGER}\nTo: {to}\nMessage-ID: <p@exemple.fr>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html; charset=utf-8\n\n<p>Voici <b>l’acte</b></p><script>alert(1)</script>\n{}{}--x--\n",
            part("../acte.pdf", PDF),
            part("piege.pdf", b"<html><script>alert(1)</script>"),
        );
        assert_eq!(take(&portal, &mail).await, Outcome::Message(filed.id));
        let page = nadia.get(&desk(&filed)).await.is(200).shows("Voici l'acte").shows("Pièces jointes non gardées").shows("piege.pdf").hides("alert(1)");
        let file = tags(page.html()).into_iter().find(|tag| tag.get("href").starts_with("/agent/fichiers/")).unwrap().get("href").to_owned();
        let kept = nadia.get(&file).await.is(200);
        assert_eq!((kept.bytes.as_slice(), kept.header("content-disposition").contains("acte.pdf")), (PDF, true));
        assert_eq!(portal.count("file").await, 1);
        let mine = person.get(&format!("/demandes/{}", filed.id)).await.is(200);
        assert!(mine.links_to(&file.replace("/agent", "")));
    }

    async fn robots_are_kept_apart(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        let absence = letter("1", USAGER, &to, "Auto-Submitted: auto-replied\n");
        assert_eq!(take(&portal, &absence).await, Outcome::Noted(filed.id));
        assert_eq!(take(&portal, &letter("2", "MAILER-DAEMON@exemple.fr", &to, "Return-Path: <>\n")).await, Outcome::Noted(filed.id));
        assert_eq!(take(&portal, &letter("3", "lettre@exemple.org", ADDRESS, "List-Id: <l.exemple.org>\n")).await, Outcome::Robot);
        // Nothing of it is a message, and the usager sees none of it.
        assert_eq!(portal.count("message").await, 0);
        nadia.get(&desk(&filed)).await.is(200).shows(TEXT).shows("Interne");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides(TEXT);
        nadia.get("/agent/contacts").await.is(200).hides("lettre@");
        let mut marc = portal.agent("marc.rinaldi").await;
        marc.get("/agent/contacts?etat=classes").await.is(200).shows("Message automatique");
        // Two robots that answer each other stop here.
        for turn in 0..25 {
            take(&portal, &letter(&format!("b{turn}"), USAGER, &to, "Auto-Submitted: auto-replied\n")).await;
        }
        let kept: i64 = portal.db().one(sql!("select count(*) from contact where authority_id = $1 and request_id is not null"), args![portal.city]).await.unwrap();
        assert_eq!(kept, 20);
        assert!(portal.outbox().await.iter().all(|(to, ..)| !to.contains("MAILER-DAEMON")));
    }

    async fn a_mail_that_came_back_is_told(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        portal.work().await;
        let to = answer_to(&portal, &filed).await;
        let id: uuid::Uuid = portal.db().one(sql!("select id from request_mail where authority_id = $1"), args![portal.city]).await.unwrap();
        // Another one says nothing of this one.
        let other = letter("1", "MAILER-DAEMON@exemple.fr", &to.address, "Return-Path: <>\n");
        assert_eq!(take(&portal, &other).await, Outcome::Noted(filed.id));
        nadia.get(&desk(&filed)).await.is(200).shows("pris par le serveur de courriel").hides("revenu");
        let back = letter("2", "MAILER-DAEMON@exemple.fr", &to.address, &format!("Return-Path: <>\nReferences: <{id}.{}@valmont.example>\n", to.token));
        assert_eq!(take(&portal, &back).await, Outcome::Noted(filed.id));
        nadia.get(&desk(&filed)).await.is(200).shows("revenu, pas remis").hides("pris par le serveur de courriel");
    }

    async fn an_ended_request_gets_no_message_that_nobody_reads(portal: Portal) {
        let (mut person, mut nadia) = (portal.usager(USAGER).await, portal.agent("nadia.benali").await);
        let filed = person.file("acte-naissance", &birth()).await;
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        let form = person.get(&format!("/demandes/{}/annuler", filed.id)).await.is(200).form("version");
        person.post_form(&format!("/demandes/{}/annuler", filed.id), &form.fields).await.is(303);
        assert_eq!(take(&portal, &letter("1", USAGER, &to, "")).await, Outcome::ToQualify);
        nadia.get("/agent/contacts").await.is(200).shows("Pamplemousse");
    }

    async fn one_sender_cannot_fill_the_list(portal: Portal) {
        declare(&portal).await;
        let visit = work::visit(&portal.app, portal.city).await.unwrap();
        for turn in 0..200 {
            assert_eq!(take(&portal, &letter(&format!("f{turn}"), "pub@exemple.org", ADDRESS, "")).await, Outcome::ToQualify);
        }
        let mail = letter("last", "pub@exemple.org", ADDRESS, "").replace('\n', "\r\n");
        assert!(mail::receive(&visit, mail.as_bytes(), Envelope::default()).await.is_err(), "the mail server keeps it");
        assert_eq!(portal.count("contact").await, 200);
        portal.later(SignedDuration::from_hours(25));
        assert_eq!(take(&portal, &letter("last", "pub@exemple.org", ADDRESS, "")).await, Outcome::ToQualify);
    }
}

/// What leaves says where an answer comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_tell_where_to_answer() {
    let smtp = Smtp::up();
    let url = smtp.url();
    let portal = Portal::start_with(Engine::Sqlite, |config| {
        config.mail.smtp = url;
        config.mail.from = "Ville de Valmont <ne-pas-repondre@valmont.example>".into();
    })
    .await;
    let mut person = portal.usager(USAGER).await;
    person.file("acte-naissance", &birth()).await;
    portal.work().await;
    declare(&portal).await;
    let filed = person.file("demande-information", &question("Quand ?")).await;
    portal.work().await;
    let back = answer_to(&portal, &filed).await;
    let mails = smtp.received();
    let (before, after) = (&mails[0], mails.last().unwrap());
    assert!(
        before.body.contains("Merci de ne pas y répondre") && !before.whole.contains("Reply-To"),
        "{}",
        before.whole
    );
    assert!(after.body.contains("Vous pouvez répondre à ce message"), "{}", after.body);
    assert!(after.whole.replace("\r\n ", "").contains(&format!("Reply-To: {}", back.address)), "{}", after.whole);
    assert!(after.id.contains(&format!(".{}@valmont.example>", back.token)), "{}", after.id);
    // Answered as a mail program does.
    let mail = letter("r", USAGER, "ne-pas-repondre@valmont.example", &format!("In-Reply-To: {}\n", after.id));
    assert_eq!(take(&portal, &mail).await, Outcome::Message(filed.id));
}

/// `guichet mail-in`, as a mail server runs it; its exit code.
fn pipe(database: &str, portal: &Portal, more: &[&str], mail: &[u8]) -> Option<i32> {
    let folder = Folder::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_guichet"))
        .args(["mail-in", "--authority", "valmont"])
        .args(more)
        .envs([("GUICHET_DATABASE", database), ("GUICHET_SECRET", portal.app.config.secret.as_str())])
        .env("GUICHET_DATA", &folder.0)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(mail);
    child.wait().unwrap().code()
}

both! {
    async fn the_pipe_tells_the_mail_server_what_to_do(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let url = portal.app.config.database.clone();
        let mail = letter("1", USAGER, "demandes", "").replace('\n', "\r\n");
        assert_eq!(pipe(&url, &portal, &[], mail.as_bytes()), Some(75), "no mailbox is declared yet: later");
        declare(&portal).await;
        let to = answer_to(&portal, &filed).await.address;
        // The recipient is known by the envelope only.
        assert_eq!(pipe(&url, &portal, &["--recipient", &to], mail.as_bytes()), Some(0));
        assert_eq!(pipe(&url, &portal, &["--recipient", &to], mail.as_bytes()), Some(0), "once more: known");
        assert_eq!((portal.count("message").await, portal.count("contact").await), (1, 1));
        assert_eq!(pipe(&url, &portal, &["--sender", "", "--recipient", &to], letter("2", USAGER, "x", "").as_bytes()), Some(0));
        assert_eq!((portal.count("message").await, portal.count("contact").await), (1, 2), "an empty sender is a bounce");
        assert_eq!(pipe(&url, &portal, &[], b""), Some(65));
        assert_eq!(pipe("postgres://127.0.0.1:1/rien", &portal, &[], mail.as_bytes()), Some(75));
        assert_eq!(pipe("nonsense", &portal, &[], mail.as_bytes()), Some(75));
    }
}
