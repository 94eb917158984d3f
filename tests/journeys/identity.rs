//! Verified identity: the ways to it, what it fills and locks, what is kept of it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use db::{Json, args, sql};
use forms::answers::Raw;
use jiff::SignedDuration;
use serde_json::Value;

use super::agent::act;
use crate::harness::{Client, Engine, OTHER_USAGER, Page, Portal, USAGER, both, html, journey::filled};

/// Demands a verified identity.
pub const RIGHTS: &str = "acces-donnees-personnelles";
/// Takes one where there is one, and asks for a birth place that the sample city has not checked.
const VOTE: &str = "inscription-listes-electorales";
const AGENT: &str = "nadia.benali@valmont.example";

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// What is typed of somebody: at the counter, or to receive a letter.
fn identity(name: &str) -> Vec<(String, String)> {
    let parts = [
        ("nom_naissance", name),
        ("prenoms", "Mohamed, Ali"),
        ("jour", ""),
        ("mois", "11"),
        ("annee", "1978"),
        ("lieu", "Oran"),
        ("pays", "Algérie"),
    ];
    parts.iter().map(|(part, value)| (format!("identite.{part}"), (*value).to_owned())).collect()
}

fn and(mut fields: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

/// The page of the counter for a person, by way of the search.
async fn counter(agent: &mut Client, email: &str) -> String {
    let page =
        agent.post("/agent/comptes", &[("email", email)]).await.is(200).shows("Vérifier l’identité de cette personne");
    let links = html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned());
    links.into_iter().find(|href| href.ends_with("/identite") && href.starts_with("/agent/comptes/")).unwrap()
}

pub async fn verify(portal: &Portal, email: &str, name: &str) {
    let mut agent = portal.agent("nadia.benali").await;
    let page = counter(&mut agent, email).await;
    let fields = and(identity(name), &[("document", "passeport"), ("verifie", "oui")]);
    agent.post_form(&page, &fields).await.leads_to("/agent/comptes?fait=identite");
}

/// What the draft or the request of this id holds, as stored.
async fn stored(portal: &Portal, id: &str) -> Raw {
    let id: uuid::Uuid = id.parse().unwrap();
    let raw: Json<Raw> = portal
        .db()
        .one(sql!("select raw from draft where authority_id = $1 and id = $2"), args![portal.city, id])
        .await
        .unwrap();
    raw.0
}

async fn answers(portal: &Portal, id: uuid::Uuid) -> Value {
    let answers: Json<Value> = portal
        .db()
        .one(sql!("select answers from request where authority_id = $1 and id = $2"), args![portal.city, id])
        .await
        .unwrap();
    answers.0
}

fn names(page: &Page) -> Vec<String> {
    page.form("action").names
}

pub fn text_of(pdf: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

both! {
    async fn the_counter_verifies_and_the_procedure_is_filled_and_locked(portal: Portal) {
        let start = format!("/demarches/{RIGHTS}/remplir");
        portal.client().get(&start).await.leads_to(&format!("/demarches/{RIGHTS}/commencer"));
        portal.client().get(&format!("/demarches/{RIGHTS}/commencer")).await.is(200).shows("Créer mon compte");

        // Somebody whom nobody has verified is shown the ways, and where the counter is.
        let mut person = portal.usager(OTHER_USAGER).await;
        let page = person.get(&start).await.is(303);
        let ways = person.get(page.location()).await.is(303).location().to_owned();
        assert!(ways.starts_with("/compte/identite?suite="), "{ways}");
        let page = person.get(&ways).await.is(200).shows("Faire vérifier mon identité").shows("Au guichet").shows("Par courrier");
        page.shows("gardé dans vos brouillons").hides("En ligne");

        // At the counter: nothing typed is lost to a mistake, and the box must be ticked.
        let mut agent = portal.agent("nadia.benali").await;
        let counter = counter(&mut agent, OTHER_USAGER).await;
        agent.get(&counter).await.is(200).shows("Document présenté");
        let page = agent.post_form(&counter, &and(identity(""), &[("document", "passeport")])).await.is(422);
        let page = page.shows("Saisissez le nom de naissance").shows("puis cochez la case");
        assert_eq!(page.form("identite.lieu").value("identite.lieu"), "Oran");
        agent.post_form(&counter, &and(identity("Benkhelifa"), &[("document", "passeport")])).await.is(422);
        assert!(person.data().await["identite_verifiee"]["verifiee"].is_null());
        verify(&portal, OTHER_USAGER, "Benkhelifa").await;

        // Told to its owner: by mail, in the account, in its history with who did it, in their data.
        portal.work().await;
        let mails = portal.outbox().await;
        let (_, subject, body) = mails.iter().find(|(to, ..)| to == OTHER_USAGER).unwrap();
        assert_eq!(subject, "Votre identité est vérifiée");
        assert!(body.contains("/compte/identite") && !body.contains("Benkhelifa") && !body.contains("Oran"));
        person.get("/compte").await.shows("Identité vérifiée au guichet le 17 novembre 2026").shows("Oran");
        person.get("/compte/securite").await.shows("Identité vérifiée").shows("Passeport");
        let by: String = portal
            .db()
            .one(
                sql!("select a.email from sign_in_event e join account a on a.authority_id = e.authority_id and a.id = e.actor_id where e.authority_id = $1 and e.code = 'identity-verified'"),
                args![portal.city],
            )
            .await
            .unwrap();
        assert_eq!(by, AGENT);
        assert!(person.data().await.to_string().contains("Oran"));

        // The question is filled with what it asks for, and nothing more; what a browser sends is not heard.
        let first = person.get(&start).await.is(303).location().to_owned();
        let page = person.get(&first).await.is(200).shows("Vérifié").shows("Mohamed, Ali").shows("Signaler une erreur").hides("Oran");
        assert!(!names(&page).iter().any(|name| name == "demandeur.nom_naissance" || name == "demandeur.prenoms"));
        let mut typed = portal.sample(RIGHTS).await;
        for (name, value) in [("nom_naissance", "Usurpateur"), ("prenoms", "Autre"), ("sans_prenom", "oui"), ("remarque", "Mon second prénom est Alim.")] {
            typed.set(format!("demandeur.{name}"), value);
        }
        let next = person.post_form(&first, &filled(&page.form("action"), &typed)).await.is(303).location().to_owned();
        let draft = next.split('/').nth(2).unwrap().to_owned();
        let raw = stored(&portal, &draft).await;
        assert_eq!((raw.text("demandeur.nom_naissance"), raw.text("demandeur.prenoms"), raw.text("demandeur.sans_prenom")), ("Benkhelifa", "Mohamed, Ali", ""));
        let again = format!("/brouillons/{draft}/vous");
        let page = person.get(&again).await.is(200).shows("Mon second prénom est Alim.");
        person.post_form(&again, &filled(&page.form("action"), &typed)).await.is(303);
        assert_eq!(stored(&portal, &draft).await.text("demandeur.nom_naissance"), "Benkhelifa");

        // Even written in the draft behind our back, it is not sent.
        let mut forged = stored(&portal, &draft).await;
        forged.set("demandeur.nom_naissance", "Usurpateur");
        let id: uuid::Uuid = draft.parse().unwrap();
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("update draft set raw = $1 where authority_id = $2 and id = $3"), args![Json(&forged), tx.authority(), id]).await?;
                Ok::<(), db::Error>(())
            })
            .await
            .unwrap();
        let mut path = next;
        while !path.ends_with("/verifier") {
            path = person.answer(&path, &typed).await;
        }
        let page = person.get(&path).await.shows("Identité vérifiée au guichet le 17 novembre 2026").shows("Mon second prénom est Alim.");
        page.hides("Usurpateur");
        let sent = person.send_checked(&path).await;
        let answers = answers(&portal, sent.id).await;
        assert_eq!(answers["demandeur"]["nom_naissance"], "Benkhelifa");
        assert_eq!(answers["demandeur"].as_object().unwrap().len(), 2, "only what is asked for: {answers}");
        person.get(&format!("/demandes/{}", sent.id)).await.shows("Identité vérifiée au guichet le 17 novembre 2026");

        // The department sees it beside the answer, with the remark.
        let mut desk = portal.agent("paulo.da-silva").await;
        let page = desk.get(&format!("/agent/demandes/{}", sent.id)).await.is(200).shows("Identité vérifiée au guichet le 17 novembre 2026");
        page.shows("L’usager signale une erreur").shows("Mon second prénom est Alim.");
    }

    /// Slowed, nothing typed is lost, and how long it lasts is told as it is.
    async fn letters_are_slowed_by_address(portal: Portal) {
        let subject = format!("lettre-de:{}", portal.app.secret.code("lettre-de", b"127.0.0.1"));
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(
                    sql!("insert into attempt (authority_id, subject, failures, last_at) values ($1, $2, 50, $3)"),
                    args![tx.authority(), &subject, portal.app.clock.now()],
                )
                .await?;
                Ok::<(), db::Error>(())
            })
            .await
            .unwrap();
        let mut person = portal.usager(OTHER_USAGER).await;
        let home = [("adresse.numero_voie", "14 place des Carmes"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont")];
        let fields = and(identity("Benkhelifa"), &home);
        let page = person.post_form("/compte/identite/courrier", &fields).await.is(422).shows("réessayez dans moins d’une minute");
        assert_eq!(page.form("identite.lieu").value("identite.lieu"), "Oran");
        assert_eq!(page.form("adresse.commune").value("adresse.commune"), "Valmont");
        portal.later(SignedDuration::from_secs(31));
        person.post_form("/compte/identite/courrier", &fields).await.is(303);
    }

    async fn what_was_not_checked_is_typed_and_told(portal: Portal) {
        // Verified by the sample city, without a birth place.
        let mut person = portal.usager(USAGER).await;
        let mut typed = portal.sample(VOTE).await;
        typed.set("demandeur.nom_naissance", "Usurpateur");
        typed.set("demandeur.annee", "1950");
        typed.set("demandeur", "1950-01-01");
        let sent = person.file(VOTE, &typed).await;
        let answers = answers(&portal, sent.id).await;
        assert_eq!((answers["demandeur"]["nom_naissance"].as_str(), answers["demandeur"]["date_naissance"].as_str()), (Some("Martin"), Some("1989-04-12")));
        assert_eq!(answers["demandeur"]["lieu_naissance"]["commune"], "Lyon");
        let told = "sauf le lieu de naissance (déclaration de l’usager)";
        person.get(&format!("/demandes/{}", sent.id)).await.shows(told);

        // Removed, the same question is asked in full, and nothing is said to be verified.
        person.get("/compte/identite").await.is(200).shows("Martin");
        person.get("/compte/identite/retirer").await.is(200).shows("Retirer votre identité vérifiée ?");
        person.post("/compte/identite/retirer", &[]).await.leads_to("/compte/identite?fait=retiree");
        person.get("/compte/securite").await.shows("Identité vérifiée retirée");
        person.get("/compte").await.shows("Faire vérifier mon identité");
        person.get(&format!("/demandes/{}", sent.id)).await.shows(told);
        let mut typed = portal.sample(VOTE).await;
        typed.set("demandeur.nom_naissance", "Durand");
        typed.set("demandeur.remarque", "Rien à dire");
        let sent = person.file(VOTE, &typed).await;
        let page = person.get(&format!("/demandes/{}", sent.id)).await.shows("Durand").hides("Identité vérifiée");
        page.hides("Rien à dire");
    }

    async fn corrections_keep_what_was_certified(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let sent = person.file(RIGHTS, &portal.sample(RIGHTS).await).await;
        let (mine, theirs) = (format!("/demandes/{}", sent.id), format!("/agent/demandes/{}", sent.id));
        let mut desk = portal.agent("paulo.da-silva").await;
        act(&mut desk, &theirs, "take", &[]).await.is(303);
        act(&mut desk, &theirs, "ask", &[("champs", "demandeur"), ("message", "Est-ce bien vous ?"), ("jours", "15")]).await.is(303);
        // Whatever became of the identity since.
        person.post("/compte/identite/retirer", &[]).await.is(303);
        let path = person.get(&format!("{mine}/repondre?vers=vous")).await.is(303).location().to_owned();
        let page = person.get(&path).await.is(200).shows("Identité vérifiée au guichet");
        let form = page.form("action").with("demandeur.remarque", "Il manque mon second prénom.").with("demandeur.nom_usage", "Durand");
        let mut fields = form.fields.clone();
        fields.extend([("demandeur.nom_naissance", "Usurpateur"), ("action", "continuer")].map(|(name, value)| (name.to_owned(), value.to_owned())));
        let check = person.post_form(&path, &fields).await.is(303).location().to_owned();
        let page = person.get(&check).await.is(200);
        person.post_form(&check, &page.form("version").fields).await.leads_to(&format!("{mine}?fait=repondu"));
        let page = desk.get(&theirs).await.is(200).shows("Il manque mon second prénom.").shows("sauf le nom d’usage").shows("Durand");
        page.hides("Usurpateur");
        assert_eq!(answers(&portal, sent.id).await["demandeur"]["nom_naissance"], "Martin");
        let data = person.data().await.to_string();
        assert!(data.contains("Il manque mon second prénom.") && data.contains("\"source\":\"counter\""));
    }

    async fn a_draft_waits_for_an_identity_removed_meanwhile(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let typed = portal.sample(RIGHTS).await;
        let check = person.fill(RIGHTS, &typed).await;
        let draft = check.split('/').nth(2).unwrap().to_owned();
        person.post("/compte/identite/retirer", &[]).await.is(303);
        person.get(&check).await.is(200).shows("Faire vérifier mon identité");
        let to = person.post(&check, &[("declaration", "oui")]).await.is(303).location().to_owned();
        assert!(to.starts_with("/compte/identite?suite=/brouillons"), "{to}");
        // What is typed meanwhile is kept too.
        let page = person.get(&format!("/brouillons/{draft}/vous")).await.is(200).hides("Signaler une erreur");
        let form = page.form("action").with("demandeur.prenoms", "Camille Zoé");
        let mut fields = form.fields.clone();
        fields.push(("action".to_owned(), "continuer".to_owned()));
        let to = person.post_form(&format!("/brouillons/{draft}/vous"), &fields).await.is(303).location().to_owned();
        assert!(to.starts_with("/compte/identite?suite="), "{to}");
        assert_eq!(stored(&portal, &draft).await.text("demandeur.prenoms"), "Camille Zoé");
        // The first page of a new request, sent from a page opened before.
        let id = uuid::Uuid::new_v4();
        let to = person.post_form(&format!("/demarches/{RIGHTS}/remplir?brouillon={id}"), &fields).await.is(303).location().to_owned();
        assert!(to.starts_with("/compte/identite?suite=/brouillons"), "{to}");
        assert_eq!(stored(&portal, &id.to_string()).await.text("demandeur.prenoms"), "Camille Zoé");

        verify(&portal, USAGER, "Martin").await;
        person.get(&check).await.is(200).shows("Identité vérifiée au guichet");
        person.send_checked(&check).await;
    }

    async fn a_letter_brings_a_code(portal: Portal) {
        let mut person = portal.usager(OTHER_USAGER).await;
        let mut agent = portal.agent("nadia.benali").await;
        agent.get("/agent/courriers").await.is(200).shows("Aucune lettre n’attend");
        let ask = "/compte/identite/courrier";
        person.get(ask).await.is(200).shows("Votre adresse postale");
        let page = person.post_form(ask, &and(identity("Benkhelifa"), &[("adresse.commune", "Valmont")])).await.is(422);
        assert_eq!(page.shows("Saisissez le numéro et la voie").form("adresse.commune").value("identite.lieu"), "Oran");
        let home = [("adresse.numero_voie", "14 place des Carmes"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont"), ("adresse.pays", "France")];
        let fields = and(identity("Benkhelifa"), &home);
        assert!(person.post_form(ask, &fields).await.is(303).location().contains("fait=demandee"));
        // One at a time.
        person.post_form(ask, &fields).await.leads_to("/compte/identite");
        person.get(ask).await.leads_to("/compte/identite");
        assert_eq!(portal.count("identity_letter").await, 1);
        person.get("/compte/identite").await.is(200).shows("14 place des Carmes").shows("Code de la lettre");
        assert!(person.data().await.to_string().contains("14 place des Carmes"));

        // Given up before it leaves: nothing remains, and another may be asked for.
        person.post("/compte/identite/courrier/annuler", &[]).await.is(303);
        assert_eq!(portal.count("identity_letter").await, 0);
        person.post_form(ask, &fields).await.is(303);

        // Printed twice, the letter says the same; it is noted as posted once.
        let page = agent.get("/agent/courriers").await.is(200).shows("Mohamed Ali Benkhelifa").shows("14 place des Carmes");
        let letter = page.form("lettre").value("lettre").to_owned();
        let print = agent.post("/agent/courriers/imprimer", &[("lettre", &letter)]).await.is(200);
        let text = text_of(&print.bytes);
        let found = text.split("Voici votre code").nth(1).unwrap().split("Connectez-vous").next().unwrap();
        let code: String = found.chars().filter(char::is_ascii_alphanumeric).collect();
        assert_eq!(code.len(), 12, "{text}");
        assert!(text.contains("14 place des Carmes") && text.contains("Mohamed Ali Benkhelifa"), "{text}");
        assert_eq!(text_of(&agent.post("/agent/courriers/imprimer", &[("lettre", &letter)]).await.is(200).bytes), text);
        agent.post("/agent/courriers/imprimer", &[]).await.leads_to("/agent/courriers?fait=aucune");
        agent.post("/agent/courriers/postes", &[("lettre", &letter)]).await.leads_to("/agent/courriers?fait=postees");
        agent.post("/agent/courriers/postes", &[("lettre", &letter)]).await.leads_to("/agent/courriers?fait=aucune");
        agent.get("/agent/courriers").await.shows("Aucune lettre n’attend");
        person.get("/compte/identite").await.shows("valable jusqu’au 17 décembre 2026");

        // Nobody else's code, nor a guess: and guessing is slowed.
        portal.usager(USAGER).await.post("/compte/identite/code", &[("code", &code)]).await.leads_to("/compte/identite");
        person.post("/compte/identite/code", &[("code", "")]).await.is(422).shows("Saisissez le code");
        for _ in 0..5 {
            person.post("/compte/identite/code", &[("code", "AAAABBBBCCCC")]).await.is(422).shows("Ce code n’est pas celui de la lettre");
        }
        person.post("/compte/identite/code", &[("code", &code)]).await.is(422).shows("Trop d’essais");
        portal.later(SignedDuration::from_hours(2));
        let typed = format!(" {} {}-{} ", &code[..4].to_lowercase(), &code[4..8], &code[8..]);
        assert!(person.post("/compte/identite/code", &[("code", &typed)]).await.is(303).location().contains("fait=verifiee"));
        person.get("/compte/identite").await.shows("Identité vérifiée par courrier le 17 novembre 2026").shows("Oran");
        // Once.
        person.post("/compte/identite/code", &[("code", &code)]).await.leads_to("/compte/identite");
        assert_eq!(portal.count("identity_letter").await, 0);
        portal.work().await;
        assert!(portal.outbox().await.iter().any(|(to, subject, _)| to == OTHER_USAGER && subject == "Votre identité est vérifiée"));
        // The level is the same: the procedure opens.
        let page = person.get(&format!("/demarches/{RIGHTS}/remplir")).await.is(303);
        person.get(page.location()).await.is(200).shows("Identité vérifiée par courrier");
    }

    async fn paper_is_not_asked_for_without_end(portal: Portal) {
        let mut person = portal.usager(OTHER_USAGER).await;
        let mut agent = portal.agent("nadia.benali").await;
        let ask = "/compte/identite/courrier";
        let home = [("adresse.numero_voie", "14 place des Carmes"), ("adresse.code_postal", "96000"), ("adresse.commune", "Valmont")];
        let fields = and(identity("Benkhelifa"), &home);
        person.post_form(ask, &fields).await.is(303);
        let letter = agent.get("/agent/courriers").await.form("lettre").value("lettre").to_owned();
        agent.post("/agent/courriers/postes", &[("lettre", &letter)]).await.is(303);
        // Cancelled once posted: who and where is forgotten, that a letter left is not.
        person.post("/compte/identite/courrier/annuler", &[]).await.is(303);
        assert!(!person.data().await.to_string().contains("14 place des Carmes"));
        person.get(ask).await.is(400).shows("il y a moins de quinze jours");
        person.post_form(ask, &fields).await.is(400);
        portal.later(days(15));
        let mut person = portal.usager(OTHER_USAGER).await;
        assert!(person.post_form(ask, &fields).await.is(303).location().contains("fait=demandee"));
        let mut agent = portal.agent("nadia.benali").await;
        let letter = agent.get("/agent/courriers").await.form("lettre").value("lettre").to_owned();
        let text = text_of(&agent.post("/agent/courriers/imprimer", &[("lettre", &letter)]).await.bytes);
        agent.post("/agent/courriers/postes", &[("lettre", &letter)]).await.is(303);
        let found = text.split("Voici votre code").nth(1).unwrap().split("Connectez-vous").next().unwrap();
        let code: String = found.chars().filter(char::is_ascii_alphanumeric).collect();

        // Too old, the code is good for nothing, and the declaration is swept.
        portal.later(days(30));
        let mut person = portal.usager(OTHER_USAGER).await;
        person.post("/compte/identite/code", &[("code", &code)]).await.leads_to("/compte/identite");
        person.get("/compte/identite").await.shows("Recevoir un code par courrier").hides("14 place des Carmes");
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("identity_letter").await, 0);
    }

    async fn an_account_closed_takes_its_identity_along(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let before = portal.count("verified_identity").await;
        assert!(before > 0);
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", crate::harness::PASSWORD)]).await.is(303);
        assert_eq!(portal.count("verified_identity").await, before - 1);
    }
}
