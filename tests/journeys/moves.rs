//! A request that goes to another department: what its usager is told, who may still see it, and the rules that send
//! it by themselves.

use db::{args, sql};
use jiff::Timestamp;
use uuid::Uuid;

use super::{agent::act, circuit::street, silence::publish};
use crate::harness::{Engine, Portal, USAGER, both};

const STREET: &str = "intervention-technique";

async fn standing(portal: &Portal, request: Uuid) -> (String, Option<String>, Timestamp) {
    let of = sql!(
        "select r.department_id, a.email, r.due_at from request r left join account a on a.authority_id = r.authority_id and a.id = r.holder_id
         where r.authority_id = $1 and r.id = $2"
    );
    portal.db().one(of, args![portal.city, request]).await.unwrap()
}

both! {
    async fn a_request_goes_to_another_department_with_its_dates(portal: Portal) {
        let (mut person, mut thierry, mut maud, mut aicha) = (portal.usager(USAGER).await, portal.agent("thierry.kowalski").await, portal.agent("maud.etienne").await, portal.agent("aicha.traore").await);
        let filed = person.file(STREET, &street("gene")).await;
        let (theirs, mine) = (format!("/agent/demandes/{}", filed.id), format!("/demandes/{}", filed.id));
        let path = format!("{theirs}/transmettre");
        act(&mut thierry, &theirs, "take", &[]).await.is(303);
        let before = standing(&portal, filed.id).await;
        assert_eq!((before.0.as_str(), before.1.as_deref()), ("voirie", Some("thierry.kowalski@valmont.example")));
        // Whoever processes does not send it away; nobody sends it anywhere.
        thierry.get(&path).await.is(403);
        aicha.get(&theirs).await.is(404);
        maud.get(&theirs).await.is(200).shows("Transmettre à un autre service");
        let form = maud.get(&path).await.is(200).shows("les délais ne changent pas").form("version");
        let wrong = maud.post_form(&path, &form.clone().with("service", "bibliotheque").fields).await.is(422);
        wrong.shows("Choisissez le service").shows("Dites à l'usager pourquoi");
        let form = form.with("service", "dechets").with("motif", "Le dépôt gêne la collecte.");
        maud.post_form(&path, &form.fields).await.leads_to(&format!("{theirs}?fait=transmise"));
        let after = standing(&portal, filed.id).await;
        assert_eq!((after.0.as_str(), after.1, after.2), ("dechets", None, before.2), "delays run from the first reception");
        // The department before knows that it had it.
        let gone = maud.get(&theirs).await.is(200).shows("n'est plus dans votre service").shows("Signaler");
        gone.hides("lampadaire").hides("Camille");
        for (page, status) in [("/actions/take", 404), ("/dossier.pdf", 404), ("/avis/demander", 404)] {
            maud.get(&format!("{theirs}{page}")).await.is(status);
        }
        maud.post_form(&path, &form.fields).await.is(404);
        aicha.get(&theirs).await.is(200).shows("lampadaire");
        aicha.get("/agent?vue=toutes&q=lampadaire").await.is(200).shows(&filed.reference);
        maud.get("/agent?vue=toutes&q=lampadaire").await.is(200).hides(&filed.reference);
        aicha.get(&format!("{theirs}?onglet=historique")).await.is(200).shows("Dossier transmis à un autre service : Service des déchets");
        aicha.post(&format!("{theirs}/affecter?de="), &[]).await.is(303);
        person.get(&mine).await.is(200).shows("Le dépôt gêne la collecte.").shows("Elle garde sa date de réception, le 17 novembre 2026").shows("Transmise à un autre service");
        portal.work().await;
        let told = portal.outbox().await.into_iter().filter(|(_, title, _)| title.contains("message")).count();
        assert_eq!(told, 1);
        // Back where it came from, if that was wrong.
        let path = format!("{theirs}/transmettre");
        let form = aicha.get(&path).await.is(200).form("version").with("service", "voirie").with("motif", "C’est un lampadaire.");
        aicha.post_form(&path, &form.fields).await.is(303);
        maud.get(&theirs).await.is(200).shows("lampadaire");
    }

    async fn a_rule_sends_requests_to_the_department_that_they_are_for(portal: Portal) {
        let rules = "
    - id: send
      dispatch: [{when: danger == \"oui\", to: dechets}, {to: stay}]
      assign: [{to: turn}]
    - {id: orient, label: Orienter, from: [submitted], to: submitted, who: process, dispatch: [{to: dechets}], receives: Rien.}
";
        publish(&portal, STREET, |text| format!("{text}{rules}")).await;
        let mut person = portal.usager(USAGER).await;
        let danger = person.file(STREET, &street("oui")).await;
        let there = standing(&portal, danger.id).await;
        let holder = there.1.unwrap();
        assert!(there.0 == "dechets" && (holder.starts_with("yann") || holder.starts_with("aicha")), "{holder}");
        let calm = person.file(STREET, &street("gene")).await;
        assert_eq!(standing(&portal, calm.id).await.0, "voirie");
        let (mut maud, page) = (portal.agent("maud.etienne").await, format!("/agent/demandes/{}", calm.id));
        act(&mut maud, &page, "orient", &[]).await.is(303);
        let there = standing(&portal, calm.id).await;
        assert_eq!((there.0.as_str(), there.1), ("dechets", None));
        maud.get(&page).await.is(200).shows("n'est plus dans votre service");
        person.get(&format!("/demandes/{}", calm.id)).await.is(200).shows("Transmise à un autre service");
    }

    async fn what_is_approved_or_ended_stays_where_it_is(portal: Portal) {
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = person.file(STREET, &street("gene")).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        let form = maud.get(&format!("{theirs}/transmettre")).await.is(200).form("version").with("service", "dechets").with("motif", "Pour vous.");
        act(&mut maud, &theirs, "take", &[]).await.is(303);
        maud.post_form(&format!("{theirs}/transmettre"), &form.fields).await.is(409).shows("a changé pendant que vous la regardiez");
        act(&mut maud, &theirs, "reply", &[("message", "C’est réparé.")]).await.is(303);
        maud.get(&format!("{theirs}/transmettre")).await.is(409);
        maud.get(&theirs).await.is(200).hides("Transmettre à un autre service");
    }
}
