//! What people come for, from the first page to the answer.

mod account;
mod agent;
mod anonymous;
mod archives;
mod beneficiaries;
mod catalogue;
mod household;
mod mails;
mod mandates;
mod organisations;
mod passkeys;
mod signing_in;
