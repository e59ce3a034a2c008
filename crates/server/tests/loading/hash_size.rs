//! Calls stored with another `hash_size`: refused with the remedy, taken over on request.

use dialog::hash;
use storage::Column;

use crate::support::{Folder, duolog, finish, text};
use crate::tables::{Calls, await_loaded, statistic};

#[test]
fn another_hash_size_stops_the_start_with_both_remedies() {
    let calls = Calls::stored(300, 1_024, |_, _| {});
    let folder = Folder::new();
    let file = folder.write("proxy.cfg", &calls.configuration(&folder, "modparam(\"dialog\", \"db_mode\", 1)"));
    let output = finish(duolog().args(["-DD", "-E", "-f"]).arg(file).arg("-Y").arg(&folder.0));
    assert_eq!(output.status.code(), Some(255));
    let said = text(&output.stderr);
    for part in ["another hash_size 1024", "has 4096", "set hash_size 1024", "db_rehash 1"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn one_damaged_slot_number_does_not_stop_the_start() {
    let mut calls = Calls::stored(300, 4_096, |number, row| {
        if number == 3 {
            let entry = row.cell(Column::HashEntry).number().unwrap();
            *row.cell_mut(Column::HashEntry) = storage::Cell::Integer(i64::from(entry ^ 1));
        }
    });
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)");
    await_loaded(&server);
    assert_eq!(statistic(&server, "active_dialogs"), 299);
    assert!(server.log().contains("1 of another hash_size"), "{}", server.log());
    calls.request(4, "BYE");
}

#[test]
fn on_request_the_calls_and_their_rows_move() {
    let mut calls = Calls::stored(3_000, 1_024, |_, _| {});
    let more = "modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"db_rehash\", 1)";
    let mut server = calls.serve(more);
    await_loaded(&server);
    assert_eq!(statistic(&server, "active_dialogs"), 3_000);
    for number in [0, 17, 2_999] {
        calls.request(number, "INFO");
    }
    calls.request(5, "BYE");
    server.stop();
    let rows = calls.rows();
    assert_eq!(rows.len(), 2_999);
    for row in &rows {
        let call_id = row.cell(Column::CallId).to_text().unwrap();
        assert_eq!(row.id().unwrap().0, hash::slot(&call_id, 4_096));
    }
    drop(server);
    let server = calls.serve(more);
    await_loaded(&server);
    assert_eq!(statistic(&server, "active_dialogs"), 2_999);
    calls.request(17, "BYE");
}
