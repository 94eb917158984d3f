//! Kannel: its bearerbox and smsbox, and an operator that takes and gives SMS (fakesmsc).

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{Folder, eventually, free_port};

pub const PASSWORD: &str = "secret";

pub struct Kannel {
    send: u16,
    smsc: u16,
    folder: Folder,
    running: Vec<Child>,
    operator: Option<Child>,
}

impl Drop for Kannel {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["bearerbox.log", "smsbox.log", "operator"] {
                println!("{name}:\n{}", std::fs::read_to_string(self.folder.0.join(name)).unwrap_or_default());
            }
        }
        for child in self.operator.iter_mut().chain(self.running.iter_mut().rev()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn listens(port: u16) -> Option<()> {
    std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
}

impl Kannel {
    /// `get`: what it calls for what comes in.
    pub async fn start(get: &str) -> Self {
        let folder = Folder::new();
        let [admin, inner, smsc, send] = [(); 4].map(|()| free_port());
        let values = [
            ("@FOLDER@", folder.0.to_str().unwrap().to_owned()),
            ("@ADMIN@", admin.to_string()),
            ("@BOX@", inner.to_string()),
            ("@SMSC@", smsc.to_string()),
            ("@SEND@", send.to_string()),
            ("@GET@", get.to_owned()),
        ];
        let settings = include_str!("../../peers/kannel.conf").to_owned();
        let settings = values.iter().fold(settings, |text, (name, value)| text.replace(name, value));
        let path = folder.0.join("kannel.conf");
        std::fs::write(&path, settings).unwrap();
        let mut kannel = Self { send, smsc, folder, running: Vec::new(), operator: None };
        for (program, port) in [("bearerbox", inner), ("smsbox", send)] {
            let program = PathBuf::from("/usr/sbin").join(program);
            assert!(program.exists(), "{} is missing: run scripts/setup-tests.sh", program.display());
            let mut command = Command::new(program);
            command.arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            kannel.running.push(command.spawn().unwrap());
            eventually("Kannel listens", Duration::from_secs(30), async || listens(port)).await;
        }
        kannel.operator(0, "a b text x").await;
        kannel
    }

    /// The operator anew: it gives so many SMS (« from to text words »), and takes all that comes.
    async fn operator(&mut self, count: u32, text: &str) {
        if let Some(mut before) = self.operator.take() {
            let _ = before.kill();
            let _ = before.wait();
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.0.join("operator")).unwrap();
        let connections = self.connections();
        let mut command = Command::new("/usr/lib/kannel/test/fakesmsc");
        command.args(["-H", "127.0.0.1", "-r", &self.smsc.to_string(), "-i", "0.1", "-m", &count.to_string(), text]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.operator = Some(child);
        let known = async || (self.connections() > connections).then_some(());
        eventually("the operator is connected", Duration::from_secs(30), known).await;
    }

    fn connections(&self) -> usize {
        let log = std::fs::read(self.folder.0.join("bearerbox.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).matches("Fakesmsc client connected").count()
    }

    /// Somebody writes to the city.
    pub async fn write(&mut self, from: &str, text: &str) {
        self.operator(1, &format!("{from} Valmont text {text}")).await;
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.send)
    }

    /// What telephones got: number and text, in order.
    pub fn received(&self) -> Vec<(String, String)> {
        let log = std::fs::read(self.folder.0.join("operator")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        log.lines()
            .filter_map(|line| {
                let (_, message) = line.split_once("Got message ")?;
                let (_, message) = message.trim_end().trim_end_matches('>').split_once('<')?;
                let mut parts = message.splitn(4, ' ');
                let (_from, to, _kind) = (parts.next()?, parts.next()?, parts.next()?);
                Some((to.to_owned(), parts.next()?.to_owned()))
            })
            .collect()
    }

    /// The first text to this number that holds these words.
    pub async fn told(&self, number: &str, words: &str) -> String {
        let found = async || self.received().into_iter().find(|(to, text)| to == number && text.contains(words));
        eventually(&format!("« {words} » to {number}"), Duration::from_secs(30), found).await.1
    }
}
