//! A procedure's own changes to a shared workflow: an action that the answers allow, and its questions.

use db::{args, sql};
use guichet::{catalogue, requests::timers, work};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::harness::{Engine, Portal, both, journey::raw};

pub fn street(danger: &str) -> forms::answers::Raw {
    raw(&[
        ("nature", "eclairage"),
        ("description", "Le lampadaire penche."),
        ("danger", danger),
        ("lieu.numero_voie", "1 rue de la République"),
        ("lieu.code_postal", "96000"),
        ("lieu.commune", "Valmont"),
        ("suivi", "non"),
    ])
}

/// Publishes a shipped procedure with these transitions put at the end of its workflow.
async fn publish(portal: &Portal, procedure: &str, transitions: &str) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.retain(|(name, _)| *name == format!("{procedure}.yaml"));
    for (_, text) in &mut sources.procedures {
        text.push_str(transitions);
    }
    let now = portal.app.clock.now();
    assert_eq!(catalogue::publish(&portal.db(), &sources, now).await.unwrap(), 1);
    portal.app.catalogue.refresh(portal.city);
}

/// The address of who holds a request.
async fn holder(portal: &Portal, request: Uuid) -> Option<String> {
    let of = sql!(
        "select a.email from request r left join account a on a.authority_id = r.authority_id and a.id = r.holder_id where r.authority_id = $1 and r.id = $2"
    );
    portal.db().one(of, args![portal.city, request]).await.unwrap()
}

const DISPATCH: &str = "
    - id: send
      assign:
        - when: danger == \"oui\"
          to: maud.etienne@valmont.example
        - to: turn
    - id: measure
      label: Mesurer
      from: [submitted, in-progress]
      to: in-progress
      who: process
      form:
        - {id: largeur, ask: Quelle largeur ?, kind: number}
        - {id: prix, ask: Quel prix ?, kind: amount, optional: true}
        - {id: suite, ask: Quelle suite ?, kind: choice, optional: true, options: {travaux: Des travaux, rien: Rien}}
      set:
        - {field: prix, value: largeur * 12.5}
        - field: suite
          value: if(largeur > 2, \"travaux\", \"rien\")
      receives: Rien.
    - id: dear
      label: Faire voter
      from: [in-progress]
      to: in-progress
      who: process
      when: prix > 100
      receives: Rien.
    - id: again
      label: Doubler
      from: [in-progress]
      to: in-progress
      who: system
      after: 3 days
      set: [{field: prix, value: prix * 2}]
";

const FORGET: &str = "
    - id: forget
      label: Effacer ce qui ne sert plus
      from: [cancelled]
      to: cancelled
      who: system
      after: 30 days
      does: [erase terrain, erase plan-situation, erase demandeur, erase courriel]
";

both! {
    async fn a_rule_gives_requests_in_turn_or_to_somebody_who_is_there(portal: Portal) {
        publish(&portal, "intervention-technique", DISPATCH).await;
        let mut person = portal.client();
        let mut file = async |danger: &str| person.file("intervention-technique", &street(danger)).await.id;
        let [one, two, three] = [file("gene").await, file("gene").await, file("gene").await];
        let turns = [holder(&portal, one).await.unwrap(), holder(&portal, two).await.unwrap(), holder(&portal, three).await.unwrap()];
        assert_eq!(turns[0], turns[2]);
        let mut both = [turns[0].clone(), turns[1].clone()];
        both.sort();
        assert_eq!(both, ["maud.etienne@valmont.example", "thierry.kowalski@valmont.example"]);
        let named = file("oui").await;
        assert_eq!(holder(&portal, named).await.as_deref(), Some("maud.etienne@valmont.example"));
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&format!("/agent/demandes/{named}?onglet=historique")).await.is(200).shows("Dossier affecté par une règle à Maud Étienne");
        // Whoever left gets nothing: neither by name nor in turn.
        portal.direct(vec!["delete from membership where account_id = (select id from account where email = 'maud.etienne@valmont.example')".to_owned()]).await;
        let (late, calm, other) = (file("oui").await, file("gene").await, file("gene").await);
        assert_eq!(holder(&portal, late).await, None);
        thierry.get(&format!("/agent/demandes/{late}?onglet=historique")).await.is(200).shows("la personne désignée n'instruit plus dans ce service");
        for request in [calm, other] {
            assert_eq!(holder(&portal, request).await.as_deref(), Some("thierry.kowalski@valmont.example"));
        }
    }

    async fn a_transition_sets_agents_values(portal: Portal) {
        publish(&portal, "intervention-technique", DISPATCH).await;
        let filed = portal.client().file("intervention-technique", &street("gene")).await;
        let mut thierry = portal.agent("thierry.kowalski").await;
        let page = format!("/agent/demandes/{}", filed.id);
        let form = thierry.get(&format!("{page}/actions/measure")).await.is(200).form("version");
        let name = form.names.iter().find(|name| name.ends_with("largeur")).unwrap().clone();
        thierry.post_form(&format!("{page}/actions/measure"), &form.with(&name, "6").fields).await.is(303);
        thierry.get(&page).await.is(200).shows("75,00 €").shows("Des travaux").shows("« Faire voter » n'est possible que si");
        portal.later(SignedDuration::from_hours(24 * 4));
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get(&page).await.is(200).shows("150,00 €").shows("Doubler (automatiquement").hides("« Faire voter » n'est possible");
    }

    async fn what_is_named_is_erased_from_a_request_that_ended(portal: Portal) {
        publish(&portal, "certificat-alignement", FORGET).await;
        let mut answers = portal.sample("certificat-alignement").await;
        answers.set("terrain.numero_voie", "12 rue Zéphyrine");
        let mut person = portal.client();
        let filed = person.file("certificat-alignement", &answers).await;
        portal.work().await;
        let cancel = format!("/demandes/{}/annuler", filed.id);
        let form = person.get(&cancel).await.is(200).form("version");
        person.post_form(&cancel, &form.fields).await.is(303);
        let mut guillaume = portal.agent("guillaume.perez").await;
        let page = format!("/agent/demandes/{}", filed.id);
        guillaume.get(&page).await.is(200).shows("12 rue Zéphyrine");
        let held = sql!("insert into legal_hold (authority_id, request_id, reason, at, by_id) select $1, $2, 'recours', $3, id from account where authority_id = $1 and email = 'solange.prevost@valmont.example'");
        let now = portal.app.clock.now();
        portal.db().write(async |tx: &mut db::Tx| tx.run(held, args![tx.authority(), filed.id, now]).await).await.unwrap();
        portal.later(SignedDuration::from_hours(24 * 31));
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0, "what a court may ask for stays");
        let free = sql!("delete from legal_hold where authority_id = $1");
        portal.db().write(async |tx: &mut db::Tx| tx.run(free, args![tx.authority()]).await).await.unwrap();
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        let mut guillaume = portal.agent("guillaume.perez").await;
        guillaume.get(&page).await.is(200).hides("Zéphyrine").shows("Sans nom").shows("Le long de quelle voie");
        guillaume.get("/agent?vue=toutes&q=zephyrine").await.is(200).hides(&filed.reference);
        let files = sql!("select slot from file where authority_id = $1 and owner_id = $2");
        let left: Vec<String> = portal.db().all(files, args![portal.city, filed.id]).await.unwrap();
        assert_eq!(left, ["piece:plan-masse"], "neither the piece nor the receipt, which says every answer again");
    }

    async fn an_action_that_the_answers_allow_asks_its_own_questions(portal: Portal) {
        let mut person = portal.client();
        let calm = person.file("intervention-technique", &street("gene")).await;
        let danger = person.file("intervention-technique", &street("oui")).await;
        let mut agent = portal.agent("thierry.kowalski").await;
        let page = |id: &uuid::Uuid| format!("/agent/demandes/{id}");
        agent.get(&page(&calm.id)).await.is(200).shows("« Envoyer l’astreinte » n’est possible que si : « Est-ce dangereux pour les passants ? » est « Oui, quelqu’un peut se blesser »");
        agent.get(&format!("{}/actions/hurry", page(&calm.id))).await.is(409);

        let path = format!("{}/actions/hurry", page(&danger.id));
        agent.get(&page(&danger.id)).await.is(200).shows("Envoyer l’astreinte").hides("n’est possible que si");
        let form = agent.get(&path).await.is(200).shows("Quelle équipe part ?").form("version");
        let typed = form.clone().with("saisie.equipe_telephone", "12");
        let again = agent.post_form(&path, &typed.fields).await.is(422).form("version");
        assert!(again.fields.contains(&("saisie.equipe_telephone".to_owned(), "12".to_owned())), "{again:?}");
        let typed = again.with("saisie.equipe", "Équipe Zéphyr").with("saisie.equipe_telephone", "04 65 71 10 99");
        agent.post_form(&path, &typed.fields).await.is(303);
        agent.get(&page(&danger.id)).await.is(200).shows("Envoyer l’astreinte (").shows("Équipe Zéphyr").shows("04 65 71 10 99");
        let printed = agent.get(&format!("{}/dossier.pdf", page(&danger.id))).await.is(200);
        assert!(printed.bytes.starts_with(b"%PDF"));
        person.get(&format!("/demandes/{}", danger.id)).await.is(200).hides("Zéphyr");

        // It goes with the request.
        let rows = sql!("select count(*) from request_form where authority_id = $1 and request_id = $2");
        let count = async || -> i64 { portal.db().one(rows, args![portal.city, danger.id]).await.unwrap() };
        assert_eq!(count().await, 1);
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("delete from request where authority_id = $1 and id = $2"), args![tx.authority(), danger.id]).await
            })
            .await
            .unwrap();
        assert_eq!(count().await, 0);
    }
}

const GUARDS: &str = "
    - id: cancel
      when: danger != \"oui\"
    - id: answer
      when: danger == \"oui\"
      to: submitted
    - id: answer-calm
      label: Envoyer ma réponse
      from: [incomplete]
      to: in-progress
      who: usager
    - id: send
      when: nature == \"eclairage\"
    - id: send-other
      label: Envoyer le signalement
      from: [draft]
      to: in-progress
      who: usager
      does: [receipt]
";

/// The department asks for the danger to be told again; gives the page where it is typed.
async fn asked_again(portal: &Portal, request: Uuid) {
    let mut thierry = portal.agent("thierry.kowalski").await;
    let path = format!("/agent/demandes/{request}/actions/ask");
    let form = thierry.get(&path).await.is(200).form("version");
    let form = form.with("champs", "danger").with("message", "Est-ce dangereux ?").with("jours", "30");
    thierry.post_form(&path, &form.fields).await.is(303);
}

both! {
    async fn what_usagers_may_do_depends_on_their_answers(portal: Portal) {
        publish(&portal, "intervention-technique", GUARDS).await;
        let mut person = portal.client();
        let calm = person.file("intervention-technique", &street("gene")).await.id;
        let danger = person.file("intervention-technique", &street("oui")).await.id;
        let mut dirt = street("gene");
        dirt.set("nature", "depot");
        let other = person.file("intervention-technique", &dirt).await.id;
        let state = async |id: Uuid| -> String {
            let of = sql!("select state from request where authority_id = $1 and id = $2");
            portal.db().one(of, args![portal.city, id]).await.unwrap()
        };
        assert_eq!([state(calm).await, state(danger).await, state(other).await], ["submitted", "submitted", "in-progress"]);
        // Shown where the answers allow it, and checked at the click.
        let cancel = |id: Uuid| format!("/demandes/{id}/annuler");
        assert!(person.get(&format!("/demandes/{calm}")).await.is(200).links_to(&cancel(calm)));
        assert!(!person.get(&format!("/demandes/{danger}")).await.is(200).links_to(&cancel(danger)));
        person.get(&cancel(danger)).await.leads_to(&format!("/demandes/{danger}"));
        person.post(&cancel(danger), &[]).await.is(409).shows("ne peut plus être annulée ici");
        assert_eq!(state(danger).await, "submitted");
        // A page that was opened before the answer changed.
        let form = person.get(&cancel(calm)).await.is(200).form("version");
        asked_again(&portal, calm).await;
        let check = person.get(&format!("/demandes/{calm}/repondre")).await.is(303).location().to_owned();
        let draft = check.trim_end_matches("/verifier").to_owned();
        let page = format!("{draft}/{}", page_of(&portal, "danger").await);
        let typed = person.get(&page).await.is(200).form("danger").with("danger", "oui");
        person.post_form(&page, &typed.fields).await.is(303);
        let sent = person.get(&check).await.is(200).form("version");
        person.post_form(&check, &sent.fields).await.is(303);
        // What they have just answered decides where it goes.
        assert_eq!(state(calm).await, "submitted");
        person.post_form(&cancel(calm), &form.fields).await.is(409);
        asked_again(&portal, calm).await;
        let typed = person.get(&format!("/demandes/{calm}/repondre")).await.is(303).location().to_owned();
        assert_eq!(typed, check);
        let typed = person.get(&page).await.is(200).form("danger").with("danger", "gene");
        person.post_form(&page, &typed.fields).await.is(303);
        let sent = person.get(&check).await.is(200).form("version");
        person.post_form(&check, &sent.fields).await.is(303);
        assert_eq!(state(calm).await, "in-progress");
    }
}

/// The page of the procedure that asks this question.
async fn page_of(portal: &Portal, question: &str) -> String {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    let found = catalogue::find(&visit, "intervention-technique").await.unwrap().unwrap();
    let mut pages = found.procedure.pages.iter();
    pages.find(|page| page.fields.iter().any(|field| field.id == question)).unwrap().id.clone()
}
