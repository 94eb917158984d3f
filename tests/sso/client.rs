//! Declaring applications from the command line.

use crate::harness::{Engine, Folder, Portal, both};
use guichet::sso;

fn admin(portal: &Portal, arguments: &[&str]) -> (bool, String) {
    portal.admin(arguments)
}

both! {
    async fn applications_are_declared_by_file(portal: Portal) {
        let folder = Folder::new();
        let file = folder.0.join("service.toml");
        let example = include_str!("../../docs/examples/service.toml");
        std::fs::write(&file, example).unwrap();
        let path = file.to_str().unwrap();
        let secret = |(done, text): (bool, String)| {
            assert!(done, "{text}");
            text.lines().find_map(|line| line.strip_prefix("client_secret ").map(str::to_owned))
        };
        let first = secret(admin(&portal, &["add-client", path])).expect("a secret");
        let kept = async || sso::client(&portal.db(), "mediatheque").await.unwrap().unwrap();
        assert!(kept().await.has_secret(&first, portal.app.clock.now()));
        // Again: changed, with the secret it had.
        std::fs::write(&file, example.replace("Médiathèque", "Bibliothèque")).unwrap();
        assert_eq!(secret(admin(&portal, &["add-client", path])), None);
        assert!(kept().await.has_secret(&first, portal.app.clock.now()) && kept().await.name == "Bibliothèque");
        let second = secret(admin(&portal, &["add-client", path, "--new-secret"])).unwrap();
        assert!(kept().await.has_secret(&second, portal.app.clock.now()) && !kept().await.has_secret(&first, portal.app.clock.now()));
        std::fs::write(&file, example.replace("refresh_tokens = true", "public = true")).unwrap();
        assert_eq!(secret(admin(&portal, &["add-client", path])), None);
        assert!(kept().await.secret_hash.is_none());
        std::fs::write(&file, example.replace("https://", "http://")).unwrap();
        let (done, text) = admin(&portal, &["add-client", path]);
        assert!(!done && text.contains("must begin with https://"), "{text}");
        let (done, text) = admin(&portal, &["rotate-keys"]);
        assert!(done && text.starts_with("signs from 20"), "{text}");
        assert!(admin(&portal, &["remove-client", "mediatheque"]).0 && !admin(&portal, &["remove-client", "mediatheque"]).0);
    }
}
