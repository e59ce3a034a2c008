//! A start with 20 000 calls: requests at once, new numbers, the end of some, expired and unusable rows.

use std::time::Duration;

use storage::{Cell, Column};

use crate::support::sip::{Call, Party, header, reply};
use crate::support::{Server, until};
use crate::tables::{Calls, FIRST_ID, await_loaded, call_id, now, statistic, status};

const COUNT: u32 = 20_000;

/// Numbers spread over all calls, the same in every run.
fn some(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|step| step.wrapping_mul(7_919) % COUNT)
}

fn profile_size(server: &Server, parameters: &str) -> String {
    server.ask_json("dlg.profile_get_size", parameters).expect("an answer")
}

#[test]
fn calls_are_served_from_the_first_moment_and_those_that_end_stay_away() {
    let mut calls = Calls::stored(COUNT, 4_096, |_, _| {});
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)");
    for (step, number) in some(300).enumerate() {
        calls.request(number, if step % 3 == 0 { "BYE" } else { "INFO" });
    }
    await_loaded(&server);
    assert_eq!((status(&server, "loaded"), status(&server, "skipped")), (i64::from(COUNT), 0));
    assert_eq!(statistic(&server, "active_dialogs"), i64::from(COUNT) - 100);
    let size = profile_size(&server, "[\"caller\", \"alice\"]");
    assert!(size.contains(&format!("{}", COUNT - 100)), "{size}");
    let log = server.log();
    let number = |before: &str, behind: &str| -> u32 {
        let line = log.lines().find(|line| line.contains(": loaded ")).unwrap_or_default();
        let part = line.split(behind).next().and_then(|part| part.rsplit(before).next()).unwrap_or_default();
        part.parse().unwrap_or(0)
    };
    // Those that a request waited for came before, and rows of calls that were over may have been gone.
    let all = number("loaded ", " dialogs") + number(" dialogs, ", " more were in memory already");
    assert!((COUNT - 100..=COUNT).contains(&all), "{all} in {log}");
    until("the rows of ended calls to go", || (calls.rows().len() == COUNT as usize - 100).then_some(()));
    // What the first three kinds of listing show of one that was loaded.
    let listed = server.ask_json("dlg.dlg_list", &format!("[\"{}\"]", call_id(7_919))).expect("an answer");
    for part in [&format!("\"h_id\": {}", FIRST_ID + 7_919), "\"state\": 4", "account7919", "alice"] {
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        assert!(squeezed(&listed).contains(&squeezed(part)), "{part} in {listed}");
    }
}

#[test]
fn a_stop_while_calls_are_loaded_lets_no_request_pass_without_its_dialog() {
    let mut calls = Calls::stored(COUNT, 4_096, |_, _| {});
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)");
    let _ = server.ask_json("core.kill", "[]");
    for number in COUNT - 200..COUNT {
        calls.send(number, "BYE");
    }
    while let Some(message) = calls.callee.next_within(Duration::from_millis(500)) {
        assert_eq!(header(&message, "X-Known").as_deref(), Some("yes"), "its row stays: {message}");
    }
    until("the end", || server.ask_json("core.version", "[]").is_none().then_some(()));
}

#[test]
fn new_calls_get_numbers_that_no_stored_call_has() {
    let calls = Calls::stored(COUNT, 4_096, |_, _| {});
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"hash_size\", 4096)");
    let proxy = ([127, 0, 0, 1], calls.port).into();
    let (mut caller, mut callee) = (Party::udp("127.0.0.1:0", proxy), Party::udp("127.0.0.1:0", proxy));
    let uri = format!("sip:bob@{}", callee.address());
    for number in 0..20 {
        // The Call-ID of a stored call, so it is counted in that one's slot.
        let call = Call::new(&call_id(number), &uri);
        caller.send(&call.request(&caller, "INVITE", 1, &uri, ""));
        let invite = callee.expect("INVITE ");
        let route = header(&invite, "Record-Route").expect("a route of ours");
        let did = route.split("did=").nth(1).and_then(|rest| rest.split(['>', ';']).next()).expect("a cookie");
        let id = dialog::cookie::read(did.as_bytes()).expect("a number");
        assert_eq!(id.entry, calls.id(number).entry);
        assert!(id.id > FIRST_ID, "{id} may be that of a stored call");
        callee.send(&reply(&invite, &callee, "486 Busy", "b"));
        caller.expect("SIP/2.0 486");
    }
    await_loaded(&server);
    assert_eq!(statistic(&server, "active_dialogs"), i64::from(COUNT));
}

#[test]
fn calls_whose_time_is_over_end_and_unusable_rows_are_counted() {
    let mut calls = Calls::stored(200, 4_096, |number, row| match number {
        0..5 => *row.cell_mut(Column::Timeout) = Cell::Integer(i64::from(now()) - 10),
        5 => *row.cell_mut(Column::State) = Cell::Text(b"talking".to_vec()),
        6 => *row.cell_mut(Column::State) = Cell::Integer(77),
        7 => *row.cell_mut(Column::StartTime) = Cell::Text(b"yesterday".to_vec()),
        8 => *row.cell_mut(Column::CallerSocket) = Cell::Text(b"udp:192.0.2.1:5060".to_vec()),
        _ => {}
    });
    let server = calls.serve("modparam(\"dialog\", \"db_mode\", 1)");
    await_loaded(&server);
    assert_eq!((status(&server, "loaded"), status(&server, "skipped")), (197, 3));
    until("the end of five calls", || (statistic(&server, "expired_dialogs") == 5).then_some(()));
    assert_eq!(statistic(&server, "active_dialogs"), 192);
    calls.request(8, "INFO");
    calls.request(100, "BYE");
    let log = server.log();
    for part in ["passed over: 3 without usable numbers", "5 of them over in time", "udp:192.0.2.1:5060", "77 is no state"] {
        assert!(log.contains(part), "{part} in {log}");
    }
}
