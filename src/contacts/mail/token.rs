//! What ties an answer to its request: the request's id and a keyed hash of it, in letters that every mail server
//! leaves alone. It is put in the address to answer to (`mairie+TOKEN@…`) and in Message-IDs (`<…TOKEN@…>`).

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{platform::secret::Secret, visit::Visit};

/// Bytes of the id, then of the hash: 42 letters, which fit with a name before them in the 64 of a local part
/// (RFC 5321, 4.5.3.1.1).
const ID: usize = 16;
const HASH: usize = 10;

pub fn of(visit: &Visit, request: Uuid) -> String {
    make(&visit.app.secret, visit.site.id, request)
}

fn make(secret: &Secret, authority: Uuid, request: Uuid) -> String {
    let hash = hash(secret, authority, request);
    BASE32_NOPAD.encode(&[request.as_bytes().as_slice(), &hash].concat()).to_ascii_lowercase()
}

fn hash(secret: &Secret, authority: Uuid, request: Uuid) -> Vec<u8> {
    let mut print = secret.fingerprint("mail-in", &[*authority.as_bytes(), *request.as_bytes()].concat());
    print.truncate(HASH);
    print
}

/// The request of a token; none when nobody here made it.
fn read(secret: &Secret, authority: Uuid, token: &str) -> Option<Uuid> {
    let bytes = BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok()?;
    let (id, given) = bytes.split_first_chunk::<ID>()?;
    let request = Uuid::from_bytes(*id);
    bool::from(hash(secret, authority, request).ct_eq(given)).then_some(request)
}

/// The first token among addresses or Message-IDs.
pub fn find<'a>(visit: &Visit, texts: impl Iterator<Item = &'a str>) -> Option<Uuid> {
    texts.flat_map(candidates).find_map(|token| read(&visit.app.secret, visit.site.id, token))
}

/// What stands after `+` or a dot, before `@`.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let local = text.trim_matches(['<', '>', ' ']).rsplit_once('@').map_or("", |(local, _)| local);
    local.split(['+', '.', '-', '=']).filter(|part| part.len() == (ID + HASH) * 8 / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_request_s_and_nobody_guesses_one() {
        let (secret, city, request) = (Secret::new("a"), Uuid::from_u128(1), Uuid::from_u128(2));
        let token = make(&secret, city, request);
        assert_eq!((token.len(), read(&secret, city, &token)), (42, Some(request)));
        assert_eq!(read(&secret, city, &token.to_uppercase()), Some(request));
        assert_eq!(read(&secret, Uuid::from_u128(3), &token), None);
        assert_eq!(read(&Secret::new("b"), city, &token), None);
        for at in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            bent[at] = if bent[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(read(&secret, city, std::str::from_utf8(&bent).unwrap()), None, "{at}");
        }
        for wrong in ["", "é", "a", &token[1..], &format!("{token}aaaaaaaa")] {
            assert_eq!(read(&secret, city, wrong), None, "{wrong}");
        }
        let all = |text: &str| candidates(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all(&format!("mairie+{token}@ville.fr")), std::slice::from_ref(&token));
        assert_eq!(all(&format!("<0198-x.{token}@ville.fr>")), std::slice::from_ref(&token));
        assert!(all(&format!("{token} dans le sujet")).is_empty());
    }
}
