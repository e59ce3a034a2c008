//! Shell patterns (POSIX `fnmatch`): `*`, `?`, `[a-z]`, `[!x]`, backslash.

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// Most steps one match takes; beyond it counts as no match.
pub const STEPS_MAX: usize = 1 << 20;

/// Does the text match the pattern as a whole?
pub fn glob(pattern: &[u8], text: &[u8], ignores_case: bool) -> bool {
    let (mut at, mut position) = (0_usize, 0_usize);
    // Where to go on when a later mismatch makes the last star take one byte more.
    let mut retry: Option<(usize, usize)> = None;
    for _ in 0..STEPS_MAX {
        if pattern.get(at) == Some(&b'*') {
            retry = Some((at, position));
            at += 1;
            continue;
        }
        let is_step = match (text.get(position), single(pattern, at, text.get(position).copied(), ignores_case)) {
            (Some(_), Some(next)) => {
                at = next;
                position += 1;
                true
            }
            (None, _) => {
                if at >= pattern.len() {
                    return true;
                }
                false
            }
            _ => false,
        };
        if is_step {
            continue;
        }
        match retry {
            Some((star, taken)) if taken < text.len() => {
                retry = Some((star, taken + 1));
                at = star + 1;
                position = taken + 1;
            }
            _ => return false,
        }
    }
    false
}

/// Matches one byte at `at`; the position behind it in the pattern.
fn single(pattern: &[u8], at: usize, byte: Option<u8>, ignores_case: bool) -> Option<usize> {
    let byte = byte?;
    let is_same = |wanted: u8| wanted == byte || (ignores_case && wanted.eq_ignore_ascii_case(&byte));
    match pattern.get(at)? {
        b'?' => Some(at + 1),
        b'\\' => pattern.get(at + 1).filter(|wanted| is_same(**wanted)).map(|_| at + 2),
        b'[' => match set(pattern, at + 1, byte, ignores_case) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => is_same(b'[').then_some(at + 1),
        },
        wanted => is_same(*wanted).then_some(at + 1),
    }
}

/// A bracket set from behind its `[`: is the byte in it, and where does the pattern go on? None: it does not close.
fn set(pattern: &[u8], start: usize, byte: u8, ignores_case: bool) -> Option<(bool, usize)> {
    let is_negated = matches!(pattern.get(start), Some(b'!' | b'^'));
    let first = if is_negated { start + 1 } else { start };
    let mut at = first;
    let mut is_found = false;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > first {
            return Some((is_found != is_negated, at + 1));
        }
        let (high, next) = match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => (*high, at + 3),
            _ => (low, at + 1),
        };
        let is_within = |byte: u8| (low..=high).contains(&byte);
        is_found |= is_within(byte) || (ignores_case && (is_within(byte.to_ascii_lowercase()) || is_within(byte.to_ascii_uppercase())));
        at = next;
    }
}

/// `fnmatch(text, pattern[, flags])`: flag `i` ignores case.
pub(super) fn fnmatch(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |index: usize| arguments.get(index).map(Argument::text).unwrap_or_default();
    let ignores_case = text(2).iter().any(|flag| flag.eq_ignore_ascii_case(&b'i'));
    Flow::from(glob(&text(1), &text(0), ignores_case))
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn stars_marks_and_sets_match() {
        for (pattern, text, is_match) in [
            ("", "", true),
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*a*b", "xxaxxab", true),
            ("[ab", "[ab", true),
            ("sip:*@example.com", "sip:bob@example.com", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes(), false), is_match, "{pattern} {text}");
        }
        assert!(glob(b"ABC", b"abc", true));
    }

    #[test]
    fn many_stars_end_in_bounded_time() {
        let pattern = b"*a".repeat(30);
        let text = b"a".repeat(2_000).into_iter().chain(*b"b").collect::<Vec<u8>>();
        assert!(!glob(&pattern, &text, false));
    }
}
