use dialog::StoredChange;
use storage::batch::Batch;
use storage::dialogs::operation;
use storage::row::SpareRows;

use super::*;
use crate::checkers::tests::{answered, broken};

const DATE: u64 = 1_800_000_000;

fn put(dialog: &DialogView, is_new: bool) -> Batch {
    let change = StoredChange::Put { dialog: &mut dialog.clone(), is_new, has_variables: true };
    Batch { operations: vec![operation(change, &mut SpareRows::default())], is_retry: false }
}

fn stored(dialog: &DialogView) -> Tables {
    let mut tables = Tables::default();
    tables.apply(&put(dialog, true));
    tables
}

fn confirmed() -> DialogView {
    DialogView { state: State::Confirmed, variables: vec![(b"key".to_vec(), b"value".to_vec())], ..answered() }
}

fn rows() -> Rows {
    Rows::new(0, Storing::Realtime, 1_000)
}

fn said(look: impl FnOnce(&mut Verdicts)) -> Vec<&'static str> {
    let mut verdicts = Verdicts::default();
    look(&mut verdicts);
    broken(&verdicts)
}

#[test]
fn a_message_that_leaves_before_its_row_is_seen() {
    let mut rows = rows();
    rows.observe(0, DATE, &[answered()]);
    let early = rows.promise(0, &[answered().call_id]);
    rows.observe(1, DATE, &[confirmed()]);
    let late = rows.promise(1, &[answered().call_id]);
    let mut left = |promise: &Promise, leave, tables: &Tables| said(|verdicts| rows.left(2, promise, leave, tables, false, verdicts));
    assert_eq!(left(&early, Leave::Committed, &Tables::default()), ["K1"]);
    assert_eq!(left(&early, Leave::Committed, &stored(&answered())), [""; 0]);
    assert_eq!(left(&early, Leave::Committed, &stored(&confirmed())), [""; 0], "a later version is as good");
    assert_eq!(left(&late, Leave::Committed, &stored(&answered())), ["K1"]);
    assert_eq!(left(&late, Leave::Unsaved, &stored(&confirmed())), ["K1"], "the database is well");
    assert_eq!(said(|verdicts| rows.left(2, &late, Leave::Unsaved, &Tables::default(), true, verdicts)), [""; 0]);
    rows.observe(3, DATE, &[]);
    let over = rows.promise(3, &[answered().call_id]);
    assert_eq!(said(|verdicts| rows.left(3, &over, Leave::Committed, &stored(&confirmed()), false, verdicts)), ["K1"]);
    assert_eq!(said(|verdicts| rows.left(3, &over, Leave::Committed, &Tables::default(), false, verdicts)), [""; 0]);
}

#[test]
fn tables_and_dialogs_that_differ_are_seen() {
    let compared = |dialogs: &[DialogView], tables: &Tables| said(|verdicts| rows().compare(0, DATE, dialogs, tables, verdicts));
    let (dialog, tables) = (confirmed(), stored(&confirmed()));
    assert_eq!(compared(std::slice::from_ref(&dialog), &tables), [""; 0]);
    assert_eq!(compared(&[], &tables), ["K4"], "a row too many");
    assert_eq!(compared(std::slice::from_ref(&dialog), &Tables::default()), ["K4"], "a row is missing");
    let mut twice = tables.clone();
    twice.apply(&put(&dialog, true));
    assert_eq!(compared(std::slice::from_ref(&dialog), &twice), ["K4"], "a row is there twice");
    let changes: [fn(&mut DialogView); 5] = [
        |dialog| dialog.caller.cseq = Some(9),
        |dialog| dialog.variables.clear(),
        |dialog| dialog.timeout += 2,
        |dialog| dialog.script_flags ^= 1,
        |dialog| dialog.callee.contact = b"sip:b@10.0.2.9".to_vec(),
    ];
    for change in changes {
        let mut other = dialog.clone();
        change(&mut other);
        assert_eq!(compared(&[other], &tables), ["K4"]);
    }
}

#[test]
fn a_row_that_lags_is_seen_after_its_time() {
    let mut rows = rows();
    rows.observe(0, DATE, &[confirmed()]);
    assert_eq!(said(|verdicts| rows.fresh(1_000, &Tables::default(), verdicts)), [""; 0]);
    assert_eq!(said(|verdicts| rows.fresh(1_001, &Tables::default(), verdicts)), ["K2"]);
    assert_eq!(said(|verdicts| rows.fresh(1_001, &stored(&confirmed()), verdicts)), [""; 0]);
    rows.observe(2_000, DATE, &[]);
    assert_eq!(said(|verdicts| rows.fresh(3_001, &stored(&confirmed()), verdicts)), ["K2"]);
    assert_eq!(said(|verdicts| rows.untouched(0, &stored(&confirmed()), verdicts)), ["K2"]);
}

#[test]
fn what_was_announced_and_is_lost_is_seen() {
    let announced = || {
        let mut rows = rows();
        rows.observe(0, DATE, &[confirmed()]);
        let promise = rows.promise(0, &[confirmed().call_id]);
        rows.left(0, &promise, Leave::Committed, &stored(&confirmed()), false, &mut Verdicts::default());
        rows
    };
    assert_eq!(said(|verdicts| announced().ended(1, &Tables::default(), false, verdicts)), ["K3"]);
    assert_eq!(said(|verdicts| announced().ended(1, &stored(&confirmed()), false, verdicts)), [""; 0]);
    let mut silent = rows();
    silent.observe(0, DATE, &[confirmed()]);
    assert_eq!(said(|verdicts| silent.ended(1, &Tables::default(), false, verdicts)), [""; 0], "nobody heard of it");
    silent.observe(0, DATE, &[confirmed()]);
    assert_eq!(said(|verdicts| silent.ended(1, &Tables::default(), true, verdicts)), ["K3"], "it was stopped and said all is saved");
}

#[test]
fn a_dialog_that_comes_back_otherwise_is_seen() {
    let began = || {
        let mut rows = rows();
        rows.began(&stored(&confirmed()));
        rows
    };
    let loaded = |dialog: &DialogView| said(|verdicts| began().loaded(0, dialog, DATE, verdicts));
    assert_eq!(loaded(&confirmed()), [""; 0]);
    assert_eq!(loaded(&DialogView { variables: Vec::new(), ..confirmed() }), ["K3"]);
    assert_eq!(loaded(&DialogView { timeout: confirmed().timeout + 9, ..confirmed() }), ["K3"]);
    let profile = dialog::ProfileView { name: "account".into(), value: None, place: dialog::Place::Ordinary, unique: String::new() };
    assert_eq!(loaded(&DialogView { profiles: vec![profile], ..confirmed() }), ["P3"]);
    assert_eq!(said(|verdicts| rows().loaded(0, &confirmed(), DATE, verdicts)), ["K3"], "it has no row");
    assert_eq!(said(|verdicts| began().loading_done(0, verdicts)), ["K3"], "it did not come");
    assert_eq!(said(|verdicts| began().slot_loaded(0, confirmed().id.entry, verdicts)), ["K3"]);
    assert_eq!(said(|verdicts| began().created(0, confirmed().id, &stored(&confirmed()), verdicts)), ["D5"]);
    let mut over = rows();
    over.observe(0, DATE, &[confirmed()]);
    over.observe(1, DATE, &[]);
    let promise = over.promise(1, &[confirmed().call_id]);
    over.left(1, &promise, Leave::Committed, &Tables::default(), false, &mut Verdicts::default());
    over.ended(2, &Tables::default(), false, &mut Verdicts::default());
    over.began(&stored(&confirmed()));
    assert_eq!(said(|verdicts| over.loaded(3, &confirmed(), DATE, verdicts)), ["K3"], "its end was announced");
}

#[test]
fn a_request_of_a_dialog_on_its_way_is_known() {
    let mut rows = rows();
    rows.began(&stored(&confirmed()));
    let dialog = confirmed();
    let (call_id, caller, callee) = (&dialog.call_id, &dialog.caller.tag, &dialog.callee.tag);
    assert!(rows.is_waited_for(call_id, caller, callee) && rows.is_waited_for(call_id, callee, caller));
    assert!(!rows.is_waited_for(call_id, caller, b"strange"));
}
