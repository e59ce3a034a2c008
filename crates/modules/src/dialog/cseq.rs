//! CSeq numbers of calls in which this proxy sends requests of its own or answers challenges: raised on the way out, given
//! back in replies (spec dialog 3.5).
//!
//! A request that leaves with another number than it came with carries the number it came with behind the branch of our
//! Via, so that its replies can be set right whether or not anybody remembers the request. The number belongs to the
//! branch until a 2xx decides which branch the call is; from then on the dialog keeps how far the numbers run ahead.

use std::sync::Arc;

use ::dialog::{DialogId, Leg, NUMBER_BOUND, VariableError};
use sip::edit::Edits;
use sip::header::HeaderId;
use sip::message::Message;
use sip::method::Method;
use sip::span::Span;
use transaction::branch_id::SEQUENCE_MARK;
use transaction::{Branch, Checkout, Transaction};

use crate::tm::TransactionData;
use crate::worker::Worker;

/// What stands in a Via in place of the mark once the reply is set right: a parameter of its own.
const READ_MARK: &[u8] = b";z=";

/// The numbers a request leaves with when they are not those it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renumbering {
    pub cseq: u32,
    /// The number in the RAck of a PRACK: that of the INVITE whose reply it acknowledges.
    pub acknowledged: Option<u32>,
}

impl Renumbering {
    /// The edits that put the numbers into the message. None: the script has taken the CSeq out, and its own stays.
    pub fn edits(&self, message: &Message, others: &[&Edits]) -> Option<Edits> {
        let mut edits = Edits::new();
        let number = message.span_of(message.cseq()?.number_text)?;
        if others.iter().any(|list| list.deletes(number)) {
            return None;
        }
        edits.replace(number, self.cseq.to_string().as_bytes());
        if let (Some(acknowledged), Some(span)) = (self.acknowledged, acknowledged_span(message))
            && !others.iter().any(|list| list.deletes(span))
        {
            edits.replace(span, acknowledged.to_string().as_bytes());
        }
        Some(edits)
    }
}

/// Appends to a branch which number the message came with.
pub fn write_mark(branch: &mut Vec<u8>, message: &Message) {
    if let Some(cseq) = message.cseq() {
        branch.extend_from_slice(SEQUENCE_MARK);
        branch.extend_from_slice(cseq.number_text);
    }
}

/// Where the CSeq number in the RAck is: `RAck: 1 314159 INVITE` (RFC 3262 §7.2).
fn acknowledged_span(message: &Message) -> Option<Span> {
    let value = message.value(HeaderId::Rack)?;
    let word = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(1)?;
    if word.iter().all(u8::is_ascii_digit) { message.span_of(word) } else { None }
}

fn number_in(message: &Message, span: Span) -> Option<u32> {
    std::str::from_utf8(message.text(span)).ok()?.parse().ok()
}

/// A reply came: the number that its request left with becomes the one it came with, before anybody reads it.
pub fn restore_in_reply(worker: &mut Worker) {
    if worker.node.states.dialog.tracks_sequence {
        restore(&mut worker.run.message);
    }
}

fn restore(reply: &mut Message) {
    let Some(via) = reply.top_via() else { return };
    let Some(at) = via.branch.windows(SEQUENCE_MARK.len()).rposition(|window| window == SEQUENCE_MARK) else { return };
    let (mark, digits) = via.branch.get(at..).unwrap_or_default().split_at(SEQUENCE_MARK.len());
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = reply.cseq().and_then(|cseq| reply.span_of(cseq.number_text));
    let (Some(mark), Some(number), true) = (reply.span_of(mark), number, is_number) else { return };
    // In place, with blanks in front, so that nothing else in the message moves.
    let Some(blanks) = number.len().checked_sub(digits.len()) else { return };
    let text = [vec![b' '; blanks], digits.to_vec()].concat();
    if reply.overwrite(number, &text) {
        reply.overwrite(mark, READ_MARK);
    }
}

/// `uac_auth()` has answered a challenge to the run's transaction: the branches that this step adds leave with a number
/// above all that the party has seen, and the numbers of the call run ahead by as much.
pub fn authenticated(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    if !node.states.dialog.tracks_sequence {
        return;
    }
    let Some(transaction) = &worker.run.tm.transaction else { return };
    let Some(received) = transaction.request.cseq().map(|cseq| cseq.number) else { return };
    let part = &transaction.data.dialog;
    let sent = part.numbers.iter().map(|(_, number)| *number).max().unwrap_or(received).max(received);
    let within = part.within.and_then(|(dialog, direction)| Some((dialog, direction.sender()?.other())));
    let Some((dialog, receiver)) = part.invite.map(|dialog| (dialog, Leg::Callee)).or(within) else { return };
    worker.run.dialog.renumbered = node.dialogs.next_sequence_number(worker.now, dialog, receiver, sent);
    if worker.run.dialog.renumbered.is_none() {
        worker.log(-1, "dialog", &format!("the CSeq of dialog [{dialog}] cannot be raised"));
    }
}

/// This proxy has sent a request with this number to a party: what the other one sends comes behind it (invariant D10).
pub(super) fn used_here(worker: &mut Worker, dialog: DialogId, receiver: Leg, number: u32) {
    if !worker.node.states.dialog.tracks_sequence {
        return;
    }
    if let Err(error) = worker.node.dialogs.sequence_number_used(worker.now, dialog, receiver, number) {
        not_kept(worker, dialog, &error);
    }
}

fn not_kept(worker: &mut Worker, dialog: DialogId, error: &VariableError) {
    worker.log(-1, "dialog", &format!("how far the CSeq of dialog [{dialog}] runs ahead cannot be kept: {error:?}"));
}

/// The numbers a branch of the run's transaction leaves with; None: those it came with.
pub fn of_branch(worker: &mut Worker) -> Option<Renumbering> {
    if !worker.node.states.dialog.tracks_sequence {
        return None;
    }
    if let Some(cseq) = worker.run.dialog.renumbered {
        return Some(Renumbering { cseq, acknowledged: None });
    }
    let shift = worker.run.tm.transaction.as_ref().map_or(0, |transaction| transaction.data.dialog.sequence_shift);
    raised_by(worker, shift)
}

/// The numbers the run's request leaves with when it is forwarded without a transaction; None: those it came with.
pub fn of_stateless(worker: &mut Worker) -> Option<Renumbering> {
    if !worker.node.states.dialog.tracks_sequence {
        return None;
    }
    let shift = worker.run.dialog.sequence_shift;
    raised_by(worker, shift)
}

fn raised_by(worker: &mut Worker, shift: u32) -> Option<Renumbering> {
    if shift == 0 {
        return None;
    }
    let message = &worker.run.message;
    let received = message.cseq()?.number;
    let acknowledged = acknowledged_span(message).filter(|_| message.method() == Method::Prack).and_then(|span| number_in(message, span));
    let raised = |number: u32| number.checked_add(shift).filter(|number| *number < NUMBER_BOUND);
    let cseq = match message.method() {
        // What an INVITE left with holds for its ACK, however far the numbers have run ahead since.
        Method::Ack => sent_as(worker, received, |branch| (200..300).contains(&branch.last_status)).or_else(|| raised(received)),
        _ => raised(received),
    };
    let acknowledged =
        acknowledged.and_then(|number| sent_as(worker, number, |branch| branch.flags.provisional).or_else(|| raised(number)));
    Some(Renumbering { cseq: cseq?, acknowledged })
}

/// The number that the sender's INVITE with this number left with, on the last branch of this kind; None: nobody remembers.
fn sent_as(worker: &mut Worker, number: u32, is_meant: impl Fn(&Branch) -> bool) -> Option<u32> {
    let node = Arc::clone(&worker.node);
    let call = transaction::key::call_hash_of(node.transactions.secret(), worker.run.message.call_id(), number);
    let mut candidates = Vec::new();
    node.transactions.find_by_call(call, Method::Invite, &mut candidates);
    for id in candidates {
        let Checkout::Taken(invite) = node.transactions.checkout(id) else { continue };
        let is_own = invite.request.from_tag() == worker.run.message.from_tag() && invite.request.call_id() == worker.run.message.call_id();
        let branch = if is_own { invite.branches.iter().rposition(&is_meant) } else { None };
        let sent = branch.map(|branch| invite.data.dialog.number_of(branch).unwrap_or(number));
        crate::tm::return_transaction(worker, invite);
        if sent.is_some() {
            return sent;
        }
    }
    None
}

/// A branch leaves. Until the call is answered, its numbers run ahead as those of the branch tried last.
pub fn branch_leaves(worker: &mut Worker, transaction: &mut Transaction<TransactionData>, branch: usize, numbers: Option<Renumbering>) {
    if !worker.node.states.dialog.tracks_sequence {
        return;
    }
    let part = &mut transaction.data.dialog;
    if let Some(numbers) = numbers {
        part.numbers.push((branch, numbers.cseq));
    }
    follow(worker, transaction, branch);
}

/// A 2xx decides which branch the call is: its numbers run ahead as they did on that branch.
pub fn answered(worker: &mut Worker, branch: usize) {
    if !worker.node.states.dialog.tracks_sequence {
        return;
    }
    let Some(transaction) = worker.run.tm.transaction.take() else { return };
    // The branch that left last is followed already, and requests made here may have gone to it meanwhile.
    if transaction.branches.iter().rposition(|branch| branch.endpoint.is_some()) != Some(branch) {
        follow(worker, &transaction, branch);
    }
    worker.run.tm.transaction = Some(transaction);
}

fn follow(worker: &mut Worker, transaction: &Transaction<TransactionData>, branch: usize) {
    let part = &transaction.data.dialog;
    if part.numbers.is_empty() {
        return;
    }
    let (Some(dialog), Some(received)) = (part.invite, transaction.request.cseq().map(|cseq| cseq.number)) else { return };
    let sent = part.number_of(branch).unwrap_or(received);
    if let Err(error) = worker.node.dialogs.set_sequence_shift(worker.now, dialog, Leg::Callee, sent.saturating_sub(received)) {
        not_kept(worker, dialog, &error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(branch: &str, number: &str) -> Message {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={branch};rport\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa.cs7\r\n\
             From: <sip:a@c>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: x\r\nCSeq: {number} INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        Message::from_bytes(text.as_bytes()).expect("a reply")
    }

    fn restored(branch: &str, number: &str) -> (String, Option<u32>) {
        let mut reply = reply(branch, number);
        restore(&mut reply);
        let text = String::from_utf8_lossy(reply.bytes()).into_owned();
        (text, reply.cseq().map(|cseq| cseq.number))
    }

    #[test]
    fn a_reply_gets_the_number_that_its_via_tells() {
        let (text, number) = restored("z9hG4bKa.b.0.cs1", "2");
        assert!(text.contains("branch=z9hG4bKa.b.0;z=1;rport"), "{text}");
        assert!(text.contains("\r\nCSeq: 1 INVITE\r\n") && text.contains("z9hG4bKa.cs7"), "{text}");
        assert_eq!(number, Some(1));
    }

    #[test]
    fn a_shorter_number_gets_blanks_in_front() {
        let (text, number) = restored("z9hG4bKa.b.0.cs9", "10");
        assert!(text.contains("\r\nCSeq:  9 INVITE\r\n"), "{text}");
        assert_eq!(number, Some(9));
    }

    #[test]
    fn what_is_no_mark_changes_nothing() {
        for (branch, number) in
            [("z9hG4bKa.b.0", "2"), ("z9hG4bKa.b.0.cs", "2"), ("z9hG4bKa.b.0.cs1x", "2"), ("z9hG4bKa.b.0.cs100", "99"), ("x", "2")]
        {
            assert_eq!(restored(branch, number).0.as_bytes(), reply(branch, number).bytes(), "{branch}");
        }
    }

    #[test]
    fn the_number_of_an_rack_is_found_behind_the_first_word() {
        let request = |value: &str| {
            let text = format!(
                "PRACK sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@c>;tag=1\r\nTo: <sip:b@c>;tag=2\r\n\
                 Call-ID: x\r\nCSeq: 2 PRACK\r\nRAck: {value}\r\nContent-Length: 0\r\n\r\n"
            );
            Message::from_bytes(text.as_bytes()).expect("a request")
        };
        let number = |value: &str| {
            let message = request(value);
            acknowledged_span(&message).and_then(|span| number_in(&message, span))
        };
        assert_eq!(number("776656 31415 INVITE"), Some(31_415));
        assert_eq!(number("1  2\tINVITE"), Some(2));
        assert_eq!(number("1 x INVITE"), None);
        assert_eq!(number("1"), None);
        let message = request("5 1 INVITE");
        let edits = Renumbering { cseq: 3, acknowledged: Some(2) }.edits(&message, &[]).expect("edits");
        let mut out = Vec::new();
        sip::write_request(&mut out, &message, &[&edits], &sip::RequestHead::default(), false);
        let text = String::from_utf8_lossy(&out);
        assert!(text.contains("CSeq: 3 PRACK\r\nRAck: 5 2 INVITE\r\n"), "{text}");
    }

    #[test]
    fn a_cseq_that_the_script_took_out_stays_as_the_script_wants_it() {
        let message = reply("x", "2");
        let mut own = Edits::new();
        own.remove(message.header(HeaderId::CSeq).expect("a CSeq").line);
        assert!(Renumbering { cseq: 3, acknowledged: None }.edits(&message, &[&own]).is_none());
    }
}
