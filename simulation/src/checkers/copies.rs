//! M1 to M3: what is passed on keeps every byte that forwarding does not own, messages survive rewriting, bodies are whole.

use std::collections::BTreeMap;

use sip::HeaderId;
use sip::message::Message;
use sip::serialise::{ReplyHead, RequestHead, write_reply_relay_with, write_request};

use super::{Checker, Sight, Verdicts, branch_at, text};

/// Headers a proxy rewrites when it forwards (RFC 3261 §16.6).
const OWNED: [HeaderId; 4] = [HeaderId::Via, HeaderId::MaxForwards, HeaderId::Route, HeaderId::RecordRoute];

/// A branch and a method.
type Key = (Vec<u8>, Vec<u8>);

/// Messages through one proxy.
pub struct Copies {
    proxy: usize,
    requests: BTreeMap<Key, Vec<Message>>,
    /// By the branch below that of this proxy.
    replies: BTreeMap<Key, Vec<Message>>,
}

impl Copies {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize) -> Copies {
        Copies { proxy, requests: BTreeMap::new(), replies: BTreeMap::new() }
    }

    fn received(&mut self, message: &Message) {
        let known = if message.is_request() {
            self.requests.entry((branch_at(message, 0), message.method_text().to_vec())).or_default()
        } else {
            self.replies.entry((branch_at(message, 1), message.method().name().as_bytes().to_vec())).or_default()
        };
        if known.iter().all(|known| known.bytes() != message.bytes()) {
            known.push(message.clone());
        }
    }

    /// Compares with what came. The same request may come over several connections, which its Via tells.
    fn sent(&self, message: &Message) -> Result<(), String> {
        if message.is_request() {
            let key = (branch_at(message, 1), message.method_text().to_vec());
            let sources = self.requests.get(&key).filter(|_| !key.0.is_empty());
            return one_agrees(sources.into_iter().flatten().map(|came| compare_request(came, message)));
        }
        let key = (branch_at(message, 0), message.method().name().as_bytes().to_vec());
        // A 408 within a dialog has the same tags whether a party sent it or this proxy, out of patience.
        let is_same_408 = |came: &Message| message.status() != 408 || came.reason() == message.reason();
        let is_same = |came: &&Message| came.status() == message.status() && came.to_tag() == message.to_tag() && is_same_408(came);
        let sources: Vec<&Message> = self.replies.get(&key).into_iter().flatten().filter(is_same).collect();
        // Challenges of several branches become one reply.
        if sources.len() > 1 && matches!(message.status(), 401 | 407) {
            return Ok(());
        }
        one_agrees(sources.into_iter().map(|came| compare_reply(came, message)))
    }
}

/// No source, or one that agrees; else what the first one says.
fn one_agrees(results: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let mut first = None;
    for result in results {
        match result {
            Ok(()) => return Ok(()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(()), Err)
}

/// The lines that must not change, in order.
fn kept_lines(message: &Message) -> Vec<&[u8]> {
    message.headers().iter().filter(|header| !OWNED.contains(&header.id)).map(|header| message.text(header.line)).collect()
}

fn same_lines(came: &Message, left: &Message) -> Result<(), String> {
    let (before, after) = (kept_lines(came), kept_lines(left));
    if before.len() != after.len() {
        return Err(format!("{} lines came, {} left", before.len(), after.len()));
    }
    if let Some((before, after)) = before.iter().zip(&after).find(|(before, after)| before != after) {
        return Err(format!("{:?} became {:?}", text(before), text(after)));
    }
    if came.body() != left.body() {
        return Err(format!("a body of {} bytes became one of {}", came.body().len(), left.body().len()));
    }
    Ok(())
}

fn elements(message: &Message, id: HeaderId) -> Vec<Vec<u8>> {
    message.elements_of(id).map(|(_, element)| element.trim_ascii().to_vec()).collect()
}

/// A forwarded request: one Via and Record-Route more, one hop less, routes only taken off the front.
fn compare_request(came: &Message, left: &Message) -> Result<(), String> {
    same_lines(came, left)?;
    let before: Vec<_> = came.vias().collect();
    let after: Vec<_> = left.vias().skip(1).collect();
    let same_top = before
        .first()
        .zip(after.first())
        .is_some_and(|(before, after)| (before.sent_by, before.branch, before.transport) == (after.sent_by, after.branch, after.transport));
    let same_rest = before.len() == after.len() && before.iter().zip(&after).skip(1).all(|(before, after)| before.whole == after.whole);
    if !same_top || !same_rest {
        return Err(format!("{} Via elements became {}", before.len(), after.len() + 1));
    }
    if let (Some(before), Some(after)) = (came.max_forwards(), left.max_forwards())
        && before != after + 1
    {
        return Err(format!("Max-Forwards {before} became {after}"));
    }
    if !elements(left, HeaderId::RecordRoute).ends_with(&elements(came, HeaderId::RecordRoute)) {
        return Err(String::from("a Record-Route of another proxy changed"));
    }
    if !elements(came, HeaderId::Route).ends_with(&elements(left, HeaderId::Route)) {
        return Err(String::from("a Route of another proxy changed"));
    }
    Ok(())
}

/// A forwarded reply: one Via less, nothing else.
fn compare_reply(came: &Message, left: &Message) -> Result<(), String> {
    same_lines(came, left)?;
    if came.text(came.first_line()) != left.text(left.first_line()) {
        return Err(format!("{:?} became {:?}", text(came.text(came.first_line())), text(left.text(left.first_line()))));
    }
    let below: Vec<_> = came.vias().skip(1).map(|via| via.whole).collect();
    if !left.vias().map(|via| via.whole).eq(below) {
        return Err(String::from("a Via of another hop changed"));
    }
    for id in [HeaderId::RecordRoute, HeaderId::Route, HeaderId::MaxForwards] {
        if elements(came, id) != elements(left, id) {
            return Err(format!("{} changed", id.name()));
        }
    }
    Ok(())
}

/// Writes the message without edits and reads it again: the index has to name the same texts (M2). A Content-Length that lies
/// is put right by writing.
pub(super) fn reread(message: &Message) -> Result<(), String> {
    let mut written = Vec::with_capacity(message.bytes().len());
    if message.is_request() {
        write_request(&mut written, message, &[], &RequestHead::default(), false);
    } else {
        let head = ReplyHead { keep_top_via: true, ..ReplyHead::default() };
        write_reply_relay_with(&mut written, message, &[], &head, false);
    }
    let again = Message::from_bytes(&written).map_err(|error| format!("it does not parse again: {error}"))?;
    same_reading(message, &again)
}

/// Do two messages have the same index and body?
pub(super) fn same_reading(message: &Message, again: &Message) -> Result<(), String> {
    let is_true = message.content_length().is_some_and(|length| length as usize == message.body().len());
    if let Some((came, after)) = index_of(message, is_true).zip(index_of(again, is_true)).find(|(came, after)| came != after) {
        let show = |(_, name, value): (HeaderId, &[u8], &[u8])| format!("{}: {}", text(name), text(value));
        return Err(format!("{:?} reads {:?} after writing", show(came), show(after)));
    }
    if message.headers().len() != again.headers().len() {
        return Err(format!("{} headers are {} after writing", message.headers().len(), again.headers().len()));
    }
    if message.body() != again.body() {
        return Err(String::from("the body differs after writing"));
    }
    Ok(())
}

fn index_of(message: &Message, is_true: bool) -> impl Iterator<Item = (HeaderId, &[u8], &[u8])> {
    let shown = message.headers().iter().filter(move |header| is_true || header.id != HeaderId::ContentLength);
    shown.map(|header| (header.id, message.text(header.name), message.text(header.value)))
}

impl Checker for Copies {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        let mut broken = |invariant, text: String| verdicts.add(invariant, at, self.proxy, text);
        match sight {
            Sight::Received { message, .. } => {
                if let Err(error) = reread(message) {
                    broken("M2", format!("a received {}: {error}", message.method().name()));
                }
                if verdicts.is_honest(message.call_id()) {
                    self.received(message);
                }
            }
            Sight::Sent { message, to, .. } => {
                if let Err(error) = reread(message) {
                    broken("M2", format!("a {} to {to}: {error}", message.method().name()));
                }
                // What a liar sent keeps its lies; only calls of the world are held to the rest.
                if !verdicts.is_honest(message.call_id()) {
                    return;
                }
                let mut broken = |invariant, text: String| verdicts.add(invariant, at, self.proxy, text);
                let length = message.content_length().map(|length| length as usize);
                if length.is_some_and(|length| length != message.body().len()) {
                    broken("M3", format!("Content-Length {length:?} with a body of {} bytes to {to}", message.body().len()));
                }
                if length.is_none() {
                    broken("M3", format!("no Content-Length to {to}"));
                }
                if message.is_request() && message.top_via().is_none() {
                    broken("M1", format!("a request without Via to {to}"));
                }
                if let Err(error) = self.sent(message) {
                    broken("M1", format!("{} of {} to {to}: {error}", message.method().name(), text(message.call_id())));
                }
            }
            _ => {}
        }
    }
}
