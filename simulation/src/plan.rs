//! What the parties of each call will do, decided when the world is made.

use modules::worker::Random;

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    CallerHangsUp,
    CalleeHangsUp,
    /// Both send BYE at nearly the same moment.
    BothHangUp,
    Busy,
    Declined,
    /// Rings until the caller's proxy gives up.
    NoAnswer,
    /// The caller cancels while it rings.
    Cancelled,
    /// CANCEL and 200 cross.
    CancelledAtAnswer,
    /// The BYE of the caller follows its ACK at once and crosses retransmitted 200s.
    ByeAtAnswer,
    /// A BYE before the answer.
    EarlyBye,
    /// A re-INVITE each way, then BYE.
    Renegotiated,
    /// The callee never says anything.
    MuteCallee,
    /// The callee is gone once it has sent its first 200.
    CalleeVanishes,
    /// The caller is gone once it has sent its INVITE.
    CallerVanishes,
    /// Nobody hangs up: the proxy ends the call.
    Endless,
    /// The request comes through the first proxy twice.
    Spiral,
}

/// Behaviours with their weights.
const WEIGHTS: &[(Behaviour, u64)] = &[
    (Behaviour::CallerHangsUp, 5),
    (Behaviour::CalleeHangsUp, 5),
    (Behaviour::BothHangUp, 3),
    (Behaviour::Busy, 3),
    (Behaviour::Declined, 1),
    (Behaviour::NoAnswer, 2),
    (Behaviour::Cancelled, 3),
    (Behaviour::CancelledAtAnswer, 4),
    (Behaviour::ByeAtAnswer, 2),
    (Behaviour::EarlyBye, 1),
    (Behaviour::Renegotiated, 2),
    (Behaviour::MuteCallee, 2),
    (Behaviour::CalleeVanishes, 2),
    (Behaviour::CallerVanishes, 2),
    (Behaviour::Endless, 3),
    (Behaviour::Spiral, 3),
];

/// One call.
#[derive(Clone, Debug)]
pub struct Plan {
    pub call_id: String,
    pub account: String,
    pub behaviour: Behaviour,
    /// Milliseconds: begin, time until ringing (none: no provisional reply), until the answer, of talking.
    pub begin: u64,
    pub ring: Option<u64>,
    pub answer: u64,
    pub talk: u64,
}

impl Plan {
    /// The plan of call `number`, which begins before `latest`.
    pub fn of_seed(number: usize, latest: u64, may_spiral: bool, random: &mut Random) -> Plan {
        let mut behaviour = pick(random);
        if behaviour == Behaviour::Spiral && !may_spiral {
            behaviour = Behaviour::CallerHangsUp;
        }
        Plan {
            call_id: format!("call-{number}@simulation"),
            account: format!("account{}", random.below(3)),
            behaviour,
            begin: random.below(latest),
            ring: (random.below(4) != 0).then(|| random.below(300)),
            answer: 200 + random.below(4_000),
            talk: random.below(15_000),
        }
    }
}

fn pick(random: &mut Random) -> Behaviour {
    let total = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut rest = random.below(total);
    for (behaviour, weight) in WEIGHTS {
        if rest < *weight {
            return *behaviour;
        }
        rest -= weight;
    }
    Behaviour::CallerHangsUp
}
