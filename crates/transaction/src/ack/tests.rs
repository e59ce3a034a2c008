//! Which ACKs stop here (spec proxy-core 7.2.2, T4).

use super::*;
use crate::sample::{Bench, VIA, request};
use crate::server::Origin;

fn ack(bench: &mut Bench, tag: &str, by_via: bool) -> AckStep {
    let message = request("ACK", VIA, &format!("<sip:bob@example.com>;tag={tag}"));
    let Bench { now, transaction, settings, .. } = bench;
    transaction.ack_received(*now, &message, by_via, settings)
}

#[test]
fn the_ack_of_a_failure_is_absorbed_and_stops_its_retransmission() {
    let mut bench = Bench::new("INVITE");
    bench.send_reply(404, Origin::Local);
    assert_eq!(ack(&mut bench, "b1", false), AckStep::NotOurs, "without the Via it acknowledges something else");
    assert_eq!(ack(&mut bench, "b1", true), AckStep::Absorbed { first: true });
    assert_eq!(ack(&mut bench, "b1", true), AckStep::Absorbed { first: false });
    assert_eq!(bench.transaction.server.state, ServerState::Confirmed);
    assert_eq!(bench.tick(), Some((5_000, crate::TimerStep::Ended)));
    assert!(bench.actions.is_empty());
}

#[test]
fn the_ack_of_a_relayed_2xx_is_routed() {
    let mut bench = Bench::new("INVITE");
    bench.fork(1);
    bench.answer(0, 200);
    bench.send_reply(200, Origin::Relayed);
    assert_eq!(ack(&mut bench, "b1", false), AckStep::EndToEnd { first: true });
    assert_eq!(ack(&mut bench, "b1", true), AckStep::EndToEnd { first: false });
    assert_eq!(ack(&mut bench, "zz", true), AckStep::NotOurs);
}

#[test]
fn the_ack_of_our_own_2xx_is_absorbed_if_it_carries_our_tag() {
    let mut bench = Bench::new("INVITE");
    bench.send_reply(200, Origin::Local);
    assert_eq!(ack(&mut bench, "zz", false), AckStep::NotOurs);
    assert_eq!(ack(&mut bench, "b1", false), AckStep::Absorbed { first: true });
    assert_eq!(bench.tick(), Some((5_000, crate::TimerStep::Ended)));
}

#[test]
fn an_ack_before_any_final_reply_is_not_ours() {
    let mut bench = Bench::new("INVITE");
    assert_eq!(ack(&mut bench, "b1", true), AckStep::NotOurs);
    let mut options = Bench::new("OPTIONS");
    options.send_reply(404, Origin::Local);
    assert_eq!(ack(&mut options, "b1", true), AckStep::NotOurs);
}
