//! The real program, as it is installed: started, killed, started again.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{Client, HOST};

pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// `guichet serve` on a free port; `more`: other variables of its environment.
    pub fn serve(data: &Path, database: &str, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let settings = [
            ("GUICHET_DATA", data.to_str().unwrap()),
            ("GUICHET_DATABASE", database),
            ("GUICHET_LISTEN", "127.0.0.1:0"),
            ("GUICHET_SECURE_COOKIES", "false"),
            ("GUICHET_PUBLIC_URL", "http://ville.test"),
            ("GUICHET_SECRET", "of every portal under test, the same"),
            ("GUICHET_POSTS_PER_MINUTE", "0"),
            ("NO_COLOR", "1"),
        ];
        let mut child = command.envs(settings).envs(more.iter().copied()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let address = loop {
            let Some(line) = log.next() else { panic!("the program does not start: {seen:?}") };
            let line = line.unwrap();
            if let Some((_, address)) = line.split_once("address=") {
                break address.trim().parse().unwrap();
            }
            seen.push(line);
        };
        // Its pipe must not fill up.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, address }
    }

    pub fn client(&self, http: &reqwest::Client) -> Client {
        Client::new(http.clone(), self.address, HOST)
    }

    /// The most memory it ever used, in bytes.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Ends it as a power cut would: no word of warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
