//! Another status for a reply that is being relayed.

use script::exports::{Argument, Flow};
use script::value::Text;

use crate::run::Run;
use crate::worker::Worker;

/// The status that `change_reply_status()` gave to the current reply.
pub fn changed_status(run: &Run) -> Option<(u16, &[u8])> {
    run.textopsx.status.as_ref().map(|(code, reason)| (*code, &reason[..]))
}

/// The status line to relay the reply with, with CRLF. None: as received.
pub fn status_line(run: &Run) -> Option<Vec<u8>> {
    let (code, reason) = changed_status(run)?;
    Some([run.message.version(), format!(" {code} ").as_bytes(), reason, b"\r\n"].concat())
}

/// May a reply of status `old` become `new`? Provisional and success replies keep their class, others do not enter it.
fn is_allowed(old: u16, new: u16) -> bool {
    (100..700).contains(&new) && (old / 100 == new / 100 || (old >= 300 && new >= 300))
}

fn change(worker: &mut Worker, code: i64, reason: Option<Text>) -> Flow {
    let run = &mut worker.run;
    let current = changed_status(run).map_or(run.message.status(), |(code, _)| code);
    let code = u16::try_from(code).unwrap_or(0);
    if !run.message.is_reply() || !is_allowed(current, code) {
        worker.log(-1, "textopsx", "change_reply_status: this change of status is not allowed");
        return Flow::Code(-1);
    }
    let reason =
        reason.unwrap_or_else(|| changed_status(run).map_or_else(|| Text::from(run.message.reason()), |(_, reason)| Text::from(reason)));
    run.textopsx.status = Some((code, reason));
    Flow::Code(1)
}

/// `change_reply_status(code, reason)`.
pub(super) fn change_reply_status(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let code = arguments.first().map_or(0, Argument::integer);
    change(worker, code, arguments.get(1).map(Argument::text))
}

/// `change_reply_status_code(code)`: the reason stays.
pub(super) fn change_reply_status_code(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let code = arguments.first().map_or(0, Argument::integer);
    change(worker, code, None)
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn failures_change_among_themselves_only() {
        assert!(is_allowed(404, 503));
        assert!(is_allowed(183, 180));
        assert!(is_allowed(200, 202));
        assert!(!is_allowed(183, 200));
        assert!(!is_allowed(200, 404));
        assert!(!is_allowed(404, 200));
        assert!(!is_allowed(404, 99));
        assert!(!is_allowed(404, 700));
    }
}
