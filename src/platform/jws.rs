//! Reading signed tokens (RFC 7515): RS256 and ES256, with the key that the header names among those that are
//! known. Nothing is signed or checked with a shared secret, so nobody can pass a public key off as one.

use data_encoding::BASE64URL_NOPAD;
use ring::{
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use serde::Deserialize;
use serde_json::Value as Json;

/// A public key, as a list of keys (RFC 7517) holds it.
#[derive(Debug, Clone)]
pub struct PublicKey {
    pub id: Option<String>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa(PublicKeyComponents<Vec<u8>>),
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
}

/// Members of a JSON Web Key that matter here.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl PublicKey {
    pub fn rsa(id: &str, components: PublicKeyComponents<Vec<u8>>) -> Self {
        Self { id: Some(id.to_owned()), material: Material::Rsa(components) }
    }

    /// None for keys that encrypt, and for kinds that are not read here.
    fn read(jwk: &Json) -> Option<Self> {
        let jwk: Jwk = Jwk::deserialize(jwk).ok()?;
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_str()) {
            ("RSA", _) => Material::Rsa(PublicKeyComponents { n: bytes(&jwk.n)?, e: bytes(&jwk.e)? }),
            ("EC", "P-256") => {
                let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
                (x.len() == 32 && y.len() == 32).then(|| Material::P256([&[4], &x[..], &y[..]].concat()))?
            }
            _ => return None,
        };
        Some(Self { id: jwk.kid, material })
    }

    /// Those of a list of keys that can check a signature.
    pub fn list(jwks: &Json) -> Vec<Self> {
        jwks.get("keys").and_then(Json::as_array).into_iter().flatten().filter_map(Self::read).collect()
    }

    /// The one algorithm that goes with this key.
    fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Rsa(_) => "RS256",
            Material::P256(_) => "ES256",
        }
    }

    fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa(components) => components.verify(&RSA_PKCS1_2048_8192_SHA256, text, signature).is_ok(),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(text, signature).is_ok()
            }
        }
    }
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// Not a token, another algorithm, or a signature that no key made.
    Forged,
    /// None of these keys has the name that it gives: they may have changed.
    UnknownKey,
}

/// A token's header and claims, its signature not yet checked.
struct Parts<'a> {
    algorithm: String,
    key: Option<String>,
    kind: Option<String>,
    claims: Json,
    text: &'a str,
    signature: Vec<u8>,
}

fn split(token: &str) -> Option<Parts<'_>> {
    let (text, signature) = token.rsplit_once('.')?;
    let (header, claims) = text.split_once('.')?;
    let header: Json = part(header)?;
    // A header that must be understood and is not: RFC 7515 §4.1.11.
    if header.get("crit").is_some() {
        return None;
    }
    let named = |name: &str| header.get(name).and_then(Json::as_str).map(str::to_owned);
    Some(Parts {
        algorithm: named("alg")?,
        key: named("kid"),
        kind: named("typ"),
        claims: part(claims).filter(Json::is_object)?,
        text,
        signature: BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?,
    })
}

fn part(text: &str) -> Option<Json> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}

/// What a token signed by one of these keys says, with its type (`typ`).
///
/// # Errors
/// When none of the keys signed it.
pub fn read(keys: &[PublicKey], token: &str) -> Result<(Option<String>, Json), Unsigned> {
    let parts = split(token).ok_or(Unsigned::Forged)?;
    let mut named = keys.iter().filter(|key| match &parts.key {
        Some(id) => key.id.as_ref() == Some(id),
        // Without a name, only a key that could not be taken for another.
        None => key.algorithm() == parts.algorithm,
    });
    let (key, next) = (named.next(), named.next());
    let key = key.ok_or(if ["RS256", "ES256"].contains(&parts.algorithm.as_str()) {
        Unsigned::UnknownKey
    } else {
        Unsigned::Forged
    })?;
    let alone = next.is_none() || parts.key.is_some();
    let good = alone && key.algorithm() == parts.algorithm && key.verifies(parts.text.as_bytes(), &parts.signature);
    if good { Ok((parts.kind, parts.claims)) } else { Err(Unsigned::Forged) }
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::json;

    use super::*;

    fn encode(value: &Json) -> String {
        BASE64URL_NOPAD.encode(value.to_string().as_bytes())
    }

    /// The example of RFC 7515, appendix A.3: ES256.
    const EXAMPLE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn example_keys() -> Vec<PublicKey> {
        PublicKey::list(&json!({"keys": [
            {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"},
        ]}))
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let keys = example_keys();
        assert_eq!(keys.len(), 1);
        assert_eq!(read(&keys, EXAMPLE).unwrap().1["iss"], "joe");
        assert_eq!(read(&[], EXAMPLE), Err(Unsigned::UnknownKey));
        let mut bent = EXAMPLE.to_owned();
        bent.replace_range(EXAMPLE.len() - 4..EXAMPLE.len() - 3, "A");
        assert_eq!(read(&keys, &bent), Err(Unsigned::Forged));
    }

    #[test]
    fn no_other_algorithm_is_believed() {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &SystemRandom::new()).unwrap();
        let point = pair.public_key().as_ref();
        let encoded = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let jwk = |id: &str| json!({"kty": "EC", "crv": "P-256", "kid": id, "x": encoded(&point[1..33]), "y": encoded(&point[33..])});
        let sign = |header: Json| {
            let text = format!("{}.{}", encode(&header), encode(&json!({"sub": "x"})));
            let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
            format!("{text}.{}", encoded(signature.as_ref()))
        };
        let keys = PublicKey::list(&json!({"keys": [jwk("a")]}));
        assert!(read(&keys, &sign(json!({"alg": "ES256", "kid": "a"}))).is_ok());
        assert!(read(&keys, &sign(json!({"alg": "ES256"}))).is_ok());
        for (header, why) in [
            (json!({"alg": "none", "kid": "a"}), Unsigned::Forged),
            (json!({"alg": "HS256", "kid": "a"}), Unsigned::Forged),
            (json!({"alg": "RS256", "kid": "a"}), Unsigned::Forged),
            (json!({"alg": "HS256"}), Unsigned::Forged),
            (json!({"alg": "ES256", "kid": "b"}), Unsigned::UnknownKey),
            (json!({"alg": "ES256", "kid": "a", "crit": ["x"]}), Unsigned::Forged),
        ] {
            assert_eq!(read(&keys, &sign(header.clone())), Err(why), "{header}");
        }
        // Two keys, and no name to choose by.
        let two = PublicKey::list(&json!({"keys": [jwk("a"), jwk("b")]}));
        assert_eq!(read(&two, &sign(json!({"alg": "ES256"}))), Err(Unsigned::Forged));
        for wrong in ["", "a.b", "a.b.c", "..", &format!("{}.", sign(json!({"alg": "ES256"})))] {
            assert_eq!(read(&keys, wrong), Err(Unsigned::Forged), "{wrong}");
        }
    }
}
