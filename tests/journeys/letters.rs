//! Letters: read before they leave, signed by who may, made once, kept with the request.

use db::{args, sql};
use uuid::Uuid;

use crate::harness::{Client, Engine, Page, Portal, USAGER, both, html::Form, journey::Filed};

const BAR: &str = "debit-boissons-temporaire";
const LAW: &str = "Article L. 3335-1 du code de la santé publique";

/// A request for a bar, filed and taken in charge.
async fn bar(portal: &Portal, person: &mut Client, agent: &mut Client) -> Filed {
    let mut answers = portal.sample(BAR).await;
    answers.set("manifestation", "Tournoi #1 **de judo**");
    let filed = person.file(BAR, &answers).await;
    crate::journeys::agent::act(agent, &desk(&filed), "take", &[]).await.is(303);
    filed
}

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

fn typed(form: &Form, fields: &[(&str, &str)]) -> Form {
    fields.iter().fold(form.clone(), |form, (name, value)| form.with(name, value))
}

/// Fires a transition that makes a letter: types, reads the letter again, confirms.
pub async fn send(agent: &mut Client, request: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let path = format!("{request}/actions/{action}");
    let form = typed(&agent.get(&path).await.is(200).form("version"), fields);
    let page = agent.post_form(&path, &form.fields).await;
    if page.status == 303 {
        return page;
    }
    let form = page.is(200).shows("telle qu'elle partira").form("version");
    agent.post_form(&path, &form.fields).await
}

/// The words of the letters that the usager finds on their page, the latest first.
async fn letters(person: &mut Client, filed: &Filed) -> Vec<String> {
    let page = person.get(&format!("/demandes/{}", filed.id)).await.is(200);
    let hrefs: Vec<String> = crate::harness::html::tags(page.html())
        .into_iter()
        .filter_map(|tag| Some(tag.get("href")).filter(|href| href.starts_with("/fichiers/")).map(str::to_owned))
        .collect();
    let mut texts = Vec::new();
    for href in hrefs {
        texts.push(crate::journeys::identity::text_of(&person.get(&href).await.is(200).bytes));
    }
    texts
}

both! {
    async fn a_decision_leaves_by_letter(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/accept", desk(&filed));
        let page = marc.get(&path).await.is(200).shows("Arrêté autorisant une buvette temporaire").shows("Tournoi #1 **de judo**");
        assert!(page.html().contains("Par délégation, arrêté n° 2026-118"), "{}", page.words());
        // What is typed changes the letter: it is shown again before it leaves.
        let form = page.form("version").with("motivation", "Merci de prévoir des *gobelets*.");
        let page = marc.post_form(&path, &form.fields).await.is(200).shows("telle qu'elle partira").shows("des *gobelets*");
        let preview = marc.post_form(&format!("{path}/lettre.pdf"), &page.form("version").fields).await.is(200);
        let text = crate::journeys::identity::text_of(&preview.bytes);
        assert!(text.contains("des *gobelets*") && text.contains("Tournoi #1 **de judo**"), "{text}");
        assert!(letters(&mut person, &filed).await.is_empty());
        marc.post_form(&path, &page.form("version").fields).await.leads_to(&format!("{}?fait=accept", desk(&filed)));

        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert_eq!(sent.len(), 1);
        for words in ["Ville de Valmont", &filed.reference, "Article 1er", "Marc Rinaldi", "délégué à la signature", "arrêté n° 2026-118", "gobelets"] {
            assert!(sent[0].contains(words), "no {words:?} in:\n{}", sent[0]);
        }
        let page = marc.get(&format!("{}?onglet=pieces", desk(&filed))).await.is(200).shows("Documents de la mairie").shows("Arrêté de buvette temporaire");
        assert!(!page.html().contains("Lettre n’a pas"));
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(_, subject, _)| subject.contains("décision")) && mails.iter().all(|(_, _, body)| !body.contains("judo")), "{mails:?}");
        // Taken away with the rest, and gone with the request.
        let (archive, _) = person.export().await;
        assert!(String::from_utf8_lossy(&archive).contains("Arrêté de buvette temporaire"));
    }

    async fn a_refusal_has_its_ground_and_its_appeal_in_the_letter(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/refuse", desk(&filed));
        let form = marc.get(&path).await.is(200).form("version");
        let page = marc.post_form(&path, &typed(&form, &[("faits", "Une école est à dix mètres."), ("motivation", "Un autre lieu ?")]).fields).await.is(422).shows("Indiquez le motif de droit");
        assert_eq!(page.form("version").value("motivation"), "Un autre lieu ?");
        send(&mut marc, &desk(&filed), "refuse", &[("motif", LAW), ("faits", "Une école est à dix mètres.")]).await.leads_to(&format!("{}?fait=refuse", desk(&filed)));
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        for words in [LAW, "dix mètres", "tribunal administratif", "deux mois", "Marc Rinaldi", "Camille"] {
            assert!(sent[0].contains(words), "no {words:?} in:\n{}", sent[0]);
        }
    }

    async fn who_has_no_delegation_that_day_cannot_sign(portal: Portal) {
        let (mut person, mut marc, mut solene) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await, portal.agent("solene.petitjean").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/accept", desk(&filed));
        let page = solene.get(&path).await.is(200).shows("Vous n'avez pas de délégation de signature en vigueur").shows("Marc Rinaldi, Directeur du commerce");
        let form = page.form("version");
        let refused = solene.post_form(&path, &form.with("motivation", "Gardé").fields).await.is(422);
        assert_eq!(refused.form("version").value("motivation"), "Gardé");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("Acceptée");
        // Ended yesterday: nobody may any more.
        let ended = portal.app.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date().yesterday().unwrap();
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("update delegation set until_on = $1 where authority_id = $2"), args![ended, tx.authority()]).await
            })
            .await
            .unwrap();
        marc.get(&path).await.is(200).shows("Personne n'en a");
        let form = marc.get(&path).await.form("version");
        marc.post_form(&path, &form.fields).await.is(422);
        assert_eq!(portal.count("letter").await, 0);
    }

    /// The worker stops after the file is kept and before it says so: the next one finds the same file.
    async fn a_resumed_job_makes_one_document(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        portal.work().await;
        send(&mut marc, &desk(&filed), "accept", &[]).await.is(303);
        portal.work().await;
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("update letter set made_at = null where authority_id = $1"), args![tx.authority()]).await?;
                let letter: Uuid = tx.one(sql!("select id from letter where authority_id = $1"), args![tx.authority()]).await?;
                tx.run(
                    sql!("update job set done_at = null, lease = null, payload = $1 where authority_id = $2 and kind = 'request-letter'"),
                    args![db::Json(serde_json::json!({"letter": letter})), tx.authority()],
                )
                .await
            })
            .await
            .unwrap();
        portal.work().await;
        assert_eq!(letters(&mut person, &filed).await.len(), 1);
        let unmade: i64 = portal.db().one(sql!("select count(*) from letter where authority_id = $1 and made_at is null"), args![portal.city]).await.unwrap();
        assert_eq!(unmade, 0);
    }
}
