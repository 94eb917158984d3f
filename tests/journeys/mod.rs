//! What people come for, from the first page to the answer.

mod account;
mod addresses;
mod agent;
mod anonymous;
mod archives;
mod beneficiaries;
mod catalogue;
mod changes;
mod household;
mod identity;
mod life;
mod mails;
mod passkeys;
mod sharing;
mod signing_in;
