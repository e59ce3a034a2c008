//! What a Record-Route parameter tells of a replaced URI: old and new one mixed, so that either leads to the other
//! (spec proxy-core 11.13).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Padding of its own, since `=` would end the parameter.
const PADDING: u8 = b'-';
const LETTERS: GeneralPurpose = GeneralPurpose::new(&STANDARD, NO_PAD);

/// Both URIs and the password mixed, the shorter one with zeros behind it.
fn mixed(first: &[u8], second: &[u8], password: &[u8]) -> Vec<u8> {
    let byte = |text: &[u8], at: usize| text.get(at).copied().unwrap_or(0);
    let secret = |at: usize| at.checked_rem(password.len()).map_or(0, |place| byte(password, place));
    (0..first.len().max(second.len())).map(|at| byte(first, at) ^ byte(second, at) ^ secret(at)).collect()
}

/// The value of the parameter.
pub fn encode(old: &[u8], new: &[u8], password: &[u8]) -> Vec<u8> {
    let mut out = LETTERS.encode(mixed(old, new, password)).into_bytes();
    while !out.len().is_multiple_of(4) {
        out.push(PADDING);
    }
    out
}

/// The other URI. None: the value is none of ours, or what comes out is no text of a URI.
pub fn other_of(uri: &[u8], value: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    let length = value.iter().rposition(|byte| *byte != PADDING)?.checked_add(1)?;
    let stored = LETTERS.decode(value.get(..length)?).ok()?;
    let mut other = mixed(&stored, uri, password);
    // A URI longer than both was not what was mixed; zeros behind the shorter one go.
    if uri.len() > stored.len() {
        return None;
    }
    while other.last() == Some(&0) {
        other.pop();
    }
    is_text_of_uri(&other).then_some(other)
}

/// May stand between angle brackets.
pub fn is_text_of_uri(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = b"sip:alice@example.com";

    #[test]
    fn values_are_those_of_kamailio() {
        assert_eq!(encode(OLD, b"sip:b@c", b""), b"AAAAAAMsCmNlQGV4YW1wbGUuY29t");
        assert_eq!(encode(OLD, b"sip:anonymous@anonymous.invalid", b""), b"AAAAAAACBg0cLQoNEi0RAgpAGgICdXMuaW52YWxpZA--");
        assert_eq!(encode(b"sip:xa@example.com", b"sip:x_@example.com", b""), b"AAAAAAA+AAAAAAAAAAAAAAAA");
        assert_eq!(encode(OLD, b"sip:b@c", b"s3cr"), b"czNjcnAfaREWcwYKEl4THhYdAB0e");
    }

    #[test]
    fn either_uri_leads_to_the_other() {
        for new in [&b"sip:b@c"[..], b"sip:a.much.longer.name@somewhere.example.org", OLD] {
            for password in [&b""[..], b"x", b"a password longer than any of the addresses in this very test"] {
                let value = encode(OLD, new, password);
                assert_eq!(other_of(OLD, &value, password).as_deref(), Some(new));
                assert_eq!(other_of(new, &value, password).as_deref(), Some(OLD));
            }
        }
    }

    #[test]
    fn what_others_put_there_restores_nothing() {
        let value = encode(OLD, b"sip:b@c", b"");
        let line_end = encode(OLD, b"sip:b@c\r\nX: y", b"");
        for (uri, value) in [
            (OLD, &b""[..]),
            (OLD, b"----"),
            (OLD, b"A"),
            (OLD, b"not base 64!"),
            (OLD, b"AAAA"),
            (OLD, &line_end[..]),
            (b"sip:somebody.else@example.net", &value[..]),
        ] {
            assert_eq!(other_of(uri, value, b""), None, "{}", String::from_utf8_lossy(value));
        }
    }
}
