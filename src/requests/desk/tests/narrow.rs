//! Lists narrowed by what a procedure asks, by its circuit, by addresses and by its delays, on both engines.

use std::collections::BTreeSet;

use forms::Colour;
use serde_json::json;

use super::{lists::walk, *};

const PROCEDURE: &str = "stationnement-demenagement";

/// Four requests of one procedure, which differ in what is narrowed, and one of another.
async fn removals(world: &World) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for (day, street, firm, state) in [
        ("2026-12-01", "12 rue des Lilas", "Déménagements Bertin", "submitted"),
        ("2026-12-31", "3 place Zéphyrine-Arnaud", "Bertin et fils", "in-progress"),
        ("2027-01-15", "40 rue des Lilas", "", "incomplete"),
        ("", "7 impasse du Moulin", "Transports Morel", "submitted"),
    ] {
        let mut answers = json!({
            "sens": "depart", "adresse_depart": {"numero_voie": street, "code_postal": "63100", "commune": "Valmont"},
        });
        for (id, answer) in [("debut", day), ("entreprise_nom", firm)] {
            if !answer.is_empty() {
                answers[id] = json!(answer);
            }
        }
        let mut filing = world.filing(PROCEDURE);
        (filing.answers, filing.state) = (answers.as_object().unwrap().clone(), state);
        filing.hours = i64::try_from(ids.len()).unwrap() * 24;
        ids.push(world.file(filing).await);
    }
    let mut other = world.filing("acte-naissance");
    other.answers = json!({"document": "copie", "adresse": {"numero_voie": "1 rue des Lilas", "code_postal": "63200", "commune": "Riom"}}).as_object().unwrap().clone();
    ids.push(world.file(other).await);
    ids
}

async fn narrowing(world: World) {
    let ids = removals(&world).await;
    let agent = whole(&world).await;
    let found = async |query: &str| -> Vec<usize> {
        let lines = walk(&agent, &format!("vue=toutes&{query}")).await;
        let mut found: Vec<usize> =
            lines.iter().map(|line| ids.iter().position(|id| *id == line.id).unwrap()).collect();
        found.sort_unstable();
        found
    };
    for (query, expected) in [
        ("adresse=lilas", vec![0, 2, 4]),
        ("adresse=rue%20des%20lilas%2063100", vec![0, 2]),
        ("adresse=zeph", vec![1]),
        ("adresse=valmont", vec![0, 1, 2, 3]),
        // The name of a firm is no address.
        ("adresse=bertin", vec![]),
        ("adresse=le", vec![]),
        ("demarche=stationnement-demenagement&mots-entreprise_nom=bertin", vec![0, 1]),
        ("demarche=stationnement-demenagement&mots-entreprise_nom=lilas", vec![]),
        ("demarche=stationnement-demenagement&mots-adresse_depart=moulin", vec![3]),
        ("demarche=stationnement-demenagement&du-debut=01/12/2026&au-debut=31/12/2026", vec![0, 1]),
        ("demarche=stationnement-demenagement&du-debut=02/12/2026", vec![1, 2]),
        ("demarche=stationnement-demenagement&au-debut=2026-12-01", vec![0]),
        ("demarche=stationnement-demenagement&du-debut=01/12/2026&mots-entreprise_nom=bertin&adresse=lilas", vec![0]),
        ("demarche=stationnement-demenagement&etat=submitted", vec![0, 3]),
        ("demarche=stationnement-demenagement&etat=submitted&adresse=moulin", vec![3]),
        ("demarche=acte-naissance&choix-document=copie", vec![4]),
        ("demarche=acte-naissance&choix-document=simple", vec![]),
        // Without its procedure a question is none.
        ("choix-document=simple", vec![0, 1, 2, 3, 4]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    levels(&agent, &found, &ids).await;
    // Who may not read the answers does not find by them.
    let reader = as_role(&agent, agents::Role::Reader);
    for query in ["adresse=lilas", "demarche=acte-naissance&choix-document=copie"] {
        assert!(walk(&reader, &format!("vue=toutes&{query}")).await.is_empty(), "{query}");
    }
}

/// The colours are those that the page of late requests gives.
async fn levels(agent: &Agent, found: &impl AsyncFn(&str) -> Vec<usize>, ids: &[Uuid]) {
    let mut seen = BTreeSet::new();
    let lines = walk(agent, "vue=toutes").await;
    for (name, colour) in [("orange", Colour::Orange), ("rouge", Colour::Red)] {
        let mut expected = Vec::new();
        for line in lines.iter().filter(|line| line.status != "action-needed") {
            let procedure = catalogue::version(agent, &line.procedure_id, line.procedure_version).await.unwrap();
            let due = crate::platform::clock::day(line.due_at, &agent.site.zone);
            if procedure.alerts.colour(due, agent.today(), &agent.site.calendar) == colour {
                expected.push(ids.iter().position(|id| *id == line.id).unwrap());
            }
        }
        expected.sort_unstable();
        assert_eq!(found(&format!("delai={name}")).await, expected, "{name}");
        let one: Vec<usize> = expected.iter().copied().filter(|at| *at < 4).collect();
        assert_eq!(found(&format!("delai={name}&demarche={PROCEDURE}")).await, one, "{name}");
        seen.extend(expected);
    }
    assert!(seen.len() > 1, "nothing was coloured");
}

fn as_role(agent: &Agent, role: agents::Role) -> Agent {
    let memberships = agent.memberships.iter().cloned().map(|one| agents::Membership { role, ..one }).collect();
    Agent { memberships, ..agent.clone() }
}

/// An agent of the departments of both procedures.
async fn whole(world: &World) -> Agent {
    let mut agent = as_role(&world.agent("claire.daubigny").await, agents::Role::Processor);
    for id in [PROCEDURE, "acte-naissance"] {
        let department = catalogue::find(&world.visit, id).await.unwrap().unwrap().procedure.department.clone();
        if agent.role(&department).is_none() {
            let (department_id, department_name) = (department.clone(), department);
            agent.memberships.push(agents::Membership {
                department_id,
                department_name,
                role: agents::Role::Processor,
            });
        }
    }
    agent
}

#[tokio::test]
async fn narrowing_on_sqlite() {
    narrowing(World::new(db::testing::sqlite()).await).await;
}

#[tokio::test]
async fn narrowing_on_postgres() {
    narrowing(World::new(db::testing::postgres().await).await).await;
}

/// The form of the list: what it offers, what it keeps, and what follows it (views, exports, the next request).
#[tokio::test]
async fn what_is_narrowed_is_kept() {
    let world = World::sqlite().await;
    let mut filing = world.filing("acte-naissance");
    filing.answers = json!({"document": "copie"}).as_object().unwrap().clone();
    let id = world.file(filing).await;
    world.file(world.filing("acte-naissance")).await;
    let cookie = world.sign_in("nadia.benali").await;
    let bare = world.get(&cookie, "/agent?vue=toutes").await.text;
    assert!(!bare.contains("name=\"etat\"") && !bare.contains("choix-document"));
    let query = "vue=toutes&demarche=acte-naissance&etat=submitted&adresse=&choix-document=copie";
    let list = world.get(&cookie, &format!("/agent?{query}")).await;
    assert_eq!(list.status, StatusCode::OK);
    for kept in [
        "<option value=\"submitted\" selected>",
        "<option value=\"copie\" selected>",
        "Réponses à «",
        "etat%3Dsubmitted%26choix-document%3Dcopie",
        "/agent/export.csv?vue=toutes&demarche=acte-naissance&etat=submitted&choix-document=copie",
    ] {
        assert!(list.text.contains(kept), "{kept}: {}", list.text);
    }
    let csv = world.get(&cookie, &format!("/agent/export.csv?{query}")).await.text;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let saved = world
        .post(&cookie, "/agent/vues", &[("nom", "Copies"), ("liste", &format!("{query}&q=martin&nom-titulaire=x"))])
        .await;
    assert_eq!(
        saved.location,
        "/agent?vue=toutes&demarche=acte-naissance&etat=submitted&choix-document=copie&tri=depot"
    );
    // The other request is not in this list: neither before nor after.
    let one = world.get(&cookie, &format!("{}?liste={}", page(id), crate::platform::encode(query))).await.text;
    assert!(!one.contains("Dossier suivant") && !one.contains("Dossier précédent"));
    // Another procedure was chosen: what was asked of the first is dropped.
    let other = world.get(&cookie, &format!("/agent?{}", query.replace("acte-naissance", "acte-mariage"))).await.text;
    assert!(!other.contains("name=\"choix-document\"") && other.contains("name=\"etat\""));
    assert!(
        other.contains("liste=vue%3Dtoutes%26demarche%3Dacte-mariage%26etat%3Dsubmitted%26tri%3Ddepot\""),
        "{other}"
    );
    let wrong = world.get(&cookie, "/agent?vue=toutes&demarche=acte-mariage&du-date_mariage=31/02/2026").await;
    assert_eq!(wrong.status, StatusCode::OK, "not a question of this procedure's lists");
    // The heads of columns are links to the other order.
    let sorted = world.get(&cookie, "/agent?vue=toutes&tri=nom").await.text;
    assert!(sorted.contains("aria-sort=\"ascending\"") && sorted.contains("tri=nom-desc"), "{sorted}");
}
