//! Copies of a dialog for readers: everything RPC, variables, the database and observers show (spec dialog 5.2, 7.2).

use std::sync::Arc;

use crate::end_reason::EndReason;
use crate::engine::DialogId;
use crate::leg::Leg;
use crate::profiles::Place;
use crate::state::State;

/// One party of the copy; empty texts mean "never set".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegView {
    /// From-tag of the caller, To-tag of the callee.
    pub tag: Vec<u8>,
    /// URI where the party is reached.
    pub contact: Vec<u8>,
    /// Last CSeq seen from this party; the callee's is unknown before the 2xx and then 0.
    pub cseq: Option<u32>,
    /// Comma-joined Route entries.
    pub route_set: Vec<u8>,
    /// `udp:127.0.0.1:5060`
    pub socket: Vec<u8>,
}

/// One membership of the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileView {
    /// Name of the profile.
    pub name: Arc<str>,
    /// `None` in a profile without values.
    pub value: Option<Vec<u8>>,
    /// The place it takes below a limit.
    pub place: Place,
    /// Unique text of the membership, `dlgp-6b0354b6-57be-4`.
    pub unique: String,
}

/// A copy of one dialog at one moment. Times are unix seconds, 0 = not yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogView {
    /// Slot and number.
    pub id: DialogId,
    /// The reference count Kamailio would show.
    pub references: u32,
    /// Call-ID, trimmed.
    pub call_id: Vec<u8>,
    /// URI of the INVITE's From.
    pub from_uri: Vec<u8>,
    /// URI of the INVITE's To.
    pub to_uri: Vec<u8>,
    /// What `ruri_pvar` gave when the dialog was made.
    pub request_uri: Vec<u8>,
    /// The state the step left.
    pub state: State,
    /// When the INVITE came.
    pub init_time: u32,
    /// When the 2xx came.
    pub start_time: u32,
    /// When state 5 was entered.
    pub end_time: u32,
    /// When the last event came.
    pub modified_time: u32,
    /// Absolute end of the lifetime; 0 when it does not run.
    pub timeout: u32,
    /// Seconds.
    pub lifetime: u32,
    /// Bits of [`crate::flags::dialog_flag`].
    pub dialog_flags: u16,
    /// Bits that `dlg_setflag()` sets.
    pub script_flags: u32,
    /// Bits of [`crate::flags::internal_flag`].
    pub internal_flags: u8,
    /// Number of the timeout route, 0 = none or known by name alone.
    pub timeout_route: i32,
    /// Its name; empty = none.
    pub timeout_route_name: Vec<u8>,
    /// Record-Route entries of the INVITE.
    pub caller_route_entries: u8,
    /// Why it ended or is being ended; `None` before.
    pub end_reason: Option<EndReason>,
    /// Status of the failure, or the cause a BYE stated; 0 = none.
    pub end_code: u16,
    /// Reason header of what ended it (RFC 3326); empty = none.
    pub end_text: Vec<u8>,
    /// Who sent the INVITE.
    pub caller: LegView,
    /// Who answered; empty before the 2xx.
    pub callee: LegView,
    /// Newest first.
    pub profiles: Vec<ProfileView>,
    /// Newest first.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
}

impl DialogView {
    /// One of both.
    pub fn leg(&self, leg: Leg) -> &LegView {
        match leg {
            Leg::Caller => &self.caller,
            Leg::Callee => &self.callee,
        }
    }

    /// The value of a `$dlg_var`.
    pub fn variable(&self, key: &[u8]) -> Option<&[u8]> {
        self.variables.iter().find(|(own, _)| own == key).map(|(_, value)| &value[..])
    }

    /// Seconds of the call so far, or in all when it is over; 0 before the answer.
    pub fn duration(&self, now_seconds: u32) -> u32 {
        match (self.start_time, self.end_time) {
            (0, _) => 0,
            (start, 0) => now_seconds.saturating_sub(start),
            (start, end) => end.saturating_sub(start),
        }
    }
}

/// One field of a dialog, for `$dlg(...)` without copying the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    References,
    HashId,
    HashEntry,
    State,
    DialogFlags,
    ScriptFlags,
    InternalFlags,
    TimeoutRoute,
    TimeoutRouteName,
    Lifetime,
    InitTime,
    StartTime,
    EndTime,
    CallId,
    FromUri,
    ToUri,
    RequestUri,
    Tag(Leg),
    CSeq(Leg),
    RouteSet(Leg),
    Contact(Leg),
    Socket(Leg),
    EndReason,
    EndCode,
    EndText,
}

/// The value of an attribute; empty texts are `None` for the asker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    Number(i64),
    Text(Vec<u8>),
}
