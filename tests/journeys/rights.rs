//! Rights given beside memberships: for a time, on some procedures; and who can see a request, and why.

use db::sql;
use jiff::SignedDuration;

use crate::harness::{Client, Engine, Portal, both, journey::birth};

const THIERRY: &str = "thierry.kowalski@valmont.example";

/// Gives Thierry, of another department, a right on requests of the civil registry.
async fn give(manager: &mut Client, role: &str, procedures: &[&str], until: &str) -> u16 {
    let form = manager.get("/agent/droits/nouveau?service=etat-civil").await.is(200).form("courriel");
    let mut typed =
        form.with("courriel", THIERRY).with("role", role).with("au", until).with("motif", "Renfort d’automne");
    typed.fields.retain(|(name, _)| name != "demarches");
    typed.fields.extend(procedures.iter().map(|one| ("demarches".to_owned(), (*one).to_owned())));
    manager.post_form("/agent/droits/nouveau", &typed.fields).await.status
}

both! {
    async fn a_right_on_a_procedure_is_no_right_on_the_others(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let (page, list) = (format!("/agent/demandes/{}", filed.id), "/agent?vue=toutes");
        let search = "/agent?q=zephyrine&demarche=acte-naissance";
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&page).await.is(404);
        let mut claire = portal.agent("claire.daubigny").await;
        assert_eq!(give(&mut claire, "processor", &["acte-deces"], "").await, 303);
        thierry.get(&page).await.is(404);
        for address in [list, search, "/agent/export.csv?vue=toutes"] {
            thierry.get(address).await.is(200).hides(&filed.reference);
        }
        // Only existence, for a reader.
        assert_eq!(give(&mut claire, "reader", &["acte-naissance", "acte-mariage"], "30/11/2026").await, 303);
        thierry.get(&page).await.is(200).shows("Où en est ce dossier").hides("Zéphyrine");
        thierry.get(list).await.is(200).shows(&filed.reference);
        thierry.get(search).await.is(200).hides(&filed.reference);
        thierry.get("/agent?personne=martin").await.is(200).shows(&filed.reference);
        thierry.get(&format!("{page}/acces")).await.is(403);

        assert_eq!(give(&mut claire, "processor", &["acte-naissance"], "30/11/2026").await, 303);
        for address in [list, search, "/agent/export.csv?vue=toutes", "/agent?vue=toutes&service=etat-civil"] {
            thierry.get(address).await.is(200).shows(&filed.reference);
        }
        thierry.get(&page).await.is(200).shows("Zéphyrine");
        thierry.post(&format!("{page}/actions/take"), &[("version", "1")]).await.is(303);
        thierry.get(&format!("{page}/actions/refuse")).await.is(403);
        // Neither accounts nor anything else of the department came along.
        thierry.get("/agent/agents").await.is(403);
        let seen = thierry.get(&format!("{page}/acces")).await.is(200);
        seen.shows("Claire d’Aubigny").shows("Agent du service").shows("Thierry Kowalski").shows("Renfort d’automne")
            .shows("Droit donné par Claire d’Aubigny jusqu’au 30 novembre 2026, sur cette démarche");

        // The day after the last, nothing is left of it but the line of the journal.
        portal.later(SignedDuration::from_hours(14 * 24));
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&page).await.is(404);
        thierry.get(list).await.is(200).hides(&filed.reference);
        let given: i64 = portal.db().one(
            sql!("select count(*) from journal where authority_id = $1 and action = 'rights-changed' and detail like 'etat-civil processor acte-naissance %'"),
            db::args![portal.city],
        ).await.unwrap();
        assert_eq!(given, 1);
    }

    async fn a_department_is_lent_and_taken_back(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let page = format!("/agent/demandes/{}", filed.id);
        let mut claire = portal.agent("claire.daubigny").await;
        assert_eq!(give(&mut claire, "decider", &[], "").await, 303);
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&page).await.is(200).shows("Zéphyrine");
        // Not a manager for all that: no right goes on from there.
        thierry.get("/agent/droits/nouveau?service=etat-civil").await.is(403);
        let list = claire.get("/agent/agents").await.is(200).shows("Thierry Kowalski").shows("Toutes les démarches du service");
        let html = list.html().replace("&#x2f;", "/");
        let withdraw = html.split("/agent/droits/").find(|part| part.contains("/retirer")).unwrap();
        let withdraw = format!("/agent/droits/{}/retirer", withdraw.split('/').next().unwrap());
        // Of another department's manager, it does not exist.
        portal.agent("thierry.kowalski").await.post(&withdraw, &[]).await.is(403);
        claire.post(&withdraw, &[]).await.is(303);
        thierry.get(&page).await.is(404);
        claire.post(&withdraw, &[]).await.is(404);
    }

    async fn what_is_typed_wrong_is_told_and_kept(portal: Portal) {
        let mut claire = portal.agent("claire.daubigny").await;
        let form = claire.get("/agent/droits/nouveau?service=etat-civil").await.is(200).form("courriel");
        for (name, value, told) in [
            ("courriel", "personne@valmont.example", "un agent qui a un compte ici"),
            ("courriel", "claire.daubigny@valmont.example", "à vous-même"),
            ("du", "31/02/2026", "une date comme"),
            ("au", "demain", "une date comme"),
            ("au", "01/01/2020", "La fin est avant le début"),
            ("motif", "", "Dites pourquoi"),
            ("role", "manager", "Choisissez ce que cette personne pourra faire"),
            ("demarches", "encombrants", "n’est plus celle de ce service"),
        ] {
            let typed = form.clone().with("courriel", THIERRY).with("role", "reader").with("motif", "Renfort").with(name, value);
            let again = claire.post_form("/agent/droits/nouveau", &typed.fields).await.is(422).shows(told);
            if !["role", "demarches"].contains(&name) {
                assert_eq!(again.form("courriel").value(name), value);
            }
        }
        claire.get("/agent/droits/nouveau?service=voirie").await.is(404);
    }
}
