//! Every route, with every kind of rubbish, for everybody: never our fault.

use crate::harness::{Client, Engine, Portal, both, routes, scene::Scene};

/// Fills each parameter of a route with `value`, or with the scene's own for none.
fn address(scene: &Scene, route: &str, value: Option<&str>) -> String {
    let Some(value) = value else { return scene.address(route) };
    route.split('/').map(|part| if part.starts_with('{') { value } else { part }).collect::<Vec<_>>().join("/")
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let noise: Vec<u8> = (0..5_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let typed = "version=9999999999999999999&once=x&de=%FF&piece=x&fichier=x&retirer=%00&ajouter=x&retirer-rang=x.99999999999999999999&_vus=%FF,,&action=%C3&email=@&code=%F0\
                 &reference=%27&suite=//ailleurs&saisie=%7B&message=%00&pieces=x&champs=x&jours=-1&mot-de-passe=&vers=../..&a.0.b=1&a.99999999.b=2";
    let part = "--B\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"\0.pdf\"\r\n\r\n%PDF\r\n--B\r\nContent-Disposition: form-data\r\n\r\n\r\n--B--\r\n";
    vec![
        ("application/x-www-form-urlencoded", typed.as_bytes().to_vec()),
        ("application/x-www-form-urlencoded", noise.clone()),
        ("multipart/form-data; boundary=B", part.as_bytes().to_vec()),
        ("multipart/form-data; boundary=B", noise),
    ]
}

const QUERY: &str = "?brouillon=x&fait=%FF&suite=%2F%2Fx&onglet=x&vue=x&q=%27%22%3C%00%FF(*&tri=x&statut=%F0&apres=x&avant=99999999999999999999,x&theme=x&situation=x&public=x&page=-1&vers=%00&reference=%FF&de=x";

both! {
    async fn no_route_breaks(portal: Portal) {
        let scene = Scene::set(portal).await;
        let long = "é".repeat(3_000);
        let long = guichet::platform::encode(&long).to_string();
        let values = [None, Some("pas-un-identifiant"), Some("00000000-0000-0000-0000-000000000000"), Some("%FF%00%C3%28"), Some(long.as_str()), Some("..%2F..%2Fetc")];
        let mut found = routes::all();
        // Those that end a session, at the end.
        found.sort_by_key(|(_, path)| path.contains("deconne") || path.contains("supprimer") || path.contains("annuler"));
        let people: [&Client; 3] = [&scene.nobody, &scene.owner, &scene.decider];
        let mut asked = 0;
        for (method, route) in &found {
            for value in values.iter().filter(|value| value.is_none() || route.contains('{')) {
                let path = address(&scene, route, *value);
                for person in people {
                    let mut person = (*person).clone();
                    if *method == "GET" {
                        person.get(&path).await;
                        person.get(&format!("{path}{QUERY}")).await;
                        asked += 2;
                        continue;
                    }
                    for (kind, body) in bodies() {
                        person.post_bytes(&path, kind, body).await;
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 1_500, "{asked}");
    }
}
