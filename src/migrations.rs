//! The database's history, applied forward only, in this order.

use db::Migration;

pub const ALL: &[Migration] = &[
    Migration {
        name: "0001_foundation",
        sql: include_str!("../migrations/0001_foundation.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0002_signing_in",
        sql: include_str!("../migrations/0002_signing_in.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration { name: "0003_sso", sql: include_str!("../migrations/0003_sso.sql"), sqlite: None, postgres: None },
    Migration { name: "0004_safe", sql: include_str!("../migrations/0004_safe.sql"), sqlite: None, postgres: None },
    Migration {
        name: "0005_household",
        sql: include_str!("../migrations/0005_household.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0006_passkey",
        sql: include_str!("../migrations/0006_passkey.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0007_identity",
        sql: include_str!("../migrations/0007_identity.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0008_provider",
        sql: include_str!("../migrations/0008_provider.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0009_verified",
        sql: include_str!("../migrations/0009_verified.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration { name: "0010_life", sql: include_str!("../migrations/0010_life.sql"), sqlite: None, postgres: None },
    Migration { name: "0011_homes", sql: include_str!("../migrations/0011_homes.sql"), sqlite: None, postgres: None },
    Migration { name: "0012_links", sql: include_str!("../migrations/0012_links.sql"), sqlite: None, postgres: None },
    Migration {
        name: "0013_clients",
        sql: include_str!("../migrations/0013_clients.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration { name: "0014_acting", sql: include_str!("../migrations/0014_acting.sql"), sqlite: None, postgres: None },
    Migration { name: "0015_agents", sql: include_str!("../migrations/0015_agents.sql"), sqlite: None, postgres: None },
    Migration {
        name: "0016_safe_passkey",
        sql: include_str!("../migrations/0016_safe_passkey.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0017_search",
        sql: include_str!("../migrations/0017_search.sql"),
        sqlite: Some(include_str!("../migrations/0017_search.sqlite.sql")),
        postgres: Some(include_str!("../migrations/0017_search.postgres.sql")),
    },
    Migration {
        name: "0018_workflow",
        sql: include_str!("../migrations/0018_workflow.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0019_journal",
        sql: include_str!("../migrations/0019_journal.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0021_safe_shared",
        sql: include_str!("../migrations/0021_safe_shared.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0022_opinions",
        sql: include_str!("../migrations/0022_opinions.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0023_letters",
        sql: include_str!("../migrations/0023_letters.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0024_steering",
        sql: include_str!("../migrations/0024_steering.sql"),
        sqlite: Some(include_str!("../migrations/0024_steering.sqlite.sql")),
        postgres: Some(include_str!("../migrations/0024_steering.postgres.sql")),
    },
    Migration {
        name: "0025_elimination",
        sql: include_str!("../migrations/0025_elimination.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration { name: "0026_rights", sql: include_str!("../migrations/0026_rights.sql"), sqlite: None, postgres: None },
    Migration { name: "0027_intake", sql: include_str!("../migrations/0027_intake.sql"), sqlite: None, postgres: None },
    Migration {
        name: "0028_consultations",
        sql: include_str!("../migrations/0028_consultations.sql"),
        sqlite: None,
        postgres: None,
    },
    Migration {
        name: "0029_contacts",
        sql: include_str!("../migrations/0029_contacts.sql"),
        sqlite: None,
        postgres: None,
    },
];
