//! The desk as agents meet it: the whole application over the sample city, on both engines.

mod acts;
mod batch;
mod exports;
mod lists;
mod narrow;
mod rights;

use std::path::PathBuf;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use db::{Tx, args, sql};
use forms::{
    answers::Answers,
    step::{Clocks, Life},
};
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    accounts::session::{self, Account, Kind},
    agents,
    app::App,
    catalogue, demo,
    platform::{clock::Clock, config::Config},
    requests::{model, owner, store},
    routes,
    visit::{Agent, Visit},
    work,
};

/// The sample city without requests, on a database and in a folder of its own.
pub struct World {
    pub app: App,
    pub visit: Visit,
    router: Router,
    folder: PathBuf,
    _base: db::testing::TestDb,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    /// Without entities: what a person reads.
    pub text: String,
    /// As it was sent.
    pub bytes: Vec<u8>,
}

impl World {
    pub async fn new(base: db::testing::TestDb) -> Self {
        // The first test of the process does it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = std::env::temp_dir().join(format!("guichet-desk-{}", Clock::System.id()));
        let config =
            Config { database: base.url.clone(), data: folder.clone(), secure_cookies: false, ..Config::default() };
        let app = App::open(config, Clock::System, false).await.unwrap();
        demo::fill(&app, 0).await.unwrap();
        let authority = app.db.one(sql!("select id from authority where slug = 'valmont'"), args![]).await.unwrap();
        let visit = work::visit(&app, authority).await.unwrap();
        Self { router: routes::router(app.clone()), app, visit, folder, _base: base }
    }

    pub async fn sqlite() -> Self {
        Self::new(db::testing::sqlite()).await
    }

    pub async fn account(&self, name: &str) -> Uuid {
        let db = &self.visit.db;
        let email = format!("{name}@valmont.example");
        db.one(
            sql!("select id from account where authority_id = $1 and kind = 'agent' and email = $2"),
            args![db.authority(), email],
        )
        .await
        .unwrap()
    }

    /// The agent as handlers receive them.
    pub async fn agent(&self, name: &str) -> Agent {
        let id = self.account(name).await;
        let agents::Standing { memberships, limited, .. } = agents::standing(&self.visit, id).await.unwrap();
        let account = Account {
            id,
            login: String::new(),
            email: None,
            first_name: name.to_owned(),
            last_name: String::new(),
            phone: None,
            quality: None,
        };
        Agent {
            visit: self.visit.clone(),
            session_id: Uuid::nil(),
            passkey: None,
            account,
            ends_on: None,
            memberships,
            limited,
            general: Vec::new(),
            asks: false,
        }
    }

    /// The cookie of a signed-in agent.
    pub async fn sign_in(&self, name: &str) -> String {
        let id = self.account(name).await;
        let visit = &self.visit;
        let opened = visit
            .db
            .write(async |tx: &mut Tx| {
                session::open(tx, visit, Kind::Agent, Some((id, crate::accounts::Means::Password))).await
            })
            .await
            .unwrap();
        opened.cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.send(cookie, Method::GET, path, &[]).await
    }

    pub async fn post(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(cookie, Method::POST, path, fields).await
    }

    async fn send(&self, cookie: &str, method: Method, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", crate::platform::encode(value)))
            .collect::<Vec<_>>()
            .join("&");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "valmont.example")
            .header(header::ORIGIN, "http://valmont.example")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let location = response.headers().get(header::LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes)
            .replace("&#x2f;", "/")
            .replace("&#x27;", "'")
            .replace("&quot;", "\"")
            .replace("&amp;", "&");
        Answer { status, location, text, bytes: bytes.into() }
    }

    /// A request to file.
    pub fn filing(&self, procedure: &'static str) -> Filing {
        Filing {
            procedure,
            state: "submitted",
            name: "Zoé L’Héritier",
            email: Some("zoe@exemple.fr"),
            hours: 24,
            answers: Answers::new(),
            words: "",
        }
    }

    /// Files it as if it had been sent and had come to its state; gives its id.
    pub async fn file(&self, filing: Filing) -> Uuid {
        let visit = &self.visit;
        let published = catalogue::find(visit, filing.procedure).await.unwrap().unwrap();
        let procedure = &published.procedure;
        let state = procedure.workflow.state(filing.state).unwrap();
        let submitted = before(visit.now, filing.hours);
        let life = Life {
            state: filing.state.to_owned(),
            submitted,
            due: before(visit.now, filing.hours - 48),
            suspended: (filing.state == "incomplete").then_some(submitted),
            completed: None,
            ended: state.end.then_some(visit.now),
            held: false,
            clocks: Clocks::default(),
        };
        let (id, reference) = (visit.id(), model::reference("VAL"));
        let mut said = procedure.said(&filing.answers);
        said.words = format!("{} {}", said.words, filing.words);
        visit
            .db
            .write(async |tx: &mut Tx| {
                let new = store::New {
                    id,
                    reference: &reference,
                    procedure_id: filing.procedure,
                    procedure_version: published.version,
                    department_id: &procedure.department,
                    whose: owner::Whose::default(),
                    acted_as: None,
                    filer_name: Some(filing.name),
                    beneficiary: None,
                    email: filing.email,
                    answers: &filing.answers,
                    said: &said,
                    status: model::status_name(state.status),
                    life: &life,
                    archive_at: model::archive_at(procedure, &life, &visit.site),
                    confidential_address: false,
                    channel: crate::requests::Channel::Web,
                    now: life.submitted,
                };
                store::insert(tx, &new).await
            })
            .await
            .unwrap();
        id
    }

    pub async fn count(&self, sql: db::Sql, request: Uuid) -> i64 {
        self.visit.db.one(sql, args![self.visit.db.authority(), request]).await.unwrap()
    }
}

pub struct Filing {
    pub procedure: &'static str,
    pub state: &'static str,
    pub name: &'static str,
    pub email: Option<&'static str>,
    /// Sent this many hours ago; due two days after.
    pub hours: i64,
    pub answers: Answers,
    pub words: &'static str,
}

pub fn before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap()
}

/// The path of a request's page.
pub fn page(id: Uuid) -> String {
    format!("/agent/demandes/{id}")
}
