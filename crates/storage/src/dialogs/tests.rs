//! A dialog goes into a row and comes back the same.

use dialog::settings::ParameterValue;
use dialog::{Begin, Cause, Direction, InDialogRequest, ReplyKind, RequestMethod, Settings, StatedCause, Storing};
use sip::time::{Date, Time};

use super::*;
use crate::row::Cell;

const START: u64 = 1_795_380_273;

fn at(seconds: u64) -> Now {
    Now { time: Time(5_000_000 + seconds * 1000), date: Date((START + seconds) * 1000) }
}

fn engine() -> Engine {
    let mut settings = Settings { storing: Storing::Realtime, ..Settings::default() };
    settings.set("profiles_no_value", ParameterValue::Text("all")).unwrap();
    settings.set("profiles_with_value", ParameterValue::Text("caller")).unwrap();
    Engine::new(at(0), settings)
}

struct Here;

impl Surroundings for Here {
    fn timeout_route(&self, name: &[u8]) -> Option<i32> {
        (name == b"LATE").then_some(3)
    }

    fn is_own_socket(&self, text: &[u8]) -> bool {
        text == b"udp:127.0.0.1:5060"
    }
}

/// A confirmed call with everything a row can hold.
fn call(engine: &Engine) -> DialogView {
    let profiles = engine.profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    let memberships = [PendingProfile::of(all, None), PendingProfile::of(caller, Some(b"alice"))];
    let new = NewDialog {
        call_id: b"c@h",
        from_uri: b"sip:alice@h",
        to_uri: b"sip:bob@h",
        request_uri: b"sip:bob@127.0.0.1",
        from_tag: b"A",
        contact: b"sip:alice@127.0.0.1:5070",
        route_set: b"<sip:127.0.0.1:5071;lr>",
        route_entries: 1,
        cseq: 7,
        socket: b"udp:127.0.0.1:5060",
        lifetime: Some(600),
        timeout_route: Some((3, b"LATE")),
        timeout_bye: true,
        script_flags: 6,
        variables: &[(b"new", b"2"), (b"old", b"1")],
        profiles: &memberships,
        ..NewDialog::default()
    };
    let Begin::Created(id) = engine.begin(at(0), &new) else { panic!("refused") };
    let change = engine.reply_begin(at(0), id, ReplyKind::Success).unwrap();
    let callee =
        CalleeLeg { tag: b"B", contact: b"sip:bob@127.0.0.1:5080", route_set: b"", socket: b"udp:127.0.0.1:5060", ..CalleeLeg::default() };
    engine.reply_finish(at(0), change, Some(&callee), Cause::HERE);
    let ack = InDialogRequest {
        method: RequestMethod::Ack,
        direction: Direction::Downstream,
        cseq: Some(7),
        contact: None,
        timeout: None,
        stated: StatedCause::default(),
        cause: Cause::HERE,
    };
    let change = engine.request_begin(at(0), id, &ack).unwrap();
    engine.request_finish(at(0), change, &ack);
    engine.view(at(0), id).unwrap()
}

fn variables(dialog: &DialogView) -> Vec<(&[u8], &[u8])> {
    dialog.variables.iter().map(|(key, value)| (&key[..], &value[..])).collect()
}

#[test]
fn the_row_is_kamailios() {
    let engine = engine();
    let dialog = call(&engine);
    let row = row_of(&dialog);
    let text = |column| String::from_utf8_lossy(row.cell(column).text().unwrap_or(b"NULL")).into_owned();
    assert_eq!(row.id(), Some((dialog.id.entry, dialog.id.id)));
    assert_eq!(
        (text(Column::CallId), text(Column::ToTag), text(Column::CallerCseq), text(Column::CalleeCseq)),
        ("c@h".into(), "B".into(), "7".into(), "0".into())
    );
    assert_eq!((text(Column::CallerSocket), text(Column::CalleeRouteSet)), ("udp:127.0.0.1:5060".into(), "NULL".into()));
    assert_eq!((text(Column::TimeoutRouteName), text(Column::RequestUri)), ("LATE".into(), "sip:bob@127.0.0.1".into()));
    let number = |column| row.cell(column).number().unwrap();
    assert_eq!((number(Column::State), number(Column::ScriptFlags), number(Column::InternalFlags)), (4, 6, 1));
    assert_eq!((u64::from(number(Column::StartTime)), u64::from(number(Column::Timeout))), (START, START + 600));
    assert!(text(Column::ExtraData).starts_with(r#"{"profiles":[{"name":"#));
}

#[test]
fn a_row_becomes_the_dialog_it_was() {
    let before = engine();
    let dialog = call(&before);
    let after = engine();
    let now = at(100);
    let loaded = load(&after, now, &row_of(&dialog), &variables(&dialog), &Here, false).unwrap();
    assert_eq!(loaded, Loaded { id: dialog.id, lost_socket: false, lost_route: false, lost_memberships: 0 });
    let mut found = after.view(now, dialog.id).unwrap();
    assert_eq!(row_of(&found), {
        let mut row = row_of(&dialog);
        row.cell_mut(Column::ExtraData).write_text(|text| membership::write(&found.profiles, text));
        row
    });
    let names =
        |dialog: &DialogView| dialog.profiles.iter().map(|profile| (profile.name.clone(), profile.value.clone())).collect::<Vec<_>>();
    assert_eq!((names(&found), &found.variables), (names(&dialog), &dialog.variables));
    assert_eq!((found.lifetime, found.timeout, found.timeout_route), (600, dialog.timeout, 3));
    found.dialog_flags = 0;
    assert_eq!(after.statistics().active, 1);
}

#[test]
fn rows_that_cannot_be_used_say_why_and_odd_ones_are_taken() {
    let before = engine();
    let dialog = call(&before);
    let good = row_of(&dialog);
    let try_with = |change: &dyn Fn(&mut DialogRow)| {
        let mut row = good.clone();
        change(&mut row);
        load(&engine(), at(1), &row, &[], &Here, false)
    };
    for column in [
        Column::HashEntry,
        Column::HashId,
        Column::State,
        Column::StartTime,
        Column::CallId,
        Column::FromUri,
        Column::FromTag,
        Column::ToUri,
        Column::RequestUri,
    ] {
        assert_eq!(try_with(&|row| *row.cell_mut(column) = Cell::Null), Err(Skipped::Unusable(column)));
    }
    assert_eq!(try_with(&|row| row.set_number(Column::State, 9)), Err(Skipped::UnknownState(9)));
    assert_eq!(try_with(&|row| row.set_number(Column::HashEntry, 4000)), Err(Skipped::OtherHashSize));
    assert_eq!(try_with(&|row| row.set_number(Column::HashEntry, 400_000)), Err(Skipped::OtherHashSize));
    for column in [Column::ToTag, Column::CallerCseq, Column::CalleeCseq, Column::CallerContact, Column::CalleeContact, Column::Timeout] {
        assert!(try_with(&|row| *row.cell_mut(column) = Cell::Null).is_ok(), "{column:?} (spec dialog 13.57)");
    }
    let loaded = try_with(&|row| row.set_text(Column::CalleeSocket, b"udp:192.0.2.1:5060")).unwrap();
    assert!(loaded.lost_socket && !loaded.lost_route);
    assert!(try_with(&|row| row.set_text(Column::TimeoutRouteName, b"GONE")).unwrap().lost_route);
    let gone = br#"{"profiles":[{"name":"gone"},{"name":"all","value":"x"},{"name":"caller"}]}"#;
    assert_eq!(try_with(&|row| row.set_text(Column::ExtraData, gone)).unwrap().lost_memberships, 3);
}

#[test]
fn what_is_over_before_it_is_loaded_expires_at_once() {
    let before = engine();
    let row = row_of(&call(&before));
    let after = engine();
    let now = at(10_000);
    let loaded = load(&after, now, &row, &[], &Here, false).unwrap();
    assert_eq!(after.view(now, loaded.id).unwrap().lifetime, 0);
    assert_eq!(after.expire(at(10_001)).len(), 1);
}

#[test]
fn the_wrong_first_timeout_of_kamailio_is_no_expiry() {
    let (before, engine) = (engine(), engine());
    let mut row = row_of(&call(&before));
    row.set_number(Column::State, 3);
    row.set_number(Column::Timeout, u32::try_from(START).unwrap() - 46_000_000);
    let lifetime = u64::from(engine.settings().default_timeout);
    assert_eq!(u64::from(timeout_of(&engine, &row)), START + lifetime);
    let loaded = load(&engine, at(30), &row, &[], &Here, false).unwrap();
    assert_eq!(u64::from(engine.view(at(30), loaded.id).unwrap().timeout), START + lifetime);
    row.set_number(Column::State, 4);
    assert!(u64::from(timeout_of(&engine, &row)) < START, "after the ACK a past timeout is over");
}

#[test]
fn a_change_becomes_an_operation() {
    let engine = engine();
    let dialog = call(&engine);
    // In memory of a row that had more.
    let mut other = DialogRow::default();
    other.cells.fill(Cell::Text(b"of another dialog".to_vec()));
    let mut spare = SpareRows::default();
    spare.keep(Box::new(other));
    let taken = engine.take_changes(at(0), 10, |change| operation(change, &mut spare));
    let row = Box::new(row_of(&dialog));
    assert_eq!(taken.changes, [Operation::Put { row, is_new: true, variables: Some(dialog.variables.clone()) }]);
    assert_eq!(spare.take(), Box::default(), "it was used");
    let removal = operation(StoredChange::Remove(dialog.id), &mut spare);
    assert_eq!(removal, Operation::Remove { entry: dialog.id.entry, id: dialog.id.id });
}
