//! Checking out, queueing, lookups, timers and leaks.

use super::*;
use crate::key::{call_hash, cancelled_key, request_key};
use crate::limits::{EVENTS_QUEUED_MAX, SAME_CALL_MAX};
use crate::sample::{SECRET, TO, caller, parse, plain, request};
use crate::server::{Origin, SentReply};
use crate::spares::Spares;
use crate::{Actions, TimerStep};
use std::sync::atomic::AtomicUsize;

const NOW: Time = Time(5_000);

fn table() -> Table<Vec<u64>> {
    Table::new(SECRET, 4, NOW)
}

fn key(message: &Message) -> Key {
    request_key(SECRET, message, &Settings::default()).expect("has a key")
}

fn create(table: &Table<Vec<u64>>, message: &Message) -> Creation<Vec<u64>> {
    table.create(&key(message), NOW, caller(), &Settings::default(), message, &mut Spares::default())
}

fn new(table: &Table<Vec<u64>>, message: &Message) -> Box<Transaction<Vec<u64>>> {
    match create(table, message) {
        Creation::New(transaction) => transaction,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_new_once_and_found_after_that() {
    let table = table();
    let invite = plain("INVITE");
    let transaction = new(&table, &invite);
    let id = transaction.id();
    assert!(matches!(create(&table, &invite), Creation::Exists(found) if found == id), "also while checked out");
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    assert!(matches!(create(&table, &invite), Creation::Exists(found) if found == id));
    assert_eq!(table.find(&key(&plain("ACK"))), Some(id));
    let cancel = cancelled_key(SECRET, &plain("CANCEL"), &Settings::default()).expect("has a key");
    assert_eq!(table.find_cancelled(&cancel), Some(id));
    assert_eq!(table.find(&key(&plain("BYE"))), None);
    let mut same_call = Vec::new();
    table.find_by_call(call_hash(SECRET, &invite).unwrap_or_default(), Method::Invite, &mut same_call);
    assert_eq!(same_call, [id]);
}

#[test]
fn an_invite_overtaken_by_its_cancel_is_born_cancelled() {
    let table = table();
    let cancel = new(&table, &plain("CANCEL"));
    assert!(!cancel.flags.canceled);
    assert!(new(&table, &plain("INVITE")).flags.canceled);
    assert!(table.find_cancelled(&key(&plain("CANCEL"))).is_some());
    assert!(!new(&table, &plain("OPTIONS")).flags.canceled);
}

#[test]
fn local_transactions_match_no_request() {
    let table = table();
    let invite = plain("INVITE");
    let call = call_hash(SECRET, &invite).unwrap_or_default();
    let local = table.create_local(call, Method::Invite, NOW, &Settings::default()).expect("room");
    assert!(local.is_local());
    assert_eq!(table.find(&key(&invite)), None);
    assert!(matches!(create(&table, &invite), Creation::New(_)));
    let mut same_call = Vec::new();
    table.find_by_call(call, Method::Invite, &mut same_call);
    assert_eq!(same_call.len(), 2);
}

#[test]
fn events_of_a_held_transaction_come_to_its_holder_in_order() {
    let table = table();
    let transaction = new(&table, &plain("INVITE"));
    let id = transaction.id();
    assert!(matches!(table.checkout(id), Checkout::Busy));
    for number in 0..3 {
        assert!(matches!(table.queue(id, Event::Other(number)), Queued::Waiting));
    }
    let CheckIn::Events(transaction, events) = table.check_in(transaction) else { panic!("events were queued") };
    let numbers: Vec<u64> = events.iter().filter_map(number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert!(matches!(table.queue(id, Event::Other(3)), Queued::Waiting), "it is not back yet");
    let CheckIn::Events(transaction, events) = table.check_in(transaction) else { panic!("one more was queued") };
    assert_eq!(events.len(), 1);
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    assert!(matches!(table.queue(id, Event::Other(4)), Queued::Free(Event::Other(4))));
    assert!(matches!(table.deliver(id, Event::Other(4)), Delivery::Taken(..)));
    assert!(matches!(table.deliver(id, Event::Other(5)), Delivery::Queued));
}

fn number(event: &Event) -> Option<u64> {
    match event {
        Event::Other(number) => Some(*number),
        _ => None,
    }
}

#[test]
fn the_queue_is_bounded_and_what_is_dropped_is_counted() {
    let table = table();
    let transaction = new(&table, &plain("INVITE"));
    for number in 0..EVENTS_QUEUED_MAX as u64 {
        assert!(matches!(table.queue(transaction.id(), Event::Other(number)), Queued::Waiting));
    }
    assert!(matches!(table.queue(transaction.id(), Event::Other(0)), Queued::Dropped));
    assert!(matches!(table.deliver(transaction.id(), Event::Other(0)), Delivery::Dropped));
    assert_eq!(table.statistics().events_dropped.value(), 2);
}

#[test]
fn an_ended_transaction_is_freed_and_its_id_names_nothing_even_when_the_slot_is_used_again() {
    let table = table();
    let settings = Settings::default();
    let mut transaction = new(&table, &plain("OPTIONS"));
    let id = transaction.id();
    let sent = SentReply { code: 200, origin: Origin::Local, bytes: b"R", to_tag: b"" };
    assert!(transaction.reply_sent(NOW, sent, &settings, &mut Actions::new()));
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    assert_eq!(table.statistics().reading().waiting, 1);
    // The end of the wait state, at 10 000, is taken together with others of the same 64 ms.
    let end = Deadline::after(Time(9_999), 1).coarse(id.slot).time().unwrap_or_default();
    assert!((10_000..10_064).contains(&end.0));
    assert_eq!(table.next_deadline().map(|time| time <= end), Some(true));
    let mut due = Vec::new();
    table.due(Time(end.0 - 1), &mut due);
    assert!(due.is_empty());
    table.due(end, &mut due);
    assert_eq!(due, [id]);
    let Checkout::Taken(mut transaction) = table.checkout(id) else { panic!("it is there") };
    assert_eq!(transaction.on_timer(end, &settings, &mut Actions::new()), TimerStep::Ended);
    assert!(matches!(table.check_in(transaction), CheckIn::Freed(..)));
    assert!(matches!(table.checkout(id), Checkout::Gone));
    assert!(matches!(table.queue(id, Event::Retransmission), Queued::Gone(_)));
    assert!(table.is_empty());
    assert_eq!(table.next_deadline(), None);
    let reading = table.statistics().reading();
    assert_eq!((reading.created, reading.freed, reading.waiting, reading.completed), (1, 1, 0, [1, 0, 0, 0, 0]));
    let again = new(&table, &plain("OPTIONS"));
    assert_eq!(again.id().slot, id.slot);
    assert_ne!(again.id().generation, id.generation);
    assert!(matches!(table.checkout(id), Checkout::Gone));
}

#[test]
fn a_timer_due_while_the_transaction_is_out_is_not_lost() {
    let table = table();
    let settings = Settings::default();
    let mut transaction = new(&table, &plain("OPTIONS"));
    let id = transaction.id();
    transaction.release(NOW, &settings, &mut Actions::new());
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    let Checkout::Taken(transaction) = table.checkout(id) else { panic!("it is there") };
    let mut due = Vec::new();
    table.due(Time(50_000), &mut due);
    assert!(due.is_empty(), "its holder has it");
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    table.due(Time(50_000), &mut due);
    assert_eq!(due, [id]);
}

#[test]
fn a_lost_transaction_can_be_given_up() {
    let table = table();
    let transaction = new(&table, &plain("INVITE"));
    let id = transaction.id();
    drop(transaction);
    assert!(table.abandon(id));
    assert!(!table.abandon(id));
    assert!(table.is_empty());
    assert!(matches!(create(&table, &plain("INVITE")), Creation::New(_)));
}

#[test]
fn both_bounds_of_the_table_refuse_and_count() {
    let small: Table<Vec<u64>> = Table::with_bound(SECRET, 1, NOW, 1);
    let _held = new(&small, &plain("INVITE"));
    assert!(matches!(create(&small, &plain("OPTIONS")), Creation::Full));
    assert!(matches!(create(&small, &plain("INVITE")), Creation::Exists(_)), "retransmissions are still absorbed");
    assert!(small.create_local(1, Method::Bye, NOW, &Settings::default()).is_none());
    let table = table();
    let with_branch = |number: usize| request("INVITE", &format!("SIP/2.0/UDP h;branch=z9hG4bK{number}"), TO);
    for number in 0..SAME_CALL_MAX {
        new(&table, &with_branch(number));
    }
    assert!(matches!(create(&table, &with_branch(SAME_CALL_MAX)), Creation::Full));
    assert_eq!((small.statistics().refused.value(), table.statistics().refused.value()), (2, 1));
}

#[test]
fn of_many_workers_with_one_request_exactly_one_makes_the_transaction() {
    for _ in 0..50 {
        let table = table();
        let invite = plain("INVITE");
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    if let Creation::New(transaction) = create(&table, &invite) {
                        made.fetch_add(1, Ordering::Relaxed);
                        assert!(matches!(table.check_in(transaction), CheckIn::Done));
                    }
                });
            }
        });
        assert_eq!((made.into_inner(), table.len()), (1, 1));
    }
}

#[test]
fn events_of_several_workers_are_done_one_at_a_time_and_in_each_ones_order() {
    const WORKERS: u64 = 4;
    const EVENTS: u64 = 2_000;
    let table = table();
    let transaction = new(&table, &plain("INVITE"));
    let id = transaction.id();
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let table = &table;
            scope.spawn(move || {
                for number in 0..EVENTS {
                    send(table, id, worker << 32 | number);
                }
            });
        }
    });
    let Checkout::Taken(transaction) = table.checkout(id) else { panic!("nobody holds it") };
    for worker in 0..WORKERS {
        let seen: Vec<u64> = transaction.data.iter().filter(|&&number| number >> 32 == worker).map(|number| number & 0xffff_ffff).collect();
        assert_eq!(seen, (0..EVENTS).collect::<Vec<_>>(), "worker {worker}");
    }
}

/// Delivers an event as a worker would, retrying only when the queue is full.
fn send(table: &Table<Vec<u64>>, id: TransactionId, number: u64) {
    loop {
        match table.deliver(id, Event::Other(number)) {
            Delivery::Queued => return,
            Delivery::Dropped => std::thread::yield_now(),
            Delivery::Gone(_) => panic!("it lives"),
            Delivery::Taken(mut transaction, _) => {
                transaction.data.push(number);
                loop {
                    match table.check_in(transaction) {
                        CheckIn::Done => return,
                        CheckIn::Freed(..) => panic!("it lives"),
                        CheckIn::Events(back, events) => {
                            transaction = back;
                            transaction.data.extend(events.iter().filter_map(super::tests::number));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_left_when_thousands_have_ended() {
    let table = table();
    let settings = Settings::default();
    let mut now = NOW;
    for number in 0..5_000u32 {
        let text = format!(
            "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{number}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>\r\nCall-ID: c{number}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let message = parse(&text);
        let Creation::New(mut transaction) = table.create(&key(&message), now, caller(), &settings, &message, &mut Spares::default())
        else {
            panic!("each one is new");
        };
        transaction.release(now, &settings, &mut Actions::new());
        assert!(matches!(table.check_in(transaction), CheckIn::Done));
        now = Time(now.0 + 7);
    }
    let mut due = Vec::new();
    while let Some(next) = table.next_deadline() {
        now = Time(now.0.max(next.0));
        due.clear();
        table.due(now, &mut due);
        for &id in &due {
            let Checkout::Taken(mut transaction) = table.checkout(id) else { panic!("it is there") };
            assert_eq!(transaction.on_timer(now, &settings, &mut Actions::new()), TimerStep::Ended);
            assert!(matches!(table.check_in(transaction), CheckIn::Freed(..)));
        }
    }
    assert!(table.is_empty());
    let mut left = 0;
    table.for_each(|_| left += 1);
    assert_eq!(left, 0);
}

#[test]
fn timers_armed_while_another_worker_looks_for_due_ones_are_all_found() {
    const CALLS: usize = 2_000;
    let table = Table::<Vec<u64>>::new(SECRET, 16, NOW);
    let end = Time(10_100);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let mut found = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..CALLS {
                let call = format!("Call-ID: call-{number}");
                let text = String::from_utf8_lossy(plain("OPTIONS").bytes()).replace("Call-ID: call-1", &call);
                let mut transaction = new(&table, &parse(&text));
                transaction.release(NOW, &Settings::default(), &mut Actions::new());
                assert!(matches!(table.check_in(transaction), CheckIn::Done));
            }
            is_done.store(true, Ordering::Release);
        });
        while !is_done.load(Ordering::Acquire) {
            table.due(end, &mut found);
        }
    });
    // What is left now must be announced: a lost bound would leave timers that nobody asks for.
    while table.next_deadline().is_some_and(|deadline| deadline <= end) {
        table.due(end, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), CALLS);
}
