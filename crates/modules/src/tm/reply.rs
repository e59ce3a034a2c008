//! Replies made here for a transaction: `t_reply`, the automatic 100, timeouts, aggregated challenges (spec proxy-core 5, 7.4).

use std::sync::Arc;

use sip::method::Method;
use sip::reply::{ReplyParts, write_reply};
use transaction::{Origin, SentReply};

use super::actions::perform_all;
use super::data::TransactionData;
use crate::core::Hints;
use crate::outbox::Connecting;
use crate::sl;
use crate::worker::Worker;

/// Does the run work for a transaction?
pub fn has_transaction(worker: &Worker) -> bool {
    worker.run.tm.transaction.is_some()
}

/// Answers the transaction's request from a script. False: none, an ACK, or a final reply went out already.
pub fn reply(worker: &mut Worker, code: u16, reason: &[u8]) -> bool {
    if worker.run.tm.transaction.as_ref().is_none_or(|transaction| transaction.request.method() == Method::Ack) {
        return false;
    }
    let mut headers = std::mem::take(&mut worker.run.reply_headers);
    let own = headers.len();
    if (300..400).contains(&code) {
        headers.extend_from_slice(&sl::redirect_contacts(&worker.run, worker.node.states.tm.rich_redirect));
    }
    let is_sent = reply_with(worker, code, reason, &headers);
    headers.truncate(own);
    worker.run.reply_headers = headers;
    if is_sent {
        if let Some(transaction) = &mut worker.run.tm.transaction {
            transaction.flags.admin_reply = true;
        }
        if code >= 200 {
            worker.run.is_replied = true;
            worker.run.tm.delayed_error = 0;
        }
    }
    is_sent
}

/// A reply made here.
#[derive(Debug, Clone, Copy)]
pub struct LocalReply<'a> {
    pub code: u16,
    pub reason: &'a [u8],
    /// Whole lines with CRLF.
    pub headers: &'a [u8],
    /// Instead of the tag that the request determines; empty: that one.
    pub to_tag: &'a [u8],
    /// Instead of the body the script set; empty: that one.
    pub body: &'a [u8],
}

/// Answers the transaction's request with extra header lines. The dialog hook runs before a final reply leaves.
pub fn reply_with(worker: &mut Worker, code: u16, reason: &[u8], headers: &[u8]) -> bool {
    send_reply(worker, LocalReply { code, reason, headers, to_tag: b"", body: b"" })
}

/// As [`reply_with`], with everything a remote caller can choose.
pub fn send_reply(worker: &mut Worker, reply: LocalReply<'_>) -> bool {
    let LocalReply { code, reason, headers, .. } = reply;
    let node = Arc::clone(&worker.node);
    if worker.run.tm.transaction.as_ref().is_none_or(|transaction| transaction.is_local() || !transaction.may_reply(code, Origin::Local)) {
        return false;
    }
    if code >= 200 {
        crate::dialog::reply_ready(worker, code, None, None);
    }
    let Some(mut transaction) = worker.run.tm.transaction.take() else { return false };
    let usual_tag = sl::to_tag(&node, &transaction.request, b'-');
    let tag: &[u8] = if reply.to_tag.is_empty() { &usual_tag } else { reply.to_tag };
    let source = transaction.data.source.map_or_else(|| crate::run::nowhere().address, |source| source.address);
    let (body, content_type) = match &worker.run.reply_body {
        _ if !reply.body.is_empty() => (reply.body, &b""[..]),
        Some((body, content_type)) => (&body[..], &content_type[..]),
        None => (&b""[..], &b""[..]),
    };
    let via_parameters = crate::corex::via::reply_parameters(&worker.run, node.core.via_reply_parameters_xavp.as_ref());
    let parts = ReplyParts {
        code,
        reason,
        to_tag: if code >= 180 { tag } else { b"" },
        source,
        force_rport: transaction.data.force_rport || worker.run.force_rport || node.core.forces_rport(),
        extra_headers: headers,
        server: node.core.server_signature.then(|| node.core.server_value()),
        body,
        content_type,
        via_parameters: &via_parameters,
    };
    let start = worker.outbox.bytes.len();
    write_reply(&mut worker.outbox.bytes, &transaction.request, &parts);
    let mut actions = Vec::new();
    let bytes = worker.outbox.bytes.get(start..).unwrap_or_default();
    let mut sent_tag = std::mem::take(&mut worker.scratch.text);
    sent_tag.clear();
    sent_tag.extend_from_slice(if transaction.request.to_tag().is_empty() { tag } else { transaction.request.to_tag() });
    let is_sent = {
        let sent = SentReply { code, origin: Origin::Local, bytes, to_tag: &sent_tag };
        transaction.reply_sent(worker.now.time, sent, &node.states.tm.settings, &mut actions)
    };
    worker.scratch.text = sent_tag;
    let route = transaction.server.reply_route;
    let connecting = connecting(&transaction.data, &worker.run.core.hints, code);
    worker.run.tm.transaction = Some(transaction);
    match (is_sent, route) {
        (true, Some(route)) => worker.outbox.send_written_with(&route, start, connecting),
        _ => worker.outbox.bytes.truncate(start),
    }
    if is_sent {
        node.transactions.statistics().reply_sent(true);
    }
    perform_all(worker, &actions, None);
    if is_sent
        && code >= 200
        && let Some(route) = node.states.tm.local_response_route
    {
        worker.run_route_id(route);
    }
    is_sent
}

/// How a reply uses its connection: `set_reply_no_connect`, `set_reply_close` (a final reply closes).
pub fn connecting(data: &TransactionData, hints: &Hints, code: u16) -> Connecting {
    Connecting {
        may_connect: !(data.reply_no_connect || hints.reply_no_connect),
        then_close: code >= 200 && (data.reply_close || hints.reply_close),
    }
}
