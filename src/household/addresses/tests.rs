use db::Json;
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::model::*;

const TODAY: Date = date(2026, 11, 17);

fn address(kind: &str, street: &str, from: Date, until: Option<Date>) -> Address {
    Address {
        id: Uuid::from_u128(from.day() as u128),
        kind: kind.to_owned(),
        address: Json(json!({"numero_voie": street, "code_postal": "96000", "commune": "Valmont", "pays": "France"})),
        from_day: from,
        until_day: until,
        confidential: false,
        declared_at: "2026-01-05T12:00:00Z".parse().unwrap(),
    }
}

#[test]
fn the_next_main_address_ends_the_one_before() {
    let all = [
        address(MAIN, "3 rue neuve", date(2026, 12, 1), None),
        address(MAIN, "2 rue longue", date(2020, 5, 1), None),
        address(MAIN, "1 rue vieille", date(2001, 1, 1), Some(date(2010, 6, 30))),
        address("other", "5 chemin creux", date(2022, 7, 1), None),
    ];
    let seen: Vec<_> = all.iter().map(|one| (period(&all, one, TODAY), last_day(&all, one))).collect();
    assert_eq!(
        seen,
        [
            (Period::Coming, None),
            (Period::Current, Some(date(2026, 11, 30))),
            (Period::Past, Some(date(2010, 6, 30))),
            (Period::Current, None),
        ]
    );
    let street = |day| home(&all, day).map(|one| one.lines()[0].clone());
    assert_eq!(street(TODAY).as_deref(), Some("2 rue longue"));
    assert_eq!(street(date(2026, 11, 30)).as_deref(), Some("2 rue longue"));
    assert_eq!(street(date(2026, 12, 1)).as_deref(), Some("3 rue neuve"));
    // Nowhere known: neither before the first, nor between two.
    assert_eq!((street(date(2000, 12, 31)), street(date(2015, 1, 1))), (None, None));
}

#[test]
fn the_last_declared_of_the_same_day_counts() {
    let mut all = [address(MAIN, "1 rue fausse", TODAY, None), address(MAIN, "1 rue juste", TODAY, None)];
    all[1].declared_at = all[0].declared_at + 1.hours();
    assert_eq!(home(&all, TODAY).unwrap().lines()[0], "1 rue juste");
    assert_eq!(period(&all, &all[0], TODAY), Period::Past);
}

#[test]
fn a_confidential_address_is_known_again_wherever_it_is_typed() {
    let mut hidden = address(MAIN, "12 bis, rue de l’Église", TODAY, None);
    let answers = |street: &str| {
        let typed = json!({"numero_voie": street, "code_postal": "96000", "commune": "VALMONT", "pays": "France", "ban_id": "1"});
        json!({"nom": "Martin", "contacts": [{"chez": typed}]}).as_object().unwrap().clone()
    };
    assert!(!told(std::slice::from_ref(&hidden), &answers("12 bis rue de l’eglise")), "nothing is confidential");
    hidden.confidential = true;
    assert!(told(std::slice::from_ref(&hidden), &answers("12 bis rue de l’eglise")));
    assert!(!told(&[hidden], &answers("12 rue de l’eglise")));
}

proptest! {
    /// However addresses were declared, there is one main address a day at most, and it has begun and not ended.
    #[test]
    fn one_main_address_a_day(days in prop::collection::vec((0i32..400, prop::option::of(0i32..200), any::<bool>()), 0..8), day in 0i32..500) {
        let on = |days: i32| date(2026, 1, 1).checked_add(days.days()).unwrap();
        let all: Vec<Address> = days
            .iter()
            .enumerate()
            .map(|(index, (from, lasts, main))| {
                let kind = if *main { MAIN } else { "other" };
                let id = Uuid::from_u128(index as u128);
                Address { id, ..address(kind, "1 rue", on(*from), lasts.map(|lasts| on(from + lasts))) }
            })
            .collect();
        let today = on(day);
        let current: Vec<&Address> = all.iter().filter(|one| one.is_main() && period(&all, one, today) == Period::Current).collect();
        prop_assert!(current.len() <= 1);
        for one in current {
            prop_assert!(one.from_day <= today && one.until_day.is_none_or(|until| today <= until));
        }
    }
}
