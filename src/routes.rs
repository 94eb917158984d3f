//! Every route, feature by feature, and what wraps them all.

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, CompressionLevel,
        predicate::{DefaultPredicate, Predicate, SizeAbove},
    },
};

use crate::{
    accounts, acting, agents, app::App, approvals, archives, authorities::calendar, catalogue, consultations, contacts,
    correspondence, delegations, demo, error, household, identity, journal, links, mandates, opinions, organisations,
    own_data, pages, platform, provider, requests, safe, scans, sso, steering, surveys, visit,
};

/// Largest body taken at all; forms and files have their own, smaller limits.
const LARGEST_BODY: usize = 128 * 1024 * 1024;

/// What TCP sends before it waits for an answer (ten packets, RFC 6928): a smaller page made for one
/// person arrives no sooner compressed, and nobody can guess its secrets from its size (BREACH).
const FIRST_FLIGHT: u64 = 14_000;

pub fn router(app: App) -> Router {
    let mut routes = Router::new()
        .merge(catalogue::citizen::routes())
        .merge(requests::routes())
        .merge(approvals::routes())
        .merge(consultations::routes())
        .merge(accounts::routes())
        .merge(agents::routes())
        .merge(safe::routes())
        .merge(sso::routes())
        .merge(provider::routes())
        .merge(household::routes())
        .merge(acting::routes())
        .merge(organisations::routes())
        .merge(mandates::routes())
        .merge(identity::routes())
        .merge(links::routes())
        .merge(own_data::routes())
        .merge(opinions::routes())
        .merge(contacts::routes())
        .merge(scans::routes())
        .merge(correspondence::routes())
        .merge(delegations::routes())
        .merge(steering::routes())
        .merge(surveys::routes())
        .merge(journal::routes())
        .merge(archives::routes())
        .merge(calendar::routes())
        .merge(pages::routes());
    if app.demo {
        routes = routes.merge(demo::routes());
    }
    routes
        .fallback(pages::not_found)
        // From the inside out: error pages are drawn in the frame of the authority found by `enter`.
        .layer(middleware::from_fn(error::pages))
        .layer(middleware::from_fn(platform::guard::guard))
        .merge(sso::open_routes().layer(middleware::from_fn(platform::guard::open)))
        .layer(middleware::from_fn_with_state(app.clone(), visit::enter))
        .route("/static/{name}", get(platform::assets::serve))
        .route("/sante", get(pages::health))
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(DefaultPredicate::new().and(SizeAbove::new(FIRST_FLIGHT))),
        )
        .layer(CatchPanicLayer::new())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app)
}
