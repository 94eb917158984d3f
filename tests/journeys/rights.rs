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

/// The same, on categories of the catalogue.
async fn give_categories(manager: &mut Client, role: &str, categories: &[&str]) -> u16 {
    let form = manager.get("/agent/droits/nouveau?service=etat-civil").await.is(200).form("courriel");
    let mut typed = form.with("courriel", THIERRY).with("role", role).with("motif", "Renfort d’automne");
    typed.fields.retain(|(name, _)| name != "demarches" && name != "categories");
    typed.fields.extend(categories.iter().map(|one| ("categories".to_owned(), (*one).to_owned())));
    manager.post_form("/agent/droits/nouveau", &typed.fields).await.status
}

both! {
    async fn a_right_on_a_category_is_one_on_each_of_its_procedures(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let (page, list) = (format!("/agent/demandes/{}", filed.id), "/agent?vue=toutes");
        let (mut claire, mut thierry) = (portal.agent("claire.daubigny").await, portal.agent("thierry.kowalski").await);
        // No procedure of the department is of this category: a form that says so was made up.
        assert_eq!(give_categories(&mut claire, "processor", &["culture"]).await, 422);
        thierry.get(&page).await.is(404);
        assert_eq!(give_categories(&mut claire, "reader", &["etat-civil"]).await, 303);
        thierry.get(&page).await.is(200).shows("Où en est ce dossier").hides("Zéphyrine");
        thierry.get("/agent?q=zephyrine").await.is(200).hides(&filed.reference);
        assert_eq!(give_categories(&mut claire, "processor", &["etat-civil"]).await, 303);
        for address in [list, "/agent?q=zeph&demarche=acte-naissance", "/agent/export.csv?vue=toutes", "/agent?vue=toutes&service=etat-civil"] {
            thierry.get(address).await.is(200).shows(&filed.reference);
        }
        thierry.get(&page).await.is(200).shows("Zéphyrine");
        thierry.post(&format!("{page}/actions/take"), &[("version", "1")]).await.is(303);
        thierry.get(&format!("{page}/actions/refuse")).await.is(403);
        // Neither accounts nor agents of the department came along.
        thierry.get("/agent/agents").await.is(403);
        thierry.get(&format!("{page}/acces")).await.is(200)
            .shows("Thierry Kowalski").shows("Droit donné par Claire d’Aubigny, sur la catégorie «\u{a0}État civil et papiers\u{a0}»");
        claire.get("/agent/agents").await.is(200).shows("Catégorie «\u{a0}État civil et papiers\u{a0}»");
        let withdrawn: Vec<String> = portal.db().all(
            sql!("select id from entitlement where authority_id = $1"), db::args![portal.city],
        ).await.unwrap().into_iter().map(|id: uuid::Uuid| id.to_string()).collect();
        for id in withdrawn {
            claire.post(&format!("/agent/droits/{id}/retirer"), &[]).await.is(303);
        }
        thierry.get(&page).await.is(404);
        thierry.get(list).await.is(200).hides(&filed.reference);
        // A category without procedure gives nothing, least of all the whole department.
        portal.db().write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("insert into entitlement (authority_id, id, account_id, department_id, role, procedures, from_day, until_day, reason, given_by, given_at)
                  select authority_id, id, id, 'etat-civil', 'decider', '@disparue', $3, null, 'x', id, created_at from account where authority_id = $1 and login = $2"),
                db::args![tx.authority(), THIERRY, jiff::civil::date(2020, 1, 1)],
            ).await
        }).await.unwrap();
        thierry.get(&page).await.is(404);
        thierry.get(list).await.is(200).hides(&filed.reference);
    }

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

    async fn who_replaces_somebody_is_a_colleague_and_leaving_takes_every_right_along(portal: Portal) {
        let filed = portal.client().file("acte-naissance", &birth()).await;
        let page = format!("/agent/demandes/{}", filed.id);
        let (mut claire, mut nadia) = (portal.agent("claire.daubigny").await, portal.agent("nadia.benali").await);
        nadia.post(&format!("{page}/actions/take"), &[("version", "1")]).await.is(303);
        let nadia_id: uuid::Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'nadia.benali@valmont.example'"), db::args![portal.city]).await.unwrap();
        let held = format!("/agent/agents/{nadia_id}/dossiers");
        claire.get(&format!("{held}?service=etat-civil")).await.is(200).hides("Thierry Kowalski");
        // On one procedure they are no colleague of the department; on all of it they are.
        assert_eq!(give(&mut claire, "processor", &["acte-naissance"], "").await, 303);
        claire.get(&format!("{held}?service=etat-civil")).await.is(200).hides("Thierry Kowalski");
        assert_eq!(give(&mut claire, "processor", &[], "").await, 303);
        let form = claire.get(&format!("{held}?service=etat-civil")).await.is(200).shows("Thierry Kowalski").form("a");
        let thierry: uuid::Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = $2"), db::args![portal.city, THIERRY]).await.unwrap();
        claire.get("/agent?vue=toutes").await.is(200).shows("Thierry Kowalski");
        claire.post_form(&held, &form.with("a", &thierry.to_string()).fields).await.is(303);
        claire.get(&page).await.is(200).shows("Thierry Kowalski");
        claire.get("/agent/agents").await.is(200).hides("n’appartiennent plus au service");

        // A member with a right beside it leaves: nothing is left.
        let mut form = claire.get("/agent/droits/nouveau?service=etat-civil").await.form("courriel");
        form.fields.retain(|(name, _)| name != "demarches");
        let form = form.with("courriel", "Nadia.Benali@valmont.example").with("role", "decider").with("motif", "Congé de Claire");
        claire.post_form("/agent/droits/nouveau", &form.fields).await.is(303);
        claire.post(&format!("/agent/agents/{nadia_id}/retirer"), &[("service", "etat-civil")]).await.is(303);
        nadia.get(&page).await.is(404);
    }

    /// What was asked as sensitive stays so, whatever later versions of the procedure say.
    async fn an_export_follows_the_version_of_each_request(portal: Portal) {
        let publish = async |from: &str, to: &str| {
            let mut sources = guichet::catalogue::shipped().unwrap();
            sources.procedures.retain(|(name, _)| name.starts_with("acte-naissance"));
            let (_, text) = &mut sources.procedures[0];
            assert!(text.contains(from));
            *text = text.replace(from, to);
            guichet::catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap();
            portal.app.catalogue.refresh(portal.city);
        };
        let mut claire = portal.agent("claire.daubigny").await;
        let list = "/agent/export.csv?vue=toutes&demarche=acte-naissance";
        publish("      - id: exemplaires\n", "      - id: exemplaires\n        sensitive: true\n").await;
        portal.client().file("acte-naissance", &birth()).await;
        let row = |text: &str| text.lines().nth(1).unwrap_or_default().split(';').filter(|cell| *cell == "2").count();
        assert_eq!(row(claire.get(list).await.is(200).html()), 0);
        publish("Un seul suffit le plus souvent.", "Un seul suffit souvent.").await;
        let sheet = claire.get(list).await.is(200).html().to_owned();
        assert!(sheet.contains("exemplaires") && row(&sheet) == 0, "{sheet}");
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
