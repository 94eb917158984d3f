//! What a circuit tells another application, and what its answer does: at least once there, once here, and never more
//! than the authority and the procedure agreed to.

use db::{args, sql};
use guichet::{
    catalogue,
    hooks::{self, Declaration, Secret},
    work,
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::harness::{
    Client, Engine, Filed, Page, Portal,
    application::{Application, Reply},
    both,
    journey::raw,
};

/// Put at the end of a shipped procedure.
const CIRCUIT: &str = include_str!("../../src/hooks/tests/circuit.yaml");
const PLANNED: &str = r#"{"outcome": "planifie", "set": {"brigade": "nord", "jours": 5}}"#;

async fn publish(portal: &Portal, change: impl Fn(String) -> String) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.retain(|(name, _)| name == "intervention-technique.yaml");
    for (_, text) in &mut sources.procedures {
        *text = change(format!("{text}{CIRCUIT}"));
    }
    let now = portal.app.clock.now();
    assert_eq!(catalogue::publish(&portal.db(), &sources, now).await.unwrap(), 1);
    portal.app.catalogue.refresh(portal.city);
}

/// Declares the application; gives its secret.
async fn declare(portal: &Portal, url: &str, change: &[(&str, Json)]) -> String {
    let mut declaration = json!({
        "id": "atelier", "url": url, "procedures": ["intervention-technique"], "answers": ["nature", "jours", "lieu"],
    });
    for (name, value) in change {
        declaration[*name] = value.clone();
    }
    let declaration: Declaration = serde_json::from_value(declaration).unwrap();
    let now = portal.app.clock.now();
    let made = hooks::declare(&portal.app, &portal.db(), &declaration, Secret::New, now).await.unwrap();
    made.unwrap()
}

async fn file(portal: &Portal) -> Filed {
    let filed = portal.client().file("intervention-technique", &street()).await;
    portal.work().await;
    filed
}

fn street() -> forms::answers::Raw {
    raw(&[
        ("nature", "eclairage"),
        ("description", "Le lampadaire penche."),
        ("danger", "gene"),
        ("lieu.numero_voie", "1 rue de la République"),
        ("lieu.code_postal", "96000"),
        ("lieu.commune", "Valmont"),
        ("suivi", "non"),
    ])
}

async fn thierry(portal: &Portal) -> Client {
    portal.agent("thierry.kowalski").await
}

/// Fires « Transmettre à l’atelier » and lets the worker work.
async fn tell(portal: &Portal, request: Uuid) {
    let mut agent = thierry(portal).await;
    let path = format!("/agent/demandes/{request}/actions/tell");
    let page = agent.get(&path).await.is(200).shows("transmet la demande à l’application « Logiciel de l’atelier »");
    let form = page.form("version");
    let days = form.names.iter().find(|name| name.ends_with("jours")).unwrap().clone();
    agent.post_form(&path, &form.with(&days, "3").fields).await.is(303);
    portal.work().await;
}

async fn state(portal: &Portal, request: Uuid) -> String {
    let of = sql!("select state from request where authority_id = $1 and id = $2");
    portal.db().one(of, args![portal.city, request]).await.unwrap()
}

/// Every call that is not over: attempts, and what went wrong last.
async fn waiting(portal: &Portal) -> Vec<(i64, Option<String>)> {
    let of = sql!(
        "select attempts, last_error from job where authority_id = $1 and kind = 'webhook' and done_at is null and failed_at is null order by id"
    );
    portal.db().all(of, args![portal.city]).await.unwrap()
}

async fn history(portal: &Portal, request: Uuid) -> Page {
    thierry(portal).await.get(&format!("/agent/demandes/{request}?onglet=historique")).await.is(200)
}

/// « Relancer » on the only failure.
async fn again(portal: &Portal) {
    let mut agent = thierry(portal).await;
    let page = agent.get("/agent/envois").await.is(200).shows("Logiciel de l’atelier");
    let form = page.forms().into_iter().find(|form| form.action.ends_with("/relancer")).unwrap();
    agent.post_form(&form.action, &form.fields).await.is(303);
    portal.work().await;
}

both! {
    async fn an_application_is_told_what_was_agreed_and_its_answer_fires(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        let secret = declare(&portal, &application.url(), &[]).await;
        let filed = file(&portal).await;
        assert!(application.calls().is_empty());
        // Usagers read it among the recipients of their answers.
        portal.client().get("/demarches/intervention-technique").await.is(200).shows("Logiciel de l’atelier");
        application.says(PLANNED);
        tell(&portal, filed.id).await;
        let [call] = <[_; 1]>::try_from(application.calls()).unwrap();
        let renewed = declare(&portal, &application.url(), &[]).await;
        assert!(call.is_signed_with(&secret) && !call.is_signed_with(&renewed));
        assert_eq!((call.path.as_str(), call.timestamp), ("/guichet", portal.app.clock.now().as_second()));
        let data = &call.body["data"];
        assert_eq!(call.body["type"], "request.transition");
        assert_eq!(data["version"], 1);
        assert_eq!(data["reference"], filed.reference);
        assert_eq!((&data["transition"], &data["from"], &data["state"], &data["status"]), (&json!("tell"), &json!("submitted"), &json!("told"), &json!("in-progress")));
        // Neither what only the declaration names (the place), nor what only the circuit does (the description).
        assert_eq!(data["answers"], json!({"nature": "eclairage", "jours": "3"}));
        assert_eq!(state(&portal, filed.id).await, "planned");
        thierry(&portal).await.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).shows("Nord").shows("Planifier (automatiquement").hides("Envoi en échec");
        history(&portal, filed.id).await.shows("Demande transmise à l’application « Logiciel de l’atelier »").shows("Planifier → Planifiée");
        let said: Vec<String> = portal.db().all(sql!("select body from message where authority_id = $1 and request_id = $2"), args![portal.city, filed.id]).await.unwrap();
        assert_eq!(said, ["Une équipe passera."]);
        // A new secret signs beside the one before, for a week.
        let [other, last] = [file(&portal).await, file(&portal).await];
        tell(&portal, other.id).await;
        let calls = application.calls();
        assert!(calls[1].is_signed_with(&secret) && calls[1].is_signed_with(&renewed));
        portal.later(SignedDuration::from_hours(8 * 24));
        tell(&portal, last.id).await;
        let calls = application.calls();
        assert!(!calls[2].is_signed_with(&secret) && calls[2].is_signed_with(&renewed));
        // Nothing personal stays in the queue.
        let kept: i64 = portal.db().one(sql!("select count(*) from job where authority_id = $1 and kind = 'webhook' and done_at is not null"), args![portal.city]).await.unwrap();
        assert_eq!((kept, waiting(&portal).await), (3, Vec::new()));
    }

    async fn a_call_is_tried_again_under_its_id_then_given_up_and_sent_again(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[]).await;
        let filed = file(&portal).await;
        let says = |status: u16, body: &str| Reply::Says(status, body.to_owned());
        application.will([
            says(500, "en panne"),
            Reply::Elsewhere(format!("http://127.0.0.1:{}/ailleurs", application.port)),
            says(200, "<html>"),
            says(200, r#"{"outcome": "refuse"}"#),
            says(200, r#"{"outcome": "planifie", "set": {"grille": "1234"}}"#),
            says(200, r#"{"outcome": "planifie", "set": {"jours": "trois"}}"#),
            Reply::Endless,
            says(401, PLANNED),
            says(302, PLANNED),
            says(404, ""),
            says(503, ""),
        ]);
        tell(&portal, filed.id).await;
        let expected = [
            "répond 500", "renvoie ailleurs (307", "illisible", "« refuse » inconnue", "« grille »", "« jours » une valeur", "plus de 65536 octets",
            "répond 401", "renvoie ailleurs (302", "répond 404", "répond 503",
        ];
        for (index, told) in expected.into_iter().enumerate() {
            let [(attempts, error)] = <[_; 1]>::try_from(waiting(&portal).await).unwrap();
            let error = error.unwrap();
            assert!(attempts == i64::try_from(index).unwrap() + 1 && error.contains(told), "{attempts} {error}");
            assert!(!error.contains("1234") && !error.contains("trois"), "{error}");
            assert_eq!(state(&portal, filed.id).await, "told");
            if index + 1 < expected.len() {
                portal.later(SignedDuration::from_hours(13));
                portal.work().await;
            }
        }
        application.will([says(500, "")]);
        portal.later(SignedDuration::from_hours(13));
        portal.work().await;
        // Given up: agents see it, and the circuit goes on without.
        assert_eq!((state(&portal, filed.id).await.as_str(), waiting(&portal).await.len()), ("in-progress", 0));
        let mut agent = thierry(&portal).await;
        agent.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).shows("L’application n’a pas reçu la demande");
        let page = agent.get("/agent/envois").await.is(200).shows("Logiciel de l’atelier").shows("l’application répond 500").shows("12 essais").shows("Envois en échec 1");
        assert!(page.html().contains("is-alert"));
        history(&portal, filed.id).await.shows("Transmission en échec à l’application").shows("Reprendre à la main");
        // Somebody who does not process there sees nothing of it.
        portal.agent("nadia.benali").await.get("/agent/envois").await.is(200).hides(&filed.reference).shows("Envois en échec 0");
        // The answer comes after the circuit went on: it is noted, and changes nothing.
        application.says(PLANNED);
        portal.later(SignedDuration::from_mins(2));
        again(&portal).await;
        assert_eq!(state(&portal, filed.id).await, "in-progress");
        history(&portal, filed.id).await.shows("Réponse sans effet").shows("Envoi relancé");
        let calls = application.calls();
        assert_eq!(calls.len(), 13);
        assert!(calls.iter().all(|call| call.id == calls[0].id && call.path == "/guichet"));
        assert!(calls.iter().all(|call| call.body == calls[0].body));
    }

    async fn one_that_hangs_holds_up_nobody_else(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[]).await;
        let (one, two) = (file(&portal).await, file(&portal).await);
        application.will([Reply::Silent]);
        tell(&portal, one.id).await;
        tell(&portal, two.id).await;
        // The second was put off without being called.
        assert_eq!(application.calls().len(), 1);
        let tried: Vec<i64> = waiting(&portal).await.into_iter().map(|(attempts, _)| attempts).collect();
        assert_eq!(tried, [1, 0]);
        application.will([Reply::Says(200, PLANNED.to_owned()), Reply::Says(200, PLANNED.to_owned())]);
        portal.later(SignedDuration::from_mins(2));
        portal.work().await;
        assert_eq!([state(&portal, one.id).await, state(&portal, two.id).await], ["planned", "planned"]);
    }

    async fn what_is_not_declared_or_taken_out_is_not_called(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        let missing = async || hooks::missing(&work::visit(&portal.app, portal.city).await.unwrap()).await.unwrap();
        assert!(missing().await[0].contains("intervention-technique: webhooks: atelier: not declared"));
        declare(&portal, &application.url(), &[("procedures", json!(["acte-naissance"]))]).await;
        assert!(missing().await.iter().any(|line| line.contains("does not name this procedure")));
        let filed = file(&portal).await;
        tell(&portal, filed.id).await;
        assert_eq!((state(&portal, filed.id).await.as_str(), application.calls().len()), ("in-progress", 0));
        thierry(&portal).await.get("/agent/envois").await.is(200).shows("sa déclaration ne permet pas cette démarche");
        // Taken out while a call waits.
        declare(&portal, &application.url(), &[]).await;
        assert_eq!(missing().await, ["intervention-technique: webhooks: atelier: its declaration does not name the answer description: it will not be told"]);
        let other = file(&portal).await;
        application.will([Reply::Says(500, String::new())]);
        tell(&portal, other.id).await;
        assert!(hooks::remove(&portal.db(), "atelier", portal.app.clock.now()).await.unwrap());
        portal.later(SignedDuration::from_hours(1));
        portal.work().await;
        assert_eq!((state(&portal, other.id).await.as_str(), application.calls().len()), ("in-progress", 1));
        thierry(&portal).await.get(&format!("/agent/demandes/{}", other.id)).await.is(200).shows("La demande n’a pas été transmise à « Logiciel de l’atelier »");
        thierry(&portal).await.get("/agent/envois").await.is(200).shows("cette application n’est pas déclarée");
    }

    async fn nothing_inside_is_called_unless_the_operator_named_it(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        let filed = file(&portal).await;
        for inside in [format!("http://localhost:{}/guichet", application.port), format!("https://[::1]:{}/", application.port), "https://10.1.2.3/".to_owned()] {
            declare(&portal, &inside, &[]).await;
            tell(&portal, filed.id).await;
            assert_eq!((state(&portal, filed.id).await.as_str(), application.calls().len()), ("in-progress", 0), "{inside}");
        }
        thierry(&portal).await.get("/agent/envois").await.is(200).shows("adresse privée").shows("Envois en échec 3");
    }

    async fn an_answer_counts_once_when_another_worker_takes_over(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[]).await;
        let filed = file(&portal).await;
        application.will([Reply::Overtaken(portal.db(), PLANNED.to_owned()), Reply::Says(200, PLANNED.to_owned())]);
        tell(&portal, filed.id).await;
        assert_eq!(state(&portal, filed.id).await, "told", "it is the other's to write");
        // The other died: its lease ends.
        portal.later(SignedDuration::from_mins(5));
        portal.work().await;
        assert_eq!(state(&portal, filed.id).await, "planned");
        let calls = application.calls();
        assert_eq!((calls.len(), &calls[0].id), (2, &calls[1].id));
        let fired: i64 = portal.db().one(sql!("select count(*) from request_event where authority_id = $1 and request_id = $2 and code = 'plan'"), args![portal.city, filed.id]).await.unwrap();
        assert_eq!(fired, 1);
    }

    async fn sending_a_request_tells_too_and_sensitive_answers_only_by_name(portal: Portal) {
        publish(&portal, |text| {
            let text = text.replace("sends: [nature, description, jours]", "sends: [nature], sensitive: [grille]");
            text.replace("  webhooks:\n", "    - {id: send, does: [receipt, notify recue, webhook atelier]}\n  webhooks:\n")
        })
        .await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[("answers", json!(["nature", "grille"]))]).await;
        let filed = file(&portal).await;
        let [call] = <[_; 1]>::try_from(application.calls()).unwrap();
        let data = &call.body["data"];
        assert_eq!((&data["transition"], &data["from"], &data["status"]), (&json!("send"), &json!("draft"), &json!("sent")));
        assert_eq!(data["answers"], json!({"nature": "eclairage"}));
        let mut agent = thierry(&portal).await;
        let path = format!("/agent/demandes/{}/actions/tell", filed.id);
        let form = agent.get(&path).await.is(200).form("version");
        let code = form.names.iter().find(|name| name.ends_with("grille")).unwrap().clone();
        agent.post_form(&path, &form.with(&code, "4321").fields).await.is(303);
        portal.work().await;
        assert_eq!(application.calls()[1].body["data"]["answers"], json!({"nature": "eclairage", "grille": "4321"}));
    }

    /// It was called again since: what it says of the first call counts no more, even where it would fit.
    async fn a_stale_answer_fires_nothing(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[]).await;
        let filed = file(&portal).await;
        // The first call fails for now, and will be tried again; the second is heard, and says nothing.
        application.will([Reply::Says(500, String::new())]);
        tell(&portal, filed.id).await;
        assert_eq!(waiting(&portal).await.len(), 1);
        portal.later(SignedDuration::from_mins(2));
        let first = portal.db().one::<Uuid>(sql!("select id from job where authority_id = $1 and kind = 'webhook'"), args![portal.city]).await.unwrap();
        // Until then the first waits.
        let hold = async |tx: &mut db::Tx| tx.run(sql!("update job set run_at = $3 where authority_id = $1 and id = $2"), args![tx.authority(), first, portal.app.clock.now().checked_add(SignedDuration::from_hours(2)).unwrap()]).await;
        portal.db().write(hold).await.unwrap();
        tell(&portal, filed.id).await;
        assert_eq!(application.calls().len(), 2);
        application.says(PLANNED);
        portal.later(SignedDuration::from_hours(3));
        portal.work().await;
        let calls = application.calls();
        assert_eq!((calls.len(), calls[2].id == calls[0].id), (3, true));
        assert_eq!(state(&portal, filed.id).await, "told");
        let page = history(&portal, filed.id).await.shows("Réponse sans effet de l’application « Logiciel de l’atelier » : la demande avait avancé");
        assert!(!page.words().contains("Planifier"));
        // What it gave is not kept either.
        thierry(&portal).await.get(&format!("/agent/demandes/{}", filed.id)).await.is(200).hides("Nord");
        assert_eq!(waiting(&portal).await, Vec::new());
    }

    /// Its word was awaited, and the condition of what it would fire does not hold: said for what it is.
    async fn an_answer_whose_condition_fails_is_said_so(portal: Portal) {
        publish(&portal, |text| text.replace("after: atelier answers planifie,", "after: atelier answers planifie, when: jours > 10,")).await;
        let application = Application::start().await;
        declare(&portal, &application.url(), &[]).await;
        let filed = file(&portal).await;
        application.says(PLANNED);
        tell(&portal, filed.id).await;
        assert_eq!(state(&portal, filed.id).await, "told");
        let page = history(&portal, filed.id).await.shows("Réponse sans effet").shows("la condition de l’action qui l’attendait n’est pas remplie");
        assert!(!page.words().contains("avait avancé"));
        // It holds once the application says enough days.
        application.says(r#"{"outcome": "planifie", "set": {"jours": 12}}"#);
        tell(&portal, filed.id).await;
        assert_eq!(state(&portal, filed.id).await, "planned");
    }

    /// Declared twice with the same secret, an application that was not set up anew yet still reads its calls.
    async fn the_same_secret_twice_ends_no_other(portal: Portal) {
        publish(&portal, |text| text).await;
        let application = Application::start().await;
        let old = declare(&portal, &application.url(), &[]).await;
        let declaration: Declaration = serde_json::from_value(json!({
            "id": "atelier", "url": application.url(), "procedures": ["intervention-technique"], "answers": ["nature"],
        })).unwrap();
        let new = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        for _ in 0..2 {
            let now = portal.app.clock.now();
            let made = hooks::declare(&portal.app, &portal.db(), &declaration, Secret::Given(new), now).await.unwrap();
            assert_eq!(made, None);
        }
        let filed = file(&portal).await;
        tell(&portal, filed.id).await;
        let calls = application.calls();
        assert!(calls[0].is_signed_with(new) && calls[0].is_signed_with(&old));
    }

    async fn an_operator_declares_by_file(portal: Portal) {
        let file = portal.files().with_file_name("atelier.toml");
        std::fs::write(&file, "id = \"atelier\"\nurl = \"https://atelier.example/\"\nprocedures = [\"intervention-technique\"]\n").unwrap();
        let file = file.to_str().unwrap();
        let (ok, said) = portal.admin(&["add-webhook", file]);
        assert!(ok && said.contains("atelier declared\nsecret whsec_"), "{said}");
        let (ok, said) = portal.admin(&["add-webhook", file]);
        assert!(ok && !said.contains("whsec_"), "the secret stays: {said}");
        let (ok, said) = portal.admin(&["add-webhook", file, "--new-secret"]);
        assert!(ok && said.contains("whsec_"), "{said}");
        let kept: Vec<Vec<u8>> = portal.db().all(sql!("select sealed from webhook where authority_id = $1"), args![portal.city]).await.unwrap();
        assert!(kept.len() == 1 && !String::from_utf8_lossy(&kept[0]).contains("whsec_"));
        assert!(portal.admin(&["remove-webhook", "atelier"]).0);
        assert!(!portal.admin(&["remove-webhook", "atelier"]).0);
        std::fs::write(file, "id = \"atelier\"\nurl = \"http://atelier.example/\"\nprocedures = [\"x\"]\n").unwrap();
        assert!(portal.admin(&["add-webhook", file]).1.contains("https://"));
    }
}
