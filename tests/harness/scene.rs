//! Two cities on one installation, with people of every kind and something of each to look at.

use std::collections::BTreeMap;

use db::{args, sql};
use guichet::{
    accounts::{self, NewAccount, session::Kind},
    agents::{self, General, Role},
    authorities, catalogue, work,
};
use uuid::Uuid;

use super::{
    Client, OTHER_USAGER, PASSWORD, Portal, USAGER,
    household::{declare, invite, live},
    journey::{JPEG, birth},
    links::{BORN, HEADER, REFERENCE, declare as declare_service, link, load},
};

pub const ELSEWHERE: &str = "autre.test";

/// Words that only the owner's request, draft and documents hold.
pub const SECRETS: [&str; 3] = ["Zéphyrine", "carte secrète", "document secret"];

pub struct Scene {
    pub portal: Portal,
    pub nobody: Client,
    pub owner: Client,
    /// Another usager of the city.
    pub other: Client,
    /// Agents of the department: who only reads, who processes, who decides.
    pub reader: Client,
    pub processor: Client,
    pub decider: Client,
    /// An agent of another department.
    pub outsider: Client,
    /// The department's manager, the manager of another, and somebody who reads here and manages there.
    pub manager: Client,
    pub manager_elsewhere: Client,
    pub mixed: Client,
    /// A usager and an agent of another city, on its own host.
    pub abroad: Client,
    pub agent_abroad: Client,
    /// Sessions of the other city, shown at this city's door.
    pub smuggler: Client,
    pub administrator: Client,
    pub archivist: Client,
    pub observer: Client,
    /// Values of route parameters.
    pub names: BTreeMap<&'static str, String>,
}

impl Scene {
    pub async fn set(portal: Portal) -> Self {
        let visit = work::visit(&portal.app, portal.city).await.unwrap();
        let lea = account(&portal, "lea.fontaine@valmont.example").await;
        let nadia = account(&portal, "nadia.benali@valmont.example").await;
        agents::add_membership(&visit.db, lea, "etat-civil", Role::Reader).await.unwrap();
        let bruno = account(&portal, "bruno.oeuvrard@valmont.example").await;
        agents::add_membership(&visit.db, bruno, "etat-civil", Role::Reader).await.unwrap();
        declare_service(&portal, "livret", "etat-civil").await;
        crate::contacts::sms::declare(&portal, "http://127.0.0.1:1/sendsms", &[]).await;
        other_city(&portal).await;

        let mut owner = portal.usager(USAGER).await;
        let filed = owner.file("acte-naissance", &birth()).await;
        portal.work().await;
        let (file, job): (Uuid, Uuid) = portal
            .db()
            .one(
                sql!("select f.id, j.id from file f join job j on j.authority_id = f.authority_id and j.request_id = f.owner_id where f.authority_id = $1 limit 1"),
                args![portal.city],
            )
            .await
            .unwrap();
        let (draft, draft_file) = draft(&portal, &mut owner).await;
        let document = document(&mut owner).await;
        let intake = intake(&portal).await;
        let (staff_draft, staff_request) = staff(&portal).await;
        let asset = owner.get("/").await;
        let asset = super::html::tags(asset.html())
            .into_iter()
            .find_map(|tag| tag.get("href").strip_prefix("/static/").map(str::to_owned))
            .unwrap();
        let mut other = portal.usager(OTHER_USAGER).await;
        let organisation = super::acting::declare_club(&mut owner).await;
        let mandate = super::acting::mandate(&portal, &mut owner, &mut other, OTHER_USAGER, &super::acting::ALL).await;
        let names = BTreeMap::from([
            ("organisation", organisation),
            ("mandate", mandate),
            ("invitation", Uuid::new_v4().to_string()),
            ("representative", Uuid::new_v4().to_string()),
            ("procedure", "acte-naissance".to_owned()),
            ("draft", draft),
            ("draft_file", draft_file),
            ("intake", intake),
            ("staff_draft", staff_draft),
            ("staff_request", staff_request),
            ("document", document),
            ("page", "vous".to_owned()),
            ("piece", "identite".to_owned()),
            ("request", filed.id.to_string()),
            ("file", file.to_string()),
            ("job", job.to_string()),
            ("transition", "take".to_owned()),
            ("token", "jeton-inconnu".to_owned()),
            ("name", asset),
            ("mail", Uuid::new_v4().to_string()),
            ("nadia", nadia.to_string()),
            ("account", account(&portal, USAGER).await.to_string()),
            ("member", member(&mut owner).await),
            ("share", invite(&mut owner, "zephyrine@exemple.fr", &[]).await),
            ("address", live(&mut owner, "1 rue Zéphyrine", "2020-05-01", false).await),
            ("client", application(&portal).await),
            ("service", "livret".to_owned()),
            ("disposal", disposal(&portal).await),
            ("delegation", delegation(&portal).await),
            ("consultation", consultation(&portal, filed.id).await),
            ("visa", visa(&portal, filed.id, nadia).await),
            ("linked", offered(&portal, filed.id).await),
            ("contact", contact(&portal).await),
            ("batch", batch(&portal).await),
            ("link", linked(&portal, &mut owner).await),
            ("session", second_session(&portal, "/connexion", USAGER).await),
            ("agent_session", second_session(&portal, "/agent/connexion", "nadia.benali@valmont.example").await),
        ]);
        let (mut abroad, mut agent_abroad) = (portal.client_at(ELSEWHERE), portal.client_at(ELSEWHERE));
        abroad.sign_in("/connexion", USAGER).await;
        agent_abroad.sign_in("/agent/connexion", "agent@autre.example").await;
        other.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let mut smuggler = portal.client();
        smuggler.cookies = abroad.cookies.clone();
        smuggler.cookies.extend(agent_abroad.cookies.clone());
        Self {
            nobody: portal.client(),
            other,
            reader: portal.agent("lea.fontaine").await,
            processor: portal.agent("nadia.benali").await,
            decider: portal.agent("herve.le-goff").await,
            outsider: portal.agent("fatoumata.diallo").await,
            administrator: portal.agent("maelle.keller").await,
            archivist: portal.agent("solange.prevost").await,
            observer: portal.agent("veronique.aumont").await,
            manager: portal.agent("claire.daubigny").await,
            manager_elsewhere: portal.agent("aicha.traore").await,
            mixed: portal.agent("bruno.oeuvrard").await,
            owner,
            abroad,
            agent_abroad,
            smuggler,
            names,
            portal,
        }
    }

    /// The address of a route: `{request}` takes the scene's, `{file=draft_file}` another of its
    /// names, `{transition=refuse}` a word as it is.
    pub fn address(&self, route: &str) -> String {
        let mut out = String::new();
        let mut rest = route;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            let name = name.split_once('=').map_or(name, |(_, value)| value);
            out.push_str(before);
            out.push_str(self.names.get(name).map_or(name, String::as_str));
            rest = after;
        }
        out + rest
    }
}

async fn account(portal: &Portal, email: &str) -> Uuid {
    let query = sql!("select id from account where authority_id = $1 and email = $2");
    portal.db().one(query, args![portal.city, email]).await.unwrap()
}

/// A list of what may be eliminated, of nothing yet.
async fn disposal(portal: &Portal) -> String {
    let (id, archivist) = (Uuid::new_v4(), account(portal, "solange.prevost@valmont.example").await);
    let statement = sql!(
        "insert into disposal (authority_id, id, number, department_id, made_at, made_by) values ($1, $2, 1, 'etat-civil', $3, $4)"
    );
    let now = portal.app.clock.now();
    let write = async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), id, now, archivist]).await;
    portal.db().write(write).await.unwrap();
    id.to_string()
}

/// An opinion on the request, asked of another department, to which a sensitive and every other answer is shown.
async fn consultation(portal: &Portal, request: Uuid) -> String {
    let (id, now) = (Uuid::new_v4(), portal.app.clock.now());
    let statement = sql!(
        "insert into consultation (authority_id, id, request_id, department_id, expert_name, expert_email, question, fields, pieces, until, asked_at, state)
         values ($1, $2, $3, 'voirie', '', '', 'Zéphyrine ?', '[\"demandeur\"]', '[]', '2027-01-01', $4, 'open')"
    );
    let write = async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), id, request, now]).await;
    portal.db().write(write).await.unwrap();
    id.to_string()
}

/// An approval of the request, which its processor asked of those who decide in its department.
async fn visa(portal: &Portal, request: Uuid, asked_by: Uuid) -> String {
    let (id, step, now) = (Uuid::new_v4(), Uuid::new_v4(), portal.app.clock.now());
    let circuit = sql!(
        "insert into approval (authority_id, id, request_id, circuit, title, asked_at, version, asked_by, asker_too, state, fingerprint, letter)
         values ($1, $2, $3, 'accord', 'Zéphyrine', $4, 1, $5, false, 'open', $6, 'null')"
    );
    let one = sql!(
        "insert into approval_step (authority_id, id, approval_id, position, title, department_id, role, state, until)
         values ($1, $2, $3, 0, 'Direction', 'etat-civil', 'decider', 'open', '2027-01-01')"
    );
    let write = async |tx: &mut db::Tx| {
        tx.run(circuit, args![tx.authority(), id, request, now, asked_by, vec![0_u8; 32]]).await?;
        tx.run(one, args![tx.authority(), step, id]).await
    };
    portal.db().write(write).await.unwrap();
    step.to_string()
}

/// Another procedure that the request's usager may go on with.
async fn offered(portal: &Portal, request: Uuid) -> String {
    let (id, now) = (Uuid::new_v4(), portal.app.clock.now());
    let statement = sql!(
        "insert into linked_request (authority_id, id, request_id, start, procedure_id, title, offered_at) values ($1, $2, $3, 'suite', 'acte-mariage', 'Zéphyrine', $4)"
    );
    let write = async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), id, request, now]).await;
    portal.db().write(write).await.unwrap();
    id.to_string()
}

/// A contact that waits in the department whose request it is.
async fn contact(portal: &Portal) -> String {
    let (id, now) = (Uuid::new_v4(), portal.app.clock.now());
    let statement = sql!(
        "insert into contact (authority_id, id, department_id, channel, incoming, at, recorded_at, who, address, subject, body, quoted, shared, as_message, state, reason)
         values ($1, $2, 'etat-civil', 'email', true, $3, $3, 'Zéphyrine', '', '', 'Zéphyrine', '', false, false, 'waiting', '')"
    );
    let write = async |tx: &mut db::Tx| tx.run(statement, args![tx.authority(), id, now]).await;
    portal.db().write(write).await.unwrap();
    id.to_string()
}

/// A batch of two scanned images, in the department whose request it is.
async fn batch(portal: &Portal) -> String {
    let mut nadia = portal.agent("nadia.benali").await;
    let form = nadia.get("/agent/numerisations/nouvelle").await.is(200).form("une-fois");
    let files = [("documents", "Zéphyrine.jpg", JPEG), ("documents", "verso.jpg", JPEG)];
    let sent = nadia.upload("/agent/numerisations/nouvelle", &form.fields, &files).await.is(303);
    sent.location().split(['/', '?']).nth(3).unwrap().to_owned()
}

/// A line of the register of the department whose request it is.
async fn delegation(portal: &Portal) -> String {
    let query = sql!("select id from delegation where authority_id = $1 and department_id = 'etat-civil'");
    portal.db().one::<Uuid>(query, args![portal.city]).await.unwrap().to_string()
}

/// A session of somebody on a machine of which nothing is seen here.
async fn second_session(portal: &Portal, door: &str, email: &str) -> String {
    portal.client().sign_in(door, email).await;
    let id: Uuid = portal
        .db()
        .one(
            sql!("select s.id from session s join account a on a.authority_id = s.authority_id and a.id = s.account_id where s.authority_id = $1 and a.email = $2 order by s.id desc limit 1"),
            args![portal.city, email],
        )
        .await
        .unwrap();
    id.to_string()
}

/// A document of the owner's own, in their open safe.
async fn document(owner: &mut Client) -> String {
    owner.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
    let fields = [("type".to_owned(), "autre".to_owned())];
    let kept =
        owner.upload("/mes-documents/ajouter", &fields, &[("fichier", "document secret.jpg", JPEG)]).await.is(303);
    kept.location().split(['/', '?']).nth(2).unwrap().to_owned()
}

/// A child in the owner's household.
async fn member(owner: &mut Client) -> String {
    declare(owner, "Zéphyrine", "2019").await
}

/// An application of the single sign-on.
async fn application(portal: &Portal) -> String {
    let text = "id = \"app\"\nname = \"Vélos\"\n[oidc]\nredirect_uris = [\"https://app.test/retour\"]\n";
    crate::sso::declare(portal, text).await;
    "app".to_owned()
}

/// A reference that the owner linked, whose data no other may read.
async fn linked(portal: &Portal, owner: &mut Client) -> String {
    let csv = format!("{HEADER}DEC-100001;27/03/1985;Zéphyrine Martin;Lyon;1;\n");
    load(portal, "livret", &csv, false).await;
    link(owner, "livret", REFERENCE, BORN).await.rsplit_once('/').unwrap().1.to_owned()
}

/// A draft with a file, not finished.
async fn draft(portal: &Portal, owner: &mut Client) -> (String, String) {
    let answers = portal.sample("recensement-citoyen").await;
    let mut path = owner.get("/demarches/recensement-citoyen/remplir").await.is(303).location().to_owned();
    while !path.contains("/pieces/") {
        path = owner.answer(&path, &answers).await;
    }
    let fields = [("action".to_owned(), "ajouter".to_owned())];
    owner.upload(&path, &fields, &[("fichier", "carte secrète.jpg", JPEG)]).await.leads_to(&path);
    let page = owner.get(&path).await;
    let file = super::html::tags(page.html())
        .into_iter()
        .find_map(|tag| tag.get("href").strip_prefix("/fichiers/").map(str::to_owned))
        .unwrap();
    (path.split('/').nth(2).unwrap().to_owned(), file)
}

/// A draft that the processor fills in for the owner.
async fn intake(portal: &Portal) -> String {
    let mut nadia = portal.agent("nadia.benali").await;
    let form = nadia.get("/agent/depots/nouveau").await.is(200).form("une-fois");
    let form = form.with("demarche", "acte-naissance").with("compte", USAGER);
    let begun = nadia.post_form("/agent/depots/nouveau", &form.fields).await.is(303);
    nadia.fill_from(begun.location(), &birth()).await.split('/').nth(3).unwrap().to_owned()
}

/// A draft and a request of the processor's own.
async fn staff(portal: &Portal) -> (String, String) {
    let mut nadia = portal.agent("nadia.benali").await;
    let mut begin = async || {
        let page = nadia.get("/agent/interne/demarches/demande-conge").await.is(200);
        let form = page.form("une-fois");
        let first = nadia.submit(&page, &form, &form.fields).await.is(303).location().to_owned();
        nadia.fill_from(&first, &portal.sample("demande-conge").await).await
    };
    let (kept, check) = (begin().await, begin().await);
    let sent = nadia.send_checked(&check).await.id.to_string();
    (kept.split('/').nth(4).unwrap().to_owned(), sent)
}

/// Another city of the same installation: same procedures, same departments, a usager of the same
/// address, an agent who may do everything.
async fn other_city(portal: &Portal) {
    let (app, now, id) = (&portal.app, portal.app.clock.now(), portal.app.clock.id());
    let here = work::visit(app, portal.city).await.unwrap();
    authorities::create(&app.db, id, "autre", "Ville d'Autre", here.site.settings.clone(), &[ELSEWHERE], now)
        .await
        .unwrap();
    let db = app.db.for_authority(id);
    let departments: Vec<authorities::Department> = portal
        .db()
        .all(
            sql!("select id, name, email, phone, address, hours from department where authority_id = $1"),
            args![portal.city],
        )
        .await
        .unwrap();
    for department in &departments {
        authorities::add_department(&db, department).await.unwrap();
    }
    catalogue::publish(&db, &catalogue::shipped().unwrap(), now).await.unwrap();
    let password_hash = accounts::hash(PASSWORD).await.unwrap();
    for (kind, email) in [(Kind::Usager, USAGER), (Kind::Agent, "agent@autre.example")] {
        let account = app.clock.id();
        let new = NewAccount {
            id: account,
            kind,
            email: email.to_owned(),
            password_hash: Some(password_hash.clone()),
            first_name: "Dominique".into(),
            last_name: "Autre".into(),
            phone: None,
            quality: Some("Maire".into()),
            confirmed_at: Some(now),
        };
        accounts::create(&db, &new, now).await.unwrap();
        if kind == Kind::Agent {
            for department in &departments {
                agents::add_membership(&db, account, &department.id, Role::Manager).await.unwrap();
            }
            for general in [General::Administrator, General::Archivist, General::Observer] {
                agents::set_general(&db, account, general, true, now).await.unwrap();
            }
        }
    }
}
