//! What a mail repeats of those before it, so that its reader sees first what is new.

/// (what is new, what is quoted after it). All of it is new when nothing tells otherwise, or when answers stand
/// among the quotes.
pub fn split(text: &str) -> (String, String) {
    let lines: Vec<&str> = text.lines().collect();
    let whole = || (text.trim().to_owned(), String::new());
    let said = said(&lines);
    let Some(at) = (0..lines.len()).find(|at| begins(&lines, *at, &said)) else { return whole() };
    let (fresh, quoted) = (join(lines.get(..at)), join(lines.get(at..)));
    if fresh.is_empty() { whole() } else { (fresh, quoted) }
}

fn join(lines: Option<&[&str]>) -> String {
    lines.unwrap_or_default().join("\n").trim().to_owned()
}

/// From each line on: how many lines are quoted, and how many say something.
fn said(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); lines.len() + 1];
    let (mut quoted, mut all) = (0, 0);
    for (count, line) in counts.iter_mut().rev().skip(1).zip(lines.iter().rev()) {
        quoted += usize::from(line.trim().starts_with('>'));
        all += usize::from(!line.trim().is_empty());
        *count = (quoted, all);
    }
    counts
}

/// Whether the quote begins at this line: nothing after it is new.
fn begins(lines: &[&str], at: usize, said: &[(usize, usize)]) -> bool {
    let rest = lines.get(at..).unwrap_or_default();
    let Some(line) = rest.first().map(|line| line.trim()) else { return false };
    if separates(line) || heads(rest) {
        return true;
    }
    let named = attributes(rest);
    let after = match named {
        Some(count) => at + count,
        None if line.starts_with('>') => at,
        None => return false,
    };
    let (quoted, all) = said.get(after).copied().unwrap_or_default();
    // Some readers mark every line, others none.
    quoted == all || (quoted == 0 && named.is_some())
}

/// « -----Message d'origine----- ».
fn separates(line: &str) -> bool {
    let bare = line.trim_matches(['-', '_', ' ']).to_lowercase().replace('\'', "’");
    let words = ["message d’origine", "message original", "original message", "message transféré", "forwarded message"];
    line.starts_with("--") && words.contains(&bare.as_str())
}

/// « De : … » then « Envoyé : … », as Outlook writes without a line before.
fn heads(rest: &[&str]) -> bool {
    let named = |at: usize, names: &[&str]| {
        let line = rest.get(at).map(|line| line.trim().replace('\u{a0}', " ").to_lowercase()).unwrap_or_default();
        names.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':')))
    };
    named(0, &["de", "from"]) && named(1, &["envoyé", "sent", "date", "à", "to"])
}

/// « Le 17 novembre à 10 h, la Ville a écrit : », on one line or two; of how many lines.
fn attributes(rest: &[&str]) -> Option<usize> {
    let opens = |line: &str| line.starts_with("Le ") || line.starts_with("On ");
    let closes = |line: &str| {
        let line = line.trim_end_matches([':', ' ', '\u{a0}']);
        line.ends_with("a écrit") || line.ends_with("wrote")
    };
    if !opens(rest.first()?.trim()) {
        return None;
    }
    (0..2).find(|at| rest.get(*at).is_some_and(|line| closes(line.trim()))).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_comes_first() {
        for (text, fresh) in [
            ("Bonjour\nMerci", "Bonjour\nMerci"),
            ("Voici.\n\nLe mar. 17 nov. 2026 à 10:00, Ville <a@b.fr> a écrit :\n> Bonjour\n> Merci\n", "Voici."),
            ("Voici.\n\nLe mar. 17 nov. 2026 à 10:00, Ville de Valmont\n<a@b.fr> a écrit :\n\n> Bonjour", "Voici."),
            // Marked by nothing but its first line.
            ("Voici.\nOn Tue, Nov 17, 2026, City wrote:\nHello\nBye", "Voici."),
            ("Voici.\n-----Message d’origine-----\nDe : Ville\nBonjour", "Voici."),
            ("Voici.\n\nDe\u{a0}: Ville <a@b.fr>\nEnvoyé\u{a0}: mardi\nÀ : moi\n\nBonjour", "Voici."),
            ("Voici.\n> Bonjour\n> Merci", "Voici."),
            // Answers among the quotes: all of it is to be read.
            ("> Quel prénom ?\nCamille\n> Quel nom ?\nMartin", "> Quel prénom ?\nCamille\n> Quel nom ?\nMartin"),
            ("Oui.\nLe 17, Ville a écrit :\n> A ?\nNon.", "Oui.\nLe 17, Ville a écrit :\n> A ?\nNon."),
            // Nothing but a quote is not nothing.
            ("> Bonjour", "> Bonjour"),
            ("Le chat a écrit", "Le chat a écrit"),
            ("De : rien\nUne phrase", "De : rien\nUne phrase"),
        ] {
            let (new, quoted) = split(text);
            assert_eq!(new, fresh, "{text}");
            assert_eq!(quoted.is_empty(), new == text.trim(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "(Le 17, Ville a écrit :|> Bonjour|Oui|De : x|Envoyé : y|\n|--- Message original ---)*") {
            let (new, quoted) = split(&text);
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(bare(&text), bare(&new) + &bare(&quoted));
        }
    }
}
