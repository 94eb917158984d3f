fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let check = args[0] == "check";
    let mut shared = forms::load::Shared::default();
    if check {
        for d in ["blocks", "workflows"] {
            for e in std::fs::read_dir(format!("{}/{d}", args[1])).unwrap() {
                let p = e.unwrap().path();
                shared.files.insert(format!("{d}/{}", p.file_name().unwrap().to_string_lossy()), std::fs::read_to_string(&p).unwrap());
            }
        }
    }
    for f in &args[if check { 2 } else { 0 }..] {
        let text = std::fs::read_to_string(f).unwrap();
        if check {
            match forms::load::procedure(f, &text, &shared) { Ok(_) => println!("{f}: bon"), Err(e) => for x in e { println!("{x}") } }
        } else {
            match forms::load::fmt(f, &text) { Ok(t) => std::fs::write(f, t).unwrap(), Err(e) => for x in e { println!("{x}") } }
        }
    }
}
