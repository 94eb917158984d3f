//! Who visits which authority, and what they may be taken for. The type of the first parameter of a
//! handler is its permission: [`Visitor`] (anybody), [`SignedIn`] (an usager, in whoever's name they act),
//! [`Citizen`] (an usager in their own name), [`Agent`] (signed in, with departments), [`Administrator`] (an
//! agent who administers the authority), [`Archivist`] (one who keeps its archives), [`Observer`] (one who reads all figures).

use std::{ops::Deref, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use db::Db;
use jiff::{Timestamp, civil::Date};
use minijinja::{Value, context};
use uuid::Uuid;

use crate::{
    accounts::session::{self, Kind, Session},
    acting::{self, Acting, Deed},
    app::App,
    authorities::Authority,
    error::Problem,
    platform::{clock, device::Device},
};

pub use agent::{Administrator, Agent, Archivist, Arriving, Observer, Staff};
pub use page_cache::{PageCache, cached};

mod agent;
mod menu;
mod page_cache;

/// One request to one authority's site.
#[derive(Clone)]
pub struct Visit {
    pub app: App,
    pub site: Arc<Authority>,
    pub db: Db,
    pub now: Timestamp,
    /// Path and query asked for, to come back after signing in.
    pub here: String,
    /// Network address of the visitor, for throttling; kept truncated only.
    pub client: String,
    /// What the browser says it is.
    pub device: Device,
}

impl Visit {
    pub fn today(&self) -> Date {
        clock::day(self.now, &self.site.zone)
    }

    /// The first moment of a day, there.
    pub fn morning(&self, day: Date) -> Option<Timestamp> {
        Some(day.to_zoned(self.site.zone.clone()).ok()?.timestamp())
    }

    /// Where the outside reaches this authority's site, without a final slash.
    pub fn public_url(&self) -> &str {
        let own = self.site.settings.public_url.as_str();
        let url = if own.is_empty() { self.app.config.public_url.as_str() } else { own };
        url.trim_end_matches('/')
    }

    pub fn id(&self) -> Uuid {
        self.app.clock.id()
    }

    /// A page for nobody in particular.
    pub fn draw(&self, template: &str, title: &str, context: Value) -> anyhow::Result<String> {
        self.draw_for(None, template, title, context)
    }

    fn frame(&self) -> anyhow::Result<Value> {
        if let Some(frame) = self.site.frame.get() {
            return Ok(frame.clone());
        }
        let part = |name: &str| {
            let drawn = self.app.templates.render(name, context! { city => &self.site.city })?;
            Ok::<_, anyhow::Error>(Value::from_safe_string(drawn))
        };
        let frame = context! { head => part("frame/head.html")?, footer => part("frame/footer.html")?, help => part("frame/help.html")? };
        Ok(self.site.frame.get_or_init(|| frame).clone())
    }

    fn draw_for(&self, who: Option<Value>, template: &str, title: &str, context: Value) -> anyhow::Result<String> {
        let agent =
            who.as_ref().and_then(|who| who.get_attr("kind").ok()).is_some_and(|kind| kind.as_str() == Some("agent"));
        let frame = context! {
            layout => if agent { "agent/layout.html" } else { "layout.html" },
            city => &self.site.city,
            frame => self.frame()?,
            page => context! { title => format!("{title} – {}", self.site.name), heading => title, section => section(template), url => &self.here },
            who => who.unwrap_or_else(|| Value::from(())),
            flash => Value::from(()),
            demo => &self.app.demo,
        };
        // What the page gives wins over the frame: a page may have its own flash or title.
        Ok(self.app.templates.render(template, context! { ..context, ..frame })?)
    }
}

/// `requests/mine.html` → `requests`: the menu entry to show as current.
fn section(template: &str) -> &str {
    template.split_once('/').map_or(template, |(section, _)| section)
}

fn html(status: StatusCode, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    response.extensions_mut().insert(Drawn);
    response.headers_mut().insert("x-guichet-page", header::HeaderValue::from_static("1"));
    response
}

#[derive(Clone)]
struct Drawn;

/// Finds the authority of each request by its host name.
pub async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let now = app.clock.now();
    let host = host(request.headers());
    let site = match app.sites.find(&app.db, &host, now).await {
        Ok(Some(site)) => site,
        Ok(None) => return (StatusCode::MISDIRECTED_REQUEST, "Ce nom de site n’est pas connu ici.").into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let client = client(&app, &request);
    let device = Device::of(request.headers());
    let flooding = app.flood.as_ref().filter(|_| request.method() == Method::POST && !client.is_empty());
    let too_many = flooding.is_some_and(|flood| flood.check_key(&client).is_err());
    // A person reads back what they just wrote: replicas are for those who ask for them.
    request.extensions_mut().insert(Visit {
        db: app.db.for_authority(site.id).fresh(),
        app,
        site,
        now,
        here,
        client,
        device,
    });
    // Inside, so that the refusal is drawn as a page.
    if too_many {
        request.extensions_mut().insert(TooMany);
    }
    next.run(request).await
}

/// The address sent too many forms.
#[derive(Clone)]
pub struct TooMany;

fn host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => host.to_owned(),
    }
}

fn client(app: &App, request: &Request) -> String {
    let named = &app.config.client_address_header;
    let forwarded =
        (!named.is_empty()).then(|| request.headers().get(named).and_then(|value| value.to_str().ok())).flatten();
    // The last address is the one our own proxy saw.
    match forwarded.and_then(|list| list.rsplit(',').next()) {
        Some(address) => address.trim().to_owned(),
        None => request
            .extensions()
            .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
            .map_or_else(String::new, |info| info.ip().to_string()),
    }
}

fn visit(parts: &Parts) -> Result<Visit, Problem> {
    parts.extensions.get::<Visit>().cloned().ok_or_else(|| Problem::Broken(anyhow::anyhow!("route outside of a site")))
}

/// Anybody, perhaps with a session, perhaps signed in.
#[derive(Clone)]
pub struct Visitor {
    pub visit: Visit,
    pub session: Option<Session>,
    /// A token that the browser presents without a session behind it: offered earlier, or ended.
    pub offered: Option<String>,
    /// Whom they act for, by a right that holds now; none: themselves.
    pub acting: Option<Arc<Acting>>,
}

impl Deref for Visitor {
    type Target = Visit;
    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        let session = session::find(&visit, &parts.headers, Kind::Usager).await?;
        let offered = if session.is_none() { session::token_of(&visit, &parts.headers) } else { None };
        let acting = acting::resolve(&visit, session.as_ref()).await?;
        Ok(Self { visit, session, offered, acting })
    }
}

impl Visitor {
    pub fn account(&self) -> Option<&session::Account> {
        self.session.as_ref().and_then(|session| session.account.as_ref())
    }

    /// Whether they may do this: always in their own name.
    ///
    /// # Errors
    /// `Forbidden` when the right to act for somebody does not go so far.
    pub fn require(&self, deed: Deed) -> Result<(), Problem> {
        self.acting.as_ref().map_or(Ok(()), |acting| acting.require(deed))
    }

    /// Whether a procedure is theirs to use, in the name they act in.
    pub fn covers(&self, procedure: &str) -> bool {
        self.acting.as_ref().is_none_or(|acting| acting.covers(procedure))
    }

    /// Whether they may begin a request of this procedure.
    ///
    /// # Errors
    /// `Forbidden`, as for [`require`](Self::require).
    pub fn may_begin(&self, procedure: &str) -> Result<(), Problem> {
        self.require(Deed::Fill)?;
        if self.covers(procedure) {
            Ok(())
        } else {
            Err(Problem::Forbidden(
                "Le mandat qui vous a été donné ne couvre pas cette démarche. Demandez un mandat plus large, ou revenez à vous-même pour la faire en votre nom.",
            ))
        }
    }

    pub fn page(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template, title, context)
    }

    /// The form again, with what is wrong: 422.
    pub fn page_again(&self, template: &str, title: &str, context: Value) -> Result<Response, Problem> {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, template, &format!("Erreur : {title}"), context)
    }

    pub fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        context: Value,
    ) -> Result<Response, Problem> {
        let who = self.session.as_ref().and_then(|session| {
            let account = session.account.as_ref()?;
            let unread = self.acting.as_ref().map_or(session.waiting, |acting| acting.waiting);
            Some(context! {
                name => account.full_name(), kind => "usager", unread => unread, email => &account.login,
                acting => self.acting.as_ref().map(|acting| &acting.name),
                documents => crate::safe::Owner::of(self).filter(|_| self.acting.is_some()).map(crate::safe::Owner::base),
            })
        });
        Ok(html(status, self.visit.draw_for(who, template, title, context)?))
    }

    pub fn sign_in(&self) -> Problem {
        Problem::Elsewhere(format!("/connexion?suite={}", crate::platform::encode(&self.here)))
    }
}

/// A signed-in usager, in their own name: account, documents, household, services and mandates are nobody
/// else's, and stay closed while their owner acts for somebody.
pub struct Citizen {
    pub visitor: Visitor,
    pub account: session::Account,
}

impl Deref for Citizen {
    type Target = Visitor;
    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Citizen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let SignedIn(citizen) = SignedIn::from_request_parts(parts, state).await?;
        if citizen.acting.is_some() { Err(Problem::Oneself) } else { Ok(citizen) }
    }
}

/// A signed-in usager, in whoever's name they act: for what may be done in somebody's name, and for going back
/// to oneself. Nothing of the account is to be shown or changed behind it.
pub struct SignedIn(pub Citizen);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        match visitor.account().cloned() {
            Some(account) => Ok(Self(Citizen { visitor, account })),
            None => Err(visitor.sign_in()),
        }
    }
}
