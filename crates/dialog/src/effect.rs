//! What goes into the engine's steps and what comes out of them for the caller to do.

use std::fmt;

use crate::end_reason::StatedCause;
use crate::engine::DialogId;
use crate::leg::{AliasedContact, Direction, Leg};
use crate::limits::{DIALOGS_OF_CALL_ID_MAX, FIELDS_BYTES_MAX, VARIABLE_KEY_BYTES_MAX, VARIABLES_BYTES_MAX, VARIABLES_MAX};
use crate::observer::{Cause, Occurrence};
use crate::profiles::{Place, ProfileId};
use crate::state::{Event, State};
use crate::view::DialogView;

/// The routes a dialog runs, each at most once in its life (spec dialog 2.7, F15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventRoute {
    /// The 2xx is about to leave.
    Start,
    /// An answered call is over or its BYEs were made.
    End,
    /// Over before an answer.
    Failed,
}

impl EventRoute {
    /// The name after `event_route`: `dialog:start`.
    pub fn name(self) -> &'static str {
        match self {
            EventRoute::Start => "dialog:start",
            EventRoute::End => "dialog:end",
            EventRoute::Failed => "dialog:failed",
        }
    }
}

/// A membership asked for before the dialog existed (spec dialog 6.4).
#[derive(Clone, Copy, Debug)]
pub struct PendingProfile<'a> {
    pub profile: ProfileId,
    pub value: Option<&'a [u8]>,
    /// Which place it has, when it comes from storage; memberships asked for anew are ordinary.
    pub place: Place,
}

impl<'a> PendingProfile<'a> {
    /// A membership asked for anew.
    pub fn of(profile: ProfileId, value: Option<&'a [u8]>) -> PendingProfile<'a> {
        PendingProfile { profile, value, place: Place::Ordinary }
    }
}

/// What `dlg_manage()` knows about an INVITE (spec dialog 1.5).
#[derive(Clone, Copy, Debug, Default)]
pub struct NewDialog<'a> {
    /// Trimmed.
    pub call_id: &'a [u8],
    pub from_uri: &'a [u8],
    pub to_uri: &'a [u8],
    pub request_uri: &'a [u8],
    pub from_tag: &'a [u8],
    /// URI of the single Contact.
    pub contact: &'a [u8],
    /// Record-Route entries in message order, comma-joined.
    pub route_set: &'a [u8],
    /// How many entries that are.
    pub route_entries: usize,
    pub cseq: u32,
    /// `udp:127.0.0.1:5060`, empty if none.
    pub socket: &'a [u8],
    /// Seconds; `None` = `default_timeout`.
    pub lifetime: Option<u32>,
    /// Index and name of the timeout route.
    pub timeout_route: Option<(i32, &'a [u8])>,
    pub timeout_bye: bool,
    pub script_flags: u32,
    pub internal_flags: u8,
    /// Set before, newest first.
    pub variables: &'a [(&'a [u8], &'a [u8])],
    /// Asked for before, in that order; joined in reverse (spec dialog 13.40).
    pub profiles: &'a [PendingProfile<'a>],
    /// A transaction exists already and is watched.
    pub transaction: bool,
    /// The caller reports `Created` or `Spiralled` itself, once there is a transaction (`initial_cbs_inscript` 0).
    pub is_told_later: bool,
    /// The INVITE, for observers.
    pub cause: Cause<'a>,
}

/// The answer to a new INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A new dialog in state 1.
    Created(DialogId),
    /// The INVITE of a live dialog came again; nothing was made or counted.
    Spiral(DialogId),
    Refused(Refusal),
}

/// Why no dialog was made; `dlg_manage()` gives -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoCallId,
    NoFromTag,
    NoContact,
    /// The texts need more than [`crate::limits::FIELDS_BYTES_MAX`].
    TooLarge,
    /// `dialogs_max` are held.
    Full,
    TooManyOfCallId,
    /// A pending variable breaks a bound.
    Variable(VariableError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoCallId => out.write_str("it has no Call-ID"),
            Refusal::NoFromTag => out.write_str("its From has no tag"),
            Refusal::NoContact => out.write_str("it has not exactly one Contact"),
            Refusal::TooLarge => write!(out, "its Call-ID, tags, URIs and routes need more than {FIELDS_BYTES_MAX} bytes"),
            Refusal::Full => out.write_str("as many dialogs as may be are held already"),
            Refusal::TooManyOfCallId => write!(out, "{DIALOGS_OF_CALL_ID_MAX} dialogs have its Call-ID already"),
            Refusal::Variable(error) => write!(out, "a variable set before is refused: {error}"),
        }
    }
}

/// Why a variable was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableError {
    UnknownDialog,
    KeyTooLong,
    TooLarge,
    TooMany,
}

impl fmt::Display for VariableError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VariableError::UnknownDialog => out.write_str("the dialog is gone"),
            VariableError::KeyTooLong => write!(out, "the name is longer than {VARIABLE_KEY_BYTES_MAX} bytes"),
            VariableError::TooLarge => write!(out, "the variables of one dialog need more than {VARIABLES_BYTES_MAX} bytes"),
            VariableError::TooMany => write!(out, "one dialog has at most {VARIABLES_MAX} variables"),
        }
    }
}

/// How the table judged an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Moved,
    Stayed,
    /// Forbidden in this state; counted, nothing changed.
    Bogus,
}

/// The first half of a step: the state has moved. Run `route`, then give this back to the matching `…_finish`.
#[derive(Debug)]
#[must_use = "the step has to be finished"]
pub struct Change {
    pub id: DialogId,
    /// What the table was asked.
    pub event: Event,
    /// Before the step.
    pub old: State,
    /// After it; the same when nothing moved.
    pub new: State,
    /// How the table judged.
    pub verdict: Verdict,
    /// To be run now, with the dialog in state `new`.
    pub route: Option<EventRoute>,
    /// Seconds since the answer, for `$DLG_lifetime`.
    pub age: u32,
    /// Once finished, one hold stays on the record: call `Engine::release` when the transaction ends.
    pub held: bool,
}

/// The second half of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// The record went away while the route ran.
    pub gone: bool,
    /// The record was destroyed by this step.
    pub destroyed: bool,
    /// What observers were told.
    pub occurrence: Option<Occurrence>,
    /// Put the cookie parameter on the request (spec dialog 1.4).
    pub add_cookie: bool,
    /// Keepalive probes were started.
    pub keepalive: bool,
    /// Database work is due (`dflags` NEW, CHANGED).
    pub store: bool,
    /// How far the CSeq number of the request is to be raised on its way out.
    pub sequence_shift: u32,
}

/// Method of a request within a dialog as far as the engine cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestMethod {
    Ack,
    Bye,
    Prack,
    Invite,
    Other,
}

impl RequestMethod {
    /// The event of the state table.
    pub fn event(self) -> Event {
        match self {
            RequestMethod::Ack => Event::Ack,
            RequestMethod::Bye => Event::Bye,
            RequestMethod::Prack => Event::Prack,
            RequestMethod::Invite | RequestMethod::Other => Event::Other,
        }
    }
}

/// A request within a dialog (spec dialog 2.4).
#[derive(Clone, Copy, Debug)]
pub struct InDialogRequest<'a> {
    pub method: RequestMethod,
    pub direction: Direction,
    pub cseq: Option<u32>,
    /// URI of the single Contact, used with INVITE only.
    pub contact: Option<&'a [u8]>,
    /// `timeout_avp`, when it holds a number above 0.
    pub timeout: Option<u32>,
    /// What a BYE says about the end; used with BYE only.
    pub stated: StatedCause<'a>,
    /// The request itself, for observers; read in the second half.
    pub cause: Cause<'a>,
}

/// A request this proxy has to build and send to one party (spec dialog 9.1). Owned, so it can wait in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRequest {
    pub dialog: DialogId,
    /// Who gets it.
    pub leg: Leg,
    pub request_uri: Vec<u8>,
    /// The contact had an alias parameter and no route set: send here.
    pub destination: Option<AliasedContact>,
    pub call_id: Vec<u8>,
    pub to_uri: Vec<u8>,
    pub to_tag: Vec<u8>,
    pub from_uri: Vec<u8>,
    pub from_tag: Vec<u8>,
    /// The number to write.
    pub cseq: u32,
    /// Value of the Route header; empty = none.
    pub route_set: Vec<u8>,
    /// Local socket to send from; empty = chosen by routing.
    pub socket: Vec<u8>,
}

/// How to end a call that is not answered yet (spec dialog 9.3): the reply to the caller, CANCEL to every branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyTermination {
    pub code: u16,
    pub reason: String,
}

/// How a call is to be ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the requests have to be sent"]
pub enum Termination {
    /// Send these BYEs, each as a [`crate::ByeTask`] of its own, then run the route. Report what becomes of each with
    /// `Engine::local_bye_finished`, `local_bye_repeated` or `local_bye_unsent`.
    Byes { caller: Option<Box<LocalRequest>>, callee: Option<Box<LocalRequest>>, route: Option<EventRoute> },
    /// Answer the INVITE and cancel its branches; its reply then moves the dialog to `failed`.
    Early(EarlyTermination),
}

/// Why a call is not ended or a request cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminateError {
    UnknownDialog,
    /// State 5.
    AlreadyOver,
    /// A local BYE is out (F46), or `dlg_bye` was done for this side before.
    Pending,
    /// No contact or CSeq of the party.
    Incomplete(Leg),
}

/// What a deadline asks for. Each is handed out once.
#[derive(Debug)]
pub enum Expiry {
    /// Lifetime over: run the timeout route if one is set, then call `Engine::expiry_decide`.
    Lifetime { id: DialogId, timeout_route: Option<(i32, Vec<u8>)> },
    /// Never answered in time; state 5 now: run the route, which is set with `early_timeout_event` only, then call
    /// `Engine::expiry_finish`, which removes the record whoever holds it.
    EarlyOver { change: Change },
    /// A finished record nobody released; gone.
    EndRemoved { dialog: Box<DialogView> },
    /// BYEs were never reported as finished; state 5 now: run the route, which is set only if it was not handed out before,
    /// then call `Engine::expiry_finish`.
    ByeUnanswered { change: Change },
}

/// What follows the timeout route.
#[derive(Debug)]
pub enum ExpiryStep {
    /// The call ended, was prolonged or vanished meanwhile.
    Nothing,
    /// Send the BYEs, then run the route. The dialog stays in its state until the first final reply.
    SendByes { termination: Termination },
    /// State 5 now: run the route, then call `Engine::expiry_finish`.
    Ended { change: Change },
}

/// What a changed lifetime led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutSet {
    /// States 1 and 2: used when the call is answered.
    Stored,
    Restarted,
    /// The lifetime does not run any more; only the number was stored.
    NotRunning,
}

/// Why a lifetime was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutError {
    UnknownDialog,
    /// Not above 0.
    NotPositive,
}

/// A dialog as storage gives it back (spec dialog 8.5). Profiles in stored order; variables newest first.
#[derive(Clone, Debug)]
pub struct Restored<'a> {
    pub id: DialogId,
    pub state: State,
    pub new: NewDialog<'a>,
    pub callee: crate::leg::CalleeLeg<'a>,
    pub callee_cseq: u32,
    /// Unix seconds.
    pub start_time: u32,
    /// Unix seconds.
    pub timeout: u32,
}

/// Why a stored dialog was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The Call-ID belongs to another slot: written with another `hash_size`.
    OtherHashSize,
    /// Already in memory.
    Exists,
    /// It ended while stored dialogs were being loaded.
    Ended,
    Refused(Refusal),
}
