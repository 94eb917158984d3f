//! A PostgreSQL server of our own, with its usual settings (every commit reaches the disk), in a
//! temporary folder.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
}

impl Postgres {
    /// None when PostgreSQL is not installed.
    pub fn start(folder: &Path) -> Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        std::fs::create_dir_all(folder)?;
        let server = Self { folder: folder.to_path_buf(), programs };
        if is_root()? {
            done(Command::new("chown").arg("postgres").arg(folder))?;
        }
        let data = server.data();
        done(server.program("initdb").args([
            "-D",
            &data,
            "-U",
            "guichet",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]))?;
        // Only a socket in the folder: no port to choose, and nobody else comes in.
        let options = format!("-c listen_addresses= -c unix_socket_directories={}", folder.display());
        done(server.program("pg_ctl").args([
            "start",
            "-w",
            "-s",
            "-D",
            &data,
            "-l",
            &format!("{data}/log"),
            "-o",
            &options,
        ]))?;
        Ok(Some(server))
    }

    pub fn url(&self) -> String {
        format!("postgres://guichet@{}/postgres", self.folder.display().to_string().replace('/', "%2F"))
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    /// PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        if is_root().unwrap_or(false) {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = done(self.program("pg_ctl").args(["stop", "-w", "-s", "-m", "immediate", "-D", &self.data()]));
        if let Err(error) = stopped {
            tracing::warn!(error = format!("{error:#}"), "PostgreSQL does not stop");
        }
    }
}

/// The folder of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").exists()).max_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    })
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn done(command: &mut Command) -> Result<()> {
    let name = format!("{:?}", command.get_program());
    let status = command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "{name} failed: {:?}", command.get_args().collect::<Vec<_>>());
    Ok(())
}
