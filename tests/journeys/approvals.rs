//! Circuits of approvals: what is about to be decided is read by those whom the workflow names, in turn, before it is.

use db::{args, sql};
use guichet::{
    agents::{self, Role},
    approvals, catalogue,
    requests::{awaited, timers},
    work,
};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{agent::act, letters};
use crate::harness::{Client, Engine, Filed, Page, Portal, both, html};

const WHERE: &str = "12 rue Zéphyrine";
const FINDING: &str = "La limite suit le mur Zénobie.";

fn desk(request: Uuid) -> String {
    format!("/agent/demandes/{request}")
}

/// An alignment asked for, that the department of urbanism has complete.
async fn complete(portal: &Portal) -> (Client, Client, Filed) {
    let mut answers = portal.sample("certificat-alignement").await;
    answers.set("terrain.numero_voie", WHERE);
    let mut person = portal.client();
    let filed = person.file("certificat-alignement", &answers).await;
    let mut guillaume = portal.agent("guillaume.perez").await;
    act(&mut guillaume, &desk(filed.id), "mark-complete", &[]).await.is(303);
    (person, guillaume, filed)
}

async fn propose(agent: &mut Client, request: Uuid) -> Page {
    act(agent, &desk(request), "propose", &[("saisie.constat", FINDING)]).await
}

async fn state(portal: &Portal, request: Uuid) -> String {
    let of = sql!("select state from request where authority_id = $1 and id = $2");
    portal.db().one(of, args![portal.city, request]).await.unwrap()
}

/// The page of a step of the latest circuit of a request.
pub async fn step(portal: &Portal, request: Uuid, department: &str) -> String {
    let of = sql!(
        "select s.id from approval p join approval_step s on s.authority_id = p.authority_id and s.approval_id = p.id
         where p.authority_id = $1 and p.request_id = $2 and s.department_id = $3 order by p.version desc, s.position desc limit 1"
    );
    let id: Uuid = portal.db().one(of, args![portal.city, request, department]).await.unwrap();
    format!("/agent/a-viser/{id}")
}

async fn answer(agent: &mut Client, path: &str, visa: &str, reason: &str) -> Page {
    agent.post(path, &[("visa", visa), ("raison", reason)]).await
}

/// Recipients and texts of the mails of this subject.
async fn mails(portal: &Portal, subject: &str) -> Vec<(String, String)> {
    let all = portal.outbox().await;
    all.into_iter().filter(|(_, title, _)| title == subject).map(|(to, _, text)| (to, text)).collect()
}

async fn account(portal: &Portal, name: &str) -> Uuid {
    let of = sql!("select id from account where authority_id = $1 and email = $2");
    portal.db().one(of, args![portal.city, format!("{name}@valmont.example")]).await.unwrap()
}

async fn join(portal: &Portal, name: &str, department: &str) {
    let visit = work::visit(&portal.app, portal.city).await.unwrap();
    agents::add_membership(&visit.db, account(portal, name).await, department, Role::Decider).await.unwrap();
}

/// For these days, whoever has the right of somebody on leave.
async fn replaces(portal: &Portal, name: &str, department: &str) {
    let (agent, id) = (account(portal, name).await, Uuid::new_v4());
    let statement = sql!(
        "insert into entitlement (authority_id, id, account_id, department_id, role, procedures, from_day, until_day, reason, given_by, given_at)
         values ($1, $2, $3, $4, 'decider', '', '2020-01-01', '2099-01-01', 'Congés', $3, $5)"
    );
    let now = portal.app.clock.now();
    let write = async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), id, agent, department, now]).await;
    portal.db().write(write).await.unwrap();
}

const BAR: &str = "debit-boissons-temporaire";

/// A bar's order is approved before it is signed; what is weighed meanwhile changes what was to be approved.
const ORDER: &str = "
    - id: propose
      label: Mettre au parapheur
      from: [in-progress]
      to: proposed
      who: process
      does: [approval arrete]
      receives: Rien.
    - id: declined
      label: Revoir le projet
      from: [proposed]
      to: in-progress
      who: system
      after: declined
    - id: weigh
      label: Peser
      from: [proposed]
      to: proposed
      who: process
      form: [{id: poids, ask: Quel poids ?, kind: number}]
      receives: Rien.
    - id: recall
      label: Retirer du parapheur
      from: [proposed]
      to: in-progress
      who: process
      receives: Rien.
  states:
    - {id: proposed, label: Au parapheur, usager: En cours de traitement, status: in-progress}
  approvals:
    - {id: arrete, title: Projet d’arrêté, delay: 5 days, steps: [{title: Adjointe, who: decide}]}
";

async fn publish(portal: &Portal) {
    let mut sources = catalogue::shipped().unwrap();
    sources.procedures.retain(|(name, _)| *name == format!("{BAR}.yaml"));
    for (_, text) in &mut sources.procedures {
        *text = text.replace(
            "    - id: accept\n      does:",
            "    - id: accept\n      from: [proposed]\n      approved: arrete\n      does:",
        );
        text.push_str(ORDER.trim_start_matches('\n'));
    }
    assert_eq!(catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
    portal.app.catalogue.refresh(portal.city);
}

/// A request for a bar, taken in charge, its order proposed by who processes it.
async fn proposed(portal: &Portal, isabelle: &mut Client) -> (Client, Filed) {
    let mut person = portal.usager(crate::harness::USAGER).await;
    let filed = person.file(BAR, &portal.sample(BAR).await).await;
    act(isabelle, &desk(filed.id), "take", &[]).await.is(303);
    let motivation = [("motivation", "Prévoir des gobelets.")];
    letters::send_as(isabelle, &desk(filed.id), "propose", &motivation, "telle qu'elle sera visée").await.is(303);
    (person, filed)
}

both! {
    async fn all_approve_in_turn_then_it_is_decided(portal: Portal) {
        let (mut person, mut guillaume, filed) = complete(&portal).await;
        let page = desk(filed.id);
        guillaume.get(&format!("{page}/actions/propose")).await.is(200).shows("Direction de la voirie, puis Direction de l’urbanisme");
        act(&mut guillaume, &page, "propose", &[]).await.is(422);
        propose(&mut guillaume, filed.id).await.is(303);
        assert_eq!(state(&portal, filed.id).await, "proposed");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("la décision se prépare").hides("Zénobie").hides("parapheur");
        let told = mails(&portal, "Un visa vous est demandé").await;
        assert_eq!(told.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["voirie@valmont.example"]);
        assert!(!told[0].1.contains("Zénobie"));

        let (voirie, urbanisme) = (step(&portal, filed.id, "voirie").await, step(&portal, filed.id, "urbanisme").await);
        let (mut thierry, mut maud) = (portal.agent("thierry.kowalski").await, portal.agent("maud.etienne").await);
        let mut anne = portal.agent("anne-sophie.lhermitte").await;
        thierry.get("/agent/a-viser").await.is(200).hides(&filed.reference);
        thierry.get(&voirie).await.is(403).hides(WHERE);
        maud.get("/agent/a-viser").await.is(200).shows(&filed.reference).shows("Projet d’arrêté");
        let seen = maud.get(&voirie).await.is(200).shows(WHERE).shows(FINDING).shows("Guillaume Pérez");
        let file = html::tags(seen.html()).into_iter().find_map(|tag| tag.get("href").split_once("/fichiers/").map(|(_, id)| id.to_owned())).unwrap();
        maud.get(&format!("{voirie}/fichiers/{file}")).await.is(200);
        maud.get(&page).await.is(404);
        maud.get(&format!("/agent/fichiers/{file}")).await.is(404);
        guillaume.get(&format!("{page}/acces")).await.is(200).shows("pour un visa (Projet d’arrêté)");
        let of = sql!("select count(*) from journal where authority_id = $1 and request_id = $2 and department_id = 'voirie' and day is not null and action in ('approval-opened', 'file-opened')");
        assert_eq!(portal.db().one::<i64>(of, args![portal.city, filed.id]).await.unwrap(), 2);
        // Not her turn, nor time to decide.
        anne.get("/agent/a-viser").await.is(200).hides(&filed.reference);
        anne.get(&urbanisme).await.is(200).shows("pas encore le tour").hides(WHERE);
        answer(&mut anne, &urbanisme, "oui", "").await.is(200).shows("n’est pas enregistrée");
        anne.get(&page).await.is(200).shows("« Accepter » n’est possible que si : « Projet d’arrêté » est visé");
        anne.get(&format!("{page}/actions/accept")).await.is(409).shows("attend un visa");

        answer(&mut maud, &voirie, "", "").await.is(422).shows("Choisissez si vous visez");
        answer(&mut maud, &voirie, "non", "").await.is(422).shows("Expliquez pourquoi");
        answer(&mut maud, &voirie, "oui", "Conforme au plan.").await.leads_to("/agent/a-viser?fait=vise");
        maud.get("/agent/a-viser?fait=vise").await.is(200).shows("Votre visa est donné").shows("Vos réponses");
        maud.get(&voirie).await.is(200).hides(WHERE).shows("Conforme au plan.");
        maud.get(&format!("{voirie}/fichiers/{file}")).await.is(404);
        assert_eq!(mails(&portal, "Un visa vous est demandé").await.len(), 2);
        guillaume.get(&urbanisme).await.is(403);
        answer(&mut anne, &urbanisme, "oui", "").await.is(303);
        assert_eq!(mails(&portal, "Visé par tous").await[0].0, "guillaume.perez@valmont.example");
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0);
        let tab = guillaume.get(&format!("{page}?onglet=parapheur")).await.is(200);
        tab.shows("Projet d’arrêté : visé par tous").shows("Conforme au plan.").shows("Anne-Sophie L’Hermitte");
        // Nobody approved what she might add.
        let accept = format!("{page}/actions/accept");
        let form = anne.get(&accept).await.is(200).hides("Texte de la décision").form("version");
        let more = form.with("faits", "La limite est reculée de deux mètres.");
        anne.post_form(&accept, &more.fields).await.is(422).shows("n'a été visé par personne");
        act(&mut anne, &page, "accept", &[]).await.is(303);
        assert_eq!(state(&portal, filed.id).await, "validated");
        let history = guillaume.get(&format!("{page}?onglet=historique")).await.is(200);
        history.shows("Mis au parapheur : Projet d’arrêté").shows("Visé : Direction de la voirie").shows("Visé par tous : Projet d’arrêté");
    }

    async fn a_refusal_brings_the_request_back_with_its_reason(portal: Portal) {
        let (mut person, mut guillaume, filed) = complete(&portal).await;
        let page = desk(filed.id);
        propose(&mut guillaume, filed.id).await.is(303);
        let first = step(&portal, filed.id, "voirie").await;
        let mut maud = portal.agent("maud.etienne").await;
        answer(&mut maud, &first, "non", "Le plan date de 1998.").await.leads_to("/agent/a-viser?fait=refuse");
        assert_eq!(mails(&portal, "Un visa est refusé").await[0].0, "guillaume.perez@valmont.example");
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(state(&portal, filed.id).await, "complete");
        guillaume.get(&page).await.is(200).shows("visa refusé").shows("Le plan date de 1998.").hides("Remettre");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("1998");
        maud.get(&first).await.is(200).hides(WHERE);

        // Asked again, then taken back: a late answer counts for nothing.
        propose(&mut guillaume, filed.id).await.is(303);
        let second = step(&portal, filed.id, "voirie").await;
        assert_ne!(first, second);
        guillaume.get(&page).await.is(200).hides("1998");
        act(&mut guillaume, &page, "recall", &[]).await.is(303);
        answer(&mut maud, &second, "oui", "Tout va bien.").await.is(200).shows("n’est pas enregistrée").shows("Tout va bien.").hides(WHERE);
        guillaume.get(&format!("{page}?onglet=parapheur")).await.is(200).shows("retiré du parapheur").hides("Tout va bien.");
        // What its usager cancels waits for nobody.
        propose(&mut guillaume, filed.id).await.is(303);
        let third = step(&portal, filed.id, "voirie").await;
        let cancel = format!("/demandes/{}/annuler", filed.id);
        let form = person.get(&cancel).await.is(200).form("version");
        person.post_form(&cancel, &form.fields).await.is(303);
        maud.get(&third).await.is(200).hides(WHERE);
        maud.get("/agent/a-viser").await.is(200).shows("Rien à viser");
    }

    async fn nobody_approves_what_they_asked_nor_twice(portal: Portal) {
        let (_, _, filed) = complete(&portal).await;
        let page = desk(filed.id);
        let mut anne = portal.agent("anne-sophie.lhermitte").await;
        anne.get(&format!("{page}/actions/propose")).await.is(200).shows("Personne autre que vous ne peut viser").shows("Direction de l’urbanisme");
        propose(&mut anne, filed.id).await.is(422);
        // One person for two steps is not enough; a replacement for the days of a leave is.
        join(&portal, "maud.etienne", "urbanisme").await;
        propose(&mut anne, filed.id).await.is(422);
        replaces(&portal, "stephanie.roux", "urbanisme").await;
        propose(&mut anne, filed.id).await.is(303);
        let (voirie, urbanisme) = (step(&portal, filed.id, "voirie").await, step(&portal, filed.id, "urbanisme").await);
        let (mut maud, mut stephanie) = (portal.agent("maud.etienne").await, portal.agent("stephanie.roux").await);
        answer(&mut maud, &voirie, "oui", "").await.is(303);
        maud.get("/agent/a-viser").await.is(200).shows("Rien à viser");
        maud.get(&urbanisme).await.is(200).shows("Vous avez déjà visé");
        answer(&mut maud, &urbanisme, "oui", "").await.is(422);
        anne.get("/agent/a-viser").await.is(200).hides(&filed.reference);
        answer(&mut anne, &urbanisme, "oui", "").await.is(422).shows("Vous avez demandé ce visa");
        stephanie.get("/agent/a-viser").await.is(200).shows(&filed.reference);
        answer(&mut stephanie, &urbanisme, "oui", "").await.is(303);
        act(&mut anne, &page, "accept", &[]).await.is(303);
    }

    async fn answers_of_one_moment_count_once(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        propose(&mut guillaume, filed.id).await.is(303);
        let voirie = step(&portal, filed.id, "voirie").await;
        replaces(&portal, "thierry.kowalski", "voirie").await;
        let (mut maud, mut beside) = (portal.agent("maud.etienne").await, portal.agent("thierry.kowalski").await);
        let (yes, no) = tokio::join!(answer(&mut maud, &voirie, "oui", ""), answer(&mut beside, &voirie, "non", "Non."));
        let kept = [yes.status, no.status];
        assert!(kept == [303, 200] || kept == [200, 303], "{kept:?}");
        let of = sql!("select count(*) from request_event where authority_id = $1 and request_id = $2 and code in ('approval-given', 'approval-declined')");
        assert_eq!(portal.db().one::<i64>(of, args![portal.city, filed.id]).await.unwrap(), 1);
    }

    async fn what_is_late_is_told(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        propose(&mut guillaume, filed.id).await.is(303);
        for _ in 0..10 {
            portal.later(SignedDuration::from_hours(24));
            awaited::remind::<approvals::Step>(&portal.app).await.unwrap();
            awaited::remind::<approvals::Step>(&portal.app).await.unwrap();
        }
        assert_eq!(mails(&portal, "Un visa est attendu aujourd’hui").await[0].0, "voirie@valmont.example");
        assert_eq!(mails(&portal, "Un visa n’est pas donné").await[0].0, "guillaume.perez@valmont.example");
        assert_eq!(mails(&portal, "Un visa est attendu aujourd’hui").await.len() + mails(&portal, "Un visa n’est pas donné").await.len(), 2);
        let mut maud = portal.agent("maud.etienne").await;
        maud.get("/agent/a-viser").await.is(200).shows("En retard");
    }

    async fn the_letter_that_was_approved_is_the_one_that_leaves(portal: Portal) {
        publish(&portal).await;
        let mut isabelle = portal.agent("isabelle.vandenberghe").await;
        let (mut person, filed) = proposed(&portal, &mut isabelle).await;
        let page = desk(filed.id);
        let visa = step(&portal, filed.id, "commerce").await;
        let (mut solene, mut marc) = (portal.agent("solene.petitjean").await, portal.agent("marc.rinaldi").await);
        solene.get(&visa).await.is(200).shows("Prévoir des gobelets.").shows("[Signataire]").shows("Article 1er").hides("Marc Rinaldi");
        answer(&mut solene, &visa, "oui", "").await.is(303);

        let accept = format!("{page}/actions/accept");
        let form = marc.get(&accept).await.is(200).shows("Prévoir des gobelets.").shows("Cette lettre est visée").form("version");
        assert!(!form.names.iter().any(|name| name == "motivation"), "{form:?}");
        // Neither the page nor a form made by hand adds anything to it.
        let more = form.clone().with("faits", "Et une fanfare.");
        marc.post_form(&accept, &more.fields).await.is(422).shows("n’est plus celle qui a été visée");
        letters::send(&mut marc, &page, "accept", &[]).await.is(303);
        portal.work().await;
        let sent = letters::letters(&mut person, &filed).await;
        assert!(sent.len() == 1 && sent[0].contains("gobelets") && sent[0].contains("Marc Rinaldi"), "{sent:?}");
        assert!(!sent[0].contains("[Signataire]") && !sent[0].contains("fanfare"));
    }

    async fn what_changes_meanwhile_is_not_approved(portal: Portal) {
        publish(&portal).await;
        let mut isabelle = portal.agent("isabelle.vandenberghe").await;
        let (_, filed) = proposed(&portal, &mut isabelle).await;
        let page = desk(filed.id);
        let visa = step(&portal, filed.id, "commerce").await;
        let mut solene = portal.agent("solene.petitjean").await;
        act(&mut isabelle, &page, "weigh", &[("saisie.poids", "12")]).await.is(303);
        answer(&mut solene, &visa, "oui", "").await.is(200).shows("n’est pas enregistrée").shows("le dossier a changé");
        assert_eq!(mails(&portal, "Un visa est caduc").await[0].0, "isabelle.vandenberghe@valmont.example");
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        isabelle.get(&page).await.is(200).shows("visa caduc");
        // A letter's template that changes afterwards is approved anew as well.
        letters::send_as(&mut isabelle, &page, "propose", &[], "telle qu'elle sera visée").await.is(303);
        let visa = step(&portal, filed.id, "commerce").await;
        answer(&mut solene, &visa, "oui", "").await.is(303);
        let mut marc = portal.agent("marc.rinaldi").await;
        let edit = "/agent/modeles/commerce/buvette-arrete";
        let form = marc.get(edit).await.is(200).form("texte");
        let text = form.fields.iter().find(|(name, _)| name == "texte").unwrap().1.replace("Il est arrêté", "Il est décidé");
        marc.post_form(edit, &form.with("texte", &text).fields).await.is(303);
        let form = marc.get(&format!("{page}/actions/accept")).await.is(200).form("version");
        marc.post_form(&format!("{page}/actions/accept"), &form.fields).await.is(422).shows("faites-la viser de nouveau");
    }
}
