//! The portal as a whole, through its public door, on both databases.

#[cfg(test)]
mod access;
#[cfg(test)]
mod asvs;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod elimination;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journeys;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod safe;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod templates;
