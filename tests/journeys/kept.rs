//! Mails and SMS that left: their words stay with the request.

use db::{args, sql};
use uuid::Uuid;

use super::{agent::act, life::paper};
use crate::harness::{Engine, Portal, USAGER, both, journey::birth};

/// What is kept of mails: to whom, their words, what became of them.
async fn kept(portal: &Portal) -> Vec<(String, String, String)> {
    let query = sql!("select recipient, body, state from request_mail where authority_id = $1 order by at, id");
    portal.db().all(query, args![portal.city]).await.unwrap()
}

both! {
    async fn a_mail_that_left_is_read_on_both_pages(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        portal.work().await;
        let (to, subject, body) = portal.outbox().await.remove(0);
        assert_eq!(kept(&portal).await, [(to.clone(), body.clone(), "sent".to_owned())]);
        let line = body.lines().find(|line| line.contains(&filed.reference)).unwrap();

        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get(&format!("{theirs}?onglet=messages")).await.is(200).shows(&format!("Courriel à {USAGER}")).shows(&subject).shows(line).shows("pris par le serveur de courriel");
        // What is not asked for is not shown: nothing waits to be read.
        nadia.get(&theirs).await.is(200).hides(&subject);
        let page = person.get(&mine).await.is(200).shows("Courriel automatique").shows(&subject).shows(line);
        assert!(!page.words().contains("Courriel à"), "where it went may be another's");
        let data = person.data().await;
        let mail = &data["demandes"][0]["courriels"][0];
        assert_eq!((mail["a"].as_str(), mail["texte"].as_str(), mail["etat"].as_str()), (Some(USAGER), Some(body.as_str()), Some("sent")), "{data}");
        let whole = paper(&nadia.get(&format!("{theirs}/dossier.pdf?pieces=non")).await.is(200).bytes);
        assert!(whole.contains(&subject) && whole.contains("Courriel à"), "{whole}");

        // A message is kept once: the mail that tells of it does not repeat it.
        nadia.post(&format!("{theirs}/messages"), &[("message", "Votre groseille est prête."), ("once", &Uuid::new_v4().to_string())]).await.is(303);
        portal.work().await;
        let all = kept(&portal).await;
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|(_, body, _)| !body.contains("groseille")));

        // It goes with its request.
        let write = async |tx: &mut db::Tx| {
            let a = tx.authority();
            tx.run(sql!("delete from job where authority_id = $1"), args![a]).await?;
            tx.run(sql!("delete from request where authority_id = $1 and id = $2"), args![a, filed.id]).await
        };
        portal.db().write(write).await.unwrap();
        assert_eq!(kept(&portal).await, []);
    }

    async fn a_code_is_not_kept(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let mut nadia = portal.agent("nadia.benali").await;
        let path = format!("/agent/demandes/{}/code", filed.id);
        let form = nadia.get(&path).await.is(200).form("verifie");
        let form = form.with("verifie", "Carte d’identité").with("motif", "Perdu").with("remise", "courriel");
        nadia.post_form(&path, &form.fields).await.is(303);
        portal.work().await;
        let sent = portal.outbox().await.into_iter().map(|(.., body)| body).find(|body| body.contains("nouveau code")).unwrap();
        let code = sent.lines().map(str::trim).find(|line| line.len() > 8 && line.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')).unwrap().to_owned();
        let all = kept(&portal).await;
        let own = all.iter().find(|(_, body, _)| body.contains("nouveau code")).unwrap();
        assert!(own.1.contains("[code non gardé]") && all.iter().all(|(_, body, _)| !body.contains(&code)), "{code}: {all:?}");
    }

    /// Once, and to who can answer by that link.
    async fn what_is_settled_may_be_rated(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("demande-information", &crate::harness::journey::question("Quand ?")).await;
        let nobody = portal.client().file("demande-information", &crate::harness::journey::question("Où ?")).await;
        portal.work().await;
        let link = |id: Uuid| format!("http://ville.test/demandes/{id}/avis");
        let asking = async || portal.outbox().await.into_iter().filter(|(.., body)| body.contains("/avis")).map(|(.., body)| body).collect::<Vec<_>>();
        assert_eq!(asking().await, Vec::<String>::new());
        let mut paulo = portal.agent("paulo.da-silva").await;
        for id in [filed.id, nobody.id] {
            let theirs = format!("/agent/demandes/{id}");
            act(&mut paulo, &theirs, "reply", &[("message", "Demain.")]).await.is(303);
        }
        portal.work().await;
        let asked = asking().await;
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].contains(&link(filed.id)) && asked[0].contains("en une minute"), "{asked:?}");
        let page = format!("/demandes/{}/avis", filed.id);
        person.get(&page).await.is(200);
        // Another mail of the same request does not ask again.
        paulo.post(&format!("/agent/demandes/{}/messages", filed.id), &[("message", "Encore."), ("once", &Uuid::new_v4().to_string())]).await.is(303);
        portal.work().await;
        assert_eq!(asking().await.len(), 1);
    }
}
