//! Every route of the application, read in its sources: one that nobody thought of is found too.

use std::path::Path;

/// (`GET` or `POST`, path with its parameters).
pub fn all() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    sources(&mut |_, text| read(text, &mut found));
    found.sort_by(|one, other| (&one.1, one.0).cmp(&(&other.1, other.0)));
    assert!(found.len() > 50, "routes are written in another way: {found:?}");
    found
}

/// Shows every source file of the application but its tests.
pub fn sources(look: &mut dyn FnMut(&Path, &str)) {
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), look);
}

fn walk(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let tests = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !tests {
            walk(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !tests {
            look(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn read(text: &str, found: &mut Vec<(&'static str, String)>) {
    assert!(!text.contains(".nest("), "this reader knows nothing of nested routes");
    for part in text.split(".route(").skip(1) {
        let mut depth = 1;
        let end = part.find(|letter| {
            depth += match letter {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let call = &part[..end.unwrap()];
        let (path, handlers) = call.trim_start().strip_prefix('"').expect("a literal path").split_once('"').unwrap();
        let has =
            |method: &str| handlers.contains(&format!("{method}(")) || handlers.contains(&format!("{method}_service("));
        let methods: Vec<&'static str> = [
            ("get", "GET"),
            ("post", "POST"),
            ("put", "PUT"),
            ("patch", "PATCH"),
            ("delete", "DELETE"),
            ("any", "ANY"),
        ]
        .into_iter()
        .filter(|(method, _)| has(method))
        .map(|(_, name)| name)
        .collect();
        assert!(!methods.is_empty(), "no method known in {call}");
        found.extend(methods.into_iter().map(|method| (method, path.to_owned())));
    }
}
