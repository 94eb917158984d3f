//! Marks and comments, as they are given and read.

use forms::answers::Raw;

/// Marks, the best first, as they are offered.
pub const SCORES: [(i64, &str); 5] = [
    (5, "Très satisfaisant"),
    (4, "Plutôt satisfaisant"),
    (3, "Ni satisfaisant, ni décevant"),
    (2, "Plutôt décevant"),
    (1, "Très décevant"),
];
/// Longest comment, in characters.
const LONGEST: usize = 1_000;
/// What becomes of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Silent,
    Waiting,
    Published,
    Hidden,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Hidden => "hidden",
        }
    }
}

/// Why a comment is not published, told to its author.
pub const REASONS: [(&str, &str); 4] = [
    ("personne", "Il permet de reconnaître quelqu’un"),
    ("propos", "Il contient une injure ou des propos interdits par la loi"),
    ("sujet", "Il ne parle pas de cette démarche"),
    ("dossier", "Il demande une réponse : le service écrit à la personne sur sa demande"),
];

/// An opinion as its author types it.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    pub score: i64,
    pub comment: String,
}

/// Reads an opinion; else the fields that are wrong, with what to say.
pub fn read(typed: &Raw) -> Result<Given, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let score = typed.text("note").parse().ok().filter(|score| (1..=5).contains(score));
    if score.is_none() {
        wrong.push(("note", "Choisissez une réponse".to_owned()));
    }
    let comment = typed.text("commentaire").trim().replace("\r\n", "\n");
    let over = comment.chars().count().saturating_sub(LONGEST);
    if over > 0 {
        wrong.push(("commentaire", format!("Raccourcissez votre commentaire : il compte {over} caractères de trop")));
    }
    match score {
        Some(score) if wrong.is_empty() => Ok(Given { score, comment }),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(note: &str, comment: &str) -> Raw {
        let fields = [("note", note), ("commentaire", comment)];
        Raw(fields.into_iter().map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).collect())
    }

    #[test]
    fn an_opinion_is_a_mark_and_perhaps_a_word() {
        assert_eq!(read(&typed("5", " Merci\r\n! ")), Ok(Given { score: 5, comment: "Merci\n!".to_owned() }));
        for note in ["", "0", "6", "-1", "5.0", "bien"] {
            assert_eq!(read(&typed(note, "")).unwrap_err()[0].0, "note", "{note}");
        }
        assert!(read(&typed("1", &"é".repeat(LONGEST))).is_ok());
        let wrong = read(&typed("", &"é".repeat(LONGEST + 2))).unwrap_err();
        assert_eq!((wrong[0].0, wrong[1].0), ("note", "commentaire"));
        assert!(wrong[1].1.contains("2 caractères de trop"));
    }
}
