//! Whom a provider speaks of: its claims, made what accounts and verified identities hold. Nothing that a
//! civil registry may write is refused here.

use forms::kinds::{partial_date::PartialDate, person_name};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::declaration::{Declaration, Profile};
use crate::accounts;

/// Most characters of a name.
const LONGEST: usize = 100;
/// The INSEE code of France among countries.
const FRANCE: &str = "99100";

/// Somebody, as a provider has just shown them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// Their name at the provider: never changes, says nothing.
    pub subject: String,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    /// The provider itself says that it has not checked the address.
    pub email_unchecked: bool,
    pub siret: Option<String>,
    /// In the shape of the field kind « identity »; none when the provider checks no identity.
    pub identity: Option<Json>,
}

impl Person {
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// Reads the claims of a userinfo answer, or of an ID token.
pub fn read(declared: &Declaration, subject: &str, claims: &Json) -> Person {
    let named = named(declared);
    let text = |name: &str| claims.get(name).and_then(Json::as_str).map_or("", str::trim);
    let given = name(text(named.given_name));
    let family = name(text(named.family_name));
    let used = name(text(named.use_name));
    // Of several first names, everyday life knows the first; only a list tells it from a compound one.
    let first = claims.get("given_name_array").and_then(Json::as_array).and_then(|all| all.first());
    let first = first.and_then(Json::as_str).map(name).filter(|first| !first.is_empty());
    let identity =
        (declared.verified() && !family.is_empty()).then(|| identity(&named, claims, &family, &given, &used));
    Person {
        subject: subject.to_owned(),
        first_name: first.unwrap_or(given),
        last_name: if used.is_empty() { family } else { used },
        email: accounts::check_email(text(named.email)).ok(),
        email_unchecked: claims.get("email_verified").and_then(Json::as_bool) == Some(false),
        siret: Some(text("siret").to_owned()).filter(|siret| !siret.is_empty()),
        identity,
    }
}

struct Named<'a> {
    given_name: &'a str,
    family_name: &'a str,
    use_name: &'a str,
    email: &'a str,
    birthdate: &'a str,
    birthplace: &'a str,
    birthcountry: &'a str,
}

/// What this provider calls things. A preferred user name is a name of use at FranceConnect, a login elsewhere.
fn named(declared: &Declaration) -> Named<'_> {
    let or = |own: &'static str, declared| -> &str { if str::is_empty(declared) { own } else { declared } };
    let names = &declared.claims;
    let (family, used) = match declared.profile {
        Profile::Generic => ("family_name", ""),
        Profile::FranceConnect => ("family_name", "preferred_username"),
        Profile::ProConnect => ("usual_name", ""),
    };
    Named {
        given_name: or("given_name", &names.given_name),
        family_name: or(family, &names.family_name),
        use_name: or(used, &names.use_name),
        email: or("email", &names.email),
        birthdate: or("birthdate", &names.birthdate),
        birthplace: or("birthplace", &names.birthplace),
        birthcountry: or("birthcountry", &names.birthcountry),
    }
}

/// A name made regular, or as it came when its letters are not ours.
fn name(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
    person_name::regular(&plain, true).unwrap_or(plain)
}

fn identity(named: &Named<'_>, claims: &Json, family: &str, given: &str, used: &str) -> Json {
    let text = |name: &str| claims.get(name).and_then(Json::as_str).map_or("", str::trim);
    let mut identity = Map::new();
    let mut put = |key: &str, value: Json| identity.insert(key.to_owned(), value);
    put("nom_naissance", family.into());
    put("prenoms", given.into());
    if !used.is_empty() && used != family {
        put("nom_usage", used.into());
    }
    if let Some(date) = birth_date(text(named.birthdate)) {
        put("date_naissance", date.to_string().into());
    }
    if let Some(place) = birth_place(text(named.birthplace), text(named.birthcountry)) {
        put("lieu_naissance", place);
    }
    identity.into()
}

/// A date of birth, presumed ones (`1962-00-00`, `1962-05-00`) being known to the year or the month.
fn birth_date(text: &str) -> Option<PartialDate> {
    text.trim_end_matches("-00").parse().ok()
}

/// Codes of INSEE, as they come: a commune (empty when abroad) and a country.
fn birth_place(commune: &str, country: &str) -> Option<Json> {
    let code = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).take(5).collect() };
    let (commune, country) = (code(commune), code(country));
    if commune.is_empty() && country.is_empty() {
        return None;
    }
    let said = |code: &str| if code.is_empty() { String::new() } else { format!("code INSEE {code}") };
    let home = country == FRANCE || (country.is_empty() && !commune.is_empty());
    let country_name = if home { "France".to_owned() } else { said(&country) };
    Some(json!({"commune": said(&commune), "pays": country_name, "code_commune": commune, "code_pays": country}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(profile: &str, more: &str) -> Declaration {
        let door = if profile == "proconnect" { "agents" } else { "usagers" };
        let text = format!(
            "id = \"a\"\nname = \"A\"\nprofile = \"{profile}\"\ndoor = \"{door}\"\nissuer = \"https://a.fr\"\nclient_id = \"x\"\n{more}"
        );
        Declaration::read("a.toml", &text).unwrap()
    }

    fn angela() -> Json {
        json!({
            "given_name": "Angela Claire Louise", "given_name_array": ["Angela", "Claire", "Louise"], "family_name": "DUBOIS",
            "preferred_username": "MARTIN", "birthdate": "1962-08-24", "gender": "female", "birthplace": "75107",
            "birthcountry": "99100", "email": "angela@exemple.fr",
        })
    }

    #[test]
    fn the_pivot_identity_is_kept_whole() {
        let found = read(&declared("franceconnect", ""), "s", &angela());
        assert_eq!((found.first_name.as_str(), found.last_name.as_str()), ("Angela", "MARTIN"));
        assert_eq!(
            found.identity.unwrap(),
            json!({
                "nom_naissance": "DUBOIS", "prenoms": "Angela Claire Louise", "nom_usage": "MARTIN", "date_naissance": "1962-08-24",
                "lieu_naissance": {"commune": "code INSEE 75107", "pays": "France", "code_commune": "75107", "code_pays": "99100"},
            })
        );
        assert_eq!(found.email.as_deref(), Some("angela@exemple.fr"));
    }

    #[test]
    fn presumed_dates_and_births_abroad() {
        let with = |name: &str, value: &str| {
            let mut claims = angela();
            claims[name] = value.into();
            read(&declared("franceconnect", ""), "s", &claims).identity.unwrap()
        };
        assert_eq!(with("birthdate", "1962-00-00")["date_naissance"], "1962");
        assert_eq!(with("birthdate", "1962-05-00")["date_naissance"], "1962-05");
        assert_eq!(with("birthdate", "1962-01-01")["date_naissance"], "1962-01-01");
        for unread in ["", "n’importe", "1962-13-01", "-00-00"] {
            assert!(with("birthdate", unread)["date_naissance"].is_null(), "{unread}");
        }
        assert_eq!(with("birthplace", "2A004")["lieu_naissance"]["code_commune"], "2A004");
        let mut claims = angela();
        (claims["birthplace"], claims["birthcountry"]) = ("".into(), "99109".into());
        let place = &read(&declared("franceconnect", ""), "s", &claims).identity.unwrap()["lieu_naissance"];
        assert_eq!((place["commune"].as_str(), place["pays"].as_str()), (Some(""), Some("code INSEE 99109")));
        assert!(!with("preferred_username", "DUBOIS").as_object().unwrap().contains_key("nom_usage"));
    }

    #[test]
    fn a_login_is_no_name() {
        let claims =
            json!({"given_name": "A", "family_name": "B", "preferred_username": "ab", "birthdate": "1990-01-02"});
        let found = read(&declared("generic", ""), "s", &claims);
        assert_eq!((found.full_name().as_str(), found.identity, found.email), ("A B", None, None));
        let found = read(
            &declared("generic", "verified = true\n[claims]\nfamily_name = \"nom\"\n"),
            "s",
            &json!({"nom": "Ng", "given_name": ""}),
        );
        assert_eq!(found.identity.unwrap(), json!({"nom_naissance": "Ng", "prenoms": ""}));
        let found = read(
            &declared("proconnect", ""),
            "s",
            &json!({"usual_name": "Le Goff", "given_name": "Hervé", "siret": "1"}),
        );
        assert_eq!((found.full_name().as_str(), found.siret.as_deref()), ("Hervé Le Goff", Some("1")));
        // Names of other scripts stay as they are; what is no text is not there.
        let odd = json!({"given_name": "王", "family_name": {"a": 1}, "email": "pas une adresse"});
        let found = read(&declared("generic", ""), "s", &odd);
        assert_eq!((found.full_name().as_str(), found.email), ("王", None));
    }
}
