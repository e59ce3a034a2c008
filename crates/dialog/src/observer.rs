//! How other parts follow every dialog: one trait, called outside all locks (spec dialog 12, invariant A11).

use std::any::Any;
use std::borrow::Cow;

use sip::message::Message;
use sip::time::Now;

use crate::engine::Engine;
use crate::leg::Direction;
use crate::state::State;
use crate::view::{AttributeValue, DialogView};

/// What happened. The order in a call is that of spec dialog 12; event routes run before the observers of the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OccurrenceKind {
    /// Taken from the database.
    Loaded,
    /// The INVITE made a dialog.
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
    /// A reply to the INVITE below 300 is about to be forwarded, a repeated one too. Reported through [`Engine::report`].
    ReplyForwarded,
    /// A reply below 300 to a request told as `RequestWithin` is about to be forwarded. Reported through [`Engine::report`].
    ReplyWithin,
    /// The record is gone: the last thing told of a dialog, and the only end that is told however it ended.
    Destroyed,
    /// The INVITE came through this proxy again.
    Spiralled,
    /// The BYE was answered.
    TerminatedConfirmed,
}

impl OccurrenceKind {
    /// In the order of declaration.
    pub const ALL: [OccurrenceKind; 14] = [
        OccurrenceKind::Loaded,
        OccurrenceKind::Created,
        OccurrenceKind::Failed,
        OccurrenceKind::Answered,
        OccurrenceKind::Confirmed,
        OccurrenceKind::RequestWithin,
        OccurrenceKind::Terminated,
        OccurrenceKind::Expired,
        OccurrenceKind::Early,
        OccurrenceKind::ReplyForwarded,
        OccurrenceKind::ReplyWithin,
        OccurrenceKind::Destroyed,
        OccurrenceKind::Spiralled,
        OccurrenceKind::TerminatedConfirmed,
    ];

    pub(crate) const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A set of kinds. What nobody wants is neither copied nor told.
///
/// ```
/// use dialog::{Kinds, OccurrenceKind};
///
/// let ends = Kinds::of(&[OccurrenceKind::Terminated, OccurrenceKind::Expired]);
/// assert!(ends.contains(OccurrenceKind::Expired) && !ends.contains(OccurrenceKind::Created));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// No kind: for an observer that only adds to listings.
    pub const NONE: Kinds = Kinds(0);
    /// Every kind.
    pub const ALL: Kinds = Kinds::of(&OccurrenceKind::ALL);

    /// The set of these kinds; usable in constants.
    pub const fn of(kinds: &[OccurrenceKind]) -> Kinds {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, others @ ..] = rest {
            bits |= first.bit();
            rest = others;
        }
        Kinds(bits)
    }

    /// Is the kind in the set?
    pub const fn contains(self, kind: OccurrenceKind) -> bool {
        self.0 & kind.bit() != 0
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }
}

/// One happening, without what it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What happened.
    pub kind: OccurrenceKind,
    /// The way the message travels that caused it.
    pub direction: Direction,
    /// With [`OccurrenceKind::Expired`]: the dialog was confirmed.
    pub was_confirmed: bool,
    /// The state before, when this step moved it; the one after is in the [`DialogView`].
    pub old: Option<State>,
}

impl Occurrence {
    /// An occurrence without direction.
    pub fn of(kind: OccurrenceKind) -> Occurrence {
        Occurrence::towards(kind, Direction::None)
    }

    /// An occurrence caused by a message that travels this way.
    pub fn towards(kind: OccurrenceKind, direction: Direction) -> Occurrence {
        Occurrence { kind, direction, was_confirmed: false, old: None }
    }

    /// The same, told of a step that left this state.
    pub fn leaving(self, old: State) -> Occurrence {
        Occurrence { old: Some(old), ..self }
    }
}

/// The messages that caused a step, to be read only. Both are missing when the proxy acts on its own: a deadline, a
/// command, a load; the reply is missing too when it is made here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause<'a> {
    /// The request; for a reply the one it answers.
    pub request: Option<&'a Message>,
    /// The reply, as it came in.
    pub reply: Option<&'a Message>,
}

impl<'a> Cause<'a> {
    /// No message: made here.
    pub const HERE: Cause<'static> = Cause { request: None, reply: None };

    /// A request alone.
    pub fn request(request: &'a Message) -> Cause<'a> {
        Cause { request: Some(request), reply: None }
    }

    /// No message is behind it.
    pub fn is_made_here(&self) -> bool {
        self.request.is_none() && self.reply.is_none()
    }
}

/// Everything an observer is told at once.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// For variables, lifetimes, holds and wishes ([`Engine::wish`]); no lock is held.
    pub engine: &'a Engine,
    /// The time of the step: charge by its monotonic part.
    pub now: Now,
    /// The dialog as the step left it.
    pub dialog: &'a DialogView,
    /// What happened to it.
    pub occurrence: Occurrence,
    /// The messages behind it.
    pub cause: Cause<'a>,
}

/// Someone who follows dialogs. Called on the thread that made the step, with no lock held, so it may call the engine; the
/// message waits meanwhile, so it must not wait for anything itself. A panic is caught and counted, the call goes on
/// ([`Engine::observer_panics`]).
///
/// ```
/// use dialog::{Kinds, Notice, Observer, OccurrenceKind};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[derive(Default)]
/// struct Answered(AtomicU64);
///
/// impl Observer for Answered {
///     fn wants(&self) -> Kinds {
///         Kinds::of(&[OccurrenceKind::Answered])
///     }
///
///     fn on(&self, _notice: &Notice<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Any + Send + Sync {
    /// The kinds it is told; asked once, when it is added.
    fn wants(&self) -> Kinds {
        Kinds::ALL
    }

    /// Something it wants has happened.
    fn on(&self, notice: &Notice<'_>);

    /// Fields for listings with context (`dlg.list_ctx`, spec dialog 7.2), at most
    /// [`crate::limits::LISTING_FIELDS_MAX`]. Called while a list is written, for each dialog.
    fn listing_context(&self, dialog: &DialogView) -> Vec<(Cow<'static, str>, AttributeValue)> {
        let _ = dialog;
        Vec::new()
    }
}
