//! Which way a request inside a dialog travels, told by the `ftag` parameter of the consumed Route (spec proxy-core 9.5).

use script::exports::{Argument, Flow, Refusal};
use sip::params::find;

use crate::literals::{Literals, refuse};
use crate::run::Run;
use crate::settings::Settings;
use crate::worker::Worker;

/// Seen from the initial request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the dialog's initiator.
    Downstream,
    /// Towards the dialog's initiator.
    Upstream,
}

/// Downstream unless the consumed Route carries an `ftag` that differs from the From tag.
pub fn direction(run: &Run) -> Direction {
    match find(super::own_route_parameters(run), b"ftag") {
        Some(tag) if !tag.is_empty() && tag != run.message.from_tag() => Direction::Upstream,
        _ => Direction::Downstream,
    }
}

/// A direction written in the configuration is one of the two.
pub(super) fn known_direction(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(word) if !word.eq_ignore_ascii_case(b"downstream") && !word.eq_ignore_ascii_case(b"upstream") => {
            refuse(0, format!("the direction is downstream or upstream, not \"{word}\""))
        }
        _ => Ok(()),
    }
}

/// `is_direction("downstream" | "upstream")`.
pub(super) fn is_direction(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let word = arguments.first().map(Argument::text).unwrap_or_default();
    let wanted = if word.eq_ignore_ascii_case(b"downstream") {
        Direction::Downstream
    } else if word.eq_ignore_ascii_case(b"upstream") {
        Direction::Upstream
    } else {
        worker.log(-1, "rr", "is_direction takes \"downstream\" or \"upstream\"");
        return Flow::Code(-1);
    };
    if !worker.node.states.rr.append_from_tag {
        worker.log(-1, "rr", "is_direction needs the parameter append_fromtag");
        return Flow::Code(-1);
    }
    Flow::from(direction(&worker.run) == wanted)
}
