//! What reaches the city otherwise than by its pages: noted by agents, by mail, by SMS.

mod desk;
mod imap;
mod mail;
pub mod sms;
