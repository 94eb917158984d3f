//! Accounts as people meet them: pages, cookies, mails.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use db::{args, sql};
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

use super::{NewAccount, session, session::Kind};
use crate::{
    app::App,
    authorities,
    platform::{clock::Clock, config::Config, encode},
    routes, work,
};

mod doors;
mod mine;
mod story;

const PASSWORD: &str = "cheval agrafe tulipe";
const OTHER: &str = "girafe bleue du mardi";

/// A city without procedures, at a time that the test moves.
struct Site {
    app: App,
    id: Uuid,
    router: Router,
    micros: Arc<AtomicI64>,
    folder: std::path::PathBuf,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Site {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let _ = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
        let folder = std::env::temp_dir().join(format!("guichet-accounts-{}", Uuid::new_v4()));
        let config = Config {
            data: folder.clone(),
            secure_cookies: false,
            public_url: "http://ville.test".into(),
            ..Config::default()
        };
        let micros =
            Arc::new(AtomicI64::new("2026-11-21T09:00:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond()));
        let app = App::open(config, Clock::Set(micros.clone()), false).await.unwrap();
        let settings = json!({
            "short": "Valmont", "prefix": "VAL", "zone": "Europe/Paris", "address": "1 place de l’Hôtel-de-Ville", "phone": "01 02 03 04 05",
            "email": "mairie@valmont.example", "site": "", "dpo_email": "", "opening_hours": "", "themes": [], "events": [], "popular": [],
            "postcode": "99140", "insee": "99999",
        });
        let id = app.clock.id();
        let now = app.clock.now();
        authorities::create(
            &app.db,
            id,
            "valmont",
            "Ville de Valmont",
            serde_json::from_value(settings).unwrap(),
            &["ville.test"],
            now,
        )
        .await
        .unwrap();
        Self { router: routes::router(app.clone()), id, app, micros, folder }
    }

    fn db(&self) -> db::Db {
        self.app.db.for_authority(self.id)
    }

    fn later(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new() }
    }

    async fn account(&self, kind: Kind, email: &str) -> Uuid {
        let id = self.app.clock.id();
        let new = NewAccount {
            id,
            kind,
            email: email.into(),
            password_hash: Some(super::hash(PASSWORD).await.unwrap()),
            first_name: "Camille".into(),
            last_name: "Moreau".into(),
            phone: None,
            quality: None,
            confirmed_at: Some(self.app.clock.now()),
        };
        super::create(&self.db(), &new, self.app.clock.now()).await.unwrap();
        id
    }

    /// Sends what waits; gives every mail sent so far: recipient, subject, text.
    async fn mails(&self) -> Vec<(String, String, String)> {
        while work::turn(&self.app).await.unwrap() > 0 {}
        let failed: Vec<String> = self
            .db()
            .all(sql!("select last_error from job where authority_id = $1 and last_error is not null"), args![self.id])
            .await
            .unwrap();
        assert_eq!(failed, Vec::<String>::new());
        self.db()
            .all(
                sql!("select recipient, subject, body from outbox where authority_id = $1 order by id"),
                args![self.id],
            )
            .await
            .unwrap()
    }

    /// The path of the link in the latest mail.
    async fn link(&self) -> String {
        let mails = self.mails().await;
        let (_, _, body) = mails.last().expect("a mail");
        let line = body.lines().find_map(|line| line.trim().strip_prefix("http://ville.test")).expect("a link");
        line.to_owned()
    }
}

struct Browser<'a> {
    site: &'a Site,
    cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Page {
    status: StatusCode,
    location: String,
    body: String,
}

impl Page {
    #[track_caller]
    fn shows(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "« {text} » is not in {} {}\n{}", self.status, self.location, self.main());
        self
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{} {}", self.location, self.main());
        self
    }

    #[track_caller]
    fn leads_to(&self, location: &str) -> &Self {
        assert_eq!((self.status.as_u16(), self.location.as_str()), (303, location), "{}", self.main());
        self
    }

    fn main(&self) -> &str {
        self.body
            .split_once("<main")
            .map_or(&self.body, |(_, main)| main.split_once("</main").map_or(main, |(main, _)| main))
    }

    /// Value of the hidden field `name`, as a browser would send it.
    fn hidden(&self, name: &str) -> String {
        let field = self
            .body
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap_or_else(|| panic!("no field {name} in {}", self.main()))
            .1;
        let value = field.split('"').next().unwrap();
        let named = [("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        named.iter().fold(value.to_owned(), |value, (entity, letter)| value.replace(entity, letter))
    }
}

impl Browser<'_> {
    async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request
            .header("host", "ville.test")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookies.join("; "));
        let response = self.site.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.into(), value.into())
            };
        }
        let location = response.headers().get(header::LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let status = response.status();
        assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "the page broke");
        let body = String::from_utf8_lossy(&to_bytes(response.into_body(), 1 << 22).await.unwrap()).into_owned();
        Page { status, location, body }
    }

    async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), Body::empty()).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.raw(path, pairs.join("&")).await
    }

    async fn raw(&mut self, path: &str, body: String) -> Page {
        self.send(Request::post(path).header("content-type", "application/x-www-form-urlencoded"), Body::from(body))
            .await
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.post("/connexion", &[("email", email), ("mot-de-passe", password)]).await
    }

    async fn sign_up(&mut self, email: &str) -> Page {
        let form = [
            ("prenom", "Camille"),
            ("nom", "Moreau"),
            ("email", email),
            ("mot-de-passe", PASSWORD),
            ("suite", "/demarches"),
        ];
        self.post("/inscription", &form).await
    }

    async fn signed_in(&mut self) -> bool {
        self.get("/compte").await.status == StatusCode::OK
    }
}
