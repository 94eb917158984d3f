use crate::{
    draw,
    load::{self, Shared},
};

fn shipped(name: &str) -> crate::model::Procedure {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures");
    let mut shared = Shared::default();
    for kind in ["blocks", "workflows"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{kind}/{}", path.file_name().unwrap().to_string_lossy());
            shared.files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    let file = format!("{name}.yaml");
    load::procedure(&file, &std::fs::read_to_string(folder.join(&file)).unwrap(), &shared).unwrap()
}

#[test]
fn the_picture_and_the_tables_say_the_same() {
    let procedure = shipped("acte-naissance");
    let (svg, page) = (draw::svg(&procedure.workflow), draw::page(&procedure));
    assert!(page.contains(&svg));
    for state in &procedure.workflow.states {
        assert!(page.contains(&format!("<th scope=\"row\">{}</th>", draw::escape(&state.label))), "{}", state.id);
        assert!(svg.contains(&format!("De « {} »", draw::escape(&state.label))), "{}", state.id);
    }
    let drawn: Vec<usize> = svg
        .split("font-size=\"13\">")
        .skip(1)
        .flat_map(|rest| rest.split('<').next().unwrap().split(", "))
        .map(|number| number.parse().unwrap())
        .collect();
    for (index, transition) in procedure.workflow.transitions.iter().enumerate() {
        let arrows = drawn.iter().filter(|number| **number == index + 1).count();
        assert_eq!(arrows, transition.from.len(), "{}", transition.id);
        assert!(page.contains(&draw::escape(&transition.label)), "{}", transition.id);
    }
    assert!(page.contains("7\u{a0}jours avant le dernier jour donné pour compléter"), "{page}");
}

#[test]
fn nothing_covers_anything_and_texts_are_only_texts() {
    let mut procedure = shipped("acte-naissance");
    procedure.workflow.states[0].label = "<script>alert(1)</script> & \"co\"".to_owned();
    let workflow = &procedure.workflow;
    let layout = super::layout::place(workflow);
    let mut numbers: Vec<(f64, f64)> = Vec::new();
    let pairs: std::collections::BTreeSet<_> = workflow
        .transitions
        .iter()
        .flat_map(|one| one.from.iter().map(|from| (from.as_str(), one.to.as_str())))
        .collect();
    for (from, to) in pairs {
        let (x, y) = layout.curve(from, to).unwrap().number;
        assert!(x < layout.left - 20.0 || x > layout.left + super::layout::WIDTH + 20.0, "{from} {to}: over a box");
        assert!(x > 25.0 && x < layout.width - 25.0 && y > 0.0 && y < layout.height, "{from} {to}: outside");
        let apart = numbers.iter().all(|(other, below)| (x - other).abs() >= 34.0 || (y - below).abs() >= 20.0);
        assert!(apart, "{from} {to}: over another number");
        numbers.push((x, y));
    }
    let page = draw::page(&procedure);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
}
