//! The Via branch we put on forwarded requests: `z9hG4bK<hash>.<32 hex>.<index>`, readable back without a search.

use crate::key::{MAGIC_COOKIE, call_hash_of};
use crate::siphash::{SecretKey, SipHasher};
use crate::table::TransactionId;
use sip::{Message, Method};

/// Longest branch value written here: cookie, 4 + 1 + 32 + 1 + 2 characters.
pub const BRANCH_BYTES_MAX: usize = 47;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What a branch of ours says about the reply that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchId {
    /// A reply to branch `branch` of a transaction of this process.
    Transaction { id: TransactionId, branch: usize },
    /// Of our shape but not of a transaction: a stateless forward, another process, or a forgery. Forward statelessly.
    Stateless,
    /// Not of our shape.
    Foreign,
}

/// Appends the branch of a transaction: the 32 hex digits are slot, generation and a keyed check over both, the hash
/// part and the index. `call` is the call hash of the request.
pub fn write_branch(out: &mut Vec<u8>, secret: SecretKey, id: TransactionId, call: u64, branch: usize) {
    let hash = call as u16;
    out.extend_from_slice(MAGIC_COOKIE);
    write_reversed_hex(out, usize::from(hash));
    out.push(b'.');
    write_hex(out, u64::from(id.slot), 8);
    write_hex(out, u64::from(id.generation), 8);
    write_hex(out, check(secret, id, hash, branch), 16);
    out.push(b'.');
    write_reversed_hex(out, branch);
}

/// Reads the branch of the top Via of a reply.
pub fn read_branch(secret: SecretKey, value: &[u8]) -> BranchId {
    let Some((hash, middle, index)) = split(value) else {
        return BranchId::Foreign;
    };
    let (Some(hash), Some(index)) = (read_reversed_hex(hash, 4), read_reversed_hex(index, 2)) else {
        return BranchId::Foreign;
    };
    let parts = (read_hex(middle.get(..8)), read_hex(middle.get(8..16)), read_hex(middle.get(16..)));
    let (Some(slot), Some(generation), Some(mac)) = parts else {
        return BranchId::Foreign;
    };
    let id = TransactionId { slot: slot as u32, generation: generation as u32 };
    if mac == check(secret, id, hash as u16, index) { BranchId::Transaction { id, branch: index } } else { BranchId::Stateless }
}

/// Appends the branch of a stateless forward: a pure function of the request, so that retransmissions, and the CANCEL
/// of a statelessly forwarded INVITE, carry the same one (spec 3.2, RFC 3261 §16.11). `false`: no top Via or CSeq.
pub fn write_stateless_branch(out: &mut Vec<u8>, request: &Message) -> bool {
    let (Some(via), Some(cseq)) = (request.top_via(), request.cseq()) else {
        return false;
    };
    // Not keyed: the branch stays the same after a restart.
    let mut hasher = SipHasher::new_wide(SecretKey(0, 0));
    let is_cancellable = matches!(request.method(), Method::Invite | Method::Ack | Method::Cancel);
    hasher.field(if is_cancellable { b"" } else { request.to_tag() });
    for field in [request.from_tag(), request.call_id(), request.request_uri(), cseq.number_text, via.host, via.port_text, via.branch] {
        hasher.field(field);
    }
    let digest = hasher.finish_wide();
    let call = call_hash_of(SecretKey(0, 0), request.call_id(), cseq.number);
    out.extend_from_slice(MAGIC_COOKIE);
    write_reversed_hex(out, usize::from(call as u16));
    out.push(b'.');
    write_hex(out, (digest >> 64) as u64, 16);
    write_hex(out, digest as u64, 16);
    out.extend_from_slice(b".0");
    true
}

fn check(secret: SecretKey, id: TransactionId, hash: u16, branch: usize) -> u64 {
    let mut hasher = SipHasher::new(secret);
    hasher.write(b"branch");
    hasher.number(u64::from(id.slot), 4);
    hasher.number(u64::from(id.generation), 4);
    hasher.number(u64::from(hash), 2);
    hasher.number(u64::from(branch as u32), 4);
    hasher.finish()
}

fn split(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let rest = value.strip_prefix(MAGIC_COOKIE)?;
    let (hash, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'.')?)?;
    let (middle, rest) = rest.strip_prefix(b".")?.split_at_checked(32)?;
    // Another full stop is refused where the parts are read: it is no hexadecimal digit.
    Some((hash, middle, without_sequence(rest.strip_prefix(b".")?)))
}

/// Behind a branch that left with another CSeq number than it came with stands the one it came with: `.cs` and digits.
pub const SEQUENCE_MARK: &[u8] = b".cs";

/// The branch without that mark.
pub fn without_sequence(value: &[u8]) -> &[u8] {
    let Some(at) = value.windows(SEQUENCE_MARK.len()).rposition(|window| window == SEQUENCE_MARK) else { return value };
    let (branch, mark) = value.split_at(at);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if mark.strip_prefix(SEQUENCE_MARK).is_some_and(is_number) { branch } else { value }
}

fn digit(value: u64) -> u8 {
    HEX.get((value & 15) as usize).copied().unwrap_or(b'0')
}

fn write_hex(out: &mut Vec<u8>, value: u64, digits: u32) {
    let mut text = [0u8; 16];
    let mut rest = value;
    for place in text.iter_mut().rev() {
        *place = digit(rest);
        rest >>= 4;
    }
    out.extend_from_slice(text.get(16 - (digits as usize).min(16)..).unwrap_or_default());
}

/// Least significant digit first, no padding, "0" for zero.
fn write_reversed_hex(out: &mut Vec<u8>, mut value: usize) {
    loop {
        out.push(digit(value as u64));
        value >>= 4;
        if value == 0 {
            return;
        }
    }
}

/// In [`DIGIT_VALUES`]: the byte is no digit as written here.
const NO_DIGIT: u8 = 0x80;

/// Value of each byte as a hexadecimal digit in lower case.
const DIGIT_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < HEX.len() {
        values[HEX[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Looks at every digit before it decides: a branch of ours, the usual case, then costs no branch for each digit.
fn read_hex(digits: Option<&[u8]>) -> Option<u64> {
    let (value, all) = digits?.iter().fold((0u64, 0u8), |(value, all), &byte| {
        let digit = DIGIT_VALUES.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
        ((value << 4) | u64::from(digit & 15), all | digit)
    });
    (all & NO_DIGIT == 0).then_some(value)
}

/// Refuses what `write_reversed_hex` would not have written: empty, too long, padded.
fn read_reversed_hex(digits: &[u8], digits_max: usize) -> Option<usize> {
    if digits.is_empty() || digits.len() > digits_max || (digits.len() > 1 && digits.last() == Some(&b'0')) {
        return None;
    }
    digits.iter().rev().try_fold(0usize, |value, &byte| {
        let digit = DIGIT_VALUES.get(usize::from(byte)).copied().filter(|digit| *digit != NO_DIGIT)?;
        Some((value << 4) | usize::from(digit))
    })
}

#[cfg(test)]
mod tests;
