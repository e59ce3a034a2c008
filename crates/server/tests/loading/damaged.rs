//! A file that is damaged in the middle: what can be read is served, and the log says what cannot.

use std::fs;
use std::path::Path;

use crate::support::until;
use crate::tables::{Calls, await_loaded, call_id, statistic, status};

/// Bytes of a page of the file.
const PAGE: usize = 4_096;

/// Overwrites the page where a Call-ID stands in the table.
fn damage(file: &Path, text: &str) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("the text is in the file");
    let page = at / PAGE * PAGE;
    bytes[page..page + PAGE].fill(0xFF);
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_was_loaded_before_the_damage_works_and_the_tables_of_mode_3_are_kept() {
    for mode in [1, 3] {
        let mut calls = Calls::stored(5_000, 4_096, |_, _| {});
        damage(&calls.file(), &call_id(2_500));
        let server = calls.serve(&format!("modparam(\"dialog\", \"db_mode\", {mode})"));
        await_loaded(&server);
        let loaded = status(&server, "loaded");
        assert!((2_000..2_500).contains(&loaded), "{loaded}");
        assert_eq!(statistic(&server, "active_dialogs"), loaded);
        calls.request(17, "INFO");
        let log = until("the line", || Some(server.log()).filter(|log| log.contains("stored dialogs cannot be read")));
        assert!(log.contains("damaged") || log.contains("malformed"), "{log}");
        assert!(log.contains("those not loaded yet are unknown here"), "{log}");
        let kept = fs::read(calls.file()).unwrap();
        assert!(kept.windows(13).any(|window| window == b"stored-4999@x"), "rows that were not read stay");
    }
}
