//! Which dialog a message belongs to: by Call-ID and tags, or by the cookie (spec dialog 1.6, 1.7).

use crate::engine::DialogId;
use crate::leg::Direction;
use crate::state::State;

/// The identifiers of a record that matching looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) caller_tag: &'a [u8],
    /// Empty before the 2xx.
    pub(crate) callee_tag: &'a [u8],
    pub(crate) state: State,
}

/// The tags of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags<'a> {
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
}

/// Does a message with the dialog's Call-ID and these tags belong to it, and which way does it travel?
/// `wanted` restricts the direction; `Direction::None` accepts both.
pub(crate) fn direction(dialog: Identity<'_>, tags: Tags<'_>, wanted: Direction) -> Option<Direction> {
    let upstream = wanted != Direction::Downstream;
    let downstream = wanted != Direction::Upstream;
    if dialog.callee_tag.is_empty() {
        if upstream && dialog.caller_tag == tags.to {
            return Some(Direction::Upstream);
        }
        return (downstream && dialog.caller_tag == tags.from).then_some(Direction::Downstream);
    }
    if upstream && dialog.callee_tag == tags.from && dialog.caller_tag == tags.to {
        return Some(Direction::Upstream);
    }
    if downstream && dialog.caller_tag == tags.from && dialog.callee_tag == tags.to {
        return Some(Direction::Downstream);
    }
    let only_invite = tags.to.is_empty() && dialog.state == State::ConfirmedNoAck && wanted == Direction::None;
    (only_invite && dialog.caller_tag == tags.from).then_some(Direction::Downstream)
}

/// Why a request was not matched the direct way; each has its own log line (spec dialog 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchTrouble {
    /// The Route header had no cookie parameter.
    NoCookie,
    MalformedCookie,
    /// No dialog has the decoded numbers.
    UnknownCookie(DialogId),
    /// The dialog of the cookie has other identifiers ("tight matching failed").
    OtherIdentifiers(DialogId),
}

/// The outcome of matching a request within a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieMatch {
    /// The dialog and the way the request travels.
    pub found: Option<(DialogId, Direction)>,
    /// What was wrong with the cookie, also when the identifiers helped.
    pub trouble: Option<MatchTrouble>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Downstream, None as Either, Upstream};

    /// From-tag, To-tag, wanted direction, expected direction.
    type Case = (&'static [u8], &'static [u8], Direction, Option<Direction>);

    fn found(callee: &[u8], state: State, from: &[u8], to: &[u8], wanted: Direction) -> Option<Direction> {
        direction(Identity { caller_tag: b"A", callee_tag: callee, state }, Tags { from, to }, wanted)
    }

    #[test]
    fn an_early_dialog_takes_any_other_tag() {
        let state = State::Early;
        let cases: [Case; 8] = [
            (b"A", b"", Either, Some(Downstream)),
            (b"A", b"X", Either, Some(Downstream)),
            (b"X", b"A", Either, Some(Upstream)),
            (b"A", b"A", Either, Some(Upstream)),
            (b"X", b"Y", Either, None),
            (b"A", b"X", Upstream, None),
            (b"X", b"A", Downstream, None),
            (b"a", b"", Either, None),
        ];
        for (from, to, wanted, expected) in cases {
            assert_eq!(found(b"", state, from, to, wanted), expected, "{from:?} {to:?} {wanted:?}");
        }
    }

    #[test]
    fn a_confirmed_dialog_needs_both_tags() {
        let cases: [Case; 9] = [
            (b"A", b"B", Either, Some(Downstream)),
            (b"B", b"A", Either, Some(Upstream)),
            (b"A", b"B", Downstream, Some(Downstream)),
            (b"A", b"B", Upstream, None),
            (b"B", b"A", Upstream, Some(Upstream)),
            (b"B", b"A", Downstream, None),
            (b"A", b"C", Either, None),
            (b"A", b"", Either, None),
            (b"", b"", Either, None),
        ];
        for (from, to, wanted, expected) in cases {
            assert_eq!(found(b"B", State::Confirmed, from, to, wanted), expected, "{from:?} {to:?} {wanted:?}");
        }
    }

    #[test]
    fn the_bare_invite_finds_its_dialog_between_200_and_ack_only() {
        assert_eq!(found(b"B", State::ConfirmedNoAck, b"A", b"", Either), Some(Downstream));
        assert_eq!(found(b"B", State::ConfirmedNoAck, b"A", b"", Downstream), None);
        assert_eq!(found(b"B", State::Confirmed, b"A", b"", Either), None);
        assert_eq!(found(b"B", State::Deleted, b"A", b"", Either), None);
    }
}
