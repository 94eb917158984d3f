//! Who may do what: every route of the application, for everybody who may knock. A route that is not
//! in these tables fails the test.
//!
//! `in`: sent to the usagers' sign-in; `ag`: to the agents'; `own`: closed while one acts for somebody. What is
//! not yours answers 404.

use std::collections::BTreeSet;

use crate::harness::{
    Client, Engine, PASSWORD, Page, Portal,
    acting::{ALL, act, join, mandate},
    both, routes,
    scene::{SECRETS, Scene},
};

mod tables;

use tables::{ACTING, ADMINISTRATORS, AGENTS, ARCHIVISTS, ENDING, MANAGERS, OBSERVERS, PUBLIC, USAGERS};

fn class(page: &Page) -> String {
    let to = page.location();
    match page.status {
        303 if to.starts_with("/connexion") => "in".to_owned(),
        303 if to.starts_with("/agent/connexion") => "ag".to_owned(),
        403 if page.html().contains("Cette page ne s’ouvre qu’en votre nom") => "own".to_owned(),
        200 if page.header("content-type").starts_with("text/html")
            && page.html().contains("action=\"/connexion\"")
            && !page.path.starts_with("/connexion") =>
        {
            "in".to_owned()
        }
        status => status.to_string(),
    }
}

/// `{file=draft_file}` → `{file}`, without the query.
fn route(row: &str) -> String {
    let plain: Vec<String> = row
        .split('/')
        .map(|part| {
            part.split_once('=')
                .filter(|_| part.starts_with('{'))
                .map_or_else(|| part.to_owned(), |(name, _)| format!("{name}}}"))
        })
        .collect();
    plain.join("/").split('?').next().unwrap().to_owned()
}

#[test]
fn every_route_is_classified() {
    let known: BTreeSet<(String, String)> = PUBLIC
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .chain(USAGERS.iter().map(|(method, path, _)| (*method, *path)))
        .chain(ENDING.iter().map(|(method, path, _)| (*method, *path)))
        .chain(AGENTS.iter().map(|(method, path, _)| (*method, *path)))
        .chain(ADMINISTRATORS.iter().map(|(method, path, _)| (*method, *path)))
        .chain(ARCHIVISTS.iter().map(|(method, path, _)| (*method, *path)))
        .chain(OBSERVERS.iter().map(|(method, path, _)| (*method, *path)))
        .chain(MANAGERS.iter().map(|(method, path, _)| (*method, *path)))
        .map(|(method, path)| (method.to_owned(), route(path)))
        .collect();
    let found: BTreeSet<(String, String)> =
        routes::all().into_iter().map(|(method, path)| (method.to_owned(), path)).collect();
    let missing: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not classified: {missing:?}\nno longer a route: {gone:?}");
}

async fn ask(client: &mut Client, method: &str, path: &str) -> Page {
    match method {
        "GET" => client.get(path).await,
        "POST" => client.post(path, &[]).await,
        other => panic!("{other}?"),
    }
}

/// One row for these people, least entitled first; gives what differs.
async fn row(method: &str, path: &str, expected: &str, people: &mut [(&str, &mut Client, bool)]) -> Vec<String> {
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(expected.len(), people.len(), "{method} {path}");
    let mut wrong = Vec::new();
    for ((who, client, entitled), expected) in people.iter_mut().zip(expected) {
        let page = ask(client, method, path).await;
        let found = class(&page);
        if found != expected {
            wrong.push(format!("{method} {path}: {who} gets {found} ({}), not {expected}", page.location()));
        }
        let text = String::from_utf8_lossy(&page.bytes);
        if !*entitled && let Some(secret) = SECRETS.iter().find(|secret| text.contains(**secret)) {
            wrong.push(format!("{method} {path}: {who} reads « {secret} »"));
        }
    }
    wrong
}

type People<'a> = Vec<(&'static str, &'a mut Client, bool)>;

fn usagers(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("agent", &mut scene.decider, false),
        ("usager abroad", &mut scene.abroad, false),
        ("other usager", &mut scene.other, false),
        ("owner", &mut scene.owner, true),
    ]
}

fn administrators(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("owner", &mut scene.owner, false),
        ("administrator abroad", &mut scene.agent_abroad, false),
        ("decider", &mut scene.decider, true),
        ("administrator", &mut scene.administrator, false),
    ]
}

fn observers(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("owner", &mut scene.owner, false),
        ("observer abroad", &mut scene.agent_abroad, false),
        ("manager", &mut scene.manager, true),
        ("observer", &mut scene.observer, false),
    ]
}

fn archivists(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("owner", &mut scene.owner, false),
        ("archivist abroad", &mut scene.agent_abroad, false),
        ("manager", &mut scene.manager, true),
        ("administrator", &mut scene.administrator, false),
        ("archivist", &mut scene.archivist, false),
    ]
}

fn agents(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("owner", &mut scene.owner, false),
        ("agent abroad", &mut scene.agent_abroad, false),
        ("outsider", &mut scene.outsider, false),
        ("reader", &mut scene.reader, false),
        ("processor", &mut scene.processor, true),
        ("decider", &mut scene.decider, true),
    ]
}

/// Pages of who manages name no request: whoever processes is entitled to nothing there.
fn managers(scene: &mut Scene) -> People<'_> {
    vec![
        ("nobody", &mut scene.nobody, false),
        ("smuggler", &mut scene.smuggler, false),
        ("owner", &mut scene.owner, false),
        ("agent abroad", &mut scene.agent_abroad, false),
        ("outsider", &mut scene.outsider, false),
        ("reader", &mut scene.reader, false),
        ("processor", &mut scene.processor, false),
        ("decider", &mut scene.decider, false),
        ("manager elsewhere", &mut scene.manager_elsewhere, false),
        ("manager", &mut scene.manager, false),
    ]
}

/// A whole table for these people; gives what differs.
async fn table(
    scene: &mut Scene,
    rows: &[(&str, &str, &str)],
    people: for<'a> fn(&'a mut Scene) -> People<'a>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (method, path, expected) in rows {
        let path = scene.address(path);
        wrong.extend(row(method, &path, expected, &mut people(scene)).await);
    }
    wrong
}

/// Somebody to whom the owner gave a mandate, and who acts by it.
async fn acting(scene: &mut Scene, email: &str, more: &[(&str, &str)]) -> Client {
    let mut person = scene.portal.usager(email).await;
    let id = mandate(&scene.portal, &mut scene.owner, &mut person, email, more).await;
    act(&mut person, &format!("mandate:{id}")).await;
    person
}

both! {
    async fn everybody_gets_what_is_theirs(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        let mut wrong = Vec::new();
        for (method, path, expected) in PUBLIC {
            let path = scene.address(path);
            let people = &mut [("nobody", &mut scene.nobody.clone(), false), ("usager", &mut scene.other, false), ("agent", &mut scene.outsider, false)];
            wrong.extend(row(method, &path, expected, people).await);
        }
        // The public table ended these sessions.
        scene.other = scene.portal.usager(crate::harness::OTHER_USAGER).await;
        scene.outsider = scene.portal.agent("fatoumata.diallo").await;
        wrong.extend(table(&mut scene, USAGERS, usagers).await);
        scene.owner = scene.portal.usager(crate::harness::USAGER).await;
        wrong.extend(table(&mut scene, ADMINISTRATORS, administrators).await);
        wrong.extend(table(&mut scene, ARCHIVISTS, archivists).await);
        wrong.extend(table(&mut scene, OBSERVERS, observers).await);
        // The processor holds something that its manager may hand over.
        scene.processor.post(&scene.address("/agent/demandes/{request}/affecter"), &[]).await.is(303);
        wrong.extend(table(&mut scene, MANAGERS, managers).await);
        wrong.extend(table(&mut scene, AGENTS, agents).await);
        scene.decider = scene.portal.agent("herve.le-goff").await;
        wrong.extend(table(&mut scene, ENDING, usagers).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Who has a right on a category opens what a member of that role opens of its requests; on another, nothing.
    async fn a_category_opens_its_own_requests(portal: Portal) {
        let scene = Scene::set(portal).await;
        let mut manager = scene.portal.agent("claire.daubigny").await;
        let mut wrong = Vec::new();
        for (email, category, column) in
            [("thierry.kowalski@valmont.example", "etat-civil", 6), ("guillaume.perez@valmont.example", "elections", 4)]
        {
            // Of the themes of what the department does, as the manager would tick them.
            let department = if category == "elections" { "elections" } else { "etat-civil" };
            let given = [
                ("service", department), ("courriel", email), ("role", "processor"), ("categories", category),
                ("du", "01/11/2026"), ("motif", "Renfort"),
            ];
            manager.post("/agent/droits/nouveau", &given).await.is(303);
            let mut agent = scene.portal.agent(email.split('@').next().unwrap()).await;
            let rows = AGENTS.iter().filter(|(method, path, _)| *method == "GET" && path.starts_with("/agent/demandes/{request}"));
            let mut looked_at = 0;
            for (method, path, expected) in rows {
                looked_at += 1;
                let expected = expected.split_whitespace().nth(column).unwrap();
                let path = scene.address(path);
                wrong.extend(row(method, &path, expected, &mut [(category, &mut agent, column == 6)]).await);
            }
            assert!(looked_at > 5, "{looked_at}");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Who acts in the owner's name gets what they were given, and nothing of the owner's secrets beyond.
    async fn who_acts_gets_what_was_given(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        let prepare = [("peut", "fill"), ("portee", "toutes")];
        let elsewhere = [("peut", "send"), ("peut", "answer"), ("portee", "choix"), ("demarche", "demande-information")];
        let (mut helper, mut preparer, mut astray, mut delegate) = (
            acting(&mut scene, "anne-laure.leroy@exemple.fr", &ALL).await,
            acting(&mut scene, "jean.de-la-fontaine@exemple.fr", &prepare).await,
            acting(&mut scene, "tiago.da-costa@exemple.fr", &elsewhere).await,
            scene.portal.usager("chantal.moreau@exemple.fr").await,
        );
        let organisation = scene.names["organisation"].clone();
        join(&scene.portal, &mut scene.owner, &organisation, &mut delegate, "chantal.moreau@exemple.fr", "delegate").await;
        delegate.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        act(&mut delegate, &format!("organisation:{organisation}")).await;
        // The president keeps something there, and gives nobody the key.
        act(&mut scene.owner, &format!("organisation:{organisation}")).await;
        let documents = format!("/organisations/{organisation}/documents");
        scene.owner.post(&format!("{documents}/creer"), &[]).await.is(200);
        let pdf = crate::harness::journey::PDF;
        let kept = scene.owner.upload(&format!("{documents}/ajouter"), &[], &[("fichier", "document secret.pdf", pdf)]).await.is(303);
        let kept = kept.location().split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        scene.owner.get(&documents).await.is(200).shows("document secret");
        scene.names.insert("document", kept);
        let mut wrong = Vec::new();
        for (method, path, expected) in ACTING {
            let path = scene.address(path);
            let people = &mut [
                ("helper", &mut helper, true),
                ("preparer", &mut preparer, path.starts_with("/brouillons/") || path.starts_with("/fichiers/")),
                ("helper for something else", &mut astray, false),
                ("delegate", &mut delegate, false),
            ];
            wrong.extend(row(method, &path, expected, people).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Whatever belongs to a person stays closed while they act for somebody, their own and the other's, but what
    /// [`ACTING`] says: a new route of the account that opens then fails here.
    async fn what_is_ones_own_is_closed_to_who_acts(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        let mut helper = scene.portal.usager("anne-laure.leroy@exemple.fr").await;
        // With documents of their own, open.
        helper.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let id = mandate(&scene.portal, &mut scene.owner, &mut helper, "anne-laure.leroy@exemple.fr", &ALL).await;
        act(&mut helper, &format!("mandate:{id}")).await;
        // In the name of what they preside themself.
        act(&mut scene.owner, &format!("organisation:{}", scene.names["organisation"])).await;
        let opens: BTreeSet<(&str, String)> = ACTING.iter().map(|(method, path, _)| (*method, route(path))).collect();
        let mut wrong = Vec::new();
        for (method, path, _) in USAGERS.iter().chain(ENDING).filter(|(method, path, _)| !opens.contains(&(*method, route(path)))) {
            let path = scene.address(path);
            let people = &mut [("helper", &mut helper, false), ("president", &mut scene.owner, false)];
            wrong.extend(row(method, &path, "own own", people).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // And opens again with oneself, on the page that was asked for.
        let page = scene.owner.get("/compte/foyer").await.is(403);
        let form = page.form("suite");
        scene.owner.submit(&page, &form, &form.clone().with("pour", "moi").fields).await.leads_to("/compte/foyer");
        scene.owner.get("/compte/foyer").await.is(200);
        let outside = [("pour", "moi"), ("suite", "https://ailleurs.fr/")];
        scene.owner.post("/agir-pour", &outside).await.leads_to("/");
    }

    /// A department sees its own data on a person, and no other does, however high the rank of who asks: on
    /// every route of agents, a manager of another department gets what any agent of another department gets,
    /// and reads nothing of what the request holds. A rank elsewhere adds nothing here either.
    async fn rank_elsewhere_is_worth_nothing_here(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        let mut wrong = Vec::new();
        for (method, path, expected) in AGENTS.iter().filter(|(_, path, _)| path.contains("{request}") || path.contains("{file}") || path.contains("{job}")) {
            let expected: Vec<&str> = expected.split_whitespace().collect();
            let (outsider, reader) = (expected[4], expected[5]);
            let path = scene.address(path);
            let people = &mut [("manager elsewhere", &mut scene.manager_elsewhere, false), ("reader here, manager elsewhere", &mut scene.mixed, false)];
            wrong.extend(row(method, &path, &format!("{outsider} {reader}"), people).await);
        }
        for path in ["/agent", "/agent?vue=toutes&q=martin", "/agent/envois"] {
            let people = &mut [("manager elsewhere", &mut scene.manager_elsewhere, false), ("reader here, manager elsewhere", &mut scene.mixed, false)];
            wrong.extend(row("GET", path, "200 200", people).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // And by the manager who was refused, the owner's page names no reading.
        let reference = crate::harness::journey::filed(scene.owner.get(&scene.address("/demandes/{request}/envoyee")).await).reference;
        scene.manager_elsewhere.get(&format!("/agent?vue=toutes&q={reference}")).await.is(200).hides("Martin");
        scene.owner.get("/compte/donnees").await.is(200).hides("Relations");
    }

    /// Lists, counts and search hold nothing of other departments, cities, persons.
    async fn lists_hold_only_what_is_theirs(portal: Portal) {
        let mut scene = Scene::set(portal).await;
        let reference = scene.owner.get(&scene.address("/demandes/{request}/envoyee")).await;
        let reference = crate::harness::journey::filed(reference).reference;
        for search in ["", "&q=Martin", &format!("&q={reference}")] {
            for view in ["a-traiter", "toutes", "tous"] {
                let path = format!("/agent?vue={view}{search}");
                for (who, client) in [("outsider", &mut scene.outsider), ("abroad", &mut scene.agent_abroad)] {
                    let page = client.get(&path).await.is(200);
                    assert!(!page.html().contains(&format!(">{reference}<")), "{who} sees {reference} on {path}");
                }
            }
        }
        scene.processor.get(&format!("/agent?q={reference}")).await.is(200).shows(&reference);
        scene.other.get("/mes-demandes").await.is(200).hides(&reference);
        scene.abroad.get("/mes-demandes").await.is(200).hides(&reference);
        scene.other.get("/compte/donnees").await.is(200).hides(&reference);
        assert!(!scene.other.data().await.to_string().contains(&reference));
        scene.owner.get("/compte/donnees").await.is(200).shows(&reference);
        assert!(scene.owner.data().await.to_string().contains(&reference));
        // A reader knows that the request exists, not what it holds.
        scene.reader.get(&scene.address("/agent/demandes/{request}")).await.is(200).shows(&reference).hides("Zéphyrine");
    }
}
