//! Why a call ended and who ended it: the first cause counts, and it has a short token (docs/end-reasons.md).

use crate::leg::Leg;

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ender {
    Caller,
    Callee,
    /// This proxy: a timer, an operator, the script, a program built on the engine.
    Proxy,
}

/// The first cause of the end; what follows from it (the answer to a BYE made here, a 487) does not replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EndReason {
    CallerBye = 1,
    CalleeBye,
    /// The caller gave up before an answer.
    Cancel,
    /// The callee's side answered the INVITE with 300 or above.
    CalleeReject,
    /// This proxy answered the INVITE with 300 or above.
    ProxyReject,
    /// Nobody answered the INVITE: this proxy made the 408.
    NoAnswer,
    /// `early_timeout` passed without a final reply.
    EarlyTimeout,
    /// The lifetime ran out.
    Timeout,
    /// The ACK to the 2xx never came.
    NoAck,
    /// A party answered the keepalive probes no more, or did not know the call.
    Keepalive,
    /// The call was over before its answer came, by the caller's BYE or from here, and this proxy hung up both sides.
    Race,
    /// An operator, by RPC.
    Rpc,
    /// A function of the script.
    Script,
    /// A program built on the engine.
    Application,
    /// The INVITE was never forwarded, or the record was removed by force.
    Abandoned,
}

impl EndReason {
    /// In the order of their numbers.
    pub const ALL: [EndReason; 15] = [
        EndReason::CallerBye,
        EndReason::CalleeBye,
        EndReason::Cancel,
        EndReason::CalleeReject,
        EndReason::ProxyReject,
        EndReason::NoAnswer,
        EndReason::EarlyTimeout,
        EndReason::Timeout,
        EndReason::NoAck,
        EndReason::Keepalive,
        EndReason::Race,
        EndReason::Rpc,
        EndReason::Script,
        EndReason::Application,
        EndReason::Abandoned,
    ];

    /// The reason with this number, from 1.
    pub fn from_number(number: u16) -> Option<EndReason> {
        usize::from(number).checked_sub(1).and_then(|place| EndReason::ALL.get(place)).copied()
    }

    /// The BYE of a party.
    pub fn bye_of(leg: Leg) -> EndReason {
        match leg {
            Leg::Caller => EndReason::CallerBye,
            Leg::Callee => EndReason::CalleeBye,
        }
    }

    /// What `$dlg(end_reason)`, RPC and the statistics show.
    pub const fn token(self) -> &'static str {
        match self {
            EndReason::CallerBye => "caller_bye",
            EndReason::CalleeBye => "callee_bye",
            EndReason::Cancel => "cancel",
            EndReason::CalleeReject => "callee_reject",
            EndReason::ProxyReject => "proxy_reject",
            EndReason::NoAnswer => "no_answer",
            EndReason::EarlyTimeout => "early_timeout",
            EndReason::Timeout => "timeout",
            EndReason::NoAck => "no_ack",
            EndReason::Keepalive => "keepalive",
            EndReason::Race => "race",
            EndReason::Rpc => "rpc",
            EndReason::Script => "script",
            EndReason::Application => "application",
            EndReason::Abandoned => "abandoned",
        }
    }

    pub const fn ender(self) -> Ender {
        match self {
            EndReason::CallerBye | EndReason::Cancel => Ender::Caller,
            EndReason::CalleeBye | EndReason::CalleeReject => Ender::Callee,
            _ => Ender::Proxy,
        }
    }
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.token())
    }
}

/// What the message that ends a call says about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatedCause<'a> {
    /// The cause in the Reason header (RFC 3326), such as a Q.850 cause; 0 = none.
    pub code: u16,
    /// The value of the Reason header; cut at [`crate::limits::END_TEXT_BYTES_MAX`]; empty = none.
    pub text: &'a [u8],
}

impl StatedCause<'_> {
    pub(crate) fn bounded_text(&self) -> &[u8] {
        let end = self.text.len().min(crate::limits::END_TEXT_BYTES_MAX);
        self.text.get(..end).unwrap_or_default()
    }
}

/// The end of a call as its record keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Decided, seen from outside. Never replaced while the call stays over.
    pub(crate) reason: Option<EndReason>,
    /// What will be to blame if the call ends by what is under way: a CANCEL, an early termination, a lifetime cut short.
    pub(crate) expected: Option<EndReason>,
    /// Status of the failure or stated cause; 0 = none.
    pub(crate) code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_reasons_are_the_same_thing() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_number(reason as u16), Some(reason));
        }
        assert_eq!((EndReason::from_number(0), EndReason::from_number(16)), (None, None));
    }

    #[test]
    fn every_token_is_one_word_of_its_own() {
        let mut tokens: Vec<&str> = EndReason::ALL.map(EndReason::token).to_vec();
        assert!(tokens.iter().all(|token| token.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), EndReason::ALL.len());
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = vec![b'x'; crate::limits::END_TEXT_BYTES_MAX + 1];
        assert_eq!(StatedCause { code: 0, text: &text }.bounded_text().len(), crate::limits::END_TEXT_BYTES_MAX);
    }
}
