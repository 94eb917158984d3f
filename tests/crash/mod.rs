//! The program killed in the middle of things, and power cuts: nothing confirmed is lost, nothing is doubled.

mod kill;
mod power;
