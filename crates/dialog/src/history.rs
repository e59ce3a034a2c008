//! The last transitions of a call in a fixed number of bytes, for `dlg.explain`.

use sip::time::Date;

use crate::end_reason::EndReason;
use crate::leg::Leg;
use crate::limits::HISTORY_MOMENTS;
use crate::state::State;

/// One thing that happened to a call. Codes are status codes of replies, 0 when nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The INVITE came.
    Created,
    /// Taken from storage in this state.
    Loaded {
        state: State,
    },
    /// The first provisional reply.
    Early {
        code: u16,
    },
    Answered {
        code: u16,
    },
    /// The ACK came.
    Confirmed,
    /// The caller's CANCEL came.
    Cancelled,
    /// A final reply of 300 or above.
    Failed {
        code: u16,
    },
    /// A 2xx came for a call that had failed.
    Revived {
        code: u16,
    },
    /// A party's BYE came before the answer and ended nothing yet.
    EarlyBye {
        leg: Leg,
    },
    /// A party's BYE ended the call.
    Bye {
        leg: Leg,
    },
    /// This proxy was told to end the call.
    Asked {
        reason: EndReason,
    },
    /// The final reply to a BYE made here; 408 when there was none.
    ByeAnswered {
        leg: Leg,
        code: u16,
    },
    /// A BYE made here goes out once more because of this reply; 0 when it could not be sent.
    ByeRepeated {
        leg: Leg,
        code: u16,
    },
    /// A BYE made here could not be sent.
    ByeUnsent {
        leg: Leg,
    },
    /// The ACK is late: the lifetime was cut.
    AckMissing,
    /// Probes failed: the lifetime was cut.
    KeepaliveFailed {
        leg: Leg,
        code: u16,
    },
    LifetimeOver,
    /// Over, by what the moments before say.
    Ended,
    /// An operator or the script set the state.
    Forced {
        state: State,
    },
}

impl Moment {
    /// The state after the moment.
    pub fn state_after(self, before: State) -> State {
        match self {
            Moment::Created => State::Unconfirmed,
            Moment::Loaded { state } | Moment::Forced { state } => state,
            Moment::Early { .. } => State::Early,
            Moment::Answered { .. } | Moment::Revived { .. } => State::ConfirmedNoAck,
            Moment::Confirmed => State::Confirmed,
            Moment::Failed { .. } | Moment::Bye { .. } | Moment::Ended => State::Deleted,
            Moment::Cancelled
            | Moment::EarlyBye { .. }
            | Moment::Asked { .. }
            | Moment::ByeAnswered { .. }
            | Moment::ByeRepeated { .. }
            | Moment::ByeUnsent { .. }
            | Moment::AckMissing
            | Moment::KeepaliveFailed { .. }
            | Moment::LifetimeOver => before,
        }
    }

    /// Six bits of kind, ten of detail; a code beyond those is kept as 0.
    fn pack(self) -> u16 {
        let (kind, detail) = match self {
            Moment::Created => (0, 0),
            Moment::Loaded { state } => (1, state as u16),
            Moment::Early { code } => (2, code),
            Moment::Answered { code } => (3, code),
            Moment::Confirmed => (4, 0),
            Moment::Cancelled => (5, 0),
            Moment::Failed { code } => (6, code),
            Moment::Revived { code } => (7, code),
            Moment::EarlyBye { leg } => (8, leg as u16),
            Moment::Bye { leg } => (9, leg as u16),
            Moment::Asked { reason } => (10, reason as u16),
            Moment::ByeAnswered { leg: Leg::Caller, code } => (11, code),
            Moment::ByeAnswered { leg: Leg::Callee, code } => (12, code),
            Moment::ByeRepeated { leg: Leg::Caller, code } => (13, code),
            Moment::ByeRepeated { leg: Leg::Callee, code } => (14, code),
            Moment::ByeUnsent { leg } => (15, leg as u16),
            Moment::AckMissing => (16, 0),
            Moment::KeepaliveFailed { leg: Leg::Caller, code } => (17, code),
            Moment::KeepaliveFailed { leg: Leg::Callee, code } => (18, code),
            Moment::LifetimeOver => (19, 0),
            Moment::Ended => (20, 0),
            Moment::Forced { state } => (21, state as u16),
        };
        kind << DETAIL_BITS | if detail <= DETAIL_MASK { detail } else { 0 }
    }

    fn unpack(packed: u16) -> Option<Moment> {
        let detail = packed & DETAIL_MASK;
        let code = detail;
        let leg = if detail == Leg::Caller as u16 { Leg::Caller } else { Leg::Callee };
        let state = State::from_number(u32::from(detail));
        Some(match packed >> DETAIL_BITS {
            0 => Moment::Created,
            1 => Moment::Loaded { state: state? },
            2 => Moment::Early { code },
            3 => Moment::Answered { code },
            4 => Moment::Confirmed,
            5 => Moment::Cancelled,
            6 => Moment::Failed { code },
            7 => Moment::Revived { code },
            8 => Moment::EarlyBye { leg },
            9 => Moment::Bye { leg },
            10 => Moment::Asked { reason: EndReason::from_number(detail)? },
            11 => Moment::ByeAnswered { leg: Leg::Caller, code },
            12 => Moment::ByeAnswered { leg: Leg::Callee, code },
            13 => Moment::ByeRepeated { leg: Leg::Caller, code },
            14 => Moment::ByeRepeated { leg: Leg::Callee, code },
            15 => Moment::ByeUnsent { leg },
            16 => Moment::AckMissing,
            17 => Moment::KeepaliveFailed { leg: Leg::Caller, code },
            18 => Moment::KeepaliveFailed { leg: Leg::Callee, code },
            19 => Moment::LifetimeOver,
            20 => Moment::Ended,
            21 => Moment::Forced { state: state? },
            _ => return None,
        })
    }
}

const DETAIL_BITS: u32 = 10;
const DETAIL_MASK: u16 = (1 << DETAIL_BITS) - 1;

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |leg: Leg| if leg == Leg::Caller { "caller" } else { "callee" };
        match *self {
            Moment::Created => out.write_str("INVITE received"),
            Moment::Loaded { .. } => out.write_str("loaded from storage"),
            Moment::Early { code: 0 } => out.write_str("provisional reply"),
            Moment::Early { code } => write!(out, "provisional reply {code}"),
            Moment::Answered { code: 0 } => out.write_str("answered"),
            Moment::Answered { code } => write!(out, "answered with {code}"),
            Moment::Confirmed => out.write_str("ACK received"),
            Moment::Cancelled => out.write_str("CANCEL from the caller"),
            Moment::Failed { code: 0 } => out.write_str("failed"),
            Moment::Failed { code } => write!(out, "failed with {code}"),
            Moment::Revived { .. } => out.write_str("answered after its failure"),
            Moment::EarlyBye { leg } => write!(out, "BYE from the {} before the answer", side(leg)),
            Moment::Bye { leg } => write!(out, "BYE from the {}", side(leg)),
            Moment::Asked { reason } => write!(out, "termination begun: {reason}"),
            Moment::ByeAnswered { leg, code } => write!(out, "BYE to the {} answered with {code}", side(leg)),
            Moment::ByeRepeated { leg, code: 0 } => write!(out, "BYE to the {} sent once more", side(leg)),
            Moment::ByeRepeated { leg, code } => write!(out, "BYE to the {} sent once more after {code}", side(leg)),
            Moment::ByeUnsent { leg } => write!(out, "BYE to the {} could not be sent", side(leg)),
            Moment::AckMissing => out.write_str("no ACK, lifetime cut"),
            Moment::KeepaliveFailed { leg, code } => write!(out, "keepalive to the {} answered with {code}, lifetime cut", side(leg)),
            Moment::LifetimeOver => out.write_str("lifetime over"),
            Moment::Ended => out.write_str("ended"),
            Moment::Forced { .. } => out.write_str("state forced"),
        }
    }
}

/// A moment with its time and the states around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastMoment {
    pub at: Date,
    pub moment: Moment,
    /// The same as `new` for the first moment.
    pub old: State,
    pub new: State,
}

/// The first moment of a call and the last [`HISTORY_MOMENTS`] ones.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Milliseconds since the first moment; a call of more than 49 days ends its clock.
    after: [u32; HISTORY_MOMENTS],
    what: [u16; HISTORY_MOMENTS],
    first: u16,
    kept: u8,
    /// Moments that made room for later ones.
    lost: u8,
    /// The state before the oldest moment kept.
    before: State,
}

impl History {
    pub(crate) fn beginning_with(first: Moment) -> History {
        let before = first.state_after(State::Unconfirmed);
        History { after: [0; HISTORY_MOMENTS], what: [0; HISTORY_MOMENTS], first: first.pack(), kept: 0, lost: 0, before }
    }

    /// Adds a moment; the oldest one after the first makes room.
    pub(crate) fn remember(&mut self, after: u32, moment: Moment) {
        if usize::from(self.kept) >= HISTORY_MOMENTS {
            self.drop_oldest();
        }
        let place = usize::from(self.kept);
        if let (Some(time), Some(what)) = (self.after.get_mut(place), self.what.get_mut(place)) {
            *time = after;
            *what = moment.pack();
            self.kept += 1;
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(moment) = self.what.first().copied().and_then(Moment::unpack) {
            self.before = moment.state_after(self.before);
        }
        self.after.copy_within(1.., 0);
        self.what.copy_within(1.., 0);
        self.kept = self.kept.saturating_sub(1);
        self.lost = self.lost.saturating_add(1);
    }

    /// How many moments between the first and the second one listed are missing.
    pub(crate) fn lost(&self) -> u8 {
        self.lost
    }

    /// The moments in order. `began`: the time of the first.
    pub(crate) fn moments(&self, began: Date) -> Vec<PastMoment> {
        let mut out = Vec::with_capacity(1 + usize::from(self.kept));
        if let Some(moment) = Moment::unpack(self.first) {
            let state = moment.state_after(State::Unconfirmed);
            out.push(PastMoment { at: began, moment, old: state, new: state });
        }
        let mut old = self.before;
        for (after, packed) in self.after.iter().zip(&self.what).take(usize::from(self.kept)) {
            let Some(moment) = Moment::unpack(*packed) else { continue };
            let new = moment.state_after(old);
            out.push(PastMoment { at: began.plus(u64::from(*after)), moment, old, new });
            old = new;
        }
        out
    }
}

#[cfg(test)]
mod tests;
