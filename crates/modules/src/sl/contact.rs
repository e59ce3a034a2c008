//! The Contact header of redirect replies, made from the destination set (spec proxy-core 5.3).

use crate::run::{Run, Target};

/// Most contacts in one redirect.
pub const CONTACTS_MAX: usize = 32;

/// `Contact: <uri>;q=0.5, <uri>` with CRLF; empty when there is no destination.
///
/// The request URI comes first, then the branches; one that was used for forwarding already is left out.
pub fn redirect_contacts(run: &Run) -> Vec<u8> {
    let mut line = Vec::new();
    if !run.is_target_consumed {
        write(&mut line, run.request_uri(), run.target.q);
    }
    for branch in run.branches.iter().take(CONTACTS_MAX) {
        write_target(&mut line, run, branch);
    }
    if !line.is_empty() {
        line.extend_from_slice(b"\r\n");
    }
    line
}

fn write_target(line: &mut Vec<u8>, run: &Run, target: &Target) {
    write(line, target.uri.as_deref().unwrap_or_else(|| run.message.request_uri()), target.q);
}

fn write(line: &mut Vec<u8>, uri: &[u8], q: Option<i32>) {
    line.extend_from_slice(if line.is_empty() { b"Contact: <" } else { b", <" });
    line.extend_from_slice(uri);
    line.push(b'>');
    if let Some(q) = q.filter(|q| (0..=1000).contains(q)) {
        line.extend_from_slice(b";q=");
        line.extend_from_slice(&priority(q));
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
        assert_eq!(redirect_contacts(&run), b"Contact: <sip:c@example.com>;q=0.5, <sip:b@example.com>\r\n");
    }

    #[test]
    fn a_used_request_uri_is_not_offered() {
        let mut run = Run::default();
        run.set_request_uri(b"sip:c@example.com");
        run.is_target_consumed = true;
        assert!(redirect_contacts(&run).is_empty());
    }

    #[test]
    fn priorities_lose_trailing_zeros() {
        assert_eq!(priority(1000), b"1");
        assert_eq!(priority(0), b"0");
        assert_eq!(priority(250), b"0.25");
        assert_eq!(priority(5), b"0.005");
    }
}
