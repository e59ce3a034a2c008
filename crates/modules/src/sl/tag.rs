//! To-tags of locally generated replies: the same request always gets the same tag (spec proxy-core 5.2).

use std::hash::{BuildHasher, Hasher};

use md5::{Digest, Md5};
use script::exports::{Index, Inner};
use script::value::Value;
use sip::message::Message;
use sip::via::Via;

use crate::node::Node;
use crate::worker::Worker;

/// Length of a tag: 32 hexadecimal digits, a separator, 8 hexadecimal digits.
pub const TAG_BYTES: usize = 41;
/// Separator of stateless replies.
pub(super) const STATELESS: u8 = b'.';
/// Separator of transaction replies.
const STATEFUL: u8 = b'-';

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What does not change while the process lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed {
    prefix: [u8; 32],
    hash: u64,
}

impl Seed {
    fn new(node: &Node) -> Seed {
        let mut digest = Md5::new();
        digest.update(node.process.secret);
        if let Some(socket) = node.sockets.at(0) {
            digest.update(&socket.text[..]);
        }
        let sum: [u8; 16] = digest.finalize().into();
        let mut prefix = [0; 32];
        for (pair, byte) in prefix.chunks_exact_mut(2).zip(sum) {
            write_hexadecimal(pair, u64::from(byte));
        }
        let hash = node.process.secret.iter().take(8).fold(0_u64, |seed, byte| (seed << 8) | u64::from(*byte));
        Seed { prefix, hash }
    }
}

/// Writes a number right-aligned into `digits`.
fn write_hexadecimal(digits: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get((rest & 0xf) as usize).copied().unwrap_or(b'0');
        rest >>= 4;
    }
}

/// The to-tag that this node's replies to a request carry: `.` for stateless ones, `-` for those of transactions.
///
/// It depends on the top Via and the Call-ID only, so an ACK to a negative reply leads to the tag of its INVITE.
pub fn to_tag(node: &Node, message: &Message, separator: u8) -> [u8; TAG_BYTES] {
    tag_of(node, message.top_via().as_ref(), message.call_id(), separator)
}

/// The same from the parts it depends on.
pub(super) fn tag_of(node: &Node, top_via: Option<&Via<'_>>, call_id: &[u8], separator: u8) -> [u8; TAG_BYTES] {
    let seed = node.states.sl.tag_seed.get_or_init(|| Seed::new(node));
    let mut hasher = foldhash::fast::FixedState::with_seed(seed.hash).build_hasher();
    if let Some(via) = top_via {
        for part in [via.host, via.port_text, via.branch] {
            hasher.write(part);
            hasher.write_u8(0);
        }
    }
    hasher.write(call_id);
    let hash = hasher.finish();
    let mut tag = [separator; TAG_BYTES];
    if let Some(prefix) = tag.get_mut(..32) {
        prefix.copy_from_slice(&seed.prefix);
    }
    if let Some(suffix) = tag.get_mut(33..) {
        write_hexadecimal(suffix, hash ^ (hash >> 32));
    }
    tag
}

/// `$ltt(s)`, `$ltt(t)`, `$ltt(x)`: the tag of stateless replies, of the transaction's, or whichever would be used.
pub(super) fn variable(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    if !worker.run.message.is_request() {
        return Value::Null;
    }
    let has_transaction = crate::tm::has_transaction(worker);
    let choice = match inner {
        Inner::Choice(choice) => *choice,
        other => match other.word() {
            b"s" => 0,
            b"t" => 1,
            _ => 2,
        },
    };
    let separator = match (choice, has_transaction) {
        (0, _) | (2, false) => STATELESS,
        (_, true) => STATEFUL,
        (_, false) => return Value::Null,
    };
    Value::text(&to_tag(&worker.node, &worker.run.message, separator)[..])
}
