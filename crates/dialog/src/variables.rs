//! Variables of a dialog as bytes: newest first, each key and value with its length before it (spec dialog 5.4).

use crate::effect::VariableError;
use crate::limits::{VARIABLE_KEY_BYTES_MAX, VARIABLES_BYTES_MAX, VARIABLES_MAX};

/// Bytes before each pair: two for the key's length, four for the value's.
const HEAD: usize = 6;

/// The pairs, newest first.
pub(crate) fn iter(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (key_length, value_length) = lengths(head)?;
        let (key, rest) = rest.split_at_checked(key_length)?;
        let (value, rest) = rest.split_at_checked(value_length)?;
        bytes = rest;
        Some((key, value))
    })
}

/// The value of a key; keys compare case sensitively.
pub(crate) fn value<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    iter(bytes).find(|(found, _)| *found == key).map(|(_, value)| value)
}

/// The bytes after setting a key in place, or at the head when it is new; `None` as value removes it.
/// `Ok(None)`: nothing changes.
pub(crate) fn with(bytes: &[u8], key: &[u8], new: Option<&[u8]>) -> Result<Option<Vec<u8>>, VariableError> {
    let Place { before, old, behind, count } = place(bytes, key);
    if old == new {
        return Ok(None);
    }
    let added = new.map_or(0, |new| HEAD + key.len() + new.len());
    if before.len() + added + behind.len() > VARIABLES_BYTES_MAX {
        return Err(VariableError::TooLarge);
    }
    let mut out = Vec::with_capacity(before.len() + added + behind.len());
    if old.is_some() {
        out.extend_from_slice(before);
    } else if key.len() > VARIABLE_KEY_BYTES_MAX {
        return Err(VariableError::KeyTooLong);
    } else if count >= VARIABLES_MAX {
        return Err(VariableError::TooMany);
    }
    if let Some(new) = new {
        write(&mut out, key, new)?;
    }
    out.extend_from_slice(behind);
    Ok(Some(out))
}

/// Where a key is: the bytes before its pair and behind it, its value, and how many pairs there are when it is not there
/// (then all bytes are behind it: a new pair comes first).
struct Place<'a> {
    before: &'a [u8],
    old: Option<&'a [u8]>,
    behind: &'a [u8],
    count: usize,
}

fn place<'a>(bytes: &'a [u8], key: &[u8]) -> Place<'a> {
    let (mut passed, mut count) = (0, 0);
    for (found, value) in iter(bytes) {
        let length = HEAD + found.len() + value.len();
        if found == key {
            let (before, rest) = bytes.split_at_checked(passed).unwrap_or((bytes, b""));
            let behind = rest.get(length..).unwrap_or_default();
            return Place { before, old: Some(value), behind, count };
        }
        passed += length;
        count += 1;
    }
    Place { before: b"", old: None, behind: bytes, count }
}

fn write(out: &mut Vec<u8>, key: &[u8], value: &[u8]) -> Result<(), VariableError> {
    let key_length = u16::try_from(key.len()).map_err(|_| VariableError::KeyTooLong)?;
    let value_length = u32::try_from(value.len()).map_err(|_| VariableError::TooLarge)?;
    out.extend_from_slice(&key_length.to_le_bytes());
    out.extend_from_slice(&value_length.to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
    Ok(())
}

fn lengths(head: &[u8]) -> Option<(usize, usize)> {
    let key = u16::from_le_bytes(head.get(..2)?.try_into().ok()?);
    let value = u32::from_le_bytes(head.get(2..)?.try_into().ok()?);
    Some((usize::from(key), usize::try_from(value).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(bytes: &[u8], key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
        with(bytes, key, value).unwrap().unwrap_or_else(|| bytes.to_vec())
    }

    #[test]
    fn new_keys_go_to_the_head_and_old_ones_keep_their_place() {
        let mut bytes = set(b"", b"a", Some(b"1"));
        bytes = set(&bytes, b"b", Some(b"2"));
        bytes = set(&bytes, b"a", Some(b"long value"));
        bytes = set(&bytes, b"B", Some(b""));
        let pairs: Vec<(&[u8], &[u8])> = iter(&bytes).collect();
        assert_eq!(pairs, [(&b"B"[..], &b""[..]), (b"b", b"2"), (b"a", b"long value")]);
        bytes = set(&bytes, b"b", None);
        assert_eq!((value(&bytes, b"b"), value(&bytes, b"B")), (None, Some(&b""[..])));
        assert_eq!(with(&bytes, b"b", None), Ok(None));
        assert_eq!(with(&bytes, b"a", Some(b"long value")), Ok(None));
    }

    #[test]
    fn bounds_are_kept() {
        let mut bytes = Vec::new();
        for number in 0..VARIABLES_MAX {
            write(&mut bytes, number.to_string().as_bytes(), b"x").unwrap();
        }
        assert_eq!(with(&bytes, b"one more", Some(b"x")), Err(VariableError::TooMany));
        let changed = set(&bytes, b"7", Some(b"y"));
        assert_eq!((value(&changed, b"7"), value(&changed, b"8")), (Some(&b"y"[..]), Some(&b"x"[..])), "known ones still change");
        assert!(with(&set(&bytes, b"7", None), b"one more", Some(b"x")).is_ok(), "one that goes makes room");
        assert_eq!(with(&bytes, b"7", Some(&vec![0; VARIABLES_BYTES_MAX])), Err(VariableError::TooLarge));
        assert_eq!(with(b"", &[b'k'; VARIABLE_KEY_BYTES_MAX + 1], Some(b"x")), Err(VariableError::KeyTooLong));
    }
}
