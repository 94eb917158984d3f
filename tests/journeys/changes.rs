//! « Je change de coordonnées »: one declaration, a request for each department ticked.

use std::collections::BTreeMap;

use db::{Json, args, sql};
use forms::answers::Answers;

use crate::harness::{
    Client, Engine, OTHER_USAGER, Page, Portal, USAGER, both,
    household::{declare, live},
    html,
};

const PAGE: &str = "/compte/coordonnees/changer";

fn boxes(page: &Page, name: &str) -> Vec<(String, bool)> {
    let tags = html::tags(page.html());
    let named = tags.iter().filter(|tag| tag.get("name") == name && tag.get("type") == "checkbox");
    named.map(|tag| (tag.get("value").to_owned(), tag.attributes.contains_key("checked"))).collect()
}

/// The page's form as it came, with these answers.
async fn filled(person: &mut Client, answers: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields = person.get(PAGE).await.is(200).form("adresse.commune").fields;
    fields.retain(|(name, _)| !answers.iter().any(|(given, _)| given == name));
    fields.extend(answers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

const HOME: [(&str, &str); 4] = [
    ("adresse.numero_voie", "8 rue du Départ"),
    ("adresse.code_postal", "96000"),
    ("adresse.commune", "Valmont"),
    ("confidentielle", "non"),
];

/// What each department was sent.
async fn received(portal: &Portal) -> BTreeMap<String, Answers> {
    let rows: Vec<(String, Json<Answers>)> = portal
        .db()
        .all(
            sql!("select r.department_id, r.answers from request r join coordinate_change_request c on c.authority_id = r.authority_id and c.request_id = r.id where r.authority_id = $1"),
            args![portal.city],
        )
        .await
        .unwrap();
    let count = rows.len();
    let all: BTreeMap<String, Answers> =
        rows.into_iter().map(|(department, answers)| (department, answers.0)).collect();
    assert_eq!(all.len(), count, "a department is told once");
    all
}

both! {
    async fn each_ticked_department_gets_what_concerns_it(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let lea = declare(&mut person, "Léa", "2019-05-03").await;
        live(&mut person, "1 rue Haute", "2020-05-01", false).await;
        let before = portal.count("request").await;

        // The procedure's own door leads to the page, where nothing is ticked beforehand.
        person.get("/demarches/changement-coordonnees/commencer").await.leads_to(PAGE);
        person.get("/demarches/changement-coordonnees/remplir").await.leads_to(PAGE);
        let page = person.get(PAGE).await.is(200).shows("Service des déchets (adresse, nom)");
        let services = boxes(&page, "services");
        assert!(services.iter().any(|(id, _)| id == "education") && services.iter().all(|(_, ticked)| !ticked), "{services:?}");
        assert_eq!(boxes(&page, "membres"), [(lea.clone(), false)]);
        let mut other = portal.usager(OTHER_USAGER).await;
        other.get(PAGE).await.is(200).hides("Léa");

        let answers = [&HOME[..], &[("telephone", "06 98 76 54 32"), ("membres", &lea), ("services", "education"), ("services", "dechets")]].concat();
        let form = filled(&mut person, &answers).await;
        let wrong: Vec<_> = form.iter().filter(|(name, _)| name != "adresse.commune").cloned().collect();
        let page = person.post_form(PAGE, &wrong).await.is(422).shows("Saisissez la commune");
        assert_eq!(boxes(&page, "services").iter().filter(|(_, ticked)| *ticked).count(), 2, "nothing typed is lost");
        // Twice at once, and once more: each department once.
        let (mut again, mut once) = (person.clone(), person.clone());
        let (one, two) = tokio::join!(once.post_form(PAGE, &form), again.post_form(PAGE, &form));
        one.leads_to("/compte/coordonnees?fait=change");
        two.leads_to("/compte/coordonnees?fait=change");
        person.post_form(PAGE, &form).await.leads_to("/compte/coordonnees?fait=change");
        assert_eq!(portal.count("request").await, before + 2);
        assert_eq!((portal.count("coordinate_change").await, portal.count("account_address").await), (1, 2));

        let received = received(&portal).await;
        let (school, bins) = (&received["education"], &received["dechets"]);
        assert_eq!(school["telephone"], "+33698765432");
        assert_eq!(school["membres"][0]["membre"]["prenoms"], "Léa");
        assert_eq!((&bins["adresse"]["numero_voie"], &bins["ancienne_adresse"]["numero_voie"]), (&"8 rue du Départ".into(), &"1 rue Haute".into()));
        let words = serde_json::to_string(bins).unwrap();
        assert!(!words.contains("+33") && !words.contains("Léa"), "{words}");

        // The usager sees who received it, each with its receipt; the account is up to date.
        let page = person.get("/compte/coordonnees?fait=change").await.is(200).shows("Service des déchets").shows("8 rue du Départ").shows("06 98 76 54 32");
        page.shows("Vos changements envoyés").shows("Envoyée");
        portal.work().await;
        let ids: Vec<uuid::Uuid> = portal.db().all(sql!("select request_id from coordinate_change_request where authority_id = $1"), args![portal.city]).await.unwrap();
        for id in &ids {
            person.get(&format!("/demandes/{id}")).await.is(200);
            person.get(&format!("/demandes/{id}/recepisse.pdf")).await.is(200);
            other.get(&format!("/demandes/{id}")).await.is(404);
        }
        assert_eq!(portal.count("coordinate_change_request").await, 2);
        // Processed by those it was sent to, and no other.
        let mut agent = portal.agent("yann.le-bihan").await;
        let seen: Vec<bool> = [agent.get(&format!("/agent/demandes/{}", ids[0])).await.status, agent.get(&format!("/agent/demandes/{}", ids[1])).await.status]
            .into_iter().map(|status| status == 200).collect();
        assert_eq!(seen.iter().filter(|seen| **seen).count(), 1, "one of the two is theirs");
    }

    async fn a_confidential_change_is_told_as_such(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let mut answers = HOME.to_vec();
        answers[3] = ("confidentielle", "oui");
        answers.push(("services", "dechets"));
        let form = filled(&mut person, &answers).await;
        person.post_form(PAGE, &form).await.is(303);
        let flags: Vec<bool> = portal.db().all(sql!("select r.confidential_address from request r join coordinate_change_request c on c.authority_id = r.authority_id and c.request_id = r.id where r.authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(flags, [true]);
        person.get("/compte/coordonnees").await.shows("Confidentielle");
        // Moving again: the address that was confidential is not told as the old one.
        let form = filled(&mut person, &[("adresse.numero_voie", "5 rue Libre"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont"), ("confidentielle", "non"), ("services", "bibliotheque")]).await;
        person.post_form(PAGE, &form).await.is(303);
        assert!(!received(&portal).await["bibliotheque"].contains_key("ancienne_adresse"));
    }

    async fn nobody_is_told_unless_ticked(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let before = portal.count("request").await;
        let form = filled(&mut person, &[("telephone", "06 98 76 54 32"), ("services", "dechets")]).await;
        person.post_form(PAGE, &form).await.is(422).shows("Décochez ceux que ce changement ne concerne pas");
        let form = filled(&mut person, &[("telephone", "06 98 76 54 32")]).await;
        person.post_form(PAGE, &form).await.leads_to("/compte/coordonnees?fait=change");
        assert_eq!(portal.count("request").await, before);
        assert_eq!(person.get("/compte").await.is(200).form("telephone").value("telephone"), "06 98 76 54 32");
        person.get("/compte/coordonnees").await.hides("Vos changements envoyés");
    }
}
