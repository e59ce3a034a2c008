//! The destination set: branches added to the request (spec cfg-language 16.1, proxy-core 5.3).

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::uri::Uri;

use crate::run::{Run, Target};
use crate::worker::Worker;

/// Adds a branch. False: `max_branches` is reached (branch 0 counts) or the URI is none.
pub fn append(worker: &mut Worker, target: Target) -> bool {
    if worker.run.branches.len() + 1 >= worker.node.core.max_branches {
        worker.log(-1, "core", "max_branches reached, branch not added");
        return false;
    }
    if let Some(uri) = target.uri.as_ref().filter(|uri| Uri::parse(uri).is_err()) {
        let text = format!("not a URI, branch not added: {uri}");
        worker.log(-1, "core", &text);
        return false;
    }
    worker.run.branches.push(target);
    true
}

/// The current request URI with its next hop, path, socket and flags as a branch of its own.
pub fn current(run: &Run) -> Target {
    Target { uri: Some(Text::from(run.request_uri())), ..run.target.clone() }
}

/// `append_branch([uri[, q]])`: the branch takes next hop, path, socket and flags of the request, also with a URI of its own.
/// Without one the request has given them away: they are empty afterwards.
pub fn append_branch(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let given = arguments.first().map(Argument::text).filter(|uri| !uri.is_empty());
    let is_current = given.is_none();
    let mut target = current(&worker.run);
    if let Some(uri) = given {
        target = Target { uri: Some(uri), instance: None, ruid: None, user_agent: None, q: None, ..target };
    }
    if let Some(q) = arguments.get(1).map(Argument::text).filter(|q| !q.is_empty()) {
        let Some(thousandths) = parse_q(&q) else {
            let text = format!("append_branch: bad q value {q}");
            worker.log(-1, "core", &text);
            return Flow::Code(-1);
        };
        target.q = Some(thousandths);
    }
    let is_added = append(worker, target);
    if is_added && is_current {
        let uri = worker.run.target.uri.take();
        worker.run.target = Target { uri, q: worker.run.target.q, ..Target::default() };
    }
    Flow::from(is_added)
}

/// A q value in thousandths: `0.5` is 500, `1` is 1000 (RFC 3261 §20.10).
pub fn parse_q(text: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let whole: i32 = if whole.is_empty() { 0 } else { whole.parse().ok().filter(|_| whole.bytes().all(|byte| byte.is_ascii_digit()))? };
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut thousandths = 0;
    let mut weight = 100;
    for digit in decimals.bytes().take(3) {
        thousandths += i32::from(digit - b'0') * weight;
        weight /= 10;
    }
    let value = whole.checked_mul(1000)?.checked_add(thousandths)?;
    (0..=1000).contains(&value).then_some(value)
}

/// A q value as text: 500 is `0.5`, 1000 is `1`.
pub fn format_q(thousandths: i32) -> String {
    if thousandths >= 1000 {
        return "1".to_owned();
    }
    let digits = format!("{:03}", thousandths.max(0));
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() { "0".to_owned() } else { format!("0.{digits}") }
}

/// `remove_branch([n])`: the last or the nth branch.
pub(super) fn remove(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let index = match arguments.first().map(Argument::integer) {
        Some(number) => usize::try_from(number).ok(),
        None => worker.run.branches.len().checked_sub(1),
    };
    match index.filter(|index| *index < worker.run.branches.len()) {
        Some(index) => {
            worker.run.branches.remove(index);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

pub(super) fn clear(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.branches.clear();
    Flow::Code(1)
}

/// Writes `<uri>;q=..` of one branch; bare URI when it has no q, as in `$br`.
pub fn write_address(out: &mut Vec<u8>, uri: &[u8], q: Option<i32>) {
    match q.filter(|q| *q >= 0) {
        Some(q) => {
            out.push(b'<');
            out.extend_from_slice(uri);
            out.extend_from_slice(b">;q=");
            out.extend_from_slice(format_q(q).as_bytes());
        }
        None => out.extend_from_slice(uri),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_read_and_print() {
        assert_eq!(parse_q(b"0.5"), Some(500));
        assert_eq!(parse_q(b"1"), Some(1000));
        assert_eq!(parse_q(b".25"), Some(250));
        assert_eq!(parse_q(b"1.001"), None);
        assert_eq!(parse_q(b"x"), None);
        assert_eq!(parse_q(b"-1"), None);
        assert_eq!(format_q(500), "0.5");
        assert_eq!(format_q(1000), "1");
        assert_eq!(format_q(0), "0");
        assert_eq!(format_q(70), "0.07");
    }
}
