//! Other programs that the portal talks to, installed by `scripts/setup-tests.sh`. They end with the test.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use super::Folder;

pub mod dovecot;
pub mod kannel;
pub mod slapd;

/// A program of the tests' Python environment.
pub fn program(name: &str) -> PathBuf {
    cached(&format!("venv/bin/{name}"))
}

/// What `scripts/setup-tests.sh` keeps at this path.
pub fn cached(path: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"), PathBuf::from);
    let path = cache.join("guichet").join(path);
    assert!(path.exists(), "{} is missing: run scripts/setup-tests.sh", path.display());
    path
}

/// A port nobody listens on, below those that the system lends to outgoing connections: one of these could take it
/// before the program it is for.
pub fn free_port() -> u16 {
    static TURN: AtomicU32 = AtomicU32::new(0);
    loop {
        let turn = std::process::id().wrapping_mul(97).wrapping_add(TURN.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from(turn % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mail server that keeps what it gets.
pub struct Smtp {
    pub port: u16,
    folder: Folder,
    running: Option<Killed>,
}

/// A mail as it was received.
#[derive(Debug)]
pub struct Received {
    pub to: String,
    pub id: String,
    pub subject: String,
    pub whole: String,
    pub body: String,
}

impl Smtp {
    /// Not yet listening.
    pub fn down() -> Self {
        Self { port: free_port(), folder: Folder::new(), running: None }
    }

    pub fn up() -> Self {
        let mut smtp = Self::down();
        smtp.start();
        smtp
    }

    pub fn start(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/smtp.py");
        let mut command = Command::new(program("python"));
        command.arg(script).arg(self.port.to_string()).arg(&self.folder.0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), self.port.to_string(), "the mail server does not start");
        self.running = Some(Killed(child));
    }

    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Takes from now on what it refused.
    pub fn accept_all(&self) {
        std::fs::write(self.folder.0.join("ouvert"), "").unwrap();
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn received(&self) -> Vec<Received> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
            .collect();
        files.sort();
        files.iter().map(|path| parse(&String::from_utf8(std::fs::read(path).unwrap()).unwrap())).collect()
    }
}

fn parse(whole: &str) -> Received {
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ");
    let header = |name: &str| {
        unfolded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
    };
    let body = if header("Content-Transfer-Encoding") == "quoted-printable" { quoted(body) } else { body.to_owned() };
    assert!(["7bit", "quoted-printable"].contains(&header("Content-Transfer-Encoding").as_str()), "{head}");
    Received {
        to: header("X-Envelope-To"),
        id: header("Message-ID"),
        subject: header("Subject"),
        whole: whole.to_owned(),
        body,
    }
}

fn quoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// SeaweedFS, an object store that speaks S3 and checks signatures.
pub struct S3 {
    pub endpoint: String,
    _running: Killed,
    _folder: Folder,
}

pub const BUCKET: &str = "guichet";
pub const KEYS: (&str, &str) = ("AK", "SK");

impl S3 {
    pub fn start() -> Self {
        let folder = Folder::new();
        let settings = folder.0.join("s3.json");
        let (access, secret) = KEYS;
        let actions = r#"["Admin","Read","Write","List","Tagging"]"#;
        let text = format!(
            r#"{{"identities":[{{"name":"app","credentials":[{{"accessKey":"{access}","secretKey":"{secret}"}}],"actions":{actions}}}]}}"#
        );
        std::fs::write(&settings, text).unwrap();
        let data = folder.0.join("data");
        std::fs::create_dir(&data).unwrap();
        let port = free_port();
        let mut command = Command::new(program("weed"));
        command.arg("server").args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer"]);
        command
            .arg(format!("-dir={}", data.display()))
            .arg(format!("-s3.config={}", settings.display()))
            .arg(format!("-s3.port={port}"));
        // Each service takes a second port for its peers, 10,000 above unless it is named.
        for service in ["master", "volume", "filer"] {
            command
                .arg(format!("-{service}.port={}", free_port()))
                .arg(format!("-{service}.port.grpc={}", free_port()));
        }
        command.arg(format!("-s3.port.grpc={}", free_port()));
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let child = command.current_dir(&folder.0).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { endpoint: format!("http://127.0.0.1:{port}"), _running: Killed(child), _folder: folder }
    }
}

/// An application of `tests/peers/`, in Python or for Node. It says the port it listens on, then whatever it has to.
pub struct Script {
    pub port: u16,
    said: std::sync::mpsc::Receiver<String>,
    _running: Killed,
}

impl Script {
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let script = format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut command = if name.ends_with(".py") { Command::new(program("python")) } else { Command::new("node") };
        command.arg(script).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Killed(child);
        let first = lines.next().unwrap_or_else(|| panic!("{name} does not start")).unwrap();
        let (say, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { port: first.trim().parse().unwrap(), said, _running: running }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What is wanted of the first line that has it.
    pub fn line<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let line = self.said.recv_timeout(Duration::from_secs(20)).expect("nothing more is said");
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
    }
}

/// Apache, with one application behind each of its modules for single sign-on.
pub struct Apache {
    pub port: u16,
    pub folder: Folder,
    _running: Killed,
}

impl Apache {
    pub fn start(port: u16, guichet: &str, secret: &str) -> Self {
        let folder = Folder::new();
        let here = folder.0.to_str().unwrap().to_owned();
        for path in ["www/oidc", "www/cas", "cas"] {
            std::fs::create_dir_all(folder.0.join(path)).unwrap();
        }
        for path in ["www/oidc/index.html", "www/cas/index.html"] {
            std::fs::write(folder.0.join(path), "entré").unwrap();
        }
        // Run by root it works as somebody else, who needs these.
        let opened = Command::new("chmod").args(["-R", "a+rwX", &here]).status().unwrap();
        assert!(opened.success());
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let user = if user.trim() == "root" { "www-data" } else { user.trim() };
        let text = include_str!("../peers/apache.conf")
            .replace("@FOLDER@", &here)
            .replace("@PORT@", &port.to_string())
            .replace("@USER@", user)
            .replace("@GUICHET@", guichet)
            .replace("@SECRET@", secret);
        let settings = folder.0.join("apache.conf");
        std::fs::write(&settings, text).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        command.args(["-X", "-f"]).arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self { port, folder, _running: Killed(command.spawn().unwrap()) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has to say of what went wrong.
    pub fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.folder.0.join(name)).unwrap_or_default();
        read("log") + &read("error.log")
    }
}

/// Asks again and again until `check` gives something, for what another process does in its own time.
pub async fn eventually<T>(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// clamd with one signature, which takes two megabytes at most.
pub struct Clamd {
    pub address: String,
    _running: Killed,
    _folder: Folder,
}

impl Clamd {
    /// Ready, and knowing `virus` wherever it stands in a file.
    pub async fn start(virus: &[u8]) -> Self {
        let program = PathBuf::from("/usr/sbin/clamd");
        assert!(program.exists(), "{} is missing: run scripts/setup-tests.sh", program.display());
        let folder = Folder::new();
        let hex: String = virus.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(folder.0.join("test.ndb"), format!("Test.Virus:0:*:{hex}\n")).unwrap();
        let port = free_port();
        let settings = folder.0.join("clamd.conf");
        let text = format!(
            "DatabaseDirectory {}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nStreamMaxLength 2M\nForeground yes\n",
            folder.0.display()
        );
        std::fs::write(&settings, text).unwrap();
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&settings).stdout(Stdio::null()).stderr(log);
        let running = Killed(command.spawn().unwrap());
        let address = format!("127.0.0.1:{port}");
        eventually("clamd listens", Duration::from_secs(60), async || std::net::TcpStream::connect(&address).ok())
            .await;
        Self { address, _running: running, _folder: folder }
    }
}
