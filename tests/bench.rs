//! The measures themselves: they run, and none is forgotten. What they find is judged by people.

use std::process::Command;

use serde_json::Value;

const KEYS: [&str; 24] = [
    "page_ratio",
    "page_uncached_ratio",
    "form_page_ratio",
    "submission_ratio_sqlite",
    "submission_ratio_postgres",
    "submission_cpu_ms_sqlite",
    "submission_cpu_ms_postgres",
    "idle_mb",
    "loaded_mb",
    "start_s",
    "page_kb",
    "safe_upload_mbs",
    "safe_download_mbs",
    "safe_upload_ratio",
    "safe_download_ratio",
    "sign_in_ratio",
    "sign_in_cpu_ratio",
    "sign_in_rest_cpu_ms",
    "token_ratio",
    "token_cpu_ms",
    "cas_validate_ratio",
    "cas_validate_cpu_ms",
    "id_token_sign_ms",
    "signing_key_read_ms",
];

/// Of pages over many requests, for both engines.
const MANY: [&str; 8] = [
    "list_ms_p95",
    "filter_ms_p95",
    "search_ms_p95",
    "request_ms_p95",
    "statistics_ms_p95",
    "late_ms_p95",
    "export_rows_s",
    "export_peak_mb",
];

#[test]
fn pages_over_many_requests_are_measured() {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_guichet"));
    bench.env("GUICHET_LOG__LEVEL", "info,guichet=debug");
    let output =
        bench.args(["bench", "--json", "--seconds", "0.2", "--lists", "1000", "--only-lists"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let measures: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in MANY {
        for engine in ["sqlite", "postgres"] {
            let name = format!("{key}_{engine}_1k");
            assert!(measures[&name].as_f64().is_some_and(|found| found > 0.0), "{name}: {measures}\n{told}");
        }
    }
    // How both engines go about lists, pages of requests, statistics, late ones.
    for path in [
        "/agent?vue=toutes",
        "/agent?q=salle",
        "/agent/demandes/",
        "/agent/statistiques",
        "/agent/ensemble",
        "/agent/retards",
    ] {
        // The address follows the plan, on its last line.
        let of = format!("\"{path}");
        let plans = told.lines().filter(|line| line.contains(&of) && !line.contains("INFO")).count();
        assert!(plans >= 4, "{plans} plans of {path}");
    }
    assert!(told.contains("SEARCH") && told.contains("Index Scan"));
}

#[test]
fn every_measure_is_made() {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_guichet"));
    let output = bench.args(["bench", "--json", "--seconds", "0.2"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let measures: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in KEYS {
        let found = measures[key].as_f64();
        // What is left of a sign-in without its hash is a difference: so short a measure may find it below nothing.
        let made = found.is_some_and(|found| found > 0.0 || key == "sign_in_rest_cpu_ms");
        assert!(made, "{key}: {measures}\n{told}");
    }
    assert_eq!(measures.as_object().unwrap().len(), KEYS.len());
}
