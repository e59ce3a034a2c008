//! The cases: what is counted, how often, and what one operation of each is.

use crate::call::{BASIC_CALL, CALL_WITH_RE_INVITE, CALLS_A_SECOND, CALLS_BEFORE, CALLS_UNTIL_STEADY, Scene, Step};
use crate::meter::Meter;
use crate::{dialogs, messages, scripts, transactions};

/// One thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    ParseInvite,
    ParseReply,
    Serialise,
    Transaction,
    Dialog,
    Match,
    Profile,
    Statements,
    Script,
    Call,
    Invite,
    Replies,
    Acknowledge,
    ReInvite,
    Bye,
}

impl Case {
    pub const ALL: [Case; 15] = [
        Case::ParseInvite,
        Case::ParseReply,
        Case::Serialise,
        Case::Transaction,
        Case::Dialog,
        Case::Match,
        Case::Profile,
        Case::Statements,
        Case::Script,
        Case::Call,
        Case::Invite,
        Case::Replies,
        Case::Acknowledge,
        Case::ReInvite,
        Case::Bye,
    ];

    /// As the baseline and the command line call it.
    pub fn name(self) -> &'static str {
        match self {
            Case::ParseInvite => "parse-invite",
            Case::ParseReply => "parse-200",
            Case::Serialise => "serialise",
            Case::Transaction => "transaction",
            Case::Dialog => "dialog",
            Case::Match => "did-match",
            Case::Profile => "profile",
            Case::Statements => "statements",
            Case::Script => "script",
            Case::Call => "call",
            Case::Invite => "call-invite",
            Case::Replies => "call-replies",
            Case::Acknowledge => "call-ack",
            Case::ReInvite => "call-re-invite",
            Case::Bye => "call-bye",
        }
    }

    /// What one operation is.
    pub fn about(self) -> &'static str {
        match self {
            Case::ParseInvite => "an INVITE of 1 kB indexed, its required headers checked, the fields a proxy needs read",
            Case::ParseReply => "the same for a 200 with SDP",
            Case::Serialise => "that INVITE written with Via and Record-Route before it, received, and Max-Forwards replaced",
            Case::Transaction => "INVITE transaction: key, created, branch sent, 100; 200 matched and relayed; freed by its timer",
            Case::Dialog => "dialog created, answered, acknowledged, ended by BYE, freed, while 1000 others are up",
            Case::Match => "a request matched by its did cookie among 10000 dialogs",
            Case::Profile => "a dialog joins a profile under a value, and the size under that value is asked",
            Case::Statements => {
                "the virtual machine over 50 statements of assignments, arithmetic, text and conditions, no module function"
            }
            Case::Script => {
                "request_route of call-limit.cfg over an INVITE: the virtual machine and all functions it calls, t_relay included"
            }
            Case::Call => "basic call through Proxy::handle: INVITE 180 200 ACK BYE 200, and the timers due",
            Case::Invite => "its INVITE alone, through Proxy::handle",
            Case::Replies => "its 180 and 200 to the INVITE",
            Case::Acknowledge => "its ACK",
            Case::ReInvite => "a re-INVITE, its 200 and its ACK, in the same call",
            Case::Bye => "its BYE and the 200 to it",
        }
    }

    /// The case of this name.
    pub fn named(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|case| case.name() == name)
    }

    /// How often the gate does the operation: enough that what happens now and then is in the count.
    pub fn count(self) -> u32 {
        match self {
            Case::Call | Case::Invite | Case::Replies | Case::Acknowledge | Case::ReInvite | Case::Bye => CALLS_A_SECOND,
            _ => 1_000,
        }
    }

    /// Prepares, then does the operation `count` times through the meter.
    pub fn run(self, count: u32, meter: &mut impl Meter) -> Result<(), String> {
        match self {
            Case::ParseInvite => messages::parse(messages::INVITE, count, meter),
            Case::ParseReply => messages::parse(messages::REPLY, count, meter),
            Case::Serialise => messages::serialise(count, meter),
            Case::Transaction => transactions::run(count, meter),
            Case::Dialog => dialogs::live_and_end(count, meter),
            Case::Match => dialogs::find(count, meter),
            Case::Profile => dialogs::join(count, meter),
            Case::Statements => scripts::statements(count, meter),
            Case::Script => scripts::of_an_invite(count, meter),
            Case::Call => calls(&BASIC_CALL, &BASIC_CALL, count, meter),
            Case::Invite => calls(&BASIC_CALL, &[Step::Invite], count, meter),
            Case::Replies => calls(&BASIC_CALL, &[Step::Ringing, Step::Answer], count, meter),
            Case::Acknowledge => calls(&BASIC_CALL, &[Step::Ack], count, meter),
            Case::ReInvite => {
                let counted = [Step::ReInvite, Step::ReInviteAnswer, Step::ReInviteAck];
                calls(&CALL_WITH_RE_INVITE, &counted, count, meter)
            }
            Case::Bye => calls(&BASIC_CALL, &[Step::Bye, Step::ByeAnswer], count, meter),
        }
    }
}

fn calls(steps: &[Step], counted: &[Step], count: u32, meter: &mut impl Meter) -> Result<(), String> {
    // Only the timers have more to do when transactions of the last seconds are there.
    let before = if counted.contains(&Step::Tick) { CALLS_UNTIL_STEADY } else { CALLS_BEFORE };
    let mut scene = Scene::after(before, steps)?;
    for _ in 0..count {
        scene.call(steps, counted, meter)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is asked.
    struct Asked(u32);

    impl Meter for Asked {
        fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
            self.0 += 1;
            work()
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        for (place, case) in Case::ALL.into_iter().enumerate() {
            assert_eq!(Case::named(case.name()), Some(case));
            assert!(Case::ALL.iter().skip(place + 1).all(|other| other.name() != case.name()));
        }
        assert_eq!(Case::named("nothing"), None);
    }

    #[test]
    fn the_documentation_tells_of_every_case() {
        let text = include_str!("../../docs/performance.md");
        for case in Case::ALL {
            let row = format!("| `{}` | {} |", case.name(), case.about());
            assert!(text.contains(&row), "docs/performance.md has no row {row}");
        }
    }

    #[test]
    fn every_case_does_its_operation_as_often_as_asked() -> Result<(), String> {
        for case in Case::ALL {
            let mut asked = Asked(0);
            case.run(5, &mut asked)?;
            let inputs = match case {
                Case::Call => BASIC_CALL.len() as u32,
                Case::Replies | Case::Bye => 2,
                Case::ReInvite => 3,
                _ => 1,
            };
            assert_eq!(asked.0, 5 * inputs, "{}", case.name());
        }
        Ok(())
    }
}
