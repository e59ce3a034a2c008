//! `dlg.explain`: what happened to the calls with a Call-ID, living or ended a while ago (docs/end-reasons.md).

use std::borrow::Cow;

use ::dialog::{EndReason, Ender, Explanation, PastMoment};
use script::transform::time::Calendar;
use sip::time::{Date, Now};

use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

pub(super) const EXPLAIN: Command =
    Command::new("dlg.explain", "Tells what happened to a call and why it ended: Call-ID, From-tag. (extension)", explain).array();

fn explain(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let call_id = parameters.text_converted()?;
    let from_tag = parameters.text_if_given()?;
    let found = worker.node.dialogs.explain(worker.now, &call_id, from_tag.as_deref());
    if found.is_empty() {
        return Err(Fault::new(404, "No such call"));
    }
    Ok(Reply::many(found.iter().map(|call| explanation(call, worker.now)).collect()))
}

fn explanation(call: &Explanation, now: Now) -> Item {
    let dialog = &call.dialog;
    let number = |name: &'static str, value: u32| (Cow::Borrowed(name), Item::Integer(i64::from(value)));
    let text = |name: &'static str, value: &[u8]| (Cow::Borrowed(name), if value.is_empty() { Item::Null } else { Item::text(value) });
    let word = |value: Option<&str>| value.map_or(Item::Null, Item::text);
    let now_seconds = u32::try_from(now.date.seconds()).unwrap_or(u32::MAX);
    let code = if dialog.end_code == 0 { Item::Null } else { Item::Integer(i64::from(dialog.end_code)) };
    Item::Structure(vec![
        number("h_entry", dialog.id.entry),
        number("h_id", dialog.id.id),
        text("call-id", &dialog.call_id),
        text("from_tag", &dialog.caller.tag),
        text("to_tag", &dialog.callee.tag),
        text("from_uri", &dialog.from_uri),
        text("to_uri", &dialog.to_uri),
        text("req_uri", &dialog.request_uri),
        number("state", dialog.state.number()),
        number("in_table", u32::from(!call.is_gone)),
        number("init_ts", dialog.init_time),
        number("start_ts", dialog.start_time),
        number("end_ts", dialog.end_time),
        number("duration", dialog.duration(now_seconds)),
        (Cow::Borrowed("end_reason"), word(dialog.end_reason.map(EndReason::token))),
        (Cow::Borrowed("ended_by"), word(dialog.end_reason.map(|reason| ender(reason.ender())))),
        (Cow::Borrowed("end_code"), code),
        text("end_text", &dialog.end_text),
        number("left_out", u32::from(call.left_out)),
        (Cow::Borrowed("history"), Item::Array(call.history.iter().map(line).collect())),
    ])
}

fn ender(ender: Ender) -> &'static str {
    match ender {
        Ender::Caller => "caller",
        Ender::Callee => "callee",
        Ender::Proxy => "proxy",
    }
}

/// `2026-11-23T05:16:53.120Z answered with 200, state 2 to 3`
fn line(past: &PastMoment) -> Item {
    let mut line = format!("{} {}", time(past.at), past.moment);
    if past.old != past.new {
        line.push_str(&format!(", state {} to {}", past.old.number(), past.new.number()));
    }
    Item::text(line)
}

/// UTC with milliseconds, as in RFC 3339.
fn time(date: Date) -> String {
    let calendar = Calendar::new(i64::try_from(date.seconds()).unwrap_or(i64::MAX), 0);
    let seconds = calendar.format(b"%Y-%m-%dT%H:%M:%S");
    format!("{}.{:03}Z", String::from_utf8_lossy(&seconds), date.0 % 1000)
}

#[cfg(test)]
mod tests {
    use ::dialog::{Leg, Moment, State};

    use super::*;

    #[test]
    fn a_line_says_when_what_and_from_which_state_to_which() {
        let at = Date(1_795_380_273_009);
        let bye = PastMoment { at, moment: Moment::Bye { leg: Leg::Callee }, old: State::Confirmed, new: State::Deleted };
        assert_eq!(line(&bye), Item::text("2026-11-22T20:44:33.009Z BYE from the callee, state 4 to 5"));
        let asked = PastMoment { moment: Moment::Asked { reason: EndReason::Rpc }, new: State::Confirmed, ..bye };
        assert_eq!(line(&asked), Item::text("2026-11-22T20:44:33.009Z termination begun: rpc"));
    }
}
