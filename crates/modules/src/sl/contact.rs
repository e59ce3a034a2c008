//! The Contact header of redirect replies, made from the destination set (spec proxy-core 5.3).

use crate::run::{Run, Target};

/// Most contacts in one redirect.
pub const CONTACTS_MAX: usize = 32;

/// What a redirect tells about each contact beside URI and q (`rich_redirect`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rich {
    /// Bit 1: branch flags as a parameter of the header.
    pub flags: bool,
    /// Bit 2: the path as Route header of the URI.
    pub path: bool,
}

impl Rich {
    /// From the value of the parameter.
    pub fn from_bits(bits: i64) -> Rich {
        Rich { flags: bits & 1 != 0, path: bits & 2 != 0 }
    }
}

/// `Contact: <uri>;q=0.5, <uri>` with CRLF; empty when there is no destination.
///
/// The request URI comes first if the script set it, then the branches; one that was used for forwarding already is left
/// out.
pub fn redirect_contacts(run: &Run, rich: Rich) -> Vec<u8> {
    let mut line = Vec::new();
    let own = (run.target.uri.is_some() && !run.is_target_consumed).then_some(&run.target);
    for target in own.into_iter().chain(run.branches.iter().take(CONTACTS_MAX)) {
        let uri = target.uri.as_deref().unwrap_or_else(|| run.message.request_uri());
        write(&mut line, uri, target, rich);
    }
    if !line.is_empty() {
        line.extend_from_slice(b"\r\n");
    }
    line
}

fn write(line: &mut Vec<u8>, uri: &[u8], target: &Target, rich: Rich) {
    line.extend_from_slice(if line.is_empty() { b"Contact: <" } else { b", <" });
    line.extend_from_slice(uri);
    if let Some(path) = target.path.as_deref().filter(|path| rich.path && !path.is_empty()) {
        line.extend_from_slice(if uri.contains(&b'?') { b"&Route=" } else { b"?Route=" });
        write_escaped(line, path);
    }
    line.push(b'>');
    if let Some(q) = target.q.filter(|q| (0..=1000).contains(q)) {
        line.extend_from_slice(b";q=");
        line.extend_from_slice(&priority(q));
    }
    if rich.flags && target.flags != 0 {
        line.extend_from_slice(format!(";flags={}", target.flags).as_bytes());
    }
}

/// A header value inside a URI (RFC 3261 §19.1.1 `headers`).
fn write_escaped(line: &mut Vec<u8>, value: &[u8]) {
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => line.push(*byte),
            b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                line.push(*byte)
            }
            _ => line.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
}

/// Thousandths as a q value without trailing zeros.
fn priority(q: i32) -> Vec<u8> {
    match q {
        1000 => b"1".to_vec(),
        0 => b"0".to_vec(),
        _ => {
            let text = format!("0.{q:03}");
            text.trim_end_matches('0').as_bytes().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use script::value::Text;

    #[test]
    fn contacts_are_joined_by_comma_and_space_with_their_priorities() {
        let mut run = Run::default();
        run.set_request_uri(b"sip:c@example.com");
        run.target.q = Some(500);
        run.branches.push(Target { uri: Some(Text::from("sip:b@example.com")), ..Target::default() });
        assert_eq!(redirect_contacts(&run, Rich::default()), b"Contact: <sip:c@example.com>;q=0.5, <sip:b@example.com>\r\n");
    }

    #[test]
    fn a_used_request_uri_is_not_offered() {
        let mut run = Run::default();
        run.set_request_uri(b"sip:c@example.com");
        run.is_target_consumed = true;
        assert!(redirect_contacts(&run, Rich::default()).is_empty());
    }

    #[test]
    fn a_rich_redirect_tells_flags_and_path() {
        let mut run = Run::default();
        let path = Some(Text::from("<sip:edge;lr>"));
        let target = Target { uri: Some(Text::from("sip:b@example.com?Subject=x")), flags: 6, path, ..Target::default() };
        run.branches.push(target);
        let line = redirect_contacts(&run, Rich::from_bits(3));
        assert_eq!(line, b"Contact: <sip:b@example.com?Subject=x&Route=%3csip:edge%3blr%3e>;flags=6\r\n");
        assert_eq!(redirect_contacts(&run, Rich::from_bits(0)), b"Contact: <sip:b@example.com?Subject=x>\r\n");
    }

    #[test]
    fn priorities_lose_trailing_zeros() {
        assert_eq!(priority(1000), b"1");
        assert_eq!(priority(0), b"0");
        assert_eq!(priority(250), b"0.25");
        assert_eq!(priority(5), b"0.005");
    }
}
