//! Copies of a dialog for readers: everything RPC, variables, the database and observers show (spec dialog 5.2, 7.2).

use std::sync::Arc;

use crate::end_reason::EndReason;
use crate::engine::DialogId;
use crate::leg::Leg;
use crate::state::State;

/// One party of the copy; empty texts mean "never set".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegView {
    pub tag: Vec<u8>,
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
    pub name: Arc<str>,
    pub value: Option<Vec<u8>>,
    /// Unique text of the membership, `dlgp-6b0354b6-57be-4`.
    pub unique: String,
}

/// A copy of one dialog at one moment. Times are unix seconds, 0 = not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogView {
    pub id: DialogId,
    /// The reference count Kamailio would show.
    pub references: u32,
    pub call_id: Vec<u8>,
    pub from_uri: Vec<u8>,
    pub to_uri: Vec<u8>,
    pub request_uri: Vec<u8>,
    pub state: State,
    pub init_time: u32,
    pub start_time: u32,
    pub end_time: u32,
    pub modified_time: u32,
    /// Absolute end of the lifetime; 0 when it does not run.
    pub timeout: u32,
    /// Seconds.
    pub lifetime: u32,
    pub dialog_flags: u16,
    pub script_flags: u32,
    pub internal_flags: u8,
    pub timeout_route: i32,
    pub timeout_route_name: Vec<u8>,
    /// Record-Route entries of the INVITE.
    pub caller_route_entries: u8,
    /// Why it ended or is being ended; `None` before.
    pub end_reason: Option<EndReason>,
    /// Status of the failure, or the cause a BYE stated; 0 = none.
    pub end_code: u16,
    /// Reason header of what ended it (RFC 3326); empty = none.
    pub end_text: Vec<u8>,
    pub caller: LegView,
    pub callee: LegView,
    /// Newest first.
    pub profiles: Vec<ProfileView>,
    /// Newest first.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
}

impl DialogView {
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
