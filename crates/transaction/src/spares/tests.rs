//! Reuse of ended transactions: nothing of the former one shows.

use super::*;
use crate::action::CancelReason;
use crate::branch::ArmedRoutes;
use crate::cancel::Which;
use crate::decision::RoutedReply;
use crate::key::{Key, request_key};
use crate::sample::{Bench, SECRET, caller, endpoint, parse, plain, reply};
use crate::server::{Origin, SentReply};
use crate::settings::Settings;
use crate::table::{CheckIn, Checkout, Creation, Table, TransactionId};
use crate::{Protocol, TimerValues};
use sip::{Span, Time};

const NOW: Time = Time(5_000);

fn key(message: &Message) -> Key {
    request_key(SECRET, message, &Settings::default()).expect("has a key")
}

/// A request of another length and with other headers than that of `Bench`.
fn other_request() -> Message {
    parse(
        "BYE sip:carol@example.net SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.77:5070;branch=z9hG4bK-two\r\nMax-Forwards: 9\r\n\
         From: <sip:dave@example.net>;tag=d1\r\nTo: <sip:carol@example.net>;tag=c1\r\nCall-ID: call-2\r\nCSeq: 8 BYE\r\n\r\n",
    )
}

/// A transaction of `message` in a table of its own, made of what is spare.
fn made(message: &Message, spares: &mut Spares<u32>) -> Box<Transaction<u32>> {
    let table: Table<u32> = Table::new(SECRET, 4, NOW);
    let route = endpoint(Protocol::Tcp, 5061);
    match table.create(&key(message), NOW, route, &Settings::default(), message, spares) {
        Creation::New(transaction) => transaction,
        other => panic!("the table is empty: {other:?}"),
    }
}

/// A transaction in which every field differs from a new one.
fn used_up() -> Box<Transaction<u32>> {
    let mut bench = Bench::new("INVITE");
    let armed = ArmedRoutes { failure: Some(1), branch: Some(2), reply: Some(3), branch_failure: Some(4) };
    bench.transaction.armed = armed;
    bench.transaction.suspend(bench.now, &bench.settings).expect("may be suspended");
    bench.transaction.resume(None);
    bench.fork(3);
    bench.receive(1, 180);
    bench.receive(2, 183);
    bench.transaction.cancel_branches(bench.now, Which::This(1), CancelReason::Cause(487), &bench.settings, &mut bench.actions);
    assert!(bench.transaction.cancel_sent(bench.now, 1, b"CANCEL"));
    bench.transaction.suspend_reply(bench.now, 2, &reply(183, "INVITE"));
    let failure = reply(486, "INVITE");
    bench.receive(3, 486);
    let routed = RoutedReply { message: &failure, code: 486, dropped: false };
    bench.transaction.decide(bench.now, 3, routed, &bench.settings, &mut bench.actions);
    let transaction = &mut *bench.transaction;
    let sent = SentReply { code: 200, origin: Origin::Relayed, bytes: b"RELAYED", to_tag: b"b1" };
    assert!(transaction.reply_sent(bench.now, sent, &bench.settings, &mut bench.actions));
    for branch in &mut transaction.branches {
        for text in [&mut branch.start.request_uri, &mut branch.start.destination_uri, &mut branch.start.path] {
            text.extend_from_slice(b"sip:used@example.org");
        }
        for text in [&mut branch.start.instance, &mut branch.start.ruid, &mut branch.start.user_agent] {
            text.extend_from_slice(b"used");
        }
        branch.start.script_flags = 7;
        branch.start.armed = armed;
        branch.reply_edits = Some(Box::default());
    }
    transaction.edits.replace(Span::new(3, 5), b"text");
    transaction.edits.want_content_length();
    transaction.message_flags = 5;
    transaction.flags = crate::Flags {
        local: true,
        canceled: true,
        auto_100: false,
        disable_6xx: true,
        stopped_by_6xx: true,
        noisy_timeout: true,
        disable_failover: true,
        no_cancel_reason: true,
        disable_internal_reply: true,
        no_auto_ack: true,
        admin_reply: true,
        waiting: true,
    };
    transaction.armed = armed;
    transaction.timers = TimerValues {
        final_response: 1,
        final_response_invite: 2,
        retransmit_first: 3,
        retransmit_longest: 4,
        lifetime_invite: 5,
        lifetime_other: 6,
    };
    transaction.cancel_reasons = (*b"Reason: SIP;cause=487\r\n").into();
    transaction.last_error = Some((478, "Unresolvable destination".into()));
    transaction.failed_step = Some(crate::transaction::FailedStep { branches_before: 1, step_first: 1 });
    transaction.counted = crate::transaction::Counted { waiting: true, completed: true, delayed: true };
    transaction.suspend(bench.now, &bench.settings).err();
    let server = &mut transaction.server;
    server.reply_route = Some(caller());
    server.replied_locally = true;
    server.to_tag = b"local".to_vec();
    let at = crate::deadline::Deadline::after(bench.now, 1);
    server.retransmission.start(bench.now, 500);
    (server.bound, server.wait, server.wait_end) = (at, at, at);
    transaction.data = 99;
    bench.transaction
}

/// Each field of a pretty printed structure, its name first.
fn fields(pretty: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in pretty.lines() {
        let begins = line.strip_prefix("    ").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()));
        match fields.last_mut() {
            Some(field) if !begins => field.push_str(line),
            _ if begins => fields.push(line.to_owned()),
            _ => {}
        }
    }
    fields
}

#[test]
fn a_transaction_made_of_a_used_one_is_like_one_that_is_new() {
    let message = other_request();
    let fresh = made(&message, &mut Spares::default());
    let mut spares = Spares::default();
    let used = used_up();
    let address = std::ptr::from_ref(&*used);
    let texts = [(format!("{used:#?}"), format!("{fresh:#?}")), (format!("{:#?}", used.server), format!("{:#?}", fresh.server))];
    for (used, fresh) in &texts {
        let (used, fresh) = (fields(used), fields(fresh));
        assert!(used.len() >= 11 && used.len() == fresh.len(), "{used:?}");
        for (used, fresh) in used.iter().zip(&fresh) {
            assert_ne!(used, fresh, "each field is to be used up, else its reuse is not tested");
        }
    }
    spares.keep(used, |data| *data = 0);
    let again = made(&message, &mut spares);
    assert!(std::ptr::eq(address, &*again), "its memory is used");
    assert_eq!(format!("{again:?}"), format!("{fresh:?}"));
    assert!(spares.is_empty());
}

#[test]
fn the_texts_of_a_branch_are_empty_when_they_are_used_again() {
    let mut spares = Spares::default();
    spares.keep(used_up(), |_| {});
    for _ in 0..5 {
        assert_eq!(format!("{:?}", spares.start()), format!("{:?}", BranchStart::default()));
    }
    assert_eq!(spares.buffer_with(b"next"), b"next");
}

#[test]
fn the_buffer_of_a_request_serves_the_next_one_as_soon_as_it_is_answered() {
    let mut bench = Bench::new("BYE");
    let mut spares = Spares::default();
    bench.fork(1);
    spares.collect(&mut bench.transaction);
    assert_eq!(bench.transaction.branches[0].sent, b"REQUEST");
    let address = bench.transaction.branches[0].sent.as_ptr();
    assert!(bench.send_reply(200, Origin::Relayed));
    spares.collect(&mut bench.transaction);
    let buffer = spares.buffer_with(b"OTHER");
    assert_eq!((buffer.as_ptr(), &buffer[..]), (address, &b"OTHER"[..]));
    assert_eq!(bench.transaction.branches[0].sent.capacity(), 0);
}

#[test]
fn what_grew_beyond_the_bounds_is_let_go() {
    let mut spares: Spares<u32> = Spares::default();
    let mut transaction = used_up();
    transaction.server.reply = Vec::with_capacity(KEPT_BYTES_MAX + 1);
    transaction.branches.reserve_exact(KEPT_BRANCHES_MAX + 1);
    transaction.branches[0].sent = Vec::with_capacity(KEPT_BYTES_MAX + 1);
    transaction.branches[0].start.path = Vec::with_capacity(KEPT_BYTES_MAX + 1);
    transaction.request = plain("INVITE");
    transaction.request.reserve(KEPT_REQUEST_BYTES_MAX + 1, 0);
    spares.keep(transaction, |_| {});
    let kept = spares.transactions.take().expect("is kept");
    assert_eq!((kept.server.reply.capacity(), kept.branches.capacity(), kept.request.heap_bytes()), (0, 0, 0));
    assert!(spares.buffers.things.iter().all(|buffer| buffer.capacity() <= KEPT_BYTES_MAX));
    assert!(spares.starts.things.iter().all(|start| start.path.capacity() <= KEPT_BYTES_MAX));
}

#[test]
fn no_more_is_kept_than_the_bounds_say() {
    let mut spares: Spares<u32> = Spares::default();
    let message = other_request();
    let mut all: Vec<_> = (0..SPARE_TRANSACTIONS_MAX + 100).map(|_| made(&message, &mut Spares::default())).collect();
    for transaction in &mut all {
        for bytes in [b"a", b"b"] {
            let index = transaction.add_branch(BranchStart::default(), &Settings::default()).expect("room");
            assert!(transaction.branch_sent(NOW, index, caller(), bytes));
        }
    }
    for transaction in all {
        spares.keep(transaction, |_| {});
    }
    let kept = (spares.len(), spares.buffers.things.len(), spares.starts.things.len());
    assert_eq!(kept, (SPARE_TRANSACTIONS_MAX, SPARE_BUFFERS_MAX, SPARE_STARTS_MAX));
}

#[test]
fn what_nobody_needs_is_let_go_in_the_end_and_what_is_needed_stays() {
    let mut spares: Spares<u32> = Spares::default();
    for transaction in (0..100).map(|_| made(&other_request(), &mut Spares::default())).collect::<Vec<_>>() {
        spares.keep(transaction, |_| {});
    }
    let mut now = NOW;
    let mut left = Vec::new();
    for _ in 0..10 {
        spares.let_go_unused(now);
        // Twenty are in use at one time.
        let used: Vec<_> = (0..20).map(|_| made(&other_request(), &mut spares)).collect();
        used.into_iter().for_each(|transaction| spares.keep(transaction, |_| {}));
        spares.let_go_unused(Time(now.0 + SPARE_TIME - 1));
        left.push(spares.len());
        now = Time(now.0 + SPARE_TIME);
    }
    assert_eq!(left, [100, 60, 40, 30, 25, 22, 21, 20, 20, 20]);
    for _ in 0..7 {
        spares.let_go_unused(now);
        now = Time(now.0 + SPARE_TIME);
    }
    assert!(spares.is_empty());
}

#[test]
fn a_reused_transaction_is_found_by_its_new_name_only() {
    let table: Table<u32> = Table::new(SECRET, 4, NOW);
    let settings = Settings::default();
    let (first, second) = (plain("INVITE"), other_request());
    let mut spares = Spares::default();
    let Creation::New(mut transaction) = table.create(&key(&first), NOW, caller(), &settings, &first, &mut spares) else { panic!() };
    let former: TransactionId = transaction.id();
    transaction.server.state = crate::ServerState::Terminated;
    let CheckIn::Freed(ended, _) = table.check_in(transaction) else { panic!() };
    spares.keep(ended, |_| {});
    let Creation::New(transaction) = table.create(&key(&second), NOW, caller(), &settings, &second, &mut spares) else { panic!() };
    let id = transaction.id();
    assert!(matches!(table.check_in(transaction), CheckIn::Done));
    assert!(matches!(table.checkout(former), Checkout::Gone));
    assert_eq!((table.find(&key(&first)), table.find(&key(&second))), (None, Some(id)));
    let Checkout::Taken(transaction) = table.checkout(id) else { panic!() };
    assert_eq!(transaction.request.bytes(), second.bytes());
}
