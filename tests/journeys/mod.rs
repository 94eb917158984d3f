//! What people come for, from the first page to the answer.

mod account;
mod addresses;
mod agent;
mod anonymous;
mod archives;
mod beneficiaries;
mod catalogue;
mod changes;
mod circuit;
mod directory;
mod household;
pub mod identity;
mod journal;
mod journal_chain;
mod leaving;
pub mod life;
mod links;
mod mails;
mod mandates;
mod opinions;
mod organisations;
mod own_data;
pub mod passkeys;
mod sharing;
pub mod signing_in;
mod steering;
mod timers;
