//! Templates that come with procedures: the first version of each, and no later one than a department's own.

use db::{Db, Tx};
use forms::{
    load::{self, Shared},
    model::{Letter, Procedure},
};
use jiff::Timestamp;

use super::{
    model::{self, Template, genre_name},
    store::{self, Saving},
};

/// The letters of a procedure that is to be published, with the files they come from.
///
/// # Errors
/// What is wrong: a letter without template, or a department's own text that names what the procedure no longer
/// asks.
pub async fn ready(
    db: &Db,
    procedure: &Procedure,
    shared: &Shared,
) -> anyhow::Result<Result<Vec<(String, Letter)>, Vec<String>>> {
    let (mut letters, mut wrong) = (Vec::new(), Vec::new());
    for code in procedure.letters() {
        let own = store::template(&db.fresh(), &procedure.department, code, None).await?;
        if let Some(own) = own.filter(|own| own.saved_by.is_some()) {
            let mistakes = own.parse(&model::names(procedure)).err().unwrap_or_default();
            wrong.extend(mistakes.iter().map(|one| {
                format!(
                    "{}: letter {code}, version {} of {}, line {}: {}",
                    procedure.id, own.version, own.department_id, one.line, one.message
                )
            }));
            continue;
        }
        match load::shared_letter(code, shared) {
            Some(Ok(letter)) => letters.push((code.to_owned(), letter)),
            Some(Err(findings)) => wrong.extend(findings.iter().map(ToString::to_string)),
            None => wrong.push(format!("{}: no template for the letter « {code} »", procedure.id)),
        }
    }
    Ok(if wrong.is_empty() { Ok(letters) } else { Err(wrong) })
}

/// Keeps the text of the file as a version, unless it is the present one already.
pub async fn seed(tx: &mut Tx, department: &str, code: &str, letter: &Letter, now: Timestamp) -> Result<(), db::Error> {
    let known = store::present(tx, department, code).await?;
    let genre = genre_name(letter.genre);
    let same = |known: &Template| {
        (&known.title, known.genre.as_str(), &known.subject, &known.body)
            == (&letter.title, genre, &letter.subject, &letter.text)
    };
    if known.as_ref().is_some_and(|known| known.saved_by.is_some() || same(known)) {
        return Ok(());
    }
    let saving = Saving {
        department,
        code,
        genre,
        title: &letter.title,
        subject: &letter.subject,
        body: &letter.text,
        by: None,
    };
    store::save(tx, &saving, known.map_or(0, |known| known.version), now).await?;
    Ok(())
}
