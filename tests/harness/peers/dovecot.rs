//! Dovecot, as a city would run it: deliveries by LMTP, plus addresses, IMAP over TLS only.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use guichet::contacts::mail::Mailbox;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{Folder, eventually, free_port, slapd::certificate};

pub const PASSWORD: &str = "secret";
/// The box that is read.
pub const BOX: &str = "demarches";
pub const ADDRESS: &str = "demarches@valmont.example";

pub struct Dovecot {
    pub imap: u16,
    pub imaps: u16,
    lmtp: u16,
    pub folder: Folder,
    running: Child,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Its own children end with it, when it is asked.
        let _ = Command::new("kill").arg(self.running.id().to_string()).status();
        let _ = self.running.wait();
    }
}

fn id(what: &[&str]) -> String {
    String::from_utf8(Command::new("id").args(what).output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Whose the mails are: Dovecot keeps none for root.
fn owner(what: &str) -> String {
    if id(&["-u"]) == "0" { id(&[what, "nobody"]) } else { id(&[what]) }
}

/// Its processes run as who starts it; those of root, as its package made for them.
fn own(what: &[&str], package: &str) -> String {
    if id(&["-u"]) == "0" { package.to_owned() } else { id(what) }
}

impl Dovecot {
    pub async fn start() -> Self {
        let program = PathBuf::from("/usr/sbin/dovecot");
        assert!(program.exists(), "{} is missing: run scripts/setup-tests.sh", program.display());
        let folder = Folder::new();
        certificate(&folder);
        let mails = folder.0.join("mail");
        std::fs::create_dir(&mails).unwrap();
        std::fs::set_permissions(&mails, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let (imap, imaps, lmtp) = (free_port(), free_port(), free_port());
        let values = [
            ("@FOLDER@", folder.0.to_str().unwrap().to_owned()),
            ("@USER@", own(&["-un"], "dovecot")),
            ("@GROUP@", own(&["-gn"], "dovecot")),
            ("@LOGIN@", own(&["-un"], "dovenull")),
            ("@UID@", owner("-u")),
            ("@GID@", owner("-g")),
            ("@IMAP@", imap.to_string()),
            ("@IMAPS@", imaps.to_string()),
            ("@LMTP@", lmtp.to_string()),
        ];
        let settings = include_str!("../../peers/dovecot.conf").to_owned();
        let settings = values.iter().fold(settings, |text, (name, value)| text.replace(name, value));
        let path = folder.0.join("dovecot.conf");
        std::fs::write(&path, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-F").arg("-c").arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = command.spawn().unwrap();
        for port in [imap, imaps, lmtp] {
            let open = async || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
            eventually("Dovecot listens", Duration::from_secs(30), open).await;
        }
        Self { imap, imaps, lmtp, folder, running }
    }

    /// Delivers a mail (LMTP, RFC 2033), as the city's mail server does.
    pub async fn deliver(&self, from: &str, to: &str, mail: &str) {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.lmtp)).await.unwrap());
        let body = mail.replace('\n', "\r\n");
        let steps = [
            "",
            "LHLO test",
            &format!("MAIL FROM:<{from}>"),
            &format!("RCPT TO:<{to}>"),
            "DATA",
            &format!("{body}\r\n."),
            "QUIT",
        ];
        for step in steps {
            if !step.is_empty() {
                stream.get_mut().write_all(format!("{step}\r\n").as_bytes()).await.unwrap();
            }
            let mut line = String::new();
            loop {
                line.clear();
                assert!(stream.read_line(&mut line).await.unwrap() > 0, "{step}: no answer");
                if line.as_bytes().get(3) != Some(&b'-') {
                    break;
                }
            }
            assert!(line.starts_with('2') || line.starts_with('3'), "{step}: {line}");
        }
    }

    /// How many mails stand in a folder of the box: `""` for the inbox.
    pub fn holds(&self, folder: &str) -> usize {
        let name = if folder.is_empty() { String::new() } else { format!(".{folder}") };
        let of = |part: &str| {
            std::fs::read_dir(self.folder.0.join("mail").join(BOX).join(&name).join(part)).map_or(0, Iterator::count)
        };
        of("new") + of("cur")
    }

    pub fn mailbox(&self, tls: &str) -> Mailbox {
        let port = if tls == "tls" { self.imaps } else { self.imap };
        let ca = std::fs::read_to_string(self.folder.0.join("cert.pem")).unwrap();
        serde_json::from_value(serde_json::json!({
            "address": ADDRESS, "department": "commerce", "host": "localhost", "port": port, "tls": tls, "ca": ca, "login": BOX,
        }))
        .unwrap()
    }
}
