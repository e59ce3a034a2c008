//! Tests of the engine as a whole, with a small harness that plays calls.

mod calls;
mod crossing;
mod deadlines;
mod ending;
mod lifecycle;
mod limiting;
mod listing;
mod observing;
mod random;
mod reading;
mod reasons;
mod sequence;
mod storing;
mod table;

use sip::time::{Date, Now, Time};

use super::{DialogId, Engine, ReplyKind};
use crate::effect::{Begin, Change, EventRoute, Finished, InDialogRequest, NewDialog, RequestMethod};
use crate::end_reason::{EndReason, StatedCause};
use crate::leg::{CalleeLeg, Direction};
use crate::observer::Cause;
use crate::settings::{ParameterValue, Settings};
use crate::statistics::Counts;

pub(super) const START: u64 = 1_795_380_273;

pub(super) fn at(seconds: f64) -> Now {
    let milliseconds = (seconds * 1000.0) as u64;
    Now { time: Time(5_000_000 + milliseconds), date: Date(START * 1000 + milliseconds) }
}

pub(super) fn settings(changes: &[(&str, i64)]) -> Settings {
    let mut settings = Settings { random_seed: 7, ..Settings::default() };
    settings.set("profiles_no_value", ParameterValue::Text("all;nov")).unwrap();
    settings.set("profiles_with_value", ParameterValue::Text("caller")).unwrap();
    for (name, value) in changes {
        settings.set(name, ParameterValue::Integer(*value)).unwrap();
    }
    settings
}

pub(super) fn engine(changes: &[(&str, i64)]) -> Engine {
    Engine::new(at(0.0), settings(changes))
}

pub(super) fn invite<'a>(call_id: &'a [u8]) -> NewDialog<'a> {
    NewDialog {
        call_id,
        from_uri: b"sip:alice@example.com",
        to_uri: b"sip:bob@example.com",
        request_uri: b"sip:bob@127.0.0.1:15060",
        from_tag: b"A",
        contact: b"sip:alice@127.0.0.1:15070",
        route_set: b"<sip:127.0.0.1:15071;lr>",
        route_entries: 1,
        cseq: 3,
        socket: b"udp:127.0.0.1:15060",
        ..NewDialog::default()
    }
}

pub(super) const CALLEE: CalleeLeg<'static> = CalleeLeg {
    tag: b"B",
    contact: b"sip:bob@127.0.0.1:15080",
    route_set: b"<sip:127.0.0.1:15080;lr;down=1>",
    socket: b"udp:127.0.0.1:15061",
    caller_route_set: None,
};

pub(super) fn create(engine: &Engine, now: Now, call_id: &[u8]) -> DialogId {
    match engine.begin(now, &invite(call_id)) {
        Begin::Created(id) => id,
        other => panic!("not created: {other:?}"),
    }
}

/// Both halves of a reply; gives the route handed out and what finished.
pub(super) fn reply(engine: &Engine, now: Now, id: DialogId, code: u16) -> (Option<EventRoute>, Finished) {
    let change = engine.reply_begin(now, id, ReplyKind::of(code).unwrap()).unwrap();
    let route = change.route;
    let callee = (200..300).contains(&code).then_some(&CALLEE);
    (route, engine.reply_finish(now, change, callee, Cause::HERE))
}

pub(super) fn within(method: RequestMethod, direction: Direction, cseq: u32) -> InDialogRequest<'static> {
    InDialogRequest {
        method,
        direction,
        cseq: Some(cseq),
        contact: None,
        timeout: None,
        stated: StatedCause::default(),
        cause: Cause::HERE,
    }
}

/// Both halves of a request.
pub(super) fn request(engine: &Engine, now: Now, id: DialogId, request: &InDialogRequest<'_>) -> (Option<EventRoute>, Finished) {
    let change: Change = engine.request_begin(now, id, request).unwrap();
    let route = change.route;
    (route, engine.request_finish(now, change, request))
}

pub(super) fn ack(engine: &Engine, now: Now, id: DialogId) -> Finished {
    request(engine, now, id, &within(RequestMethod::Ack, Direction::Downstream, 3)).1
}

pub(super) fn bye(engine: &Engine, now: Now, id: DialogId) -> (Option<EventRoute>, Finished) {
    request(engine, now, id, &within(RequestMethod::Bye, Direction::Downstream, 4))
}

/// A dialog in state 4.
pub(super) fn confirmed(engine: &Engine, now: Now, call_id: &[u8]) -> DialogId {
    let id = create(engine, now, call_id);
    reply(engine, now, id, 180);
    reply(engine, now, id, 200);
    ack(engine, now, id);
    id
}

/// The gauges as a walk over the records counts them.
pub(super) fn assert_recount(engine: &Engine) {
    let counts: Counts = engine.statistics();
    let walked = engine.state_counts(false);
    assert_eq!(
        (counts.unconfirmed, counts.early, counts.active),
        (walked.unconfirmed, walked.early, walked.confirmed_no_ack + walked.confirmed)
    );
    let over = counts.failed + counts.ended + counts.abandoned;
    assert_eq!(counts.processed + counts.loaded, counts.unconfirmed + counts.early + counts.active + over);
    assert_eq!(EndReason::ALL.map(|reason| engine.ended_by(reason)).iter().sum::<u64>(), over, "every end has one reason");
}
