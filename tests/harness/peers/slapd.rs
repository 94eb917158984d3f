//! OpenLDAP, as a city would run it: read by a name of its own, groups with `memberOf`.

use std::{
    collections::HashSet,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use guichet::directory::Declaration;
use ldap3::{Ldap, LdapConnAsync, Mod};

use super::{Folder, Killed, eventually, free_port};

const BASE: &str = "dc=ville,dc=fr";
/// Of the name that reads.
pub const READER_PASSWORD: &str = "lecture seule";

pub struct Slapd {
    pub port: u16,
    pub tls_port: u16,
    pub folder: Folder,
    running: Option<Killed>,
}

fn dn(name: &str) -> String {
    format!("uid={name},ou=agents,{BASE}")
}

impl Slapd {
    /// With two groups that nobody is in.
    pub async fn start() -> Self {
        let program = PathBuf::from("/usr/sbin/slapd");
        assert!(program.exists(), "{} is missing: run scripts/setup-tests.sh", program.display());
        let folder = Folder::new();
        std::fs::create_dir(folder.0.join("db")).unwrap();
        certificate(&folder);
        let settings = include_str!("../../peers/slapd.conf").replace("@FOLDER@", folder.0.to_str().unwrap());
        std::fs::write(folder.0.join("slapd.conf"), settings).unwrap();
        let mut slapd = Self { port: free_port(), tls_port: free_port(), folder, running: None };
        slapd.resume().await;
        let mut ldap = slapd.admin().await;
        add(&mut ldap, BASE, &[("objectClass", "dcObject"), ("objectClass", "organization"), ("o", "Ville")]).await;
        for unit in ["agents", "groupes"] {
            let name = format!("ou={unit},{BASE}");
            add(&mut ldap, &name, &[("objectClass", "organizationalUnit")]).await;
        }
        let reader = [
            ("objectClass", "organizationalRole"),
            ("objectClass", "simpleSecurityObject"),
            ("userPassword", READER_PASSWORD),
        ];
        add(&mut ldap, &format!("cn=guichet,{BASE}"), &reader).await;
        for group in ["etat-civil", "chefs"] {
            let nobody = format!("cn=guichet,{BASE}");
            add(
                &mut ldap,
                &format!("cn={group},ou=groupes,{BASE}"),
                &[("objectClass", "groupOfNames"), ("member", &nobody)],
            )
            .await;
        }
        slapd
    }

    pub async fn resume(&mut self) {
        let urls = format!("ldap://127.0.0.1:{} ldaps://localhost:{}", self.port, self.tls_port);
        let log = std::fs::File::create(self.folder.0.join("log")).unwrap();
        let mut command = Command::new("/usr/sbin/slapd");
        command.arg("-f").arg(self.folder.0.join("slapd.conf")).args(["-h", &urls, "-d", "0"]);
        self.running = Some(Killed(command.stdout(Stdio::null()).stderr(log).spawn().unwrap()));
        let address = ("127.0.0.1", self.port);
        eventually("slapd listens", Duration::from_secs(30), async || std::net::TcpStream::connect(address).ok()).await;
    }

    pub fn stop(&mut self) {
        self.running = None;
    }

    async fn admin(&self) -> Ldap {
        let (connection, mut ldap) = LdapConnAsync::new(&format!("ldap://127.0.0.1:{}", self.port)).await.unwrap();
        tokio::spawn(async move { connection.drive().await });
        ldap.simple_bind(&format!("cn=admin,{BASE}"), "secret").await.unwrap().success().unwrap();
        ldap
    }

    /// Somebody whose address is `NAME@valmont.example` and whose password is `mot de passe de NAME`.
    pub async fn person(&self, name: &str, more: &[(&str, &str)]) {
        let mail = format!("{name}@valmont.example");
        let password = format!("mot de passe de {name}");
        let mut all = vec![
            ("objectClass", "inetOrgPerson"),
            ("objectClass", "shadowAccount"),
            ("cn", name),
            ("sn", name),
            ("givenName", "Prénom"),
            ("title", "Agent municipal"),
            ("mail", &mail),
            ("userPassword", &password),
        ];
        all.extend_from_slice(more);
        add(&mut self.admin().await, &dn(name), &all).await;
    }

    pub async fn remove(&self, name: &str) {
        self.admin().await.delete(&dn(name)).await.unwrap().success().unwrap();
    }

    pub async fn set(&self, name: &str, attribute: &str, value: &str) {
        let change = Mod::Replace(attribute, HashSet::from([value]));
        self.admin().await.modify(&dn(name), vec![change]).await.unwrap().success().unwrap();
    }

    pub async fn join(&self, group: &str, name: &str) {
        let member = dn(name);
        self.member(group, Mod::Add("member", HashSet::from([member.as_str()]))).await;
    }

    pub async fn quit(&self, group: &str, name: &str) {
        let member = dn(name);
        self.member(group, Mod::Delete("member", HashSet::from([member.as_str()]))).await;
    }

    async fn member(&self, group: &str, change: Mod<&str>) {
        let group = format!("cn={group},ou=groupes,{BASE}");
        self.admin().await.modify(&group, vec![change]).await.unwrap().success().unwrap();
    }

    /// What an operator would write, at this address.
    pub fn declaration(&self, url: &str, more: &str) -> Declaration {
        let text = format!(
            "url = \"{url}\"\n{more}\nbind_dn = \"cn=guichet,{BASE}\"\nbase = \"ou=agents,{BASE}\"\n\
             filter = \"(&(objectClass=inetOrgPerson)(!(employeeType=suspendu)))\"\n[attributes]\nends = \"shadowExpire\"\n\
             [[groups]]\ndn = \"cn=etat-civil,ou=groupes,{BASE}\"\ndepartment = \"etat-civil\"\nrole = \"processor\"\n\
             [[groups]]\ndn = \"CN=chefs, OU=groupes, {BASE}\"\ndepartment = \"etat-civil\"\nrole = \"manager\"\n"
        );
        let file = self.folder.0.join("annuaire.toml");
        std::fs::write(&file, text).unwrap();
        Declaration::read(&file).unwrap()
    }

    pub fn plain(&self) -> Declaration {
        self.declaration(&format!("ldap://127.0.0.1:{}", self.port), "")
    }
}

async fn add(ldap: &mut Ldap, dn: &str, attributes: &[(&str, &str)]) {
    let mut all: Vec<(&str, HashSet<&str>)> = Vec::new();
    for (name, value) in attributes {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => {
                values.insert(value);
            }
            None => all.push((name, HashSet::from([*value]))),
        }
    }
    ldap.add(dn, all).await.unwrap().success().unwrap_or_else(|error| panic!("{dn}: {error}"));
}

/// `localhost`, trusted by nobody but who is given the certificate.
pub fn certificate(folder: &Folder) {
    let settings = folder.0.join("openssl.conf");
    let text = "[req]\ndistinguished_name=dn\nx509_extensions=own\nprompt=no\n[dn]\nCN=localhost\n[own]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n";
    std::fs::write(&settings, text).unwrap();
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
        "-config",
    ]);
    command.arg(&settings).arg("-keyout").arg(folder.0.join("key.pem")).arg("-out").arg(folder.0.join("cert.pem"));
    let made = command.stderr(Stdio::null()).status().unwrap();
    assert!(made.success());
}
