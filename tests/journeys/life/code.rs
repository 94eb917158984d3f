//! A lost tracking code.

use super::paper;
use crate::harness::{Client, Engine, Page, Portal, USAGER, both, journey::birth};

async fn give(agent: &mut Client, form: &str, by: &str) -> Page {
    let seen = agent.get(form).await.is(200).form("vu").value("vu").to_owned();
    agent.post(form, &[("vu", &seen), ("verifie", "Carte d’identité"), ("motif", "Papier perdu"), ("remise", by)]).await
}

async fn track(person: &mut Client, reference: &str, code: &str) -> Page {
    person.post("/suivre", &[("reference", reference), ("code", code)]).await
}

/// The code that a paper shows.
fn code_on(text: &str) -> String {
    let code = |word: &&str| word.len() == 11 && word.split('-').map(str::len).eq([5, 5]);
    text.split_whitespace().find(code).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

both! {
    async fn a_lost_tracking_code_is_given_again(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        assert_eq!(filed.code.split('-').map(str::len).collect::<Vec<_>>(), [5, 5], "{}", filed.code);
        let tracked = format!("/demandes/{}", filed.id);
        let mut elsewhere = portal.client();
        track(&mut elsewhere, &filed.reference, &filed.code.replace('-', "")).await.leads_to(&tracked);

        let mut agent = portal.agent("nadia.benali").await;
        let desk = format!("/agent/demandes/{}", filed.id);
        let form = format!("{desk}/code");
        assert!(agent.get(&desk).await.is(200).links_to(&form));
        agent.post(&form, &[("vu", "0")]).await.is(422).shows("Écrivez ce que vous avez vérifié").shows("Choisissez comment");
        agent.post(&form, &[("vu", "0"), ("verifie", "x"), ("motif", &"é".repeat(301)), ("remise", "papier")]).await.is(422).shows("300 caractères au plus");
        let page = give(&mut agent, &form, "papier").await.is(200);
        assert_eq!(page.header("content-type"), "application/pdf");
        let text = paper(&page.bytes);
        let code = code_on(&text);
        assert!(text.contains(&filed.reference) && text.contains("/suivre"), "{text}");

        // The old code is dead, and what it had opened is closed.
        track(&mut portal.client(), &filed.reference, &filed.code).await.is(422);
        elsewhere.get(&tracked).await.is(303);
        person.get(&tracked).await.is(303);
        track(&mut person, &filed.reference, &code.to_lowercase().replace('-', " ")).await.leads_to(&tracked);
        person.get(&format!("{tracked}/envoyee")).await.is(200).shows(&code);
        // It says nothing of the treatment, and the department's words are not the usager's to read.
        person.get(&tracked).await.is(200).hides("Papier perdu").hides("Carte d’identité").shows("Envoyée");

        agent.get(&format!("{desk}?onglet=historique")).await.is(200).shows("Nouveau code de suivi donné");
        agent.get(&format!("{desk}?onglet=notes")).await.is(200).shows("remis sur papier").shows("Carte d'identité").shows("Papier perdu");

        // By mail: only the mail says it, to the request's own address.
        give(&mut agent, &form, "courriel").await.leads_to(&format!("{desk}?onglet=historique&fait=code"));
        let waiting: Vec<String> = portal.db().all(db::sql!("select cast(payload as text) from job where authority_id = $1 and done_at is null"), db::args![portal.city]).await.unwrap();
        let mails = portal.outbox().await;
        let (to, _, body) = mails.iter().find(|(_, subject, _)| subject == "Votre nouveau code de suivi").unwrap();
        assert_eq!(to, "camille.martin@exemple.fr");
        let mailed = code_on(body);
        assert!(!waiting.is_empty() && !waiting.concat().contains(&mailed), "{waiting:?}");
        assert_ne!(mailed, code);
        track(&mut portal.client(), &filed.reference, &code).await.is(422);
        track(&mut portal.client(), &filed.reference, &mailed).await.leads_to(&tracked);
    }

    async fn one_form_gives_one_code(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        let mut agent = portal.agent("nadia.benali").await;
        let form = format!("/agent/demandes/{}/code", filed.id);
        let fields = [("vu", "0"), ("verifie", "Carte"), ("motif", "Perdu"), ("remise", "papier")];
        let mut same = agent.clone();
        let (one, two) = tokio::join!(agent.post(&form, &fields), same.post(&form, &fields));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        agent.post(&form, &[("vu", "7"), ("verifie", "Carte"), ("motif", "Perdu"), ("remise", "papier")]).await.is(422);
        let given = if one.status == 200 { one } else { two };
        track(&mut portal.client(), &filed.reference, &code_on(&paper(&given.bytes))).await.is(303);
        let notes: i64 = portal.db().one(db::sql!("select count(*) from message where authority_id = $1 and internal = $2"), db::args![portal.city, true]).await.unwrap();
        assert_eq!(notes, 1);
    }

    async fn a_request_of_an_account_has_no_code(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let mut agent = portal.agent("nadia.benali").await;
        let form = format!("/agent/demandes/{}/code", filed.id);
        agent.get(&form).await.is(404);
        agent.post(&form, &[("vu", "0"), ("verifie", "Carte"), ("motif", "Perdu"), ("remise", "papier")]).await.is(404);
        assert!(!agent.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).links_to(&form));
    }

    async fn a_code_does_not_go_to_an_address_that_the_request_has_not(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        portal.db().write(async |tx: &mut db::Tx| tx.run(db::sql!("update request set email = null where authority_id = $1"), db::args![tx.authority()]).await).await.unwrap();
        let mut agent = portal.agent("nadia.benali").await;
        let form = format!("/agent/demandes/{}/code", filed.id);
        give(&mut agent, &form, "courriel").await.is(422).shows("Choisissez comment donner le code");
        give(&mut agent, &form, "papier").await.is(200);
    }
}
