//! Reading a mailbox (RFC 3501, 6851): each mail is kept here first, then moved to the folder of what was taken.
//! Stopped in between, it comes again, and is known.

use std::{fmt::Debug, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use async_imap::{Client, Session};
use futures_util::TryStreamExt;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    declaration::{Mailbox, Tls},
    opened,
    receive::{self, Envelope, LARGEST},
    store,
};
use crate::{app::App, authorities, visit::Visit, work};

/// For one command, a large mail included.
const PATIENCE: Duration = Duration::from_secs(60);
/// Mails of one reading; the others wait for the next.
const MOST: usize = 200;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Debug {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Debug> Stream for S {}
type Connection = Session<Box<dyn Stream>>;

/// Reads the mailbox of every authority that has one.
pub async fn every(app: App) {
    let authorities = match authorities::all(&app.db).await {
        Ok(authorities) => authorities,
        Err(error) => return tracing::error!(%error, "mailboxes cannot be read"),
    };
    for authority in authorities {
        let read = async { poll(&work::visit(&app, authority).await?).await };
        if let Err(error) = read.await {
            tracing::error!(%authority, error = format!("{error:#}"), "a mailbox cannot be read");
        }
    }
}

/// Takes what is in the authority's mailbox; gives how many mails. None: it has no mailbox, or another worker
/// reads it now.
pub async fn poll(visit: &Visit) -> Result<Option<usize>> {
    let Some((mailbox, password)) = opened(visit).await? else { return Ok(None) };
    let lease = visit.id();
    if mailbox.host.is_empty() || !store::lease(&visit.db, lease, visit.now).await? {
        return Ok(None);
    }
    let read = read(visit, &mailbox, &password, lease).await;
    let error = read.as_ref().err().map(|error| format!("{error:#}"));
    store::release(&visit.db, lease, error.as_deref(), visit.app.clock.now()).await?;
    read.map(Some)
}

/// Within patience.
async fn patient<T, E>(what: &'static str, doing: impl Future<Output = Result<T, E>>) -> Result<T>
where
    anyhow::Error: From<E>,
{
    let done = timeout(PATIENCE, doing).await.with_context(|| format!("{what}: no answer in time"))?;
    done.map_err(anyhow::Error::from).context(what)
}

async fn read(visit: &Visit, mailbox: &Mailbox, password: &str, lease: uuid::Uuid) -> Result<usize> {
    let mut session = connect(mailbox, password).await?;
    let found = take_all(visit, mailbox, &mut session, lease).await;
    let _ = timeout(Duration::from_secs(5), session.logout()).await;
    found
}

async fn take_all(visit: &Visit, mailbox: &Mailbox, session: &mut Connection, lease: uuid::Uuid) -> Result<usize> {
    patient("select", session.select(&mailbox.folder)).await?;
    let mut uids: Vec<u32> = patient("search", session.uid_search("UNDELETED")).await?.into_iter().collect();
    uids.sort_unstable();
    // Those that cannot be taken for now stay at the head: each reading begins further when there are many.
    let turns = uids.len().div_ceil(MOST).max(1);
    let turn = usize::try_from(visit.now.as_second() / 60).unwrap_or_default() % turns;
    let start = (turn * MOST).min(uids.len());
    uids.rotate_left(start);
    let (mut taken, mut failed) = (0, None);
    for uid in uids.into_iter().take(MOST) {
        let visit = Visit { now: visit.app.clock.now(), ..visit.clone() };
        if !store::lease(&visit.db, lease, visit.now).await? {
            bail!("another worker has taken the mailbox over");
        }
        // One that cannot be taken does not hold up the others; it stays where it is.
        match take(&visit, mailbox, session, uid).await {
            Ok(()) => taken += 1,
            Err(error) => failed = Some(error.context(format!("mail {uid}"))),
        }
    }
    failed.map_or(Ok(taken), Err)
}

async fn take(visit: &Visit, mailbox: &Mailbox, session: &mut Connection, uid: u32) -> Result<()> {
    let Some(raw) = fetch(session, uid).await? else { return Ok(()) };
    let outcome = receive::receive(visit, &raw, Envelope::default()).await?;
    tracing::info!(uid, ?outcome, "a mail was taken");
    moved(mailbox, session, uid).await
}

/// The whole mail; its headers alone, with a word about the rest, when it is too large. None: it is gone.
async fn fetch(session: &mut Connection, uid: u32) -> Result<Option<Vec<u8>>> {
    let set = uid.to_string();
    let size =
        patient("size", async { session.uid_fetch(&set, "(UID RFC822.SIZE)").await?.try_collect::<Vec<_>>().await })
            .await?;
    let Some(size) = size.first().and_then(|one| one.size) else { return Ok(None) };
    let large = usize::try_from(size)? > LARGEST;
    let wanted = if large { "BODY.PEEK[HEADER]" } else { "BODY.PEEK[]" };
    let found =
        patient("fetch", async { session.uid_fetch(&set, wanted).await?.try_collect::<Vec<_>>().await }).await?;
    let Some(one) = found.first() else { return Ok(None) };
    if !large {
        return Ok(one.body().map(<[u8]>::to_vec));
    }
    let headers = String::from_utf8_lossy(one.header().unwrap_or_default()).into_owned();
    let kept: String = headers
        .replace("\r\n", "\n")
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let text = format!("Ce message de {size} octets est trop lourd pour être repris ici : il est resté dans la boîte.");
    Ok(Some(format!("{}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n", kept.trim_end()).into_bytes()))
}

/// Out of the folder that is read.
async fn moved(mailbox: &Mailbox, session: &mut Connection, uid: u32) -> Result<()> {
    let set = uid.to_string();
    if patient("move", session.uid_mv(&set, &mailbox.taken)).await.is_ok() {
        return Ok(());
    }
    // The folder is missing, or the server cannot move.
    let _ = patient("create", session.create(&mailbox.taken)).await;
    if patient("move", session.uid_mv(&set, &mailbox.taken)).await.is_ok() {
        return Ok(());
    }
    patient("copy", session.uid_copy(&set, &mailbox.taken)).await?;
    let flags = async { session.uid_store(&set, "+FLAGS (\\Seen \\Deleted)").await?.try_collect::<Vec<_>>().await };
    patient("flag", flags).await?;
    Ok(())
}

async fn connect(mailbox: &Mailbox, password: &str) -> Result<Connection> {
    let address = (mailbox.host.as_str(), mailbox.port);
    let stream = patient("connect", TcpStream::connect(address)).await?;
    let client = match mailbox.tls {
        Tls::None => greeted(Box::new(stream)).await?,
        Tls::Implicit => greeted(secured(mailbox, Box::new(stream)).await?).await?,
        Tls::Starttls => {
            let mut client = greeted(Box::new(stream)).await?;
            patient("starttls", client.run_command_and_check_ok("STARTTLS", None)).await?;
            Client::new(secured(mailbox, client.into_inner()).await?)
        }
    };
    let login = async { client.login(&mailbox.login, password).await.map_err(|(error, _)| error) };
    patient("login", login).await
}

async fn greeted(stream: Box<dyn Stream>) -> Result<Client<Box<dyn Stream>>> {
    let mut client = Client::new(stream);
    patient("greeting", client.read_response()).await?.context("no greeting")?;
    Ok(client)
}

async fn secured(mailbox: &Mailbox, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in CertificateDer::pem_slice_iter(mailbox.ca.as_bytes()) {
        roots.add(certificate.context("ca")?).context("ca")?;
    }
    let settings = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(mailbox.host.clone()).context("host")?;
    let secured = patient("tls", TlsConnector::from(Arc::new(settings)).connect(name, stream)).await?;
    Ok(Box::new(secured))
}
