//! The Call-ID of a message that nobody has parsed yet: to keep the messages of a call together.

use crate::header::HeaderId;
use crate::scan;

/// The value of the first Call-ID line (RFC 3261 §20.8), as it stands, or nothing. Folding is not undone.
pub fn find(message: &[u8]) -> &[u8] {
    let mut rest = message;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = scan::before(rest, end);
        rest = scan::after(rest, end);
        // Most lines are told apart by their first letter.
        if !matches!(line.first(), Some(b'C' | b'c' | b'I' | b'i')) {
            if scan::trim(line).is_empty() {
                break;
            }
            continue;
        }
        if let (name, Some(value)) = scan::split_once(line, b':')
            && HeaderId::from_name(scan::trim(name)) == HeaderId::CallId
        {
            return scan::trim(value);
        }
    }
    b""
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_call_id_is_found_in_every_spelling() {
        for line in ["Call-ID: a@b", "call-id:a@b", "i: a@b ", "I :\ta@b"] {
            let message = format!("BYE sip:x SIP/2.0\r\nCSeq: 1 BYE\r\nContact: <sip:a>\r\n{line}\r\nTo: b\r\n\r\nCall-ID: body\r\n");
            assert_eq!(find(message.as_bytes()), b"a@b", "{line}");
        }
        assert_eq!(find(b"BYE sip:x SIP/2.0\ni: lf\n\n"), b"lf");
    }

    #[test]
    fn a_message_without_one_has_none() {
        for message in ["", "\r\n\r\n", "BYE sip:x SIP/2.0\r\n\r\nCall-ID: body\r\n", "Call-ID", "\0\n\n", "i\r\nC\r\n"] {
            assert_eq!(find(message.as_bytes()), b"", "{message:?}");
        }
    }
}
