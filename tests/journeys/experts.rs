//! Opinions that a circuit asks of somebody outside: by a written address, or one that an agent gives.

use db::{args, sql};
use guichet::requests::timers;

use super::{
    agent::act,
    circuit::street,
    consultations::{fields, link, open},
    silence::publish,
};
use crate::harness::{Engine, Portal, USAGER, both};

const STREET: &str = "intervention-technique";

/// The shipped procedure, with an opinion asked of this address by an action, and this form on it.
fn asking(email: &str, form: &str) -> impl Fn(&str) -> String {
    let parts = format!(
        "
    - {{id: consult, label: Demander l'avis de l'agence, from: [submitted], to: consulted, who: process, {form}does: [opinion agence], receives: Rien.}}
    - {{id: advised, label: Reprendre, from: [consulted], to: in-progress, who: system, after: opinions}}
    - {{id: resume, label: Reprendre sans attendre, from: [consulted], to: in-progress, who: process, receives: Rien.}}
  states:
    - {{id: consulted, label: Avis attendu, usager: En cours de traitement, status: in-progress}}
  opinions:
    - {{id: agence, expert: {{name: Agence Bâti, email: {email}}}, question: Le lampadaire tient-il ?, delay: 15 days, shows: [nature, description, lieu]}}
"
    );
    move |text| format!("{text}{parts}")
}

both! {
    async fn a_circuit_asks_somebody_outside_and_goes_on_with_the_answer(portal: Portal) {
        publish(&portal, STREET, asking("agence@exemple.fr", "")).await;
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = person.file(STREET, &street("gene")).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        act(&mut maud, &theirs, "consult", &[]).await.is(303);
        maud.get(&format!("{theirs}?onglet=avis")).await.is(200).shows("Agence Bâti").shows("Le lampadaire tient-il").shows("automatiquement");
        portal.work().await;
        let link = link(&portal).await;
        let mut expert = open(&portal, &link).await;
        expert.get(&link).await.is(200).shows("Le lampadaire penche").shows("Le lampadaire tient-il").hides("Camille");
        expert.upload(&link, &fields("favourable", "Il tient."), &[]).await.leads_to(&link);
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let state: String = portal.db().one(sql!("select state from request where authority_id = $1 and id = $2"), args![portal.city, filed.id]).await.unwrap();
        assert_eq!(state, "in-progress");
        // Its usager reads beforehand who is told of their answers.
        person.get(&format!("/demarches/{STREET}")).await.is(200).shows("Agence Bâti");
    }

    async fn the_agent_who_asks_gives_the_address(portal: Portal) {
        let form = "form: [{id: expert, ask: À quelle adresse ?, kind: email}], ";
        publish(&portal, STREET, asking("expert", form)).await;
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = person.file(STREET, &street("gene")).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        act(&mut maud, &theirs, "consult", &[]).await.is(422);
        act(&mut maud, &theirs, "consult", &[("saisie.expert", "Agence@exemple.fr")]).await.is(303);
        portal.work().await;
        let link = link(&portal).await;
        open(&portal, &link).await.get(&link).await.is(200).shows("Le lampadaire penche");
    }

    /// Where it is not to be told, nobody outside is told it by a circuit.
    async fn a_confidential_address_leaves_with_no_circuit(portal: Portal) {
        publish(&portal, STREET, asking("agence@exemple.fr", "")).await;
        let (mut person, mut maud) = (portal.usager(USAGER).await, portal.agent("maud.etienne").await);
        let filed = person.file(STREET, &street("gene")).await;
        portal.db().write(async |tx: &mut db::Tx| tx.run(sql!("update request set confidential_address = true where authority_id = $1 and id = $2"), args![tx.authority(), filed.id]).await).await.unwrap();
        act(&mut maud, &format!("/agent/demandes/{}", filed.id), "consult", &[]).await.is(303);
        portal.work().await;
        let link = link(&portal).await;
        open(&portal, &link).await.get(&link).await.is(200).shows("Le lampadaire penche").hides("rue de la République");
    }
}
