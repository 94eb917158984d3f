//! What the administration's silence means: told, counted, recorded on its day, attested; and who may break it.

use db::{args, sql};
use guichet::{catalogue, requests::timers};
use jiff::{SignedDuration, Timestamp};

use super::{
    agent::act,
    letters::{self, send},
};
use crate::harness::{Client, Engine, Filed, Portal, USAGER, both};

const LIBRARY: &str = "inscription-bibliotheque";
const MOVING: &str = "stationnement-demenagement";

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

fn mine(filed: &Filed) -> String {
    format!("/demandes/{}", filed.id)
}

async fn file(portal: &Portal, person: &mut Client, procedure: &str) -> Filed {
    let answers = portal.sample(procedure).await;
    person.file(procedure, &answers).await
}

async fn days(portal: &Portal, days: i64) {
    portal.later(SignedDuration::from_hours(24 * days));
}

/// The words of their letters, on one line each.
async fn letters(person: &mut Client, filed: &Filed) -> Vec<String> {
    let all = letters::letters(person, filed).await.into_iter();
    all.map(|text| text.replace(['\n', '\u{a0}'], " ")).collect()
}

/// Publishes the shipped procedure with some words of its file changed.
pub async fn publish(portal: &Portal, procedure: &str, change: impl Fn(&str) -> String) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.retain(|(name, _)| *name == format!("{procedure}.yaml"));
    for (_, text) in &mut sources.procedures {
        *text = change(text);
    }
    assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
    portal.app.catalogue.refresh(portal.city);
}

async fn of(portal: &Portal, filed: &Filed, code: &str) -> Option<(Timestamp, String)> {
    let found =
        sql!("select at, to_state from request_event where authority_id = $1 and request_id = $2 and code = $3");
    portal.db().first(found, args![portal.city, filed.id, code]).await.unwrap()
}

async fn mail(portal: &Portal, subject: &str) -> Vec<String> {
    portal.work().await;
    let sent = portal.outbox().await.into_iter();
    sent.filter(|(_, title, _)| title.contains(subject)).map(|(_, _, text)| text).collect()
}

both! {
    /// On 17 November 2026: two months lead to 17 January, and the rejection is there the day after.
    async fn silence_refuses_on_its_day_however_late_the_platform_looks(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = file(&portal, &mut person, MOVING).await;
        person.get(&mine(&filed)).await.is(200).shows("Sans réponse au plus tard le 17 janvier 2027, votre demande sera réputée refusée.");
        portal.work().await;
        let receipt = person.get(&format!("{}/recepisse.pdf", mine(&filed))).await.is(200);
        let receipt = crate::journeys::identity::text_of(&receipt.bytes);
        assert!(receipt.contains("17 janvier 2027") && receipt.contains("tribunal administratif de Valmont") && receipt.contains("recours gracieux"), "{receipt}");
        days(&portal, 61).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0, "not before its day is over");
        days(&portal, 9).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let (at, state) = of(&portal, &filed, "silence").await.unwrap();
        assert_eq!((at, state.as_str()), ("2027-01-17T23:00:00Z".parse().unwrap(), "deemed"));
        assert_eq!(mail(&portal, "le délai légal est passé").await.len(), 1);
        let mut person = portal.usager(USAGER).await;
        let page = person.get(&mine(&filed)).await.is(200).shows("Refusée").shows("la loi dit que votre demande est refusée");
        page.hides("Sans réponse au plus tard").hides("Demander l’attestation");
    }

    async fn a_suspended_clock_is_told_with_its_reason(portal: Portal) {
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = file(&portal, &mut person, MOVING).await;
        let path = format!("{}/actions/ask", desk(&filed));
        let form = maud.get(&path).await.is(200).form("version");
        let form = form.with("champs", "debut").with("message", "La date est illisible.").with("jours", "20");
        maud.post_form(&path, &form.fields).await.is(303);
        let page = person.get(&mine(&filed)).await.is(200);
        page.shows("Le délai légal est suspendu depuis le 17 novembre 2026 : nous attendons votre réponse, au plus tard le 7 décembre 2026.");
    }

    async fn silence_accepts_and_the_department_attests_it(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = file(&portal, &mut person, LIBRARY).await;
        person.get(&mine(&filed)).await.is(200).shows("Le délai légal commence quand votre dossier est complet.");
        days(&portal, 3).await;
        let mut mei = portal.agent("mei.chen").await;
        act(&mut mei, &desk(&filed), "mark-complete", &[]).await.is(303);
        // All had come with the request: the delay runs from there, not from the day when somebody looked.
        let told = mail(&portal, "est complet").await;
        assert!(told.len() == 1 && told[0].replace('\u{a0}', " ").contains("Sans réponse au plus tard le 17 janvier 2027, votre demande sera réputée acceptée."), "{told:?}");
        // Nobody attests what did not happen.
        person.post(&format!("{}/attestation", mine(&filed)), &[]).await.leads_to(&mine(&filed));
        days(&portal, 70).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let (at, state) = of(&portal, &filed, "silence").await.unwrap();
        assert_eq!((at, state.as_str()), ("2027-01-17T23:00:00Z".parse().unwrap(), "deemed"));
        let mut person = portal.usager(USAGER).await;
        person.get(&mine(&filed)).await.is(200).shows("Acceptée").shows("Demander l'attestation");
        for _ in 0..2 {
            let sent = person.post(&format!("{}/attestation", mine(&filed)), &[]).await.is(303);
            assert!(sent.location().starts_with(&mine(&filed)));
        }
        person.get(&mine(&filed)).await.is(200).shows("Vous l'avez demandée le").hides("Demander l'attestation");
        let mut mei = portal.agent("mei.chen").await;
        let page = mei.get(&format!("{}?onglet=messages", desk(&filed))).await.is(200);
        assert_eq!(page.words().matches("L. 232-3").count(), 1, "asked once");
        mei.get(&format!("{}?onglet=historique", desk(&filed))).await.is(200).shows("Attestation d'acceptation demandée");
        send(&mut mei, &desk(&filed), "attest", &[]).await.is(303);
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert!(sent.len() == 1 && sent[0].contains("17 janvier 2027") && sent[0].contains("L. 232-3") && sent[0].contains("Mei Chen"), "{sent:?}");
        person.get(&mine(&filed)).await.is(200).hides("Demander l'attestation");
    }

    async fn an_attestation_that_is_automatic_is_made_at_once_and_signed_by_nobody(portal: Portal) {
        publish(&portal, LIBRARY, |text| text.replace("    letter: attestation-acceptation\n", "    letter: attestation-acceptation\n    automatic: true\n")).await;
        let (mut person, mut mei) = (portal.usager(USAGER).await, portal.agent("mei.chen").await);
        let filed = file(&portal, &mut person, LIBRARY).await;
        act(&mut mei, &desk(&filed), "mark-complete", &[]).await.is(303);
        days(&portal, 62).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let mut person = portal.usager(USAGER).await;
        for _ in 0..2 {
            person.post(&format!("{}/attestation", mine(&filed)), &[]).await.is(303);
        }
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert!(sent.len() == 1 && sent[0].contains("L. 232-3") && !sent[0].contains("Mei"), "{sent:?}");
    }

    /// A letter of a timer: written as of the day when it was due, unsigned, kept with the request.
    async fn the_platform_writes_a_letter_that_decides_nothing(portal: Portal) {
        let reminder = "    - {id: nudge, label: Rappeler, from: [submitted], to: submitted, who: system, after: 3 days, does: [letter attestation-acceptation, notify relance]}\n";
        publish(&portal, LIBRARY, |text| format!("{text}{reminder}")).await;
        let mut person = portal.usager(USAGER).await;
        let filed = file(&portal, &mut person, LIBRARY).await;
        days(&portal, 10).await;
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(mail(&portal, "Rappel").await.len(), 1, "after the letter is there");
        let mut person = portal.usager(USAGER).await;
        let sent = letters(&mut person, &filed).await;
        assert!(sent.len() == 1 && sent[0].contains("21 novembre 2026"), "{sent:?}");
        let unsigned: i64 = portal.db().one(sql!("select count(*) from letter where authority_id = $1 and author_id is null"), args![portal.city]).await.unwrap();
        assert_eq!(unsigned, 1);
    }

    /// Where a procedure decides, its decisions are signed under the register, letter or not.
    async fn a_decision_is_taken_by_who_may_sign_it(portal: Portal) {
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = file(&portal, &mut person, MOVING).await;
        act(&mut maud, &desk(&filed), "take", &[]).await.is(303);
        let signed = sql!("update delegation set account_id = (select id from account where authority_id = $1 and email = 'bruno.oeuvrard@valmont.example') where authority_id = $1 and department_id = 'voirie'");
        portal.db().write(async |tx: &mut db::Tx| tx.run(signed, args![tx.authority()]).await).await.unwrap();
        maud.get(&format!("{}/actions/accept", desk(&filed))).await.is(200).shows("Vous n'avez pas de délégation de signature");
        act(&mut maud, &desk(&filed), "accept", &[]).await.is(422).shows("Peuvent la signer : Bruno Œuvrard");
        let refusal = [("motif", "Article L. 2213-2"), ("faits", "La rue est barrée.")];
        act(&mut maud, &desk(&filed), "refuse", &refusal).await.is(422).shows("Peuvent la signer");
        let back = sql!("update delegation set account_id = (select id from account where authority_id = $1 and email = 'maud.etienne@valmont.example') where authority_id = $1 and department_id = 'voirie'");
        portal.db().write(async |tx: &mut db::Tx| tx.run(back, args![tx.authority()]).await).await.unwrap();
        act(&mut maud, &desk(&filed), "refuse", &refusal).await.is(303);
        let page = person.get(&mine(&filed)).await.is(200).shows("Article L. 2213-2").shows("La rue est barrée.");
        page.shows("Maud Étienne, Responsable de la voirie et de la propreté, déléguée à la signature").shows("tribunal administratif de Valmont");
        let by: Option<uuid::Uuid> = portal.db().one(sql!("select delegation_id from decision where authority_id = $1 and request_id = $2"), args![portal.city, filed.id]).await.unwrap();
        assert!(by.is_some());
    }

    /// A procedure says itself that its acts are no decisions: nothing is asked of the register.
    async fn a_procedure_may_say_that_it_decides_nothing(portal: Portal) {
        publish(&portal, MOVING, |text| text.replace("notice:\n", "decisions: false\nnotice:\n")).await;
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("delete from delegation where authority_id = $1"), args![tx.authority()]).await).await.unwrap();
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = file(&portal, &mut person, MOVING).await;
        act(&mut maud, &desk(&filed), "take", &[]).await.is(303);
        act(&mut maud, &desk(&filed), "accept", &[("faits", "D’accord.")]).await.is(303);
    }
}
