//! LemonLDAP::NG as a provider.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::Folder;

pub const CLIENT: &str = "ville";
pub const SECRET: &str = "s3cret";

pub fn settings(url: &str, folder: &Folder, portal: &str) -> Value {
    let (key, public) = keys(folder);
    let option = |name: &str| format!("oidcRPMetaDataOptions{name}");
    let two = |usager: &str, agent: &str| format!("{portal}{usager} {portal}{agent}");
    let client = json!({
        option("ClientID"): CLIENT, option("ClientSecret"): SECRET, option("IDTokenSignAlg"): "RS256", option("BypassConsent"): 1,
        option("RedirectUris"): two("/connexion/retour/llng", "/agent/connexion/retour/llng-agents"),
        option("PostLogoutRedirectUris"): two("/deconnexion/retour", "/agent/deconnexion/retour"),
        option("LogoutBypassConfirm"): 1, option("UserIDAttr"): "uid", option("RequirePKCE"): 1,
    });
    json!({
        "authentication": "Demo", "userDB": "Same", "passwordDB": "Demo", "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"},
        "issuerDBOpenIDConnectActivation": 1, "issuerDBOpenIDConnectPath": "^/oauth2/", "issuerDBOpenIDConnectRule": 1,
        "oidcServiceMetaDataIssuer": url, "oidcServicePrivateKeySig": key, "oidcServicePublicKeySig": public, "oidcServiceKeyIdSig": "llng-1",
        "oidcServiceAllowAuthorizationCodeFlow": 1, "oidcServiceMetaDataAuthorizeURI": "authorize", "oidcServiceMetaDataTokenURI": "token",
        "oidcServiceMetaDataUserInfoURI": "userinfo", "oidcServiceMetaDataJWKSURI": "jwks", "oidcServiceMetaDataEndSessionURI": "logout",
        "oidcServiceMetaDataAuthnContext": {"loa-1": 1, "loa-2": 2}, "oidcRPMetaDataOptions": {"guichet": client},
        "oidcRPMetaDataExportedVars": {"guichet": {"email": "mail", "family_name": "cn"}}, "oidcRPMetaDataMacros": {},
    })
}

/// What it signs with, private and public, made by OpenSSL.
fn keys(folder: &Folder) -> (String, String) {
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(&folder.0).stderr(Stdio::null()).status();
        assert!(done.unwrap().success(), "openssl {arguments:?}");
    };
    openssl(&["genrsa", "-out", "key.pem", "2048"]);
    openssl(&["rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
    let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
    (read("key.pem"), read("public.pem"))
}
