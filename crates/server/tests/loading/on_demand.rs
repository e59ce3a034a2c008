//! `db_skip_load`, `dlg_db_load_callid`, `dlg_db_load_extra`, and the emptied tables of `db_mode` 3.

use crate::support::sip::options;
use crate::support::until;
use crate::tables::{Calls, FIRST_ID, await_loaded, call_id, statistic};

/// What the functions gave.
fn load(calls: &mut Calls, what: &str, number: u32) -> String {
    let proxy = ([127, 0, 0, 1], calls.port).into();
    let request = options(&calls.caller, &format!("load{number}"), proxy);
    calls.caller.send(&request.replace("Max-Forwards: 70\r\n", &format!("Max-Forwards: 70\r\nX-Load: {what}\r\n")));
    let answer = calls.caller.expect("SIP/2.0 200");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn scripts_load_what_they_want_when_nothing_is_loaded_at_the_start() {
    let mut calls = Calls::stored(2_000, 4_096, |_, _| {});
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"db_skip_load\", 1)");
    assert_eq!(statistic(&server, "active_dialogs"), 0);
    assert_eq!(load(&mut calls, &call_id(17), 1), "SIP/2.0 200 Loaded 1");
    assert_eq!(statistic(&server, "active_dialogs"), 1);
    calls.request(17, "INFO");
    assert_eq!(load(&mut calls, "nobody@x", 2), "SIP/2.0 200 Loaded 1", "finding nothing is no error");
    assert_eq!(load(&mut calls, &call_id(17), 3), "SIP/2.0 200 Loaded 1");
    assert!(server.log().contains("are in memory already"), "{}", server.log());
    calls.request(17, "BYE");
    assert_eq!(load(&mut calls, "all", 4), "SIP/2.0 200 Loaded 1");
    until("the last rows", || (statistic(&server, "active_dialogs") == 1_999).then_some(()));
    calls.request(1_234, "BYE");
}

#[test]
fn tables_of_mode_3_are_empty_while_it_runs_and_whole_after_the_stop() {
    let mut calls = Calls::stored(2_000, 4_096, |_, _| {});
    let mut server = calls.serve("modparam(\"dialog\", \"db_mode\", 3)");
    await_loaded(&server);
    assert!(calls.rows().is_empty());
    calls.request(17, "BYE");
    server.stop();
    let rows = calls.rows();
    assert_eq!(rows.len(), 1_999);
    assert!(rows.iter().all(|row| row.id().is_some_and(|(_, id)| id >= FIRST_ID && id != FIRST_ID + 17)));
    drop(server);
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 3)");
    calls.request(1_000, "INFO");
    await_loaded(&server);
    assert_eq!(statistic(&server, "active_dialogs"), 1_999);
}
