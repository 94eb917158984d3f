//! The doors: signing in with a password beside a bare argon2id, then what other applications call (codes for
//! tokens, CAS tickets validated) beside a bare handler of the same bytes, and the signature of an ID token.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use db::{args, sql};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    bare::Bare,
    process,
    site::Site,
    wire::{Wire, get, post},
};
use crate::{
    accounts, demo,
    platform::{clock::Clock, secret},
    sso::{self, By, Declaration, Expected, Key, Secret},
};

/// Both sides take turns, so that a busy moment of the machine meets both.
const TURNS: u32 = 4;
const CONNECTIONS: usize = 16;
/// Asked once for nothing, and to know how many to prepare.
const FIRST: usize = 64;
/// Codes live a minute: no more than can be prepared and sent well within it.
const MOST: usize = 4_000;

const ID: &str = "mesure";
const BACK: &str = "https://mesure.exemple.fr/retour";
const SERVICE: &str = "https://mesure.exemple.fr/cas/";
const DECLARATION: &str = r#"
id = "mesure"
name = "Mesure"

[oidc]
redirect_uris = ["https://mesure.exemple.fr/retour"]

[cas]
services = ["https://mesure.exemple.fr/cas/"]
"#;

pub struct Measured {
    pub sign_in: SignIn,
    pub token: Called,
    pub cas: Called,
    /// Milliseconds of one signature, the key being in memory.
    pub sign_ms: f64,
    /// Milliseconds to read a key, once unsealed.
    pub read_ms: f64,
}

/// None: this system does not tell processor times.
pub struct SignIn {
    /// How many in a time, over bare argon2id in the same time, one by one.
    pub ratio: f64,
    /// Processor time of one, over that of a bare argon2id.
    pub cpu_ratio: Option<f64>,
    /// The difference, in milliseconds.
    pub rest_cpu_ms: Option<f64>,
}

pub struct Called {
    /// How many in a time, over answers of a bare handler to the same requests.
    pub ratio: f64,
    pub cpu_ms: Option<f64>,
}

pub async fn measure(site: &Site, time: Duration) -> Result<Measured> {
    let login: String = site
        .db
        .one(
            sql!(
                "select login from account where authority_id = $1 and kind = 'usager' and password_hash is not null
                 order by login limit 1"
            ),
            args![site.db.authority()],
        )
        .await?;
    let sign_in = sign_ins(site, &login, time).await?;
    let secret = secret::token();
    let declaration = Declaration::read("mesure.toml", DECLARATION)?;
    let by = By::operator(&Clock::System);
    sso::put(&site.db, &declaration, Secret::New(&secret), Expected::Nothing, &by).await?;
    let cookie = enter(&mut Wire::connect(site.address).await?, &login).await?;
    agree(site.address, &cookie).await?;
    let (sign_ms, read_ms) = signatures(time)?;
    Ok(Measured {
        sign_in,
        token: called(site, &Door::Token { cookie: &cookie, secret: &secret }, time).await?,
        cas: called(site, &Door::Cas { cookie: &cookie }, time).await?,
        sign_ms,
        read_ms,
    })
}

/// Signs in; gives the session's cookie.
async fn enter(wire: &mut Wire, login: &str) -> Result<String> {
    let fields = [("email", login), ("mot-de-passe", demo::PASSWORD)];
    let answer = wire.send(&post("/connexion", "", &fields)).await?;
    let cookie = answer.expect(303)?.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    Ok(cookie.context("no session")?.to_owned())
}

async fn agree(address: SocketAddr, cookie: &str) -> Result<()> {
    let fields = [("service", ID), ("suite", "/"), ("choix", "accepter")];
    let mut wire = Wire::connect(address).await?;
    wire.send(&post("/services/autoriser", cookie, &fields)).await?.expect(303)?;
    Ok(())
}

/// Elapsed and processor time of something done `count` times.
#[derive(Default)]
struct Spent {
    elapsed: Duration,
    cpu: Option<Duration>,
    count: u32,
}

impl Spent {
    /// Begins with nothing spent, if this system tells processor times.
    fn new(pid: u32) -> Self {
        Self { cpu: process::cpu(pid).map(|_| Duration::ZERO), ..Self::default() }
    }

    async fn add(&mut self, pid: u32, count: u32, work: impl Future<Output = Result<()>>) -> Result<()> {
        let (cpu, begun) = (process::cpu(pid), Instant::now());
        work.await?;
        self.elapsed += begun.elapsed();
        let used = process::cpu(pid).zip(cpu).map(|(after, before)| after - before);
        self.cpu = self.cpu.zip(used).map(|(sum, used)| sum + used);
        self.count += count;
        Ok(())
    }

    fn rate(&self) -> f64 {
        f64::from(self.count) / self.elapsed.as_secs_f64()
    }

    fn cpu_ms(&self) -> Option<f64> {
        self.cpu.map(|cpu| cpu.as_secs_f64() * 1000.0 / f64::from(self.count))
    }
}

async fn sign_ins(site: &Site, login: &str, time: Duration) -> Result<SignIn> {
    let (server, here) = (site.pid()?, std::process::id());
    let (mut ours, mut bare) = (Spent::new(server), Spent::new(here));
    let mut wire = Wire::connect(site.address).await?;
    enter(&mut wire, login).await?;
    // Processor times come in ticks of 10 ms, so they are read around many.
    const EACH: u32 = 10;
    let begun = Instant::now();
    while begun.elapsed() < time {
        let many = async {
            for _ in 0..EACH {
                enter(&mut wire, login).await?;
            }
            Ok(())
        };
        ours.add(server, EACH, many).await?;
        let many = async {
            for _ in 0..EACH {
                accounts::hash(demo::PASSWORD).await?;
            }
            Ok(())
        };
        bare.add(here, EACH, many).await?;
    }
    tracing::info!(ours = ours.rate(), bare = bare.rate(), cpu = ours.cpu_ms(), hash = bare.cpu_ms(), "sign-ins");
    let cpu = ours.cpu_ms().zip(bare.cpu_ms());
    Ok(SignIn {
        ratio: ours.rate() / bare.rate(),
        cpu_ratio: cpu.map(|(ours, bare)| ours / bare),
        rest_cpu_ms: cpu.map(|(ours, bare)| ours - bare),
    })
}

/// What an application calls, and how somebody signed in gets what it shows there.
enum Door<'a> {
    Token { cookie: &'a str, secret: &'a str },
    Cas { cookie: &'a str },
}

impl Door<'_> {
    /// Words of an answer that is not a refusal.
    fn good(&self) -> &'static str {
        match self {
            Self::Token { .. } => "\"id_token\"",
            Self::Cas { .. } => "authenticationSuccess",
        }
    }

    /// Where the browser goes to be sent back with a code or a ticket.
    fn way(&self) -> Vec<u8> {
        match self {
            Self::Token { cookie, .. } => {
                let back = encode(BACK);
                get(
                    &format!("/oidc/authorize?response_type=code&scope=openid&client_id={ID}&redirect_uri={back}"),
                    cookie,
                )
            }
            Self::Cas { cookie } => get(&format!("/cas/login?service={}", encode(SERVICE)), cookie),
        }
    }

    /// One request of the application, with a code or a ticket of its own.
    async fn request(&self, wire: &mut Wire) -> Result<Vec<u8>> {
        let answer = wire.send(&self.way()).await?;
        let to = reqwest::Url::parse(answer.expect(303)?.header("location").context("sent nowhere")?)?;
        let given = |name: &str| to.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        Ok(match self {
            Self::Token { secret, .. } => {
                let code = given("code").with_context(|| format!("no code: {to}"))?;
                let back = encode(BACK);
                let body = format!(
                    "grant_type=authorization_code&client_id={ID}&client_secret={secret}&redirect_uri={back}&code={code}"
                );
                sent_by_application("POST /oidc/token", &body)
            }
            Self::Cas { .. } => {
                let ticket = given("ticket").with_context(|| format!("no ticket: {to}"))?;
                let query = format!("service={}&ticket={ticket}", encode(SERVICE));
                sent_by_application(&format!("GET /cas/serviceValidate?{query}"), "")
            }
        })
    }

    async fn requests(&self, address: SocketAddr, count: usize) -> Result<Vec<Vec<u8>>> {
        let (mut wire, mut all) = (Wire::connect(address).await?, Vec::with_capacity(count));
        while all.len() < count {
            all.push(self.request(&mut wire).await?);
        }
        Ok(all)
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As a library of an application sends it: nothing of a browser.
fn sent_by_application(first: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{first} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn called(site: &Site, door: &Door<'_>, time: Duration) -> Result<Called> {
    let (server, here) = (site.pid()?, std::process::id());
    let mut wire = Wire::connect(site.address).await?;
    let request = door.request(&mut wire).await?;
    let bare = Bare::start(wire.send(&request).await?.expect(200)?).await?;
    let mut first = Spent::default();
    let requests = door.requests(site.address, FIRST).await?;
    first.add(server, u32::try_from(FIRST)?, send_all(site.address, requests, door.good())).await?;
    let many = (first.rate() * (time / TURNS).as_secs_f64()) as usize;
    let many = many.clamp(FIRST, MOST);
    let (mut ours, mut theirs) = (Spent::new(server), Spent::new(here));
    for _ in 0..TURNS {
        let (requests, count) = (door.requests(site.address, many).await?, u32::try_from(many)?);
        theirs.add(here, count, send_all(bare.address, requests.clone(), door.good())).await?;
        ours.add(server, count, send_all(site.address, requests, door.good())).await?;
    }
    tracing::info!(ours = ours.rate(), theirs = theirs.rate(), cpu = ours.cpu_ms(), "{}", door.good());
    Ok(Called { ratio: ours.rate() / theirs.rate(), cpu_ms: ours.cpu_ms() })
}

/// Sends each request once, by as many connections as other measures use.
async fn send_all(address: SocketAddr, requests: Vec<Vec<u8>>, good: &'static str) -> Result<()> {
    let mut connections = JoinSet::new();
    for part in requests.chunks(requests.len().div_ceil(CONNECTIONS)) {
        let part = part.to_vec();
        connections.spawn(async move {
            let mut wire = Wire::connect(address).await?;
            for request in part {
                let answer = wire.send(&request).await?;
                let body = answer.expect(200)?.body()?;
                ensure!(String::from_utf8_lossy(&body).contains(good), "refused: {}", String::from_utf8_lossy(&body));
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

/// Milliseconds of a signature, then of reading the key for it.
fn signatures(time: Duration) -> Result<(f64, f64)> {
    let pkcs8 = sso::make_key()?;
    let key = Key::read(ID, &pkcs8)?;
    let claims = json!({
        "iss": "https://guichet.exemple.fr", "sub": secret::token(), "aud": ID, "sid": secret::token(), "iat": 1, "exp": 2,
        "auth_time": 1, "at_hash": secret::token(),
    });
    let sign = each(time / 4, || key.sign("JWT", &claims).map(drop))?;
    Ok((sign, each(time / 4, || Key::read(ID, &pkcs8).map(drop))?))
}

/// Milliseconds of one.
fn each(time: Duration, work: impl Fn() -> Result<()>) -> Result<f64> {
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < time || count == 0 {
        work()?;
        count += 1;
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0 / f64::from(count))
}
