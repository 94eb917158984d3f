//! Guichet: the one-stop online counter of a city. One binary, many roles; a library
//! only so that tests reach it.

pub mod accounts;
pub mod acting;
pub mod agents;
pub mod app;
pub mod archives;
pub mod authorities;
pub mod bench;
pub mod catalogue;
pub mod cli;
pub mod consultations;
pub mod contacts;
pub mod correspondence;
pub mod delegations;
pub mod demo;
pub mod directory;
pub mod error;
pub mod household;
pub mod identity;
pub mod journal;
pub mod links;
pub mod mandates;
pub mod migrations;
pub mod opinions;
pub mod organisations;
pub mod own_data;
pub mod pages;
pub mod platform;
pub mod provider;
pub mod requests;
pub mod routes;
pub mod safe;
pub mod sso;
pub mod steering;
pub mod visit;
pub mod work;
