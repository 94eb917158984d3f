//! The city itself: departments, agents, usagers.

use anyhow::{Context, Result};
use forms::kinds::phone::e164;
use jiff::Span;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::PASSWORD;
use crate::{
    accounts::{self, NewAccount, session::Kind},
    agents::{self, General, Role},
    app::App,
    authorities::{self, Department, Holidays, Settings, Street, Topic},
    catalogue, delegations, identity,
    visit::Visit,
    work,
};

#[derive(Deserialize)]
pub struct City {
    authority: Authority,
    departments: Vec<Department>,
    receives_changes: std::collections::BTreeMap<String, Vec<String>>,
    themes: Vec<Topic>,
    events: Vec<Topic>,
    popular: Vec<String>,
    streets: Vec<Street>,
    pub agents: Vec<AgentOf>,
    pub usagers: Vec<Usager>,
}

#[derive(Deserialize)]
struct Authority {
    slug: String,
    name: String,
    short: String,
    insee: String,
    postcode: String,
    address: String,
    phone: String,
    email: String,
    site: String,
    dpo_email: String,
    tribunal: String,
    opening_hours: String,
}

#[derive(Deserialize)]
pub struct AgentOf {
    first_name: String,
    last_name: String,
    pub email: String,
    pub quality: String,
    pub memberships: Vec<Member>,
    #[serde(default)]
    pub general: Vec<General>,
    /// What they may sign.
    #[serde(default)]
    delegations: Vec<DelegationOf>,
}

#[derive(Deserialize)]
struct DelegationOf {
    department: String,
    quality: String,
    act: String,
}

impl AgentOf {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    pub fn signs(&self, department: &str) -> bool {
        self.delegations.iter().any(|line| line.department == department)
    }

    pub fn decides(&self, department: &str) -> bool {
        self.memberships
            .iter()
            .any(|member| member.department == department && matches!(member.role.as_str(), "decider" | "manager"))
    }
}

impl City {
    pub fn department_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.departments.iter().find(|department| department.id == id).map_or(id, |department| &department.name)
    }
}

#[derive(Deserialize)]
pub struct Member {
    pub department: String,
    pub role: String,
}

#[derive(Deserialize)]
pub struct Usager {
    pub first_names: String,
    pub birth_name: String,
    #[serde(default)]
    pub use_name: Option<String>,
    pub birth_date: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: Home,
}

#[derive(Deserialize)]
pub struct Home {
    #[serde(default)]
    pub number: Option<String>,
    pub street: String,
    pub postcode: String,
    pub city: String,
}

/// Whose identity nobody has verified, among those who have an account: the second one printed.
pub const UNVERIFIED: usize = 1;

impl Usager {
    /// What an agent would have read on their papers.
    fn checked(&self) -> Json {
        let mut read =
            json!({"nom_naissance": self.birth_name, "prenoms": self.first_names, "date_naissance": self.birth_date});
        if let (Some(read), Some(name)) = (read.as_object_mut(), &self.use_name) {
            read.insert("nom_usage".into(), json!(name));
        }
        read
    }

    pub fn family_name(&self) -> &str {
        self.use_name.as_deref().unwrap_or(&self.birth_name)
    }
}

pub fn read() -> Result<City> {
    serde_json::from_str(include_str!("../../demo/city.json")).context("demo/city.json")
}

/// Creates the authority with all that it holds but requests.
pub async fn found(app: &App, city: &City) -> Result<Visit> {
    let (id, now, of) = (app.clock.id(), app.clock.now(), &city.authority);
    let settings = Settings {
        short: of.short.clone(),
        public_url: String::new(),
        prefix: "VAL".into(),
        second_factor: Vec::new(),
        receives_changes: city.receives_changes.clone(),
        appeal: String::new(),
        tribunal: of.tribunal.clone(),
        holidays: Holidays::default(),
        closed_days: std::collections::BTreeMap::new(),
        contacts_months: 12,
        scans_days: 30,
        zone: "Europe/Paris".into(),
        address: of.address.clone(),
        phone: of.phone.clone(),
        email: of.email.clone(),
        site: of.site.clone(),
        dpo_email: of.dpo_email.clone(),
        opening_hours: of.opening_hours.clone(),
        themes: city.themes.clone(),
        events: city.events.clone(),
        popular: city.popular.clone(),
        streets: city.streets.clone(),
        postcode: of.postcode.clone(),
        insee: of.insee.clone(),
    };
    authorities::create(&app.db, id, &of.slug, &of.name, settings, &["*"], now).await?;
    let visit = work::visit(app, id).await?;
    for department in &city.departments {
        authorities::add_department(&visit.db, department).await?;
    }
    catalogue::publish(&visit.db, &catalogue::shipped()?, now).await?;
    people(&visit, city).await?;
    Ok(visit)
}

async fn people(visit: &Visit, city: &City) -> Result<()> {
    // Hashing is slow on purpose: once is enough for a password that everybody shares.
    let hash = accounts::hash(PASSWORD).await?;
    for agent in &city.agents {
        let new = NewAccount {
            id: visit.id(),
            kind: Kind::Agent,
            email: agent.email.clone(),
            password_hash: Some(hash.clone()),
            first_name: agent.first_name.clone(),
            last_name: agent.last_name.clone(),
            phone: None,
            quality: Some(agent.quality.clone()),
            confirmed_at: Some(visit.now),
        };
        let id = new.id;
        accounts::create(&visit.db, &new, visit.now).await?;
        for member in &agent.memberships {
            agents::add_membership(&visit.db, id, &member.department, Role::parse(&member.role).context("role")?)
                .await?;
        }
        for line in &agent.delegations {
            delegate(visit, id, line).await?;
        }
        for general in &agent.general {
            agents::set_general(&visit.db, id, *general, true, visit.now).await?;
        }
    }
    for (index, usager) in city.usagers.iter().filter(|usager| usager.email.is_some()).enumerate() {
        let new = NewAccount {
            id: visit.id(),
            kind: Kind::Usager,
            email: usager.email.clone().unwrap_or_default(),
            password_hash: Some(hash.clone()),
            first_name: usager.first_names.clone(),
            last_name: usager.family_name().to_owned(),
            phone: usager.phone.as_deref().and_then(e164),
            quality: None,
            confirmed_at: Some(visit.now),
        };
        match accounts::create(&visit.db, &new, visit.now).await {
            // Two people share a contact address, never a sign-in: the second has no account.
            Err(error) if error.is_unique("account_login_key") => continue,
            other => other?,
        }
        if index != UNVERIFIED {
            let checked = usager.checked();
            let id = new.id;
            let record = async |tx: &mut db::Tx| identity::record(tx, id, "counter", &checked, visit.now).await;
            visit.db.write(record).await?;
        }
    }
    Ok(())
}

/// A line of the register, older than every sample request.
async fn delegate(visit: &Visit, agent: Uuid, line: &DelegationOf) -> Result<()> {
    let from_on = visit.today().checked_sub(Span::new().months(8))?;
    let new = delegations::New {
        id: visit.id(),
        account: agent,
        department: &line.department,
        quality: &line.quality,
        procedures: &[],
        decisions: "all",
        delegated: true,
        act_number: &line.act,
        act_date: from_on.checked_sub(Span::new().days(3))?,
        from_on,
        until_on: None,
        by: agent,
    };
    visit.db.write(async |tx: &mut db::Tx| delegations::add(tx, &new, visit.now).await).await?;
    Ok(())
}

/// The accounts to print: one usager, then agents of different rights.
pub fn accounts(city: &City) -> Vec<Json> {
    let usagers = city.usagers.iter().filter(|usager| usager.email.is_some()).take(2).enumerate().map(|(index, usager)| {
        let more = if index == 0 { super::acting::LABEL } else { "" };
        let verified = index != UNVERIFIED;
        let what = if verified { "usager, identité vérifiée" } else { "usager" };
        json!({"role": "usager", "email": usager.email, "password": PASSWORD, "verified": verified, "label": format!("{what} : {} {}{more}", usager.first_names, usager.family_name())})
    });
    let agents = city.agents.iter().map(|agent| {
        let member = |member: &Member| format!("{} ({})", member.department, in_french(&member.role));
        let general = agent
            .general
            .iter()
            .map(|one| match one {
                General::Administrator => "administration",
                General::Archivist => "archives",
                General::Observer => "chiffres de la collectivité",
            })
            .map(str::to_owned);
        let of: Vec<String> = agent.memberships.iter().map(member).chain(general).collect();
        let general = agent.general.first().map(|one| one.name().to_owned());
        json!({
            "role": "agent", "email": agent.email, "password": PASSWORD, "label": format!("agent : {}", of.join(", ")),
            "departments": agent.memberships.iter().map(|member| member.department.clone()).collect::<Vec<_>>(),
            "right": agent.memberships.first().map(|member| member.role.clone()).or(general),
        })
    });
    usagers.chain(agents).collect()
}

fn in_french(role: &str) -> &str {
    match role {
        "reader" => "accueil",
        "processor" => "instruction",
        "decider" => "décision",
        "manager" => "responsable",
        other => other,
    }
}

/// Ids of the agents of a department who may decide, and of its usagers' accounts.
pub async fn account_of(visit: &Visit, kind: Kind, email: &str) -> Result<Option<Uuid>, db::Error> {
    visit
        .db
        .first(
            db::sql!("select id from account where authority_id = $1 and kind = $2 and login = $3"),
            db::args![visit.db.authority(), kind.name(), email],
        )
        .await
}
