//! The ACK to a 2xx of an INVITE made here (RFC 3261 §13.2.2.4; spec proxy-core 7.10).

use sip::header::HeaderId;
use sip::message::Message;
use transaction::{Endpoint, Transaction};

use super::data::TransactionData;
use super::state::AckDestination;
use crate::next_hop::{self, NextHop};
use crate::node::Node;
use crate::run::Target;

/// Header lines and body that `t_uac_ack_local` adds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Additions<'a> {
    /// Whole lines with CRLF.
    pub headers: &'a [u8],
    pub body: &'a [u8],
}

/// Where the ACK goes (`local_ack_mode`). RFC 3261: to the first route or the Contact, if that carries an address the
/// INVITE's protocol reaches, else where the INVITE went.
pub fn endpoint(node: &Node, sent: &Message, reply: &Message, invite: Endpoint, source: Option<Endpoint>) -> Endpoint {
    match node.states.tm.local_ack_destination {
        AckDestination::AsInvite => return invite,
        AckDestination::ReplySource => return source.unwrap_or(invite),
        AckDestination::Target => {}
    }
    let route = reply.record_routes().last().map(|entry| entry.address.uri);
    let uri = route.or_else(|| reply.contacts().next().map(|contact| contact.uri)).unwrap_or_else(|| sent.request_uri());
    match next_hop::of_uri(uri, None) {
        Ok(NextHop::Address(hop)) => {
            let target = Target { socket: Some(invite.socket), ..Target::default() };
            next_hop::endpoint(&node.sockets, hop, &target, None).unwrap_or(invite)
        }
        _ => invite,
    }
}

/// The branch value of the ACK (`local_ack_branch_mode`): that of the INVITE, the one after it, or one of its own.
pub fn branch(node: &Node, transaction: &Transaction<TransactionData>, index: usize, random: u64) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(transaction::branch_id::BRANCH_BYTES_MAX);
    match node.states.tm.local_ack_branch_mode {
        0 => return None,
        1 => {
            let secret = node.transactions.secret();
            transaction::branch_id::write_branch(&mut out, secret, transaction.id(), transaction.call(), index + 1);
        }
        _ => out.extend_from_slice(format!("z9hG4bK{random:016x}").as_bytes()),
    }
    Some(out)
}

/// Writes the ACK: to the Contact, along the reversed Record-Route. `branch`: another one than the INVITE's.
pub fn write(node: &Node, sent: &Message, reply: &Message, branch: Option<&[u8]>, to: Endpoint, additions: Additions<'_>) -> Vec<u8> {
    let target = reply.contacts().next().map_or_else(|| sent.request_uri(), |contact| contact.uri);
    let mut routes: Vec<&[u8]> = reply.record_routes().map(|entry| entry.whole).collect();
    routes.reverse();
    let mut out = [b"ACK ", target, b" SIP/2.0\r\n"].concat();
    match branch {
        Some(branch) => out.extend_from_slice(&super::local::via_line(node, branch, to)),
        None => copy_line(&mut out, sent, HeaderId::Via),
    }
    copy_line(&mut out, sent, HeaderId::From);
    copy_line(&mut out, sent, HeaderId::CallId);
    copy_line(&mut out, reply, HeaderId::To);
    out.extend_from_slice(format!("CSeq: {} ACK\r\n", sent.cseq().map_or(0, |cseq| cseq.number)).as_bytes());
    if !routes.is_empty() {
        out.extend_from_slice(b"Route: ");
        out.extend_from_slice(&routes.join(&b", "[..]));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"Max-Forwards: 70\r\n");
    if node.core.server_signature {
        out.extend_from_slice(&node.core.user_agent_header);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(additions.headers);
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", additions.body.len()).as_bytes());
    out.extend_from_slice(additions.body);
    out
}

fn copy_line(out: &mut Vec<u8>, message: &Message, id: HeaderId) {
    if let Some(header) = message.header(id) {
        out.extend_from_slice(message.text(header.line));
    }
}
