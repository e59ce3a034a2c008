//! How other parts follow every dialog: one trait, called outside all locks (spec dialog 12, invariant A11).

use crate::leg::Direction;
use crate::view::DialogView;

/// What happened. The order in a call is that of spec dialog 12; event routes run before the observers of the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OccurrenceKind {
    /// Taken from the database.
    Loaded,
    Created,
    /// Over before an answer.
    Failed,
    /// Answered, the ACK is missing.
    Answered,
    /// The ACK came.
    Confirmed,
    /// A request within the dialog, except the confirming ACK and the ending BYE.
    RequestWithin,
    /// A BYE ended it, or one of this proxy was handed out: told once in a life, like `Failed` and `Expired`.
    Terminated,
    /// Lifetime over without BYE.
    Expired,
    /// A provisional reply, each one.
    Early,
    /// A reply to the INVITE below 300 is about to be forwarded. Reported by the caller through `Engine::report`.
    ReplyForwarded,
    /// A reply to a request within the dialog is about to be forwarded. Reported by the caller.
    ReplyWithin,
    /// A listing with context is being written. Reported by the caller.
    Listing,
    /// The record is gone.
    Destroyed,
    /// The INVITE came through this proxy again.
    Spiralled,
    /// The BYE was answered.
    TerminatedConfirmed,
}

/// One happening with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub kind: OccurrenceKind,
    pub direction: Direction,
    /// With [`OccurrenceKind::Expired`]: the dialog was confirmed.
    pub was_confirmed: bool,
}

impl Occurrence {
    /// An occurrence without direction.
    pub fn of(kind: OccurrenceKind) -> Occurrence {
        Occurrence { kind, direction: Direction::None, was_confirmed: false }
    }

    /// An occurrence caused by a message that travels this way.
    pub fn towards(kind: OccurrenceKind, direction: Direction) -> Occurrence {
        Occurrence { kind, direction, was_confirmed: false }
    }
}

/// Someone who follows dialogs. Called on the thread that made the step, with no lock held, so it may call the engine.
///
/// ```
/// use dialog::{DialogView, Observer, Occurrence, OccurrenceKind};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[derive(Default)]
/// struct Answered(AtomicU64);
///
/// impl Observer for Answered {
///     fn on(&self, _dialog: &DialogView, occurrence: Occurrence) {
///         if occurrence.kind == OccurrenceKind::Answered {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    fn on(&self, dialog: &DialogView, occurrence: Occurrence);
}
