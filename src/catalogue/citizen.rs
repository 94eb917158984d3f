//! The public pages of the catalogue.

use axum::{
    Router,
    extract::{Path, Query},
    http::header,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use forms::model::{Audience, Cost, Procedure};
use minijinja::{context, value::Serde};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Current;
use crate::{
    app::App,
    authorities::{self, Settings, Topic},
    error::Problem,
    platform::{encode, french},
    requests, steering,
    visit::{Visit, Visitor, cached},
};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/demarches", get(list))
        .route("/demarches/{procedure}", get(procedure))
        .layer(middleware::from_fn(cached))
        .route("/adresse", get(address))
}

async fn home(visitor: Visitor) -> Result<Response, Problem> {
    let current = super::current(&visitor).await?;
    let settings = &visitor.site.settings;
    let popular: Vec<Json> = settings
        .popular
        .iter()
        .filter_map(|id| current.procedures.get(id))
        .map(|published| card(&visitor, &published.procedure))
        .collect();
    let has_event =
        |event: &&Topic| current.procedures.values().any(|published| published.procedure.events.contains(&event.id));
    let situations: Vec<Json> =
        settings.events.iter().filter(has_event).map(|event| json!({"href": format!("/demarches?situation={}", event.id), "title": event.title, "icon": event.icon})).collect();
    let themes: Vec<Json> = themes(&current, settings).map(|(theme, count)| json!({"href": format!("/demarches?theme={}", theme.id), "title": theme.title, "count": count})).collect();
    let context = context! {
        popular => Serde(popular), situations => Serde(situations), themes => Serde(themes),
        examples => Serde([json!({"href": "/demarches?q=acte+de+naissance", "title": "acte de naissance"}), json!({"href": "/demarches?q=cantine", "title": "cantine"}), json!({"href": "/demarches?q=encombrants", "title": "encombrants"})]),
        todo => Serde(requests::todo(&visitor).await?),
    };
    visitor.page("catalogue/home.html", "Que souhaitez-vous faire ?", context)
}

/// Themes that hold something, with how many procedures.
fn themes<'a>(current: &'a Current, settings: &'a Settings) -> impl Iterator<Item = (&'a Topic, usize)> {
    let count =
        |theme: &Topic| current.procedures.values().filter(|published| published.procedure.theme == theme.id).count();
    settings.themes.iter().map(move |theme| (theme, count(theme))).filter(|(_, count)| *count > 0)
}

fn card(visit: &Visit, procedure: &Procedure) -> Json {
    let theme = visit.site.settings.themes.iter().find(|theme| theme.id == procedure.theme);
    let icon = theme.map_or("file-text", |theme| theme.icon.as_str());
    json!({
        "href": format!("/demarches/{}", procedure.id), "title": procedure.title, "summary": procedure.summary, "icon": icon,
        "minutes": procedure.minutes, "cost": cost(procedure), "online": true, "state": opening(visit, procedure).1,
    })
}

fn cost(procedure: &Procedure) -> &str {
    match &procedure.cost {
        Cost::Free => "Gratuit",
        Cost::Says(text) => text,
    }
}

/// (`open`, `soon` or `closed`; a word about it when it is not open).
fn opening(visit: &Visit, procedure: &Procedure) -> (&'static str, String) {
    let today = visit.today();
    match (procedure.opening.from, procedure.opening.to) {
        (Some(from), _) if today < from => ("soon", format!("Ouvre le {}", french::date(from))),
        (_, Some(to)) if to < today => ("closed", format!("Fermée depuis le {}", french::date(to))),
        _ => ("open", String::new()),
    }
}

#[derive(Debug, Deserialize)]
struct Filters {
    #[serde(default)]
    q: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    situation: String,
    #[serde(default)]
    public: String,
}

async fn list(visitor: Visitor, Query(filters): Query<Filters>) -> Result<Response, Problem> {
    let current = super::current(&visitor).await?;
    let settings = &visitor.site.settings;
    // More than anybody types, and little enough to compare.
    let words: String = filters.q.trim().chars().filter(|letter| *letter != '\0').take(200).collect();
    let found: Vec<&Procedure> = if words.is_empty() {
        let mut all: Vec<&Procedure> =
            current.procedures.values().map(|published| published.procedure.as_ref()).collect();
        all.sort_by_cached_key(|procedure| french::fold(&procedure.title));
        all
    } else {
        current
            .index
            .find(&words)
            .iter()
            .filter_map(|id| current.procedures.get(id))
            .map(|published| published.procedure.as_ref())
            .collect()
    };
    let kept: Vec<&Procedure> = found.into_iter().filter(|procedure| filters.keep(procedure)).collect();
    let results: Vec<Json> = kept.iter().map(|procedure| card(&visitor, procedure)).collect();
    let titled = settings
        .themes
        .iter()
        .find(|theme| theme.id == filters.theme)
        .or_else(|| settings.events.iter().find(|event| event.id == filters.situation));
    let heading = match titled {
        Some(topic) => topic.title.clone(),
        None if words.is_empty() => "Toutes les démarches".to_owned(),
        None => format!("Démarches pour « {words} »"),
    };
    let filtered = !words.is_empty() || titled.is_some() || !filters.public.is_empty();
    let context = context! {
        q => words, heading => &heading, total => results.len(), results => Serde(results),
        filters => Serde(filters.groups(&current, settings)),
        clear => if filtered { "/demarches" } else { "" },
        ask_url => "/demarches/demande-information", next => "", previous => "",
    };
    visitor.page("catalogue/list.html", &heading, context)
}

impl Filters {
    fn keep(&self, procedure: &Procedure) -> bool {
        let audience = audience_named(&self.public);
        (self.theme.is_empty() || procedure.theme == self.theme)
            && (self.situation.is_empty() || procedure.events.contains(&self.situation))
            && audience.is_none_or(|audience| procedure.audience.contains(&audience))
    }

    /// Links that keep the search and change one filter.
    fn groups(&self, current: &Current, settings: &Settings) -> Vec<Json> {
        let link = |theme: &str, public: &str| {
            let pairs = [("q", self.q.trim()), ("theme", theme), ("situation", &self.situation), ("public", public)];
            let query: Vec<String> = pairs
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={}", encode(value)))
                .collect();
            if query.is_empty() { "/demarches".to_owned() } else { format!("/demarches?{}", query.join("&")) }
        };
        let all = current.procedures.len();
        let mut theme_links = vec![
            json!({"href": link("", &self.public), "title": "Tous", "count": all, "current": self.theme.is_empty()}),
        ];
        theme_links.extend(themes(current, settings).map(|(theme, count)| json!({"href": link(&theme.id, &self.public), "title": theme.title, "count": count, "current": theme.id == self.theme})));
        let mut public_links = vec![
            json!({"href": link(&self.theme, ""), "title": "Tous", "count": all, "current": self.public.is_empty()}),
        ];
        public_links.extend(AUDIENCES.iter().filter_map(|(id, title, audience)| {
            let count = current.procedures.values().filter(|published| published.procedure.audience.contains(audience)).count();
            (count > 0).then(|| json!({"href": link(&self.theme, id), "title": title, "count": count, "current": self.public == *id}))
        }));
        vec![json!({"title": "Thème", "links": theme_links}), json!({"title": "Public", "links": public_links})]
    }
}

const AUDIENCES: [(&str, &str, Audience); 4] = [
    ("particulier", "Particuliers", Audience::Particulier),
    ("professionnel", "Professionnels", Audience::Professionnel),
    ("association", "Associations", Audience::Association),
    ("agent", "Agents de la ville", Audience::Agent),
];

fn audience_named(id: &str) -> Option<Audience> {
    AUDIENCES.iter().find(|(known, _, _)| *known == id).map(|(_, _, audience)| *audience)
}

async fn procedure(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let published = super::find(&visitor, &id).await?.ok_or(Problem::NotFound)?;
    let procedure = &published.procedure;
    let department = authorities::department(&visitor.db, &procedure.department).await?.ok_or(Problem::NotFound)?;
    let settings = &visitor.site.settings;
    let theme = settings.themes.iter().find(|theme| theme.id == procedure.theme);
    let audience: Vec<&str> = AUDIENCES
        .iter()
        .filter(|(_, _, audience)| procedure.audience.contains(audience))
        .map(|(_, title, _)| *title)
        .collect();
    let (state, _) = opening(&visitor, procedure);
    let usual = steering::usual(&visitor, &procedure.id).await?;
    let pieces: Vec<Json> = procedure
        .pieces
        .iter()
        .map(|piece| json!({"title": piece.title, "help": piece.help.clone().unwrap_or_default(), "instead": piece.instead, "optional": piece.optional, "condition": piece.show_if.is_some()}))
        .collect();
    let context = context! {
        procedure => Serde(json!({
            "id": procedure.id, "title": procedure.title, "summary": procedure.summary, "description": procedure.description, "before": procedure.before,
            "theme": {"href": format!("/demarches?theme={}", procedure.theme), "title": theme.map_or(procedure.theme.as_str(), |theme| theme.title.as_str())},
            "audience": audience.join(", "), "minutes": procedure.minutes, "cost": cost(procedure), "delay": procedure.delay.to_string(), "usual": usual,
            "department": {
                "name": department.name, "phone": department.phone.unwrap_or_else(|| settings.phone.clone()),
                "address": department.address.unwrap_or_else(|| settings.address.clone()), "hours": department.hours.unwrap_or_default(),
            },
            "identification": procedure.identification,
        })),
        state => state,
        opens => procedure.opening.from.map(|day| day.to_string()),
        closes => procedure.opening.to.map(|day| day.to_string()),
        legal => Serde(requests::legal_words(procedure)),
        pieces => Serde(pieces),
        formats => format!("PDF, JPG, PNG ou HEIC, {} au plus par fichier", french::size(visitor.app.config.upload_limit)),
        start => format!("/demarches/{}/commencer", procedure.id),
        drafts => Serde(requests::drafts_on(&visitor, &procedure.id).await?),
        running => Serde(requests::running_on(&visitor, &procedure.id).await?),
        notice => Serde(requests::notice_words(procedure)),
    };
    visitor.page("catalogue/procedure.html", &procedure.title, context)
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(default)]
    q: String,
}

/// Address suggestions: from the configured service (geocodejson, protocols §5.3), or from the
/// authority's own list of streets. None at all is an answer too: the form works without.
async fn address(visitor: Visitor, Query(typed): Query<Typed>) -> Response {
    let q: String = typed.q.trim().chars().take(200).collect();
    let found = if q.chars().count() < 3 {
        Vec::new()
    } else if visitor.app.config.address_service.is_empty() {
        streets(&visitor.site.settings, &q)
    } else {
        service(&visitor, &q).await.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "address service");
            Vec::new()
        })
    };
    (
        [(header::CACHE_CONTROL, "private, max-age=300"), (header::CONTENT_TYPE, "application/json")],
        Json::Array(found).to_string(),
    )
        .into_response()
}

fn streets(settings: &Settings, q: &str) -> Vec<Json> {
    let number: String = q.chars().take_while(char::is_ascii_digit).collect();
    let name =
        french::fold(q.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ' || letter == ','));
    let matching = settings.streets.iter().filter(|street| french::fold(&street.name).contains(name.trim()));
    matching
        .take(7)
        .map(|street| {
            let line = format!("{number} {}", street.name).trim().to_owned();
            json!({"label": format!("{line}, {} {}", street.postcode, settings.short), "numero_voie": line, "code_postal": street.postcode, "commune": settings.short, "ban_id": "", "code_insee": settings.insee})
        })
        .collect()
}

async fn service(visitor: &Visitor, q: &str) -> anyhow::Result<Vec<Json>> {
    let base = visitor.app.config.address_service.trim_end_matches('/');
    let answer: Json = visitor
        .app
        .http
        .get(format!("{base}/search"))
        .query(&[("q", q), ("limit", "7"), ("autocomplete", "1")])
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let features = answer.get("features").and_then(Json::as_array).cloned().unwrap_or_default();
    let one = |feature: &Json| {
        let part = |name: &str| {
            feature
                .get("properties")
                .and_then(|properties| properties.get(name))
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        json!({"label": part("label"), "numero_voie": part("name"), "code_postal": part("postcode"), "commune": part("city"), "ban_id": part("id"), "code_insee": part("citycode")})
    };
    Ok(features.iter().map(one).collect())
}
