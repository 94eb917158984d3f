//! Linked requests: what one led to, begun once with its answers, and seen from both.

use db::{args, sql};
use guichet::catalogue;

use super::agent::act;
use crate::harness::{Engine, OTHER_USAGER, Portal, USAGER, both, html::Form};

const SCHOOL: &str = "inscription-scolaire";
const MEALS: &str = "restaurant-scolaire";

/// The form of « Poursuivre » on a request's page.
fn go_on(forms: Vec<Form>) -> Form {
    forms.into_iter().find(|form| form.action.contains("/suites/")).unwrap()
}

both! {
    async fn an_accepted_request_leads_to_another_with_its_answers(portal: Portal) {
        let (mut person, mut other) = (portal.usager(USAGER).await, portal.usager(OTHER_USAGER).await);
        let mut answers = portal.sample(SCHOOL).await;
        answers.set("enfant.prenoms", "Zénobie");
        let filed = person.file(SCHOOL, &answers).await;
        let (mine, desk) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        person.get(&mine).await.is(200).hides("Poursuivre");
        let (mut fatoumata, mut sandrine) = (portal.agent("fatoumata.diallo").await, portal.agent("sandrine.lopez").await);
        act(&mut fatoumata, &desk, "take", &[]).await.is(303);
        act(&mut sandrine, &desk, "accept", &[]).await.is(303);
        // Accepted again after it was reopened: offered once.
        act(&mut fatoumata, &desk, "close", &[]).await.is(303);
        act(&mut sandrine, &desk, "reopen", &[("message", "Une erreur de notre part.")]).await.is(303);
        act(&mut sandrine, &desk, "accept", &[]).await.is(303);
        assert_eq!(portal.count("linked_request").await, 1);
        let page = person.get(&mine).await.is(200).shows("Vous pouvez poursuivre avec « Inscrire mon enfant au restaurant scolaire »");
        let action = go_on(page.forms()).action;
        fatoumata.get(&desk).await.is(200).shows("Demandes liées").shows("pas encore envoyée");

        other.post(&action, &[]).await.is(404);
        let mut beside = person.clone();
        let (one, two) = tokio::join!(person.post(&action, &[]), beside.post(&action, &[]));
        assert_eq!((one.status, two.status), (303, 303));
        assert_eq!(one.location(), two.location());
        let drafts = sql!("select count(*) from draft where authority_id = $1 and procedure_id = 'restaurant-scolaire'");
        assert_eq!(portal.db().one::<i64>(drafts, args![portal.city]).await.unwrap(), 1);
        let raw = sql!("select cast(raw as text) from draft where authority_id = $1 and procedure_id = 'restaurant-scolaire'");
        let raw: String = portal.db().one(raw, args![portal.city]).await.unwrap();
        assert!(raw.contains("Zénobie") && raw.contains("enfants.0.enfant.prenoms"), "{raw}");
        other.get(one.location()).await.is(404);

        let check = person.fill_from(one.location(), &portal.sample(MEALS).await).await;
        let second = person.send_checked(&check).await;
        assert!(action.ends_with(&second.id.to_string()), "the draft keeps the id of its link");
        let page = person.get(&mine).await.is(200).shows(&second.reference);
        assert!(page.links_to(&format!("/demandes/{}", second.id)) && page.forms().iter().all(|form| !form.action.contains("/suites/")));
        person.post(&action, &[]).await.leads_to(&format!("/demandes/{}", second.id));
        let page = person.get(&format!("/demandes/{}", second.id)).await.is(200).shows("Cette demande fait suite à").shows(&filed.reference);
        assert!(page.links_to(&mine));

        let page = fatoumata.get(&desk).await.is(200).shows(&second.reference);
        assert!(page.links_to(&format!("/agent/demandes/{}", second.id)));
        fatoumata.get(&format!("/agent/demandes/{}", second.id)).await.is(200).shows("Fait suite à").shows(&filed.reference);
        // Of another department: that it exists, and how far it is.
        portal.direct(vec!["update request set department_id = 'commerce' where procedure_id = 'restaurant-scolaire'".to_owned()]).await;
        let page = fatoumata.get(&desk).await.is(200).shows(&second.reference);
        assert!(!page.links_to(&format!("/agent/demandes/{}", second.id)));
        let mut isabelle = portal.agent("isabelle.vandenberghe").await;
        let page = isabelle.get(&format!("/agent/demandes/{}", second.id)).await.is(200).shows(&filed.reference);
        assert!(!page.links_to(&desk));
    }

    async fn a_draft_that_was_discarded_is_begun_again_and_a_confidential_address_is_not_carried(portal: Portal) {
        let mut sources = catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| *name == format!("{SCHOOL}.yaml"));
        sources.procedures[0].1 = sources.procedures[0].1.replace("demandeur: demandeur\n", "demandeur: demandeur\n        adresse: adresse\n");
        assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
        portal.app.catalogue.refresh(portal.city);
        let mut person = portal.usager(USAGER).await;
        let mut answers = portal.sample(SCHOOL).await;
        answers.set("adresse.numero_voie", "12 rue Zéphyrine");
        let filed = person.file(SCHOOL, &answers).await;
        let (mine, desk) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        let (mut fatoumata, mut sandrine) = (portal.agent("fatoumata.diallo").await, portal.agent("sandrine.lopez").await);
        act(&mut fatoumata, &desk, "take", &[]).await.is(303);
        act(&mut sandrine, &desk, "accept", &[]).await.is(303);
        portal.direct(vec!["update request set confidential_address = true".to_owned()]).await;
        let action = go_on(person.get(&mine).await.is(200).forms()).action;
        let draft = person.post(&action, &[]).await.is(303).location().to_owned();
        let raw = sql!("select cast(raw as text) from draft where authority_id = $1 and procedure_id = 'restaurant-scolaire'");
        let typed: String = portal.db().one(raw, args![portal.city]).await.unwrap();
        assert!(!typed.contains("Zéphyrine") && typed.contains("enfants.0.enfant"), "{typed}");
        let discard = format!("{}/supprimer", draft.rsplit_once('/').unwrap().0);
        let form = person.get(&discard).await.is(200).forms().into_iter().find(|form| form.action.contains("supprimer") || form.action.is_empty()).unwrap();
        person.post_form(&discard, &form.fields).await.is(303);
        person.get(&draft).await.is(404);
        person.post(&action, &[]).await.leads_to(&draft);
        person.get(&draft).await.is(200);
    }

    async fn procedures_that_do_not_fit_together_are_not_published(portal: Portal) {
        let mut sources = catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| *name == format!("{SCHOOL}.yaml"));
        let whole = sources.procedures[0].1.clone();
        for (from, to, told) in [
            ("procedure: restaurant-scolaire", "procedure: cantine", "Aucune démarche ne s'appelle « cantine »"),
            ("enfants.enfant: enfant", "enfants.prenom: enfant", "n'a pas de question « enfants.prenom »"),
            ("demandeur: demandeur", "demandeur: courriel", "« courriel » (email) ne peut pas remplir « demandeur » (identity)"),
        ] {
            assert!(whole.contains(from));
            sources.procedures[0].1 = whole.replace(from, to);
            let refused = catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap_err();
            assert!(format!("{refused:#}").contains(told), "{refused:#}");
        }
    }
}
