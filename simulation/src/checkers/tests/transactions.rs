//! T1 to T9 and R3.

use sip::method::Method;

use super::*;

fn sight_of(branch: &str, is_local: bool) -> TransactionSight {
    TransactionSight {
        branch: branch.as_bytes().to_vec(),
        sent_by: b"h".to_vec(),
        call_id: b"call-1@simulation".to_vec(),
        call: 1,
        method: Method::Bye,
        is_local,
        created: 0,
    }
}

fn transactions() -> Transactions {
    Transactions::new(0)
}

#[test]
fn t1_two_transactions_of_one_key_and_a_second_script_run_are_found() {
    let twice = Snapshot {
        transactions: vec![sight_of("z9hG4bKx", false), sight_of("z9hG4bKx", false)],
        transaction_count: 2,
        transaction_deadline: Some(9),
        ..Snapshot::default()
    };
    assert_eq!(inspected(&mut transactions(), &twice), ["T1"]);
    let line = "x: MARK relay INVITE call-1@simulation SIP/2.0/UDP h;branch=z9hG4bKx";
    assert_eq!(seen(&mut transactions(), &[(0, Sight::Line(line)), (500, Sight::Line(line))]), ["T1"]);
}

#[test]
fn t2_a_failure_after_a_2xx_and_two_failures_are_found() {
    let (ok, busy, late) = (reply(200, &["z9hG4bKup"]), reply(486, &["z9hG4bKup"]), reply(487, &["z9hG4bKup"]));
    assert_eq!(seen(&mut transactions(), &[(0, left(&ok)), (1, left(&busy))]), ["T2"]);
    assert_eq!(seen(&mut transactions(), &[(0, left(&busy)), (1, left(&late))]), ["T2"]);
    assert_eq!(seen(&mut transactions(), &[(0, left(&busy)), (1, left(&ok))]), Vec::<&str>::new());
}

/// Two branches answer with the given codes, then one code goes upstream.
fn forked(first: u16, second: u16, upstream: u16) -> Vec<&'static str> {
    let out = [request("INVITE", 1, &["z9hG4bKb1", "z9hG4bKup"]), request("INVITE", 1, &["z9hG4bKb2", "z9hG4bKup"])];
    let back = [reply(first, &["z9hG4bKb1", "z9hG4bKup"]), reply(second, &["z9hG4bKb2", "z9hG4bKup"])];
    let passed = reply(upstream, &["z9hG4bKup"]);
    let sights = [(0, left(&out[0])), (0, left(&out[1])), (100, came(&back[0])), (200, came(&back[1])), (200, left(&passed))];
    seen(&mut Forks::new(0), &sights)
}

#[test]
fn t3_a_worse_failure_is_found() {
    let good = [(486, 404, 404), (404, 401, 401), (302, 486, 302), (603, 302, 603), (486, 500, 486), (401, 407, 401), (503, 503, 500)];
    for (first, second, upstream) in good {
        assert_eq!(forked(first, second, upstream), Vec::<&str>::new(), "{first} and {second}");
    }
    for (first, second, upstream) in [(486, 404, 486), (404, 401, 404), (603, 302, 302), (486, 500, 500), (486, 486, 408)] {
        assert_eq!(forked(first, second, upstream), ["T3"], "{upstream} of {first} and {second}");
    }
}

#[test]
fn t3_a_silent_branch_goes_upstream_as_cancelled_only_when_it_was() {
    let out = request("INVITE", 1, &["z9hG4bKb1", "z9hG4bKup"]);
    let of_caller = request("CANCEL", 1, &["z9hG4bKup"]);
    let of_proxy = request("CANCEL", 1, &["z9hG4bKb1"]);
    let passed = reply(487, &["z9hG4bKup"]);
    for (cancel, wanted) in [(None, &["T3"][..]), (Some(came(&of_caller)), &[]), (Some(left(&of_proxy)), &[])] {
        let sights = [Some((0, left(&out))), cancel.map(|cancel| (9, cancel)), Some((30_000, left(&passed)))];
        assert_eq!(seen(&mut Forks::new(0), &sights.into_iter().flatten().collect::<Vec<_>>()), wanted);
    }
}

#[test]
fn t3_a_silent_branch_counts_as_timed_out_and_an_earlier_set_not_at_all() {
    let out = request("INVITE", 1, &["z9hG4bKb1", "z9hG4bKup"]);
    let timed_out = reply(408, &["z9hG4bKup"]);
    assert_eq!(seen(&mut Forks::new(0), &[(0, left(&out)), (30_000, left(&timed_out))]), Vec::<&str>::new());
    let again = request("INVITE", 1, &["z9hG4bKb2", "z9hG4bKup"]);
    let (declined, unavailable) = (reply(603, &["z9hG4bKb1", "z9hG4bKup"]), reply(480, &["z9hG4bKb2", "z9hG4bKup"]));
    let passed = reply(480, &["z9hG4bKup"]);
    let line = "MARK failure call-1@simulation 603 SIP/2.0/UDP h;branch=z9hG4bKup";
    let sights = [
        (0, left(&out)),
        (1, came(&declined)),
        (1, Sight::Line(line)),
        (1, left(&again)),
        (2, came(&unavailable)),
        (2, Sight::Sent { message: &passed, to: SOMEWHERE, cause: Some(&unavailable) }),
    ];
    assert_eq!(seen(&mut Forks::new(0), &sights), Vec::<&str>::new());
}

#[test]
fn t4_t5_an_early_cancel_and_a_wrong_ack_are_found() {
    let [invite, cancel, ack] = ["INVITE", "CANCEL", "ACK"].map(|method| request(method, 1, &["z9hG4bKdown"]));
    assert_eq!(seen(&mut transactions(), &[(0, left(&invite)), (0, left(&cancel)), (0, left(&ack))]), ["T5", "T4"]);
}

#[test]
fn t4_an_ack_to_a_2xx_that_is_absorbed_is_found() {
    let routed = message("ACK sip:b@x SIP/2.0", "ACK", 1, &["z9hG4bKack"], "Route: <sip:10.0.0.1;lr>\r\n");
    let forwarded = request("ACK", 1, &["z9hG4bKout", "z9hG4bKack"]);
    assert_eq!(seen(&mut transactions(), &[(0, came(&routed)), (0, Sight::StepOver)]), ["T4"]);
    assert_eq!(seen(&mut transactions(), &[(0, came(&routed)), (0, left(&forwarded)), (0, Sight::StepOver)]), Vec::<&str>::new());
}

#[test]
fn t6_t9_transactions_that_stay_are_found() {
    let snapshot = Snapshot {
        at: 500_000,
        transactions: vec![sight_of("z9hG4bKx", true)],
        transaction_count: 1,
        parked: 1,
        transaction_deadline: Some(600_000),
        ..Snapshot::default()
    };
    assert_eq!(inspected(&mut transactions(), &snapshot), ["T6"]);
    assert_eq!(settled(&mut transactions(), &snapshot), ["T9", "R3"]);
}

#[test]
fn t6_a_timer_that_is_due_and_does_not_fire_is_found() {
    let due = |at| Snapshot { at, transaction_deadline: Some(1), ..Snapshot::default() };
    let mut checker = transactions();
    assert_eq!(inspected(&mut checker, &due(10)), Vec::<&str>::new());
    assert_eq!(inspected(&mut checker, &due(9_000)), ["T6"]);
}

#[test]
fn t7_a_failure_route_that_runs_twice_or_after_a_2xx_is_found() {
    let out = request("INVITE", 1, &["z9hG4bKb1", "z9hG4bKup"]);
    let ok = reply(200, &["z9hG4bKb1", "z9hG4bKup"]);
    let line = "MARK failure call-1@simulation 486 SIP/2.0/UDP h;branch=z9hG4bKup";
    assert_eq!(seen(&mut Forks::new(0), &[(0, left(&out)), (1, Sight::Line(line))]), Vec::<&str>::new());
    assert_eq!(seen(&mut Forks::new(0), &[(0, left(&out)), (1, Sight::Line(line)), (2, Sight::Line(line))]), ["T7"]);
    assert_eq!(seen(&mut Forks::new(0), &[(0, left(&out)), (1, came(&ok)), (2, Sight::Line(line))]), ["T7"]);
}

#[test]
fn t8_a_wait_that_ends_twice_or_never_is_found() {
    let suspended = "MARK suspended call-1@simulation SIP/2.0/UDP h;branch=z9hG4bKup";
    let resumed = "MARK resumed call-1@simulation SIP/2.0/UDP h;branch=z9hG4bKup";
    let timed_out = reply(408, &["z9hG4bKup"]);
    let mut checker = Suspension::new(0);
    assert_eq!(seen(&mut checker, &[(0, Sight::Line(suspended)), (1, Sight::Line(resumed))]), Vec::<&str>::new());
    assert_eq!(settled(&mut checker, &Snapshot::default()), Vec::<&str>::new());
    assert_eq!(seen(&mut checker, &[(2, Sight::Line(resumed))]), ["T8"]);
    let late = [(0, Sight::Line(suspended)), (1, left(&timed_out)), (2, Sight::Line(resumed))];
    assert_eq!(seen(&mut Suspension::new(0), &late), ["T8"]);
    let mut checker = Suspension::new(0);
    assert_eq!(seen(&mut checker, &[(0, Sight::Line(suspended))]), Vec::<&str>::new());
    assert_eq!(settled(&mut checker, &Snapshot::default()), ["T8"]);
}
