//! An application that procedures call: a real server, which answers what a test tells it to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use db::{Db, args, sql};
use ring::hmac;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use uuid::Uuid;

/// How one call is answered.
pub enum Reply {
    Says(u16, String),
    /// With an address to go to.
    Elsewhere(String),
    /// The connection stays open, and nothing comes.
    Silent,
    /// A body without end.
    Endless,
    /// Well, but another worker takes the job over before the answer comes.
    Overtaken(Db, String),
}

#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub text: String,
    pub body: Json,
}

impl Call {
    /// Verified as the documentation tells integrators to.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let said = format!("{}.{}.{}", self.id, self.timestamp, self.text);
        self.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|one| {
            let tag = BASE64.decode(one.as_bytes()).unwrap();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), said.as_bytes(), &tag).is_ok()
        })
    }
}

#[derive(Default)]
struct Script {
    calls: Vec<Call>,
    replies: VecDeque<Reply>,
}

#[derive(Clone)]
pub struct Application {
    pub port: u16,
    script: Arc<Mutex<Script>>,
}

impl Application {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let application = Self { port, script: Arc::default() };
        let router = Router::new().fallback(answer).with_state(application.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        application
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/guichet", self.port)
    }

    /// What it answers to the next calls, each once; then that it took them, and no more.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().replies.extend(replies);
    }

    pub fn says(&self, body: &str) {
        self.will([Reply::Says(200, body.to_owned())]);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.script.lock().unwrap().calls.clone()
    }
}

async fn answer(State(application): State<Application>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let call = Call {
        path: uri.path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
        signature: header("webhook-signature"),
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    };
    let reply = {
        let mut script = application.script.lock().unwrap();
        script.calls.push(call);
        script.replies.pop_front()
    };
    match reply {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Says(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Reply::Elsewhere(to)) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Some(Reply::Silent) => std::future::pending().await,
        Some(Reply::Endless) => "x".repeat(100_000).into_response(),
        Some(Reply::Overtaken(db, body)) => {
            let steal = async |tx: &mut db::Tx| {
                let taken = sql!(
                    "update job set lease = $2 where authority_id = $1 and kind = 'webhook' and lease is not null"
                );
                tx.run(taken, args![tx.authority(), Uuid::new_v4()]).await
            };
            assert_eq!(db.write(steal).await.unwrap(), 1);
            body.into_response()
        }
    }
}
