//! The Reason header (RFC 3326) of what ends a call: its text, and the cause it states.

use ::dialog::StatedCause;
use ::dialog::limits::END_TEXT_BYTES_MAX;
use sip::header::HeaderId;
use sip::message::Message;

use crate::tm::TransactionData;
use crate::worker::Worker;

/// The protocol whose causes say more than a SIP status.
const Q850: &[u8] = b"Q.850";

/// What a message says about its reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reason {
    cause: u16,
    text: Vec<u8>,
}

impl Reason {
    /// The first Reason header, cut at the engine's bound and on one line.
    pub(super) fn of(message: &Message) -> Reason {
        let Some(value) = message.value(HeaderId::Reason) else { return Reason::default() };
        let text: Vec<u8> = value.iter().take(END_TEXT_BYTES_MAX).map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }).collect();
        Reason { cause: cause(&text), text }
    }

    pub(super) fn stated(&self) -> StatedCause<'_> {
        StatedCause { code: self.cause, text: &self.text }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// The Q.850 cause among the values, else the first cause; 0 = none.
fn cause(text: &[u8]) -> u16 {
    let mut is_quoted = false;
    let values = text.split(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    });
    let mut first = 0;
    for value in values {
        let (protocol, parameters) = sip::scan::split_once(value, b';');
        let number = parameters.and_then(|parameters| sip::params::find(parameters, b"cause"));
        let Some(number) = number.and_then(|number| std::str::from_utf8(number).ok()?.trim().parse().ok()) else { continue };
        if protocol.trim_ascii().eq_ignore_ascii_case(Q850) {
            return number;
        }
        if first == 0 {
            first = number;
        }
    }
    first
}

/// The caller's CANCEL for the INVITE of the run's transaction, before anything is done about it.
pub fn cancel_received(worker: &Worker, cancel: &Message) {
    let Some(transaction) = &worker.run.tm.transaction else { return };
    tell(worker, &transaction.data, cancel);
}

/// The run's CANCEL goes on to the callee for the INVITE with this data.
pub fn cancel_relayed(worker: &Worker, invite: &TransactionData) {
    tell(worker, invite, &worker.run.message);
}

fn tell(worker: &Worker, invite: &TransactionData, cancel: &Message) {
    if let Some(dialog) = invite.dialog.invite {
        worker.node.dialogs.cancelled(worker.now, dialog, Reason::of(cancel).stated());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(lines: &str) -> Reason {
        let message = format!(
            "BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n{lines}\r\n"
        );
        Reason::of(&Message::from_bytes(message.as_bytes()).expect("a message"))
    }

    #[test]
    fn the_text_is_kept_whole_and_the_cause_is_read() {
        let read = reason("Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n");
        assert_eq!(read.stated(), StatedCause { code: 16, text: b"Q.850;cause=16;text=\"Normal call clearing\"" });
    }

    #[test]
    fn the_cause_of_q850_goes_before_that_of_sip() {
        assert_eq!(reason("Reason: SIP;cause=200;text=\"a, b\", q.850 ;cause=26\r\n").cause, 26);
        assert_eq!(reason("Reason: SIP;cause=200;text=\"a, Q.850;cause=1\"\r\n").cause, 200);
    }

    #[test]
    fn what_cannot_be_read_states_no_cause() {
        for value in ["SIP", ";;;", "Q.850;cause=", "Q.850;cause=99999999", "Q.850;cause=x", "Q.850;text=\"unclosed"] {
            assert_eq!(reason(&format!("Reason: {value}\r\n")).cause, 0, "{value}");
        }
        assert_eq!(reason(""), Reason::default());
    }

    #[test]
    fn a_long_or_folded_text_becomes_one_bounded_line() {
        let read = reason(&format!("Reason: SIP;cause=200\r\n ;text=\"{}\"\r\n", "x".repeat(2 * END_TEXT_BYTES_MAX)));
        assert_eq!((read.text.len(), read.cause), (END_TEXT_BYTES_MAX, 200));
        assert!(!read.text.iter().any(u8::is_ascii_control));
    }
}
