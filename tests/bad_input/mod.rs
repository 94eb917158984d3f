//! What people and programs send that they should not: it is said in French, nothing is lost, nothing breaks.

mod files;
mod forms;
mod sweep;
mod twice;
