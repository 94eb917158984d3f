//! The pure part: what a hash binds, what a signature binds.

use jiff::{Timestamp, civil::date};
use uuid::Uuid;

use super::{
    chain::{Head, Kind, Point, Signer},
    model::{Action, Kept},
};
use crate::platform::secret::Secret;

fn kept() -> Kept {
    Kept {
        id: Uuid::from_u128(1),
        at: Timestamp::from_microsecond(1_000).unwrap(),
        day: None,
        action: "request-opened".into(),
        actor_kind: "agent".into(),
        actor_id: Some(Uuid::from_u128(2)),
        department_id: Some("etat-civil".into()),
        subject_kind: None,
        subject_id: None,
        request_id: Some(Uuid::from_u128(3)),
        detail: String::new(),
        salt: vec![7; 32],
    }
}

#[test]
fn every_part_of_a_line_is_in_its_hash() {
    let city = Uuid::from_u128(9);
    let hash = kept().hash(city);
    assert_eq!(hash, kept().hash(city));
    assert_ne!(hash, kept().hash(Uuid::from_u128(8)), "another authority's");
    let changes: [fn(&mut Kept); 14] = [
        |line| line.id = Uuid::from_u128(4),
        |line| line.at = Timestamp::from_microsecond(1_001).unwrap(),
        |line| line.day = Some(date(2026, 11, 17)),
        |line| line.action = "request-printed".into(),
        |line| line.actor_kind = "usager".into(),
        |line| line.actor_id = None,
        |line| line.department_id = None,
        // Absent is not empty.
        |line| line.department_id = Some(String::new()),
        |line| line.subject_kind = Some(String::new()),
        |line| line.subject_id = Some(Uuid::from_u128(3)),
        |line| line.request_id = None,
        |line| line.detail = "x".into(),
        |line| line.salt[31] ^= 1,
        // Nothing slides from one part to the next.
        |line| (line.action, line.actor_kind) = ("request-opene".into(), "dagent".into()),
    ];
    let mut seen = vec![hash];
    for change in changes {
        let mut line = kept();
        change(&mut line);
        let hash = line.hash(city);
        assert!(!seen.contains(&hash), "{line:?}");
        seen.push(hash);
    }
}

#[test]
fn the_chain_binds_order_and_number() {
    let origin = Point::origin(Uuid::from_u128(1));
    assert_ne!(origin, Point::origin(Uuid::from_u128(2)));
    let (ab, ba) = (origin.then(b"a").then(b"b"), origin.then(b"b").then(b"a"));
    assert_eq!((ab.seq, ba.seq), (2, 2));
    assert_ne!(ab.hash, ba.hash);
    let later = Point { seq: 7, ..origin.clone() };
    assert_ne!(later.then(b"a").hash, origin.then(b"a").hash);
}

#[test]
fn a_head_is_good_for_what_it_was_signed_for() {
    let (ours, theirs) = (Signer::of(&Secret::new("a")).unwrap(), Signer::of(&Secret::new("b")).unwrap());
    let city = Uuid::from_u128(1);
    let head = Head::sign(&ours, city, Kind::Head, Point::origin(city).then(b"a"), Timestamp::UNIX_EPOCH);
    assert!(head.good(&ours, city, Kind::Head));
    assert!(!head.good(&theirs, city, Kind::Head));
    assert!(!head.good(&ours, Uuid::from_u128(2), Kind::Head));
    assert!(!head.good(&ours, city, Kind::Checkpoint), "a head passes for a checkpoint");
    let changes: [fn(&mut Head); 4] = [
        |head| head.seq = 2,
        |head| head.hash[0] ^= 1,
        |head| head.at = Timestamp::from_microsecond(1).unwrap(),
        |head| head.signature.truncate(63),
    ];
    for change in changes {
        let mut forged = head.clone();
        change(&mut forged);
        assert!(!forged.good(&ours, city, Kind::Head), "{forged:?}");
    }
    let word = ours.erased(city, 3, b"hash");
    assert!(ours.knows_erased(city, 3, b"hash", &word));
    assert!(!ours.knows_erased(city, 4, b"hash", &word) && !ours.knows_erased(city, 3, b"hush", &word));
    assert!(!theirs.knows_erased(city, 3, b"hash", &word));
}

#[test]
fn a_head_is_one_line_of_text() {
    let signer = Signer::of(&Secret::new("a")).unwrap();
    let city = Uuid::from_u128(1);
    let at = "2026-11-17T09:00:00.000123Z".parse().unwrap();
    let head = Head::sign(&signer, city, Kind::Head, Point::origin(city).then(b"a"), at);
    assert_eq!(Head::parse(&head.line(city)).unwrap(), (city, head.clone()));
    let line = head.line(city);
    for wrong in ["", "a b c d e", &line[1..], &line[..line.len() - 200], &format!("{line} more")] {
        assert!(Head::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn codes_of_actions_are_read_back() {
    for action in Action::ALL {
        assert_eq!(Action::named(action.code()), Some(action));
    }
}
