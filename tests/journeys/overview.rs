//! The figures of every department side by side, for who sees no request.

use db::{args, sql};
use guichet::steering::{self, Fact, Measure};

use crate::harness::{Client, Engine, Portal, both};

/// Appends facts of a day, as requests do.
async fn count(
    portal: &Portal,
    day: &str,
    (department, procedure): (&str, &str),
    measure: Measure,
    (what, days): (&str, Option<i64>),
    many: usize,
) {
    let day: jiff::civil::Date = day.parse().unwrap();
    let write = async |tx: &mut db::Tx| {
        for _ in 0..many {
            let fact = Fact { day, department, procedure, measure, what, channel: "web", days };
            steering::note(tx, portal.app.clock.id(), &fact).await?;
        }
        Ok::<(), db::Error>(())
    };
    portal.db().write(write).await.unwrap();
}

async fn rows(observer: &mut Client, query: &str) -> Vec<String> {
    let page = observer.get(&format!("/agent/ensemble.csv?{query}")).await.is(200);
    assert!(page.header("content-type").starts_with("text/csv"));
    page.html().trim_start_matches('\u{feff}').lines().map(|line| line.replace('"', "")).collect()
}

both! {
    async fn departments_are_compared_and_small_ones_are_not_told(portal: Portal) {
        let (births, market) = (("etat-civil", "acte-naissance"), ("commerce", "debit-boissons-temporaire"));
        count(&portal, "2026-11-03", births, Measure::Sent, ("send", None), 12).await;
        count(&portal, "2026-11-04", births, Measure::OnTime, ("accept", Some(4)), 6).await;
        count(&portal, "2026-11-05", births, Measure::Asked, ("ask", None), 3).await;
        count(&portal, "2026-11-05", births, Measure::Score, ("5", None), 5).await;
        count(&portal, "2026-11-05", market, Measure::Sent, ("send", None), 4).await;
        count(&portal, "2026-11-05", market, Measure::Late, ("refuse", Some(40)), 4).await;
        count(&portal, "2025-11-05", births, Measure::Sent, ("send", None), 7).await;
        let mut director = portal.agent("veronique.aumont").await;
        let look = async |director: &mut Client| {
            let page = director.get("/agent/ensemble?periode=2026").await.is(200).shows("l'année 2026").shows("12 (7)").shows("moins de 5 (0)").shows("Ensemble");
            assert!(page.html().contains("<svg class=\"g-chart\"") && page.links_to("/agent/ensemble?par=demarche&service=etat-civil&periode=2026"));
            rows(director, "periode=2026").await
        };
        let found = look(&mut director).await;
        assert!(found[0].starts_with("Service;Reçues;Reçues, avant;La moitié en (jours);"), "{found:?}");
        let civil = found.iter().find(|row| row.contains(";12;7;")).unwrap();
        assert!(civil.ends_with(";12;7;4;;4;;75;100;100;;100;"), "{civil}");
        assert!(found.iter().any(|row| row.contains(";moins de 5;0;;;;;;;;;;")), "{found:?}");
        assert!(found.last().unwrap().starts_with("Ensemble;12;7;"), "{found:?}");
        // The same once folded.
        steering::tick(&portal.app).await.unwrap();
        assert_eq!(portal.count("fact").await, 0);
        assert_eq!(look(&mut director).await, found);
        let by_procedure = rows(&mut director, "par=demarche&service=etat-civil&periode=2026").await;
        assert!(by_procedure.len() == 2 && by_procedure[1].contains("naissance") && by_procedure[1].contains(";12;7;"), "{by_procedure:?}");
        director.get("/agent/ensemble?par=%00&periode=zzz").await.is(200).shows("les 12 derniers mois");
        director.get("/agent/ensemble?par=demarche&periode=2026-11").await.is(200).shows("12 (0)");
    }

    /// Administrators decide who sees them, in one place, and it is kept.
    async fn the_right_is_given_and_taken_back_by_administrators(portal: Portal) {
        let (mut maelle, mut nadia) = (portal.agent("maelle.keller").await, portal.agent("nadia.benali").await);
        nadia.get("/agent/ensemble").await.is(403);
        let path = "/agent/observateurs";
        maelle.get(path).await.is(200).shows("Véronique Aumont").shows("Directrice générale des services");
        let page = maelle.post(path, &[("courriel", "personne@valmont.example")]).await.is(422).shows("Aucun agent n'a cette adresse");
        assert_eq!(page.form("courriel").value("courriel"), "personne@valmont.example");
        maelle.post(path, &[("courriel", "")]).await.is(422).shows("Saisissez l'adresse");
        // An usager's address is no agent's, and nobody gives it to themself.
        maelle.post(path, &[("courriel", crate::harness::USAGER)]).await.is(422);
        maelle.post(path, &[("courriel", "maelle.keller@valmont.example")]).await.is(422).shows("Vous ne pouvez pas vous donner ce droit");
        for _ in 0..2 {
            maelle.post(path, &[("courriel", "Nadia.Benali@valmont.example")]).await.leads_to("/agent/observateurs?fait=donne");
        }
        let page = nadia.get("/agent/ensemble").await.is(200).shows("Chiffres de la collectivité");
        assert!(page.links_to("/agent/ensemble"));
        let page = maelle.get(path).await.is(200).shows("Nadia Benali");
        let remove = page.forms().into_iter().find(|form| form.action.ends_with("/retirer") && page.html().contains("Nadia")).unwrap();
        let nadia_id: uuid::Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'nadia.benali@valmont.example'"), args![portal.city]).await.unwrap();
        assert!(remove.action.starts_with(path));
        maelle.post(&format!("{path}/{nadia_id}/retirer"), &[]).await.leads_to("/agent/observateurs?fait=retire");
        maelle.post(&format!("{path}/{nadia_id}/retirer"), &[]).await.is(404);
        nadia.get("/agent/ensemble").await.is(403);
        let traced: Vec<String> = portal.db().all(sql!("select detail from journal where authority_id = $1 and action = 'rights-changed' and actor_kind = 'agent' order by at, id"), args![portal.city]).await.unwrap();
        assert_eq!(traced, ["observer", "observer", "-observer"]);
    }
}
