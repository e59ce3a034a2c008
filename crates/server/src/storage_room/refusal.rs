//! `db_failure_mode` 1: the answer to an INVITE whose dialog cannot be stored becomes a failure, and its callee hangs up.

use dialog::flags::dialog_flag;
use dialog::{Direction, Engine, Leg, State, Wish};
use modules::outbox::{Effect, Outbox};
use sip::header::HeaderId;
use sip::method::Method;
use sip::time::Now;
use sip::{Message, Span};

/// What the callee is told why.
const REASON: &[u8] = b"Reason: SIP;cause=500;text=\"the call could not be stored\"\r\n";
/// When the caller may try again: by then the keeper tried several times.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Rewrites each 2xx in the outbox that announces a dialog without row, and wishes for the end of that dialog; `in_hand`
/// knows the dialogs whose first row is out at the database. Says how many.
pub(super) fn refuse(dialogs: &Engine, now: Now, outbox: &mut Outbox, in_hand: impl Fn(dialog::DialogId) -> bool) -> usize {
    let Outbox { effects, bytes: all } = outbox;
    let mut refused = 0;
    for effect in effects {
        let (Effect::Send { bytes, .. } | Effect::StreamSend { bytes, .. }) = effect else { continue };
        let Some(failure) = all.get(bytes.clone()).and_then(|bytes| judge(dialogs, now, bytes, &in_hand)) else { continue };
        let start = all.len();
        all.extend_from_slice(&failure);
        *bytes = start..all.len();
        refused += 1;
    }
    refused
}

/// The failure that takes the place of a message; None: it may leave as it is.
fn judge(dialogs: &Engine, now: Now, bytes: &[u8], in_hand: &impl Fn(dialog::DialogId) -> bool) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"SIP/2.0 2") {
        return None;
    }
    let answer = Message::from_bytes(bytes).ok()?;
    if answer.cseq()?.method != Method::Invite {
        return None;
    }
    let (id, _) = dialogs.find_by_identifiers(answer.call_id(), answer.from_tag(), answer.to_tag(), Direction::None)?;
    let view = dialogs.view(now, id)?;
    let is_stored = view.dialog_flags & dialog_flag::NEW == 0 && !in_hand(id);
    if is_stored || view.state != State::ConfirmedNoAck {
        return None;
    }
    // Refused when too many wait: the lifetime ends the call then.
    let _ = dialogs.wish(Wish::End { dialog: id, leg: Some(Leg::Callee), headers: REASON.to_vec() });
    Some(failure(&answer))
}

/// What the caller gets instead (RFC 3261 §8.2.6.2, §21.5.1).
fn failure(answer: &Message) -> Vec<u8> {
    let mut out = b"SIP/2.0 500 Call Not Stored\r\n".to_vec();
    for header in answer.headers() {
        if matches!(header.id, HeaderId::Via | HeaderId::From | HeaderId::To | HeaderId::CallId | HeaderId::CSeq) {
            out.extend_from_slice(answer.text(Span { start: header.line.start, end: header.value.end }));
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(format!("Retry-After: {RETRY_AFTER_SECONDS}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use dialog::{Begin, CalleeLeg, Cause, DialogId, NewDialog, ReplyKind, Settings};
    use sip::time::{Date, Time};

    use super::*;

    const NOW: Now = Now { time: Time(0), date: Date(1_795_380_273_000) };

    fn answered() -> (Engine, DialogId) {
        let engine = Engine::new(NOW, Settings { storing: dialog::Storing::Realtime, ..Settings::default() });
        let invite = NewDialog { call_id: b"c1", from_tag: b"A", contact: b"sip:a@192.0.2.1", cseq: 1, ..NewDialog::default() };
        let Begin::Created(id) = engine.begin(NOW, &invite) else { panic!("refused") };
        let change = engine.reply_begin(NOW, id, ReplyKind::Success).unwrap();
        let callee = CalleeLeg { tag: b"B", contact: b"sip:b@192.0.2.2", ..CalleeLeg::default() };
        engine.reply_finish(NOW, change, Some(&callee), Cause::HERE);
        (engine, id)
    }

    fn outbox(status: &str, method: &str) -> Outbox {
        let text = format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9\r\nRecord-Route: <sip:192.0.2.3;lr>\r\n\
             From: <sip:a@x>;tag=A\r\nTo: <sip:b@x>;tag=B\r\nCall-ID: c1\r\nCSeq: 1 {method}\r\nContact: <sip:b@192.0.2.2>\r\n\
             Content-Length: 3\r\n\r\nsdp"
        );
        let mut outbox = Outbox { effects: Vec::new(), bytes: b"before".to_vec() };
        let start = outbox.bytes.len();
        outbox.bytes.extend_from_slice(text.as_bytes());
        outbox.effects.push(Effect::Send { socket: 0, destination: ([192, 0, 2, 9], 5060).into(), bytes: start..outbox.bytes.len() });
        outbox
    }

    fn sent(outbox: &Outbox) -> String {
        let Some(Effect::Send { bytes, .. }) = outbox.effects.first() else { panic!("nothing sent") };
        String::from_utf8_lossy(&outbox.bytes[bytes.clone()]).into_owned()
    }

    #[test]
    fn an_answer_without_row_becomes_a_failure_and_the_callee_is_to_hang_up() {
        let (engine, id) = answered();
        let mut outbox = outbox("200 OK", "INVITE");
        assert_eq!(refuse(&engine, NOW, &mut outbox, |_| false), 1);
        assert_eq!(
            sent(&outbox),
            "SIP/2.0 500 Call Not Stored\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9\r\nFrom: <sip:a@x>;tag=A\r\n\
             To: <sip:b@x>;tag=B\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
        );
        let Some(Wish::End { dialog, leg, headers }) = engine.take_wish() else { panic!("no wish") };
        assert_eq!((dialog, leg, headers), (id, Some(Leg::Callee), REASON.to_vec()));
    }

    #[test]
    fn other_messages_and_answers_of_stored_calls_leave_as_they_are() {
        let (engine, id) = answered();
        for (status, method) in [("180 Ringing", "INVITE"), ("200 OK", "UPDATE"), ("486 Busy", "INVITE")] {
            let mut outbox = outbox(status, method);
            assert_eq!(refuse(&engine, NOW, &mut outbox, |_| false), 0, "{status} {method}");
        }
        assert_eq!(engine.take_changes(NOW, 10, |change| change.id()).changes, [id]);
        let mut unknown = outbox("200 OK", "INVITE");
        assert_eq!(refuse(&engine, NOW, &mut unknown, |in_hand| in_hand == id), 1, "its row is on the way");
        assert_eq!(refuse(&engine, NOW, &mut outbox("200 OK", "INVITE"), |_| false), 0, "its row is there");
    }
}
