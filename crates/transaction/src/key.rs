//! Server transaction keys: which received request belongs to which transaction (spec proxy-core 7.2).

use crate::settings::Settings;
use crate::siphash::{SecretKey, SipHasher};
use sip::{HeaderId, Message, Method, Uri, Via};

/// Prefix of a Via branch that is unique by itself (RFC 3261 §8.1.1.7), compared case-sensitively.
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// What identifies a server transaction.
///
/// The identity is a keyed 128-bit hash: a peer without the key cannot make two requests collide, so comparing hashes
/// replaces comparing the stored request, which another worker may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Keyed hash of Call-ID and CSeq number; also chooses the shard.
    pub call: u64,
    /// Keyed hash of what identifies the transaction besides its method.
    pub identity: u128,
    /// Method of the transaction: INVITE for an ACK.
    pub method: Method,
}

/// Keyed hash of Call-ID and CSeq number, or `None` when one of the two is missing.
pub fn call_hash(secret: SecretKey, message: &Message) -> Option<u64> {
    let cseq = message.cseq()?;
    let call_id = message.call_id();
    if call_id.is_empty() {
        return None;
    }
    Some(call_hash_of(secret, call_id, cseq.number))
}

/// Same hash from its two parts (`tm.cancel`, `t_cancel_callid`).
pub fn call_hash_of(secret: SecretKey, call_id: &[u8], cseq_number: u32) -> u64 {
    let mut hasher = SipHasher::new(secret);
    hasher.field(call_id);
    hasher.number(u64::from(cseq_number), 4);
    hasher.finish()
}

/// Key of a received request. An ACK gets the key of the INVITE it would acknowledge.
/// `None`: Via, CSeq or Call-ID is missing or unreadable (answer 400).
pub fn request_key(secret: SecretKey, request: &Message, settings: &Settings) -> Option<Key> {
    let method = match request.method() {
        Method::Ack => Method::Invite,
        other => other,
    };
    key_as(secret, request, settings, method)
}

/// Identity shared by a CANCEL and what it cancels: look it up with a method other than CANCEL (spec 7.2.3).
pub fn cancelled_key(secret: SecretKey, cancel: &Message, settings: &Settings) -> Option<Key> {
    key_as(secret, cancel, settings, Method::Invite)
}

fn key_as(secret: SecretKey, request: &Message, settings: &Settings, method: Method) -> Option<Key> {
    let via = request.top_via()?;
    let cseq = request.cseq()?;
    let call = call_hash(secret, request)?;
    let mut hasher = SipHasher::new_wide(secret);
    hasher.field(request.call_id());
    hasher.number(u64::from(cseq.number), 4);
    if method == Method::Other {
        hasher.field(request.method_text());
    }
    match via.branch.strip_prefix(MAGIC_COOKIE) {
        Some(rest) if !rest.is_empty() => hash_via(&mut hasher, &via, rest),
        _ => hash_without_cookie(&mut hasher, request, &via, settings, method),
    }
    Some(Key { call, identity: hasher.finish_wide(), method })
}

/// RFC 3261 §17.2.3: branch, sent-by, transport.
fn hash_via(hasher: &mut SipHasher, via: &Via<'_>, branch: &[u8]) {
    hasher.write(b"3261");
    hasher.field(branch);
    hasher.field(via.host);
    hasher.number(u64::from(normalised_port(via)), 2);
    hasher.field(via.transport);
}

/// Absent, 5060 and (over TLS) 5061 mean the same sent-by port (spec 7.2.1).
fn normalised_port(via: &Via<'_>) -> u16 {
    match via.port {
        None | Some(5060) => 0,
        Some(5061) if via.transport.eq_ignore_ascii_case(b"TLS") => 0,
        Some(port) => port,
    }
}

/// RFC 2543 matching. An ACK and a CANCEL know only the To URI of their INVITE, so the INVITE class uses that;
/// other methods compare To as a whole.
fn hash_without_cookie(hasher: &mut SipHasher, request: &Message, via: &Via<'_>, settings: &Settings, method: Method) {
    hasher.write(b"2543");
    hasher.field(request.value(HeaderId::From).unwrap_or_default());
    let to = if method == Method::Invite || method == Method::Cancel { request.to().map(|to| to.uri) } else { request.value(HeaderId::To) };
    hasher.field(to.unwrap_or_default());
    if settings.match_request_uri {
        hasher.field(request.request_uri());
    }
    if settings.match_top_via {
        hasher.field(via.whole);
    }
}

/// Whether an ACK belongs to the dialog of an INVITE: same Call-ID, CSeq number and From-tag (spec 7.2.2).
pub fn acknowledges_dialog_of(ack: &Message, invite: &Message) -> bool {
    let numbers = ack.cseq().map(|cseq| cseq.number) == invite.cseq().map(|cseq| cseq.number);
    numbers && ack.call_id() == invite.call_id() && ack.from_tag() == invite.from_tag()
}

/// Whether two Request-URIs are the same resource; unreadable ones are compared byte by byte.
pub fn same_request_uri(a: &[u8], b: &[u8]) -> bool {
    match (Uri::parse(a), Uri::parse(b)) {
        (Ok(_), Ok(_)) => sip::uri::same(a, b),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
