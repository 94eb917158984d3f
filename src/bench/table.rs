//! The measures for people, beside what we aim at.

use std::fmt::Write;

use super::Measures;

enum Aim {
    AtLeast(f64),
    AtMost(f64),
    None,
}

pub fn table(measures: &Measures) -> String {
    let lines = [
        ("public page, of a bare handler", measures.page_ratio, Aim::AtLeast(0.5)),
        ("the same, not cached", measures.page_uncached_ratio, Aim::AtLeast(0.15)),
        ("page of questions, with a draft", measures.form_page_ratio, Aim::AtLeast(0.15)),
        ("submissions, of bare writes, SQLite", measures.submission_ratio_sqlite, Aim::None),
        ("submissions, of bare writes, PostgreSQL", measures.submission_ratio_postgres, Aim::None),
        ("processor per submission (ms), SQLite", measures.submission_cpu_ms_sqlite, Aim::AtMost(10.0)),
        ("processor per submission (ms), PostgreSQL", measures.submission_cpu_ms_postgres, Aim::AtMost(10.0)),
        ("memory at rest (MB)", measures.idle_mb, Aim::AtMost(60.0)),
        ("most memory under load (MB)", measures.loaded_mb, Aim::None),
        ("start (s)", measures.start_s, Aim::AtMost(0.5)),
        ("first visit (KB)", measures.page_kb, Aim::AtMost(60.0)),
        ("document encrypted and kept (MB/s)", measures.safe_upload_mbs, Aim::None),
        ("document read and decrypted (MB/s)", measures.safe_download_mbs, Aim::None),
        ("the same, of a bare file written", measures.safe_upload_ratio, Aim::None),
        ("the same, of a bare file read", measures.safe_download_ratio, Aim::None),
        ("sign-ins, of bare argon2id", measures.sign_in_ratio, Aim::None),
        ("processor per sign-in, in bare argon2id", measures.sign_in_cpu_ratio, Aim::None),
        ("the same without argon2id (ms)", measures.sign_in_rest_cpu_ms, Aim::None),
        ("codes for tokens, of a bare handler", measures.token_ratio, Aim::None),
        ("processor for each (ms)", measures.token_cpu_ms, Aim::None),
        ("CAS tickets validated, of a bare handler", measures.cas_validate_ratio, Aim::None),
        ("processor for each (ms)", measures.cas_validate_cpu_ms, Aim::None),
        ("ID token signed (ms)", measures.id_token_sign_ms, Aim::None),
        ("signing key read, once a process (ms)", measures.signing_key_read_ms, Aim::None),
    ];
    let lines = lines.into_iter().map(|(name, value, aim)| (name.to_owned(), value, aim));
    let many = measures.lists.iter().map(|(name, found)| {
        let aim = if name.contains("_ms_p95_") { Aim::AtMost(50.0) } else { Aim::None };
        (name.clone(), Some(*found), aim)
    });
    let mut text = String::new();
    for (name, value, aim) in lines.chain(many).chain(grown(measures)) {
        let (found, judged) = match value {
            Some(value) => (format!("{value:.3}"), aim.judge(value)),
            None => ("–".to_owned(), String::new()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<42} {found:>9}  {judged}");
    }
    text
}

/// What a million costs, to ten thousand.
fn grown(measures: &Measures) -> impl Iterator<Item = (String, Option<f64>, Aim)> {
    measures.lists.iter().filter(|(name, _)| name.contains("_ms_p95_")).filter_map(|(name, many)| {
        let kind = name.strip_suffix("_1m")?;
        let few = measures.lists.get(&format!("{kind}_10k"))?;
        Some((format!("{kind}: 1m to 10k"), Some(many / few), Aim::AtMost(1.5)))
    })
}

impl Aim {
    fn judge(&self, value: f64) -> String {
        let (met, words) = match self {
            Self::AtLeast(aim) => (value >= *aim, format!("at least {aim}")),
            Self::AtMost(aim) => (value <= *aim, format!("at most {aim}")),
            Self::None => return String::new(),
        };
        if met { words } else { format!("{words}: MISSED") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misses_its_aim_is_told() {
        let table = table(&Measures { page_ratio: Some(0.4), idle_mb: Some(59.9), ..Measures::default() });
        let line = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        assert!(line("public page").ends_with("at least 0.5: MISSED"));
        assert!(line("memory at rest").ends_with("at most 60"));
        let lists =
            [("list_ms_p95_sqlite_10k", 20.0), ("list_ms_p95_sqlite_1m", 40.0), ("export_rows_s_sqlite_1m", 1e4)];
        let lists = lists.map(|(name, found)| (name.to_owned(), found)).into();
        let grown = super::table(&Measures { lists, ..Measures::default() });
        let told =
            |name: &str| grown.lines().any(|line| line.starts_with(name) && line.ends_with("at most 1.5: MISSED"));
        assert!(told("list_ms_p95_sqlite: 1m to 10k"), "{grown}");
        assert!(line("start").ends_with('–') || line("start").trim_end().ends_with('–'));
    }
}
