//! Surveys: answering, counting, publishing, forgetting.

use db::{args, sql};
use guichet::{catalogue, requests::sweep, surveys};
use jiff::SignedDuration;

use crate::harness::{Client, Engine, OTHER_USAGER, Page, Portal, USAGER, both};

const HALL: &str = "/enquetes/accueil-mairie";
const DESK: &str = "/agent/enquetes/accueil-mairie";

/// Publishes a survey where each account answers once.
async fn named(portal: &Portal) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.clear();
    let text =
        sources.surveys[0].1.replace("id: accueil-mairie", "id: marche").replace("anonymous: true", "anonymous: false");
    sources.surveys = vec![("surveys/marche.yaml".to_owned(), text)];
    assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
    assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 0, "the same file");
}

/// Answers as the page is drawn, but for these.
async fn answer(person: &mut Client, survey: &str, typed: &[(&str, &str)]) -> Page {
    let form = person.get(survey).await.is(200).form("une-fois");
    let typed = typed.iter().map(|(name, value)| (format!("saisie.{name}"), *value));
    let form = typed.fold(form, |form, (name, value)| form.with(&name, value));
    person.post_form(survey, &form.fields).await
}

async fn kept(portal: &Portal) -> i64 {
    portal
        .db()
        .one(sql!("select count(*) from survey_answer where authority_id = $1"), args![portal.city])
        .await
        .unwrap()
}

both! {
    async fn nothing_is_kept_of_who_answers_an_anonymous_one(portal: Portal) {
        let (mut stranger, mut person) = (portal.client(), portal.usager(USAGER).await);
        stranger.get("/enquetes").await.is(200).shows("Votre accueil en mairie").shows("anonyme").shows("30 juin 2027").hides("Résultats");
        assert!(stranger.get("/plan-du-site").await.links_to("/enquetes"));
        stranger.get("/enquetes/rien").await.is(404);
        stranger.post("/enquetes/rien", &[]).await.is(404);
        // What is wrong is told, and what was typed stays.
        let again = answer(&mut stranger, HALL, &[("note", "9"), ("idees", "Des bancs.")]).await.is(422).shows("Saisissez un nombre entier de 1 à 5");
        let form = again.form("une-fois");
        assert_eq!((form.value("saisie.note"), form.value("saisie.idees")), ("9", "Des bancs."));
        assert_eq!(kept(&portal).await, 0);
        // A question that appears is asked, and needs no answer here.
        answer(&mut stranger, HALL, &[("motif", "papiers"), ("note", "2"), ("idees", "Des bancs.")]).await.leads_to(&format!("{HALL}/merci"));
        stranger.get(&format!("{HALL}/merci")).await.is(200).shows("Merci");
        // Its form sent twice is one answer; filled again by the next person at the same screen, it is another.
        let form = person.get(HALL).await.is(200).form("une-fois").with("saisie.motif", "enfant").with("saisie.note", "5");
        for _ in 0..2 {
            person.post_form(HALL, &form.fields).await.leads_to(&format!("{HALL}/merci"));
        }
        assert_eq!(kept(&portal).await, 2);
        person.post_form(HALL, &form.with("saisie.note", "1").fields).await.leads_to(&format!("{HALL}/merci"));
        assert_eq!(kept(&portal).await, 3);
        let named: i64 = portal.db().one(sql!("select count(account_id) from survey_answer where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(named, 0);
        assert_eq!(person.data().await["enquetes"].as_array().unwrap().len(), 0);
    }

    async fn an_account_answers_once(portal: Portal) {
        named(&portal).await;
        let (survey, given) = ("/enquetes/marche", [("motif", "autre"), ("note", "4")]);
        portal.client().get(survey).await.leads_to("/connexion?suite=/enquetes/marche");
        portal.client().post(survey, &[("saisie.note", "4")]).await.is(303);
        let mut person = portal.usager(USAGER).await;
        let form = person.get(survey).await.is(200).shows("Une seule réponse par compte").form("une-fois");
        answer(&mut person, survey, &given).await.leads_to(&format!("{survey}/merci"));
        person.get(survey).await.leads_to(&format!("{survey}/merci?deja=oui"));
        let late = form.with("saisie.motif", "autre").with("saisie.note", "1").with("une-fois", "");
        person.post_form(survey, &late.fields).await.leads_to(&format!("{survey}/merci?deja=oui"));
        person.get(&format!("{survey}/merci?deja=oui")).await.is(200).shows("Vous avez déjà répondu");
        assert_eq!(kept(&portal).await, 1);
        // It is theirs to take away, and goes with the account; two accounts made one keep one answer.
        let data = person.data().await;
        assert_eq!((data["enquetes"][0]["enquete"].as_str(), data["enquetes"][0]["reponses"]["note"].as_str()), (Some("marche"), Some("4")));
        let mut other = portal.usager(OTHER_USAGER).await;
        answer(&mut other, survey, &[("motif", "papiers"), ("note", "2")]).await.is(303);
        let of = sql!("select id from account where authority_id = $1 and kind = 'usager' and email = $2");
        let (from, to): (uuid::Uuid, uuid::Uuid) = (portal.db().one(of, args![portal.city, OTHER_USAGER]).await.unwrap(), portal.db().one(of, args![portal.city, USAGER]).await.unwrap());
        portal.db().write(async |tx: &mut db::Tx| surveys::merge(tx, from, to).await).await.unwrap();
        let left: Vec<uuid::Uuid> = portal.db().all(sql!("select account_id from survey_answer where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(left, [to]);
        // Whoever manages reads no name.
        let mut paulo = portal.agent("paulo.da-silva").await;
        paulo.get("/agent/enquetes/marche").await.is(200).shows("une par compte").hides("Martin");
    }

    async fn results_are_a_managers_and_published_with_care(portal: Portal) {
        let mut person = portal.client();
        for (motif, note) in [("papiers", "5"), ("papiers", "5"), ("papiers", "4"), ("papiers", "5"), ("papiers", "5"), ("enfant", "1")] {
            answer(&mut person, HALL, &[("motif", motif), ("note", note), ("idees", "=Des bancs ; partout")]).await.is(303);
        }
        let mut paulo = portal.agent("paulo.da-silva").await;
        paulo.get("/agent/enquetes").await.is(200).shows("Votre accueil en mairie").shows("Non publiés");
        paulo.get(DESK).await.is(200).shows("6 réponses, anonymes").shows("moyenne : 4,2").shows("Pour des papiers ou un acte 5 83 %").shows("Pour l'école ou la cantine 1 17 %").shows("Des bancs");
        let csv = paulo.get(&format!("{DESK}/reponses.csv")).await.is(200);
        let text = String::from_utf8_lossy(&csv.bytes).into_owned();
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(text.contains("\"'=Des bancs ; partout\""), "no formula: {text}");
        // Nobody else: neither who processes there, nor who manages elsewhere.
        for name in ["lea.fontaine", "nadia.benali"] {
            for address in ["/agent/enquetes".to_owned(), DESK.to_owned(), format!("{DESK}/reponses.csv")] {
                portal.agent(name).await.get(&address).await.is(403);
            }
        }
        let mut claire = portal.agent("claire.daubigny").await;
        claire.get("/agent/enquetes").await.is(200).hides("Votre accueil en mairie");
        claire.get(DESK).await.is(404);
        claire.post(&format!("{DESK}/publier"), &[("publier", "oui")]).await.is(404);

        // While people answer, results that follow would tell what each of them says.
        let results = format!("{HALL}/resultats");
        person.get(&results).await.is(404);
        paulo.get(DESK).await.is(200).shows("se publient après le dernier jour").hides("Publier les résultats");
        paulo.post(&format!("{DESK}/publier"), &[("publier", "oui")]).await.is(409).shows("encore ouverte");
        // Once it is over, nobody answers.
        portal.later(SignedDuration::from_hours(24 * 240));
        let mut person = portal.client();
        person.get(HALL).await.is(200).shows("close depuis le 30 juin 2027").hides("Envoyer mes réponses");
        person.post(HALL, &[("saisie.motif", "papiers"), ("saisie.note", "5")]).await.leads_to(HALL);

        let mut paulo = portal.agent("paulo.da-silva").await;
        let page = paulo.get(DESK).await.is(200);
        let form = page.form("publier");
        let done = paulo.submit(&page, &form, &form.fields).await.leads_to(&format!("{DESK}?fait=publies"));
        paulo.follow(&done).await.is(200).shows("Les résultats sont publiés");
        // Fewer than five said the second, and the first would tell it by subtraction; a mean would tell both. No free
        // text.
        let mut reader = portal.usager(USAGER).await;
        reader.get(&results).await.is(200).shows("6 personnes ont répondu").shows("non publié").hides("83 %").hides("17 %").hides("moyenne").hides("Des bancs");
        reader.get(HALL).await.is(200).shows("Voir les résultats");
        let one = sql!("select count(*) from journal where authority_id = $1 and action in ('survey-exported', 'survey-published')");
        assert_eq!(portal.db().one::<i64>(one, args![portal.city]).await.unwrap(), 2);
        paulo.post(&format!("{DESK}/publier"), &[("publier", "non")]).await.leads_to(&format!("{DESK}?fait=retires"));
        reader.get(&results).await.is(404);

        // Once its retention is over, nothing is left.
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(kept(&portal).await, 6);
        portal.later(SignedDuration::from_hours(24 * 420));
        sweep::all(&portal.app).await.unwrap();
        assert_eq!(kept(&portal).await, 0);
    }

    async fn a_file_that_is_wrong_is_not_published(portal: Portal) {
        let mut sources = catalogue::shipped().unwrap();
        sources.procedures.clear();
        let right = sources.surveys[0].1.clone();
        for (was, is, told) in [
            ("department: relations-usagers", "department: inconnu", "no department « inconnu »"),
            ("to: 2027-06-30", "from: 2027-06-30", "to"),
            ("kind: long-text", "kind: file", "idees"),
            ("anonymous: true", "anonyme: true", "anonymous"),
        ] {
            sources.surveys[0].1 = right.replace(was, is);
            let error = catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap_err().to_string();
            assert!(error.contains("accueil-mairie") && error.contains(told), "{error}");
        }
    }
}
