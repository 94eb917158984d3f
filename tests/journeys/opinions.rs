//! What usagers think of requests that ended: given once, read before it is published, told of enough people only.

use db::{args, sql};
use guichet::steering::{self, Fact, Measure};
use uuid::Uuid;

use super::agent::act;
use crate::harness::{Client, Engine, Portal, USAGER, both, journey::question};

/// A question asked and answered; its id.
async fn answered(person: &mut Client, agent: &mut Client) -> Uuid {
    let filed = person.file("demande-information", &question("Quand ouvre la piscine ?")).await;
    let theirs = format!("/agent/demandes/{}", filed.id);
    act(agent, &theirs, "reply", &[("message", "À midi.")]).await.is(303);
    filed.id
}

async fn judge(person: &mut Client, request: Uuid, score: &str, comment: &str) {
    let path = format!("/demandes/{request}/avis");
    person.post(&path, &[("note", score), ("commentaire", comment)]).await.leads_to(&path);
}

both! {
    async fn an_opinion_is_given_once_when_all_is_over(portal: Portal) {
        let (mut person, mut paulo) = (portal.usager(USAGER).await, portal.agent("paulo.da-silva").await);
        let going = person.file("demande-information", &question("Et le marché ?")).await;
        let page = person.get(&format!("/demandes/{}", going.id)).await.is(200);
        assert!(!page.links_to(&format!("/demandes/{}/avis", going.id)));
        person.get(&format!("/demandes/{}/avis", going.id)).await.leads_to(&format!("/demandes/{}", going.id));
        person.post(&format!("/demandes/{}/avis", going.id), &[("note", "5")]).await.leads_to(&format!("/demandes/{}", going.id));

        let request = answered(&mut person, &mut paulo).await;
        let path = format!("/demandes/{request}/avis");
        assert!(person.get(&format!("/demandes/{request}")).await.is(200).links_to(&path));
        // Nothing typed is lost.
        let page = person.post(&path, &[("commentaire", "Réponse claire")]).await.is(422).shows("Choisissez une réponse");
        assert!(page.html().contains("Réponse claire"));
        judge(&mut person, request, "5", "Réponse claire").await;
        person.get(&path).await.is(200).shows("Très satisfaisant").shows("sera lu par le service");
        // The first one counts, however often it is sent.
        judge(&mut person, request, "1", "Non").await;
        person.get(&path).await.is(200).shows("Réponse claire");
        assert_eq!(portal.count("opinion").await, 1);
        let marks: i64 = portal.db().one(sql!("select count(*) from fact where authority_id = $1 and measure = 'score'"), args![portal.city]).await.unwrap();
        assert_eq!(marks, 1);
        assert_eq!(person.data().await["avis"][0]["note"], 5);
        // Nobody else gives it.
        portal.usager(crate::harness::OTHER_USAGER).await.get(&path).await.is(404);
    }

    async fn a_comment_is_read_by_the_manager_before_everybody(portal: Portal) {
        let (mut person, mut paulo) = (portal.usager(USAGER).await, portal.agent("paulo.da-silva").await);
        let (praised, blamed) = (answered(&mut person, &mut paulo).await, answered(&mut person, &mut paulo).await);
        judge(&mut person, praised, "5", "Une réponse <b>claire</b>.").await;
        judge(&mut person, blamed, "1", "Monsieur Dupont est nul.").await;
        let public = "/qualite/demande-information";
        person.get(public).await.is(200).hides("claire").hides("Dupont");
        // Managers of that department only.
        let decision = [("publier", "oui")];
        for other in ["lea.fontaine", "claire.daubigny"] {
            let refused = portal.agent(other).await.post(&format!("/agent/avis/{praised}"), &decision).await.status;
            assert!([403, 404].contains(&refused), "{other}: {refused}");
        }
        portal.agent("claire.daubigny").await.get("/agent/avis").await.is(200).hides("Dupont");
        paulo.get("/agent/avis").await.is(200).shows("Monsieur Dupont est nul.").shows("Une réponse <b>claire</b>.");
        paulo.post(&format!("/agent/avis/{praised}"), &decision).await.leads_to("/agent/avis?fait=publie");
        paulo.post(&format!("/agent/avis/{blamed}"), &[("raison", "inconnue")]).await.is(400);
        paulo.post(&format!("/agent/avis/{blamed}"), &[("raison", "personne")]).await.leads_to("/agent/avis?fait=masque");
        paulo.post(&format!("/agent/avis/{blamed}"), &decision).await.leads_to("/agent/avis?fait=deja");
        paulo.get("/agent/avis").await.is(200).shows("Aucun commentaire à lire");
        person.get(public).await.is(200).shows("Une réponse <b>claire</b>.").hides("Dupont").hides("Martin");
        person.get(&format!("/demandes/{blamed}/avis")).await.is(200).shows("Il permet de reconnaître quelqu'un");
        person.get(&format!("/demandes/{praised}/avis")).await.is(200).shows("Votre commentaire est publié");
    }

    async fn few_are_not_told(portal: Portal) {
        let (mut person, mut paulo) = (portal.usager(USAGER).await, portal.agent("paulo.da-silva").await);
        let page = "/qualite/demande-information";
        for _ in 0..4 {
            let request = answered(&mut person, &mut paulo).await;
            judge(&mut person, request, "4", "").await;
        }
        person.get(page).await.is(200).shows("trop peu d'avis").shows("trop peu de réponses");
        let request = answered(&mut person, &mut paulo).await;
        judge(&mut person, request, "2", "").await;
        person.get(page).await.is(200).shows("3,6 sur 5").shows("80 % des usagers").shows("le jour même");
        person.get("/qualite").await.is(200).shows("80 % (5 avis)");
        // The same once it is folded into counters.
        steering::tick(&portal.app).await.unwrap();
        person.get("/qualite").await.is(200).shows("80 % (5 avis)");
        // A mark goes on counting when its request is gone; the comment goes.
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("delete from opinion where authority_id = $1"), args![tx.authority()]).await).await.unwrap();
        person.get(page).await.is(200).shows("3,6 sur 5");
    }

    /// Answered by another department, before the procedure was handed over: both pages tell of it.
    async fn both_pages_tell_of_the_same_answers(portal: Portal) {
        let day = "2026-11-10".parse().unwrap();
        let fact = Fact { day, department: "etat-civil", procedure: "demande-information", measure: Measure::OnTime, what: "reply", channel: "web", days: Some(17) };
        for _ in 0..5 {
            let id = portal.app.clock.id();
            portal.db().write(async |tx: &mut db::Tx| steering::note(tx, id, &fact).await).await.unwrap();
        }
        for page in ["/qualite", "/qualite/demande-information"] {
            portal.client().get(page).await.is(200).shows("17 jours");
        }
    }
}
