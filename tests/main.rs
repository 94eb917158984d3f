//! The portal as a whole, through its public door, on both databases.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod journeys;
