//! Who may do what to which request: role × route × {own department, another, another authority}.

use super::*;
use crate::{
    agents::Role,
    authorities,
    error::Problem,
    requests::{
        access,
        desk::{
            filters::{Asked, Filters},
            store as desk,
        },
        files,
    },
};

const GET: [&str; 6] = ["", "?onglet=messages", "?onglet=pieces", "/dossier.pdf", "/actions/take", "/actions/refuse"];
const POST: [&str; 7] =
    ["/notes", "/messages", "/liberer", "/affecter", "/actions/take", "/actions/refuse", "/actions/send"];

/// The statuses of every route, in order.
async fn matrix(world: &World, cookie: &str, id: Uuid) -> (Vec<u16>, Vec<u16>) {
    let (mut gets, mut posts) = (Vec::new(), Vec::new());
    for rest in GET {
        gets.push(world.get(cookie, &format!("{}{rest}", page(id))).await.status.as_u16());
    }
    // Without any field: nothing can succeed by accident, the right is checked first.
    for rest in POST {
        posts.push(world.post(cookie, &format!("{}{rest}", page(id)), &[]).await.status.as_u16());
    }
    (gets, posts)
}

#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let unknown = world.visit.id();
    let nowhere = (vec![404; GET.len()], vec![404; POST.len()]);
    // An agent of another department, and a request that does not exist: the same answers.
    let other = world.sign_in("yann.le-bihan").await;
    assert_eq!(matrix(&world, &other, id).await, nowhere);
    assert_eq!(matrix(&world, &world.sign_in("herve.le-goff").await, unknown).await, nowhere);
    let list = world.get(&other, "/agent?vue=toutes").await;
    assert!(!list.text.contains(&id.to_string()));
    // Nobody signed in is sent to sign in, and comes back.
    let nobody = world.get("", &page(id)).await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.location),
        (303, format!("/agent/connexion?suite=/agent/demandes/{id}"))
    );
}

#[tokio::test]
async fn another_authority_does_not_exist() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let there = world.app.clock.id();
    authorities::create(
        &world.app.db,
        there,
        "ailleurs",
        "Ailleurs",
        world.visit.site.settings.clone(),
        &["ailleurs.example"],
        world.visit.now,
    )
    .await
    .unwrap();
    let visit = work::visit(&world.app, there).await.unwrap();
    let department = authorities::Department {
        id: "etat-civil".into(),
        name: "État civil".into(),
        email: None,
        phone: None,
        address: None,
        hours: None,
    };
    authorities::add_department(&visit.db, &department).await.unwrap();
    let mut agent = world.agent("claire.daubigny").await;
    // The same person, the same department's name, on the other site.
    agent.visit = visit;
    assert!(matches!(crate::requests::desk::Opened::<access::Read>::open(&agent, id).await, Err(Problem::NotFound)));
    assert_eq!(desk::total(&agent, &Filters::from(Asked::default())).await.unwrap().many, 0);
}

#[tokio::test]
async fn each_role_does_its_part() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("acte-naissance")).await;
    let processor = world.sign_in("nadia.benali").await;
    let decider = world.sign_in("herve.le-goff").await;
    // Empty forms come back as 422, an action without version as 400: the right was there.
    assert_eq!(
        matrix(&world, &processor, id).await,
        (vec![200, 200, 200, 200, 200, 403], vec![422, 422, 303, 303, 400, 403, 404])
    );
    assert_eq!(matrix(&world, &decider, id).await.1[4..], [400, 400, 404]);
}

#[tokio::test]
async fn a_reader_sees_that_it_exists() {
    let world = World::sqlite().await;
    let mut filing = world.filing("demande-information");
    let text = serde_json::json!({"message": "un secret bien gardé", "sujet": "un secret bien gardé", "question": "un secret bien gardé"});
    filing.answers = text.as_object().cloned().unwrap();
    let id = world.file(filing).await;
    let reader = world.sign_in("lea.fontaine").await;
    let (gets, posts) = matrix(&world, &reader, id).await;
    assert_eq!((gets, posts[..6].to_vec()), (vec![200, 200, 200, 403, 403, 403], vec![403; 6]));
    for tab in ["demande", "pieces", "messages", "notes", "historique"] {
        let shown = world.get(&reader, &format!("{}?onglet={tab}", page(id))).await;
        assert!(shown.text.contains("À prendre en charge") && shown.text.contains("Zoé L’Héritier"), "{tab}");
        assert!(
            !shown.text.contains("secret")
                && !shown.text.contains("zoe@exemple.fr")
                && !shown.text.contains("/actions/"),
            "{tab}"
        );
    }
    let forbidden = world.post(&reader, &format!("{}/notes", page(id)), &[("note", "x")]).await;
    assert!(forbidden.text.contains("Votre rôle dans ce service ne permet pas cette action."));
}

#[tokio::test]
async fn files_are_for_who_processes() {
    let world = World::sqlite().await;
    let id = world.file(world.filing("demande-information")).await;
    let file = crate::platform::upload::Received {
        id: world.visit.id(),
        name: "preuve.pdf".into(),
        media_type: "application/pdf",
        size: 4,
        sha256: vec![0; 32],
    };
    world.app.storage.put(world.visit.site.id, file.id, b"%PDF".to_vec()).await.unwrap();
    files::add(&world.visit, id, "piece:justificatif", 1, &file).await.unwrap();
    let path = format!("/agent/fichiers/{}", file.id);
    for (name, expected) in [("lea.fontaine", 403), ("paulo.da-silva", 200), ("nadia.benali", 404)] {
        let answer = world.get(&world.sign_in(name).await, &path).await;
        assert_eq!(answer.status.as_u16(), expected, "{name}");
    }
    assert_eq!(world.agent("lea.fontaine").await.role("relations-usagers"), Some(Role::Reader));
}
