//! What people come for, from the first page to the answer.

mod account;
mod agent;
mod anonymous;
mod archives;
mod beneficiaries;
mod catalogue;
mod directory;
mod household;
mod leaving;
mod mails;
mod passkeys;
mod signing_in;
