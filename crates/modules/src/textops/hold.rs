//! `is_audio_on_hold()` (RFC 3264 §8.4).

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// How a session description holds its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// `c=IN IP4 0.0.0.0`.
    Address,
    /// `a=sendonly` or `a=inactive`.
    Direction,
}

/// Looks at the session's connection line and at each audio stream.
fn audio_hold(description: &[u8]) -> Option<Hold> {
    let mut session_is_null = false;
    let mut in_media = false;
    let mut in_audio = false;
    let mut has_own_address = false;
    let mut found = None;
    for line in description.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
        if let Some(media) = line.strip_prefix(b"m=") {
            if in_audio && session_is_null && !has_own_address {
                return Some(Hold::Address);
            }
            in_media = true;
            has_own_address = false;
            in_audio = media.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case(b"audio"));
        } else if let Some(connection) = line.strip_prefix(b"c=") {
            let address = connection.rsplit(|byte| *byte == b' ').next().unwrap_or(b"");
            let is_null = matches!(address, b"0.0.0.0" | b"::");
            if !in_media {
                session_is_null = is_null;
            } else if in_audio {
                has_own_address = true;
                if is_null {
                    return Some(Hold::Address);
                }
            }
        } else if (in_audio || !in_media) && matches!(line, b"a=sendonly" | b"a=inactive") {
            found = found.or(Some(Hold::Direction));
        }
    }
    if in_audio && session_is_null && !has_own_address {
        return Some(Hold::Address);
    }
    found.filter(|_| in_media)
}

/// `is_audio_on_hold()`: 1 by address, 2 by direction, -1 not held.
pub(super) fn is_audio_on_hold(worker: &mut Worker, _: &[Argument]) -> Flow {
    let message = &worker.run.message;
    let body = super::multipart::description(message);
    Flow::Code(match audio_hold(body) {
        Some(Hold::Address) => 1,
        Some(Hold::Direction) => 2,
        None => -1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_is_seen_by_address_and_by_direction() {
        assert_eq!(audio_hold(b"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 1 RTP/AVP 0\r\n"), Some(Hold::Address));
        assert_eq!(audio_hold(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0\r\na=sendonly\r\n"), Some(Hold::Direction));
        assert_eq!(audio_hold(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"), Some(Hold::Address));
        assert_eq!(audio_hold(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0\r\na=sendrecv\r\n"), None);
        assert_eq!(audio_hold(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=video 1 RTP/AVP 0\r\na=inactive\r\n"), None);
    }
}
