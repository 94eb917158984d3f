//! An entry of the directory as an agent: names, end, roles. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp, ToSpan, Unit, civil::Date, tz::TimeZone};

use super::declaration::{Declaration, Group};
use crate::{accounts, agents::Role, platform::clock};

/// An entry as it was read; names of attributes in small letters.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub dn: String,
    pub values: HashMap<String, Vec<String>>,
}

impl Entry {
    fn all(&self, attribute: &str) -> &[String] {
        self.values.get(&attribute.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    fn first(&self, attribute: &str) -> Option<&str> {
        self.all(attribute).first().map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// The end of an access, as far as the directory tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It does not: what is set here stays.
    Ours,
    /// None: without end.
    Theirs(Option<Date>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub key: String,
    pub email: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub quality: Option<String>,
    pub end: End,
    /// By department.
    pub roles: BTreeMap<String, Role>,
}

impl Person {
    /// None when the entry has nothing to be known by.
    pub fn of(entry: &Entry, declaration: &Declaration, zone: &TimeZone) -> Option<Self> {
        let names = &declaration.attributes;
        let short = |attribute: &str| entry.first(attribute).unwrap_or_default().chars().take(100).collect::<String>();
        Some(Self {
            key: entry.first(&names.id)?.to_owned(),
            email: entry.first(&names.mail).and_then(|text| accounts::check_email(text).ok()),
            first_name: short(&names.first_name),
            last_name: short(&names.last_name),
            quality: Some(short(&names.quality)).filter(|text| !text.is_empty()),
            end: if names.ends.is_empty() {
                End::Ours
            } else {
                End::Theirs(entry.first(&names.ends).and_then(|text| last_day(&names.ends, text, zone)))
            },
            roles: roles(entry.all(&names.groups), &declaration.groups),
        })
    }
}

/// The highest role that the groups give in each department.
fn roles(groups: &[String], mapping: &[Group]) -> BTreeMap<String, Role> {
    let mut found: BTreeMap<String, Role> = BTreeMap::new();
    for one in mapping.iter().filter(|one| groups.iter().any(|dn| plain(dn) == plain(&one.dn))) {
        let role = found.entry(one.department.clone()).or_insert(one.role);
        *role = (*role).max(one.role);
    }
    found
}

/// A distinguished name without what does not distinguish: case, spaces beside commas and signs.
fn plain(dn: &str) -> String {
    let parts = dn.split(',').map(|part| part.split('=').map(str::trim).collect::<Vec<_>>().join("="));
    parts.collect::<Vec<_>>().join(",").to_lowercase()
}

/// The last whole day of an access, in the authority's zone. None: no end, or nothing that can be read.
///
/// - `accountExpires` (Active Directory): units of 100 ns since 1601 when it is over; 0 and 2^63-1 mean never.
/// - `shadowExpire` (RFC 2307): days since 1970 from which it is over; 0 and less mean never.
/// - any other: a GeneralizedTime in UTC (RFC 4517, 3.3.13), when it is over.
fn last_day(attribute: &str, text: &str, zone: &TimeZone) -> Option<Date> {
    let before = |over: Timestamp| Some(clock::day(over.checked_sub(SignedDuration::from_micros(1)).ok()?, zone));
    if attribute.eq_ignore_ascii_case("accountExpires") {
        let ticks: i64 = text.parse().ok().filter(|ticks| ![0, i64::MAX].contains(ticks))?;
        const EPOCH: i64 = 11_644_473_600_000_000;
        return before(Timestamp::from_microsecond((ticks / 10).checked_sub(EPOCH)?).ok()?);
    }
    if attribute.eq_ignore_ascii_case("shadowExpire") {
        // Some write 99999999 for never: no calendar goes there.
        let days: i64 = text.parse().ok().filter(|days| (1..=2_000_000).contains(days))?;
        return jiff::civil::date(1970, 1, 1).checked_add((days - 1).days()).ok();
    }
    let digits = text.strip_suffix('Z')?.split('.').next()?;
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    before(time.to_zoned(TimeZone::UTC).ok()?.round(Unit::Second).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::directory::declaration::tests::sample;

    fn paris() -> TimeZone {
        TimeZone::get("Europe/Paris").unwrap()
    }

    #[test]
    fn ends_are_read_in_the_zone() {
        let day = |attribute: &str, text: &str| last_day(attribute, text, &paris());
        // The console writes the midnight that follows « end of 31 May ».
        assert_eq!(day("accountExpires", "134247384000000000"), Some(date(2026, 5, 31)));
        for never in ["0", "9223372036854775807", "", "jamais", "-9223372036854775808"] {
            assert_eq!(day("accountExpires", never), None, "{never}");
        }
        assert_eq!(day("shadowExpire", "20788"), Some(date(2026, 11, 30)));
        assert_eq!(day("shadowExpire", "1"), Some(date(1970, 1, 1)));
        for never in ["0", "-1", "99999999999999", "x"] {
            assert_eq!(day("shadowExpire", never), None, "{never}");
        }
        assert_eq!(day("loginExpirationTime", "20261130230000Z"), Some(date(2026, 11, 30)));
        assert_eq!(day("loginExpirationTime", "20261130230001Z"), Some(date(2026, 12, 1)));
        assert_eq!(day("loginExpirationTime", "20261130225959.5Z"), Some(date(2026, 11, 30)));
        assert_eq!(day("loginExpirationTime", "demain"), None);
    }

    #[test]
    fn groups_give_the_highest_role() {
        let of = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|dn| (*dn).to_owned()).collect();
            roles(&groups, &sample().groups)
        };
        let processor = "CN=Etat-Civil, OU=groupes,dc=valmont,dc=example";
        assert_eq!(of(&[processor]), BTreeMap::from([("etat-civil".to_owned(), Role::Processor)]));
        let manager = "cn=chefs-etat-civil,ou=groupes,dc=valmont,dc=example";
        for both in [[processor, manager], [manager, processor]] {
            assert_eq!(of(&both), BTreeMap::from([("etat-civil".to_owned(), Role::Manager)]));
        }
        assert!(of(&["cn=etat-civil,ou=autres,dc=valmont,dc=example", ""]).is_empty());
    }

    #[test]
    fn an_entry_is_read() {
        let values = [("entryuuid", "1-2"), ("mail", "Nadia@Valmont.example"), ("sn", " Benali "), ("title", "")];
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        let mut entry = Entry { values, ..Entry::default() };
        let person = Person::of(&entry, &sample(), &paris()).unwrap();
        assert_eq!(
            (person.last_name.as_str(), person.quality.as_deref(), person.end),
            ("Benali", None, End::Theirs(None))
        );
        assert!(person.email.is_some_and(|email| email.eq_ignore_ascii_case("nadia@valmont.example")));
        entry.values.remove("entryuuid");
        assert_eq!(Person::of(&entry, &sample(), &paris()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_an_end(attribute in "accountExpires|shadowExpire|autre", text in "\\PC{0,24}|-?[0-9]{1,20}Z?") {
            let _ = last_day(&attribute, &text, &paris());
        }
    }
}
