//! `s.` digests and checksums, in lower-case hexadecimal.

use md5::{Digest, Md5};

use super::{Entry, Shape, input, integer, number_parameter, output};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("s.md5", 0, &[], |value, _| output(hexadecimal(&Md5::digest(&*input(value)?)))),
    Entry::new("s.sha1", 0, &[], |value, _| output(hexadecimal(&sha1::Sha1::digest(&*input(value)?)))),
    Entry::new("s.sha256", 0, &[], |value, _| output(hexadecimal(&sha2::Sha256::digest(&*input(value)?)))),
    Entry::new("s.sha384", 0, &[], |value, _| output(hexadecimal(&sha2::Sha384::digest(&*input(value)?)))),
    Entry::new("s.sha512", 0, &[], |value, _| output(hexadecimal(&sha2::Sha512::digest(&*input(value)?)))),
    Entry::new("s.sha3", 0, &[Shape::Number], sha3_digest),
    Entry::new("s.keccak", 0, &[Shape::Number], keccak_digest),
    Entry::new("s.crc32", 0, &[], |value, _| integer(i64::from(crc32fast::hash(&input(value)?)))),
    Entry::new("s.corehash", 0, &[Shape::Number], core_hash),
];

/// Two lower-case digits a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

fn sha3_digest(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    match number_parameter(parameters, 0).unwrap_or(256) {
        256 => output(hexadecimal(&sha3::Sha3_256::digest(&*text))),
        384 => output(hexadecimal(&sha3::Sha3_384::digest(&*text))),
        512 => output(hexadecimal(&sha3::Sha3_512::digest(&*text))),
        _ => None,
    }
}

fn keccak_digest(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    match number_parameter(parameters, 0).unwrap_or(256) {
        256 => output(hexadecimal(&sha3::Keccak256::digest(&*text))),
        384 => output(hexadecimal(&sha3::Keccak384::digest(&*text))),
        512 => output(hexadecimal(&sha3::Keccak512::digest(&*text))),
        _ => None,
    }
}

/// The generic hash of spec dialog 1.2 before it is reduced to a table.
pub fn generic_hash(text: &[u8]) -> u32 {
    let mut hash = 0u32;
    let mut groups = text.chunks_exact(4);
    for group in &mut groups {
        let word = group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_add(word ^ (word >> 3));
    }
    let word = groups.remainder().iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    hash = hash.wrapping_add(word ^ (word >> 3));
    hash.wrapping_add(hash >> 11).wrapping_add(hash >> 13).wrapping_add(hash >> 23)
}

/// The hash, reduced to a table of `size` slots when that is at least 2.
fn core_hash(value: &Value, parameters: &[Value]) -> Option<Value> {
    let hash = generic_hash(&input(value)?);
    let size = number_parameter(parameters, 0).unwrap_or(0);
    let hash = match u32::try_from(size) {
        Ok(size) if size >= 1 => hash & (size - 1),
        _ => hash,
    };
    output(hash.to_string())
}
