//! Opinions asked on a request: of another department by its circuit, of somebody outside by hand. Each sees what
//! was chosen, as long as it is awaited, and nothing else.

use db::{args, sql};
use guichet::{
    consultations,
    requests::{awaited, timers},
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::harness::{Client, Engine, Filed, Page, Portal, both, html, journey::PDF};

const WHERE: &str = "12 rue Zéphyrine";

/// An alignment asked for, that the department of urbanism has complete.
async fn complete(portal: &Portal) -> (Client, Client, Filed) {
    let mut answers = portal.sample("certificat-alignement").await;
    answers.set("terrain.numero_voie", WHERE);
    let mut person = portal.client();
    let filed = person.file("certificat-alignement", &answers).await;
    let mut guillaume = portal.agent("guillaume.perez").await;
    act(&mut guillaume, filed.id, "mark-complete").await;
    (person, guillaume, filed)
}

async fn act(agent: &mut Client, request: Uuid, transition: &str) {
    let path = format!("/agent/demandes/{request}/actions/{transition}");
    let form = agent.get(&path).await.is(200).form("version");
    agent.post_form(&path, &form.fields).await.is(303);
}

async fn state(portal: &Portal, request: Uuid) -> String {
    let of = sql!("select state from request where authority_id = $1 and id = $2");
    portal.db().one(of, args![portal.city, request]).await.unwrap()
}

/// The one that a department is asked on a request.
pub async fn asked(portal: &Portal, request: Uuid, department: &str) -> String {
    let of = sql!("select id from consultation where authority_id = $1 and request_id = $2 and department_id = $3");
    let id: Uuid = portal.db().one(of, args![portal.city, request, department]).await.unwrap();
    format!("/agent/avis-a-rendre/{id}")
}

pub fn fields(verdict: &str, text: &str) -> Vec<(String, String)> {
    [("avis", verdict), ("texte", text), ("action", "envoyer")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// The first file that a page offers under this address.
fn file_of(page: &Page, under: &str) -> String {
    let links: Vec<String> = html::tags(page.html()).iter().map(|tag| tag.get("href").to_owned()).collect();
    links.iter().find_map(|link| link.split_once(under)).unwrap().1.to_owned()
}

/// Recipient and text of the mails whose subject holds this.
async fn mails(portal: &Portal, subject: &str) -> Vec<(String, String)> {
    let all = portal.outbox().await;
    all.into_iter().filter(|(_, title, _)| title.contains(subject)).map(|(to, _, text)| (to, text)).collect()
}

/// Asks somebody outside; gives the path of the link that they receive.
async fn outside(portal: &Portal, agent: &mut Client, request: Uuid, shown: &[&str]) -> String {
    let path = format!("/agent/demandes/{request}/avis/demander");
    let mut form = agent.get(&path).await.is(200).form("question");
    form = form.with("destinataire", "exterieur").with("nom", "Agence Bâti").with("courriel", "agence@exemple.fr");
    form = form.with("question", "Le bâtiment est-il en péril ?");
    form.fields.extend(shown.iter().map(|id| ("champs".to_owned(), (*id).to_owned())));
    agent.post_form(&path, &form.fields).await.is(303);
    link(portal).await
}

/// The link of the latest mail to somebody outside.
pub async fn link(portal: &Portal) -> String {
    let (to, text) = mails(portal, "avis").await.into_iter().rfind(|(_, text)| text.contains("/avis/")).unwrap();
    assert_eq!(to, "agence@exemple.fr");
    let found = text.lines().find_map(|line| line.split_once("/avis/")).unwrap();
    format!("/avis/{}", found.1.trim())
}

/// The code of the latest mail.
async fn code(portal: &Portal) -> String {
    let (_, text) = mails(portal, "Votre code").await.pop().unwrap();
    text.lines().find_map(|line| line.rsplit_once(": ")).unwrap().1.trim().to_owned()
}

/// Opens a link with the code that is sent for it.
pub async fn open(portal: &Portal, link: &str) -> Client {
    let mut browser = portal.client();
    browser.get(link).await.is(200).hides(WHERE);
    browser.post(&format!("{link}/code"), &[]).await.leads_to(link);
    let code = code(portal).await;
    browser.post(&format!("{link}/ouvrir"), &[("code", &code)]).await.leads_to(link);
    browser
}

both! {
    async fn another_department_gives_its_opinion_and_the_circuit_goes_on(portal: Portal) {
        let (mut person, mut guillaume, filed) = complete(&portal).await;
        act(&mut guillaume, filed.id, "consult").await;
        assert_eq!(state(&portal, filed.id).await, "consulted");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("le service de la voirie est consulté").hides("élargissement");
        let told = mails(&portal, "Un avis vous est demandé").await;
        assert_eq!(told.len(), 1);
        assert!(told[0].0 == "voirie@valmont.example" && !told[0].1.contains("élargissement"), "{told:?}");

        let path = asked(&portal, filed.id, "voirie").await;
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.get("/agent/avis-a-rendre").await.is(200).shows(&filed.reference).shows("élargissement");
        let page = thierry.get(&path).await.is(200).shows(WHERE).shows("Plan de situation").hides("demandeur").hides("@exemple.fr");
        let file = file_of(&page, "/fichiers/");
        thierry.get(&format!("{path}/fichiers/{file}")).await.is(200);
        // The request itself is not theirs, nor anything by another door.
        thierry.get(&format!("/agent/demandes/{}", filed.id)).await.is(404);
        thierry.get(&format!("/agent/fichiers/{file}")).await.is(404);
        guillaume.get(&format!("/agent/demandes/{}/acces", filed.id)).await.is(200).shows("Consultés pour avis").shows("Service de la voirie");
        let mut fatoumata = portal.agent("fatoumata.diallo").await;
        fatoumata.get(&path).await.is(404).hides(WHERE);
        fatoumata.get(&format!("{path}/fichiers/{file}")).await.is(404);
        let of = sql!("select count(*) from journal where authority_id = $1 and request_id = $2 and department_id = 'voirie' and day is not null and action in ('opinion-opened', 'file-opened')");
        assert_eq!(portal.db().one::<i64>(of, args![portal.city, filed.id]).await.unwrap(), 2);

        thierry.upload(&path, &fields("unfavourable", ""), &[]).await.is(422).shows("Expliquez vos réserves");
        let kept = thierry.upload(&path, &fields("", "Trop près."), &[("fichier", "releve.pdf", PDF)]).await.is(422);
        kept.shows("Choisissez votre avis").shows("Trop près.").shows("releve.pdf");
        thierry.upload(&path, &fields("unfavourable", "Trop près du carrefour."), &[]).await.leads_to("/agent/avis-a-rendre?fait=rendu");
        let mut maud = portal.agent("maud.etienne").await;
        let late = maud.upload(&path, &fields("favourable", "Rien à signaler."), &[]).await.is(200);
        late.shows("n'est pas enregistré").shows("Rien à signaler.").shows("Trop près du carrefour.").hides(WHERE);
        thierry.get(&format!("{path}/fichiers/{file}")).await.is(404);

        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1);
        assert_eq!(state(&portal, filed.id).await, "complete");
        let page = guillaume.get(&format!("/agent/demandes/{}?onglet=avis", filed.id)).await.is(200);
        let page = page.shows("Défavorable").shows("Trop près du carrefour.").shows("releve.pdf").shows("Thierry Kowalski");
        let joined = file_of(&page, "/agent/fichiers/");
        guillaume.get(&format!("/agent/fichiers/{joined}")).await.is(200);
        person.get(&format!("/fichiers/{joined}")).await.is(404);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("carrefour").hides("releve.pdf");
        guillaume.get(&format!("/agent/demandes/{}?onglet=historique", filed.id)).await.is(200).shows("Avis rendu : Service de la voirie");
        assert_eq!(mails(&portal, "Un avis est rendu").await[0].0, "urbanisme@valmont.example");
    }

    async fn what_was_given_is_not_added_to(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        act(&mut guillaume, filed.id, "consult").await;
        let path = asked(&portal, filed.id, "voirie").await;
        let (mut thierry, mut maud) = (portal.agent("thierry.kowalski").await, portal.agent("maud.etienne").await);
        let first = thierry.upload(&path, &fields("", ""), &[("fichier", "releve.pdf", PDF)]).await.is(422);
        let kept = file_of(&first, "/fichiers/");
        let (place, give) = (path.clone(), fields("favourable", "Rien à signaler."));
        let meanwhile = async move {
            thierry.upload(&place, &give, &[]).await.leads_to("/agent/avis-a-rendre?fait=rendu");
        };
        let late = maud.upload_slowly(&path, &fields("unfavourable", "Trop près."), ("fichier", "photo.pdf", PDF), meanwhile).await.is(200);
        late.shows("n'est pas enregistré").shows("Trop près.");
        maud.upload(&path, &[("retirer".to_owned(), kept)], &[]).await.is(200);
        let page = guillaume.get(&format!("/agent/demandes/{}?onglet=avis", filed.id)).await.is(200);
        page.shows("releve.pdf").hides("photo.pdf").shows("Favorable");
        let files: i64 = portal.db().one(sql!("select count(*) from file where authority_id = $1 and slot like 'opinion:%'"), args![portal.city]).await.unwrap();
        assert_eq!(files, 1);
    }

    async fn a_forwarded_link_shows_nothing(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        let link = outside(&portal, &mut guillaume, filed.id, &["terrain"]).await;
        let mut friend = portal.client();
        friend.get(&link).await.is(200).hides(WHERE).hides(&filed.reference).hides("péril");
        friend.upload(&link, &fields("favourable", "À moi"), &[]).await.leads_to(&link);
        friend.post(&format!("{link}/ouvrir"), &[("code", "AAAAAAAAAA")]).await.is(422).hides(WHERE);
        let mut expert = open(&portal, &link).await;
        expert.get(&link).await.is(200).shows(WHERE).shows("péril").hides("Plan de situation");
        // The link, and a code that served, are worth nothing elsewhere.
        let used = code(&portal).await;
        friend.post(&format!("{link}/ouvrir"), &[("code", &used)]).await.leads_to(&link);
        friend.get(&link).await.is(200).shows("ouvert ailleurs").hides(WHERE).hides("péril");
        friend.post(&format!("{link}/code"), &[]).await.leads_to(&link);
        assert_eq!(mails(&portal, "Votre code").await.len(), 1);
        friend.upload(&link, &fields("favourable", "À moi"), &[]).await.leads_to(&link);
        // What the expert may not have: a file that was not chosen.
        let of = sql!("select id from file where authority_id = $1 and owner_id = $2 and slot = 'piece:plan-situation'");
        let file: Uuid = portal.db().one(of, args![portal.city, filed.id]).await.unwrap();
        expert.get(&format!("{link}/fichiers/{file}")).await.is(404);
        let of = sql!("select count(*) from journal where authority_id = $1 and request_id = $2 and actor_kind = 'expert' and action = 'opinion-opened'");
        assert_eq!(portal.db().one::<i64>(of, args![portal.city, filed.id]).await.unwrap(), 1);

        // Another link ends the first, and the browser that had it.
        let tab = format!("/agent/demandes/{}?onglet=avis", filed.id);
        let action = |page: &Page, ends: &str| {
            page.forms().into_iter().find(|form| form.action.ends_with(ends)).unwrap().action
        };
        let page = guillaume.get(&tab).await.is(200).shows("Le lien a été ouvert");
        let (again, withdraw) = (action(&page, "/lien"), action(&page, "/retirer"));
        guillaume.post(&again, &[]).await.is(303);
        expert.get(&link).await.is(404).hides(WHERE);
        let second = self::link(&portal).await;
        assert_ne!(second, link);
        let mut expert = open(&portal, &second).await;
        expert.get(&second).await.is(200).shows(WHERE);
        guillaume.post(&withdraw, &[]).await.is(303);
        expert.get(&second).await.is(200).shows("n'est plus attendu").hides(WHERE);
        let lost = expert.upload(&second, &fields("reserves", "Mes mots à moi"), &[]).await.is(200);
        lost.shows("Mes mots à moi").hides(WHERE);
        guillaume.get(&tab).await.is(200).shows("Demande d'avis retirée").hides("Mes mots");
    }

    async fn somebody_outside_answers_once_and_until_a_week_after(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        let first = outside(&portal, &mut guillaume, filed.id, &["terrain"]).await;
        let mut expert = open(&portal, &first).await;
        expert.upload(&first, &fields("reserves", "Un étai d’abord."), &[]).await.leads_to(&first);
        expert.get(&first).await.is(200).shows("votre avis est transmis").hides(WHERE);
        expert.upload(&first, &fields("favourable", "Finalement oui."), &[]).await.is(200);
        let tab = format!("/agent/demandes/{}?onglet=avis", filed.id);
        guillaume.get(&tab).await.is(200).shows("Favorable avec réserves").shows("Un étai d'abord.").hides("Finalement");
        assert_eq!(mails(&portal, "Un avis est rendu").await[0].0, "guillaume.perez@valmont.example");

        let second = outside(&portal, &mut guillaume, filed.id, &["terrain"]).await;
        let mut expert = open(&portal, &second).await;
        // Asked for fifteen days: reminded on the last, with the same link, so that what is being written goes on; told late the day after.
        portal.later(SignedDuration::from_hours(24 * 15));
        awaited::remind::<consultations::Opinion>(&portal.app).await.unwrap();
        awaited::remind::<consultations::Opinion>(&portal.app).await.unwrap();
        assert_eq!(mails(&portal, "attendu aujourd").await.len(), 1);
        let reminded = link(&portal).await;
        assert_eq!(reminded, second);
        expert.get(&reminded).await.is(200).shows(WHERE);
        portal.later(SignedDuration::from_hours(24));
        awaited::remind::<consultations::Opinion>(&portal.app).await.unwrap();
        awaited::remind::<consultations::Opinion>(&portal.app).await.unwrap();
        let late = mails(&portal, "Un avis n’est pas rendu").await;
        assert_eq!(late.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["guillaume.perez@valmont.example"]);
        let mut guillaume = portal.agent("guillaume.perez").await;
        guillaume.get(&tab).await.is(200).shows("En retard");
        expert.get(&reminded).await.is(200).shows(WHERE);
        portal.later(SignedDuration::from_hours(24 * 7));
        expert.get(&reminded).await.is(200).shows("n'est plus attendu").hides(WHERE);
    }

    async fn answers_that_come_together_count_once_each(portal: Portal) {
        let (_, mut guillaume, filed) = complete(&portal).await;
        act(&mut guillaume, filed.id, "consult").await;
        let ask = format!("/agent/demandes/{}/avis/demander", filed.id);
        let form = guillaume.get(&ask).await.is(200).form("question");
        let form = form.with("destinataire", "education").with("question", "Une plainte est-elle connue ?");
        let (one, two) = (form.fields.clone(), form.fields.clone());
        let mut beside = guillaume.clone();
        let (one, two) = tokio::join!(guillaume.post_form(&ask, &one), beside.post_form(&ask, &two));
        assert_eq!((one.status, two.status), (303, 303));
        assert_eq!(portal.count("consultation").await, 2, "one click asks once");
        guillaume.post_form(&ask, &form.clone().with("question", "").with("jours", "0").fields).await.is(422).shows("Écrivez la question").shows("de 1 à 365");

        let voirie = asked(&portal, filed.id, "voirie").await;
        let education = asked(&portal, filed.id, "education").await;
        let (mut thierry, mut maud) = (portal.agent("thierry.kowalski").await, portal.agent("maud.etienne").await);
        let mut fatoumata = portal.agent("fatoumata.diallo").await;
        let (yes, no) = (fields("favourable", "Oui"), fields("none", ""));
        let (a, b, c) = tokio::join!(thierry.upload(&voirie, &yes, &[]), maud.upload(&voirie, &no, &[]), fatoumata.upload(&education, &no, &[]));
        assert_eq!([a.status, b.status].iter().filter(|status| **status == 303).count(), 1, "{} {}", a.status, b.status);
        assert_eq!(c.status, 303);
        let given = sql!("select count(*) from request_event where authority_id = $1 and request_id = $2 and code = 'opinion-given'");
        assert_eq!(portal.db().one::<i64>(given, args![portal.city, filed.id]).await.unwrap(), 2);
        let (one, two) = tokio::join!(timers::tick(&portal.app), timers::tick(&portal.app));
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        assert_eq!(state(&portal, filed.id).await, "complete");
    }

    async fn a_request_that_moved_on_or_ended_waits_for_nobody(portal: Portal) {
        let (mut person, mut guillaume, filed) = complete(&portal).await;
        act(&mut guillaume, filed.id, "consult").await;
        act(&mut guillaume, filed.id, "resume").await;
        let voirie = asked(&portal, filed.id, "voirie").await;
        let mut thierry = portal.agent("thierry.kowalski").await;
        thierry.upload(&voirie, &fields("favourable", "Tard mais là."), &[]).await.is(303);
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 0, "nothing waits for it any more");
        guillaume.get(&format!("/agent/demandes/{}?onglet=avis", filed.id)).await.is(200).shows("Tard mais là.");

        act(&mut guillaume, filed.id, "consult").await;
        // Its department is gone since: the agent reads so, and takes it back.
        portal.direct(vec!["update consultation set department_id = 'jadis' where state = 'open'".to_owned()]).await;
        let tab = format!("/agent/demandes/{}?onglet=avis", filed.id);
        let page = guillaume.get(&tab).await.is(200).shows("Service supprimé (jadis)");
        let withdraw = page.forms().into_iter().find(|form| form.action.ends_with("/retirer")).unwrap().action;
        guillaume.post(&withdraw, &[]).await.is(303);
        assert_eq!(timers::tick(&portal.app).await.unwrap(), 1, "nothing else is awaited");

        act(&mut guillaume, filed.id, "consult").await;
        let of = sql!("select id from consultation where authority_id = $1 and state = 'open'");
        let open: Uuid = portal.db().one(of, args![portal.city]).await.unwrap();
        let cancel = format!("/demandes/{}/annuler", filed.id);
        let form = person.get(&cancel).await.is(200).form("version");
        person.post_form(&cancel, &form.fields).await.is(303);
        let path = format!("/agent/avis-a-rendre/{open}");
        thierry.get(&path).await.is(200).shows("n'est plus attendu").hides(WHERE);
        portal.later(SignedDuration::from_hours(24 * 30));
        awaited::remind::<consultations::Opinion>(&portal.app).await.unwrap();
        assert!(mails(&portal, "attendu aujourd").await.is_empty());
    }
}
