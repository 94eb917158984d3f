use db::Json;
use jiff::{
    ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::model::*;
use crate::household::model::Member;

const TODAY: Date = date(2026, 11, 17);

fn member(relation: &str, born: &str, responsible: Option<bool>) -> Member {
    let declared_at = "2026-01-05T12:00:00Z".parse().unwrap();
    Member {
        id: Uuid::nil(),
        relation: relation.to_owned(),
        identity: Json(json!({"nom_naissance": "Martin", "prenoms": "Léa", "date_naissance": born})),
        responsible,
        deceased_on: None,
        measure: None,
        measure_from: None,
        measure_until: None,
        declared_at,
        changed_at: declared_at,
    }
}

#[test]
fn who_is_shown() {
    let shows = |whole, named, one: &Member| shows(whole, named, one, TODAY, &TimeZone::UTC);
    let child = member("child", "2019-05-03", Some(true));
    assert_eq!(
        [shows(false, true, &child), shows(true, false, &child), shows(false, false, &child)],
        [true, true, false]
    );
    // Whoever says that they no longer exercise authority shares the child no more.
    assert!(!shows(false, true, &member("child", "2019-05-03", Some(false))));
    let adult = member("partner", "1980", None);
    assert_eq!([shows(true, false, &adult), shows(false, true, &adult)], [true, false]);
    let protected = member("protected", "1950", None);
    assert_eq!([shows(true, true, &protected), shows(false, true, &protected)], [false, false]);
    let mut dead = child.clone();
    dead.deceased_on = Some("2026-02".into());
    assert_eq!([shows(true, true, &dead), shows(false, true, &dead)], [false, false]);
}

proptest! {
    /// Whatever the share, a child of age is nobody's to show, from the day itself.
    #[test]
    fn nobody_of_age_is_shown_as_a_child(born in 0i32..15_000, whole: bool, named: bool) {
        let born = date(1990, 1, 1).checked_add(born.days()).unwrap();
        let child = member("child", &born.to_string(), Some(true));
        let of_age = crate::household::model::of_age(born.to_string().parse().unwrap()).unwrap();
        let seen = shows(whole, named, &child, TODAY, &TimeZone::UTC);
        prop_assert_eq!(seen, (whole || named) && TODAY < of_age);
    }
}
