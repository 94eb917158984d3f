//! Names, births and identities, as they are typed.

use serde_json::json;

use super::*;

#[test]
fn names_of_people() {
    let person = field(Identity::default());
    for name in [
        "d’Arc",
        "N’Diaye",
        "Nguyễn",
        "O’Brien",
        "Le Gall-Ker Vella",
        "Łukasiewicz",
        "Ñuñez",
        "Þórsdóttir",
        "C\u{2bc}hoat",
        "Ng",
    ] {
        let answer = parse(&person, &[("nom_naissance", name), ("prenoms", name)]).expect(name).unwrap();
        assert_eq!(answer["nom_naissance"], name);
    }
    let answer =
        parse(&person, &[("nom_naissance", "Nguye\u{302}\u{303}n"), ("prenoms", "Anne, Marie")]).unwrap().unwrap();
    assert_eq!(answer, json!({"nom_naissance": "Nguyễn", "prenoms": "Anne, Marie"}));
    for name in ["Martin2", "<b>", "Иванов", "محمد", "a@b", "-", "Martin, Paul", "x\u{7}y"] {
        assert_eq!(faults(&person, &[("nom_naissance", name), ("prenoms", "Paul")]).0, ["nom_naissance"], "{name}");
    }
    let (parts, said) = faults(&person, &[("nom_naissance", &"a".repeat(103)), ("prenoms", "Paul")]);
    assert_eq!(parts, ["nom_naissance"]);
    assert!(said.contains("3\u{a0}caractères de trop"), "{said}");
}

#[test]
fn single_and_use_names() {
    let person = field(Identity::default());
    let single = parse(&person, &[("nom_naissance", "Suharto"), ("sans_prenom", "oui")]).unwrap().unwrap();
    assert_eq!(single, json!({"nom_naissance": "Suharto", "prenoms": ""}));
    assert_eq!(faults(&person, &[("nom_naissance", "Suharto")]).0, ["prenoms"]);
    assert_eq!(faults(&person, &[("prenoms", "Paul")]).0, ["nom_naissance"]);
    assert_eq!(
        faults(&person, &[("nom_naissance", "Roux"), ("prenoms", "Paul"), ("sans_prenom", "oui")]).0,
        ["prenoms"]
    );
    let used = [("nom_naissance", "Roux"), ("nom_usage", "Martin"), ("prenoms", "Paul")];
    assert_eq!(parse(&person, &used).unwrap().unwrap()["nom_usage"], "Martin");
    let plain = field(Identity { use_name: false, ..Identity::default() });
    assert!(parse(&plain, &used).unwrap().unwrap().get("nom_usage").is_none(), "not asked for");
    assert_eq!(parse(&person, &[("pays", "France")]), Ok(None));
}

#[test]
fn births() {
    let person = field(Identity { birth_date: true, birth_place: true, ..Identity::default() });
    let name = [("nom_naissance", "Roux"), ("prenoms", "Paul")];
    let with = |more: &[(&str, &str)]| {
        let parts = [&name[..], more].concat();
        parse(&person, &parts).map(|it| it.unwrap()).map_err(|_| faults(&person, &parts))
    };
    let answer = with(&[("annee", "1950"), ("lieu", "Léopoldville"), ("pays", "Congo belge")]).unwrap();
    assert_eq!(answer["date_naissance"], "1950");
    assert_eq!(answer["lieu_naissance"], json!({"commune": "Léopoldville", "pays": "Congo belge"}));
    let answer =
        with(&[("jour", "17/05/1980"), ("lieu", "Ajaccio"), ("departement", "2A"), ("pays", "france")]).unwrap();
    assert_eq!(answer["date_naissance"], "1980-05-17");
    assert_eq!(answer["lieu_naissance"], json!({"commune": "Ajaccio", "departement": "2A", "pays": "France"}));
    assert_eq!(with(&[]).unwrap_err().0, ["jour", "lieu"]);
    assert_eq!(with(&[("annee", "0026"), ("lieu", "Lyon")]).unwrap_err().0, ["annee"]);
    let (parts, said) = with(&[("annee", "2027"), ("lieu", "Lyon")]).unwrap_err();
    assert_eq!(parts, ["jour"]);
    assert!(said.contains("passée"), "{said}");
}

#[test]
fn an_identity_given_elsewhere_is_typed_as_far_as_it_is_asked() {
    let known = json!({"nom_naissance": "Martin", "nom_usage": "Le Goff", "prenoms": "", "date_naissance": "2019-05",
        "lieu_naissance": {"commune": "Lyon", "departement": "Rhône", "pays": "France"}});
    let typed = |kind: Identity| {
        let mut raw = raw(&[("nom_usage", "Ancien"), ("prenoms", "Léa")]);
        kind.fill(NAME, &known, &mut raw);
        raw.0
            .into_iter()
            .map(|(name, values)| format!("{}={}", name.replace(NAME, "x"), values.concat()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let names = Identity { use_name: false, ..Identity::default() };
    assert_eq!(typed(names), "x.nom_naissance=Martin x.sans_prenom=oui");
    let date = Identity { birth_date: true, ..Identity::default() };
    assert_eq!(typed(date), "x.annee=2019 x.mois=5 x.nom_naissance=Martin x.nom_usage=Le Goff x.sans_prenom=oui");
    let place = Identity { birth_place: true, use_name: false, ..Identity::default() };
    assert_eq!(typed(place), "x.departement=Rhône x.lieu=Lyon x.nom_naissance=Martin x.pays=France x.sans_prenom=oui");
}
