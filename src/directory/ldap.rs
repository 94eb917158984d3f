//! Speaking LDAP (RFC 4511): reading everybody, and binding as somebody to judge their password.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchOptions,
    adapters::{Adapter, EntriesOnly, PagedResults},
    ldap_escape,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{declaration::Declaration, person::Entry};

/// In all, of a sign-in.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Of reading everybody.
const READING: Duration = Duration::from_secs(60);
const PAGE: i32 = 500;

/// Codes of results (RFC 4511, 4.1.9).
const SUCCESS: u32 = 0;
const SIZE_LIMIT: u32 = 4;
/// The server, not the password, is the matter: busy, unavailable, other.
const ITS_FAULT: [u32; 5] = [1, 2, 51, 52, 80];

/// A connection under the name that may read.
async fn open(declaration: &Declaration, password: &str) -> Result<Ldap> {
    let mut settings = LdapConnSettings::new().set_conn_timeout(PATIENCE).set_starttls(declaration.starttls());
    if !declaration.ca.is_empty() {
        settings = settings.set_config(Arc::new(trust(&declaration.ca)?));
    }
    let (connection, mut ldap) = LdapConnAsync::with_settings(settings, &declaration.url).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.drive().await {
            tracing::info!(%error, "connection to the directory");
        }
    });
    ldap.simple_bind(&declaration.bind_dn, password).await?.success().context("bind_dn")?;
    Ok(ldap)
}

fn trust(pem: &str) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.context("ca")?).context("ca")?;
    }
    ensure!(!roots.is_empty(), "ca: no certificate in it");
    Ok(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// The entry of this address whose password was typed; none when there is none, or several, or the password is
/// wrong. Whoever it is, one search and one bind are made: `decoy` binds in any case as nobody.
///
/// # Errors
/// When the directory cannot be reached in time, or does not answer as it should.
pub async fn authenticate(
    declaration: &Declaration,
    password: &str,
    email: &str,
    typed: &str,
    decoy: bool,
) -> Result<Option<Entry>> {
    // An empty password binds as nobody, and succeeds (RFC 4513, 5.1.2).
    if typed.is_empty() || typed.len() > 1_000 {
        return Ok(None);
    }
    let work = async {
        let mut ldap = open(declaration, password).await?;
        let found = find(&mut ldap, declaration, email).await?.filter(|_| !decoy);
        let nobody = format!("cn=guichet-nobody,{}", declaration.base);
        let dn = found.as_ref().map_or(nobody.as_str(), |entry| entry.dn.as_str());
        let answer = ldap.simple_bind(dn, typed).await?;
        let _ = ldap.unbind().await;
        match answer.rc {
            SUCCESS => Ok(found),
            code if ITS_FAULT.contains(&code) => bail!("bind: {answer}"),
            _ => Ok(None),
        }
    };
    tokio::time::timeout(PATIENCE, work).await.context("too slow")?
}

/// The only entry of this address.
async fn find(ldap: &mut Ldap, declaration: &Declaration, email: &str) -> Result<Option<Entry>> {
    let filter = by_address(declaration, email);
    ldap.with_search_options(SearchOptions::new().sizelimit(2).timelimit(5));
    let answer = ldap.search(&declaration.base, Scope::Subtree, &filter, declaration.attributes.all()).await?;
    let (entries, result) = (answer.0, answer.1);
    if ![SUCCESS, SIZE_LIMIT].contains(&result.rc) {
        bail!("search: {result}");
    }
    let mut entries = entries.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
    let first = entries.next();
    if entries.next().is_some() || result.rc == SIZE_LIMIT {
        tracing::warn!("two entries of the directory have one address: neither opens anything");
        return Ok(None);
    }
    Ok(first.map(|entry| read(SearchEntry::construct(entry))))
}

/// The filter of one address, whatever is written in it (RFC 4515, 3).
fn by_address(declaration: &Declaration, email: &str) -> String {
    format!("(&{}({}={}))", declaration.filter.trim(), declaration.attributes.mail, ldap_escape(email))
}

/// Everybody, by pages (RFC 2696).
///
/// # Errors
/// When anything of it cannot be read.
pub async fn everybody(declaration: &Declaration, password: &str) -> Result<Vec<Entry>> {
    let work = async {
        let mut ldap = open(declaration, password).await?;
        let adapters: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> =
            vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(PAGE))];
        let mut stream = ldap
            .streaming_search_with(
                adapters,
                &declaration.base,
                Scope::Subtree,
                declaration.filter.trim(),
                declaration.attributes.all(),
            )
            .await?;
        let mut found = Vec::new();
        while let Some(entry) = stream.next().await? {
            found.push(read(SearchEntry::construct(entry)));
        }
        stream.finish().await.success()?;
        let _ = ldap.unbind().await;
        Ok(found)
    };
    tokio::time::timeout(READING, work).await.context("too slow")?
}

/// Values that are no text (`objectGUID`) are written in hexadecimal.
fn read(entry: SearchEntry) -> Entry {
    let mut values: std::collections::HashMap<String, Vec<String>> =
        entry.attrs.into_iter().map(|(name, values)| (name.to_ascii_lowercase(), values)).collect();
    for (name, bytes) in entry.bin_attrs {
        let texts = bytes.iter().map(|value| data_encoding::HEXLOWER.encode(value)).collect();
        values.insert(name.to_ascii_lowercase(), texts);
    }
    Entry { dn: entry.dn, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::declaration::tests::sample;

    #[test]
    fn what_is_typed_is_never_a_filter() {
        let filter = |email: &str| by_address(&sample(), email).replace(&sample().filter, "F");
        assert_eq!(filter("a@b.fr"), "(&F(mail=a@b.fr))");
        assert_eq!(filter("*"), r"(&F(mail=\2a))");
        assert_eq!(filter("a)(uid=*"), r"(&F(mail=a\29\28uid=\2a))");
        assert_eq!(filter("a\\2a\0"), r"(&F(mail=a\5c2a\00))");
    }

    proptest::proptest! {
        #[test]
        fn parentheses_balance_whatever_is_typed(email in "\\PC{0,40}|[()*\\\\\\x00&|=]{0,12}") {
            let filter = by_address(&sample(), &email);
            let count = |sign: char| filter.chars().filter(|letter| *letter == sign).count();
            let own = by_address(&sample(), "");
            proptest::prop_assert_eq!(count('('), own.matches('(').count());
            proptest::prop_assert_eq!(count(')'), own.matches(')').count());
        }
    }
}
