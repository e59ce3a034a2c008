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
    /// Each callee refuses with a code of its own.
    Refused,
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
    /// Re-INVITEs of both sides cross and are refused with 491 (RFC 3261 §14.1).
    Glare,
    /// The provisional reply is reliable (RFC 3262).
    Reliable,
    /// UPDATE and INFO from both sides.
    Churn,
    /// REFER and its NOTIFY within the dialog (RFC 3515).
    Referred,
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
    /// The script suspends the call, before its dialog is made.
    Suspended,
    /// The same, once its dialog is made.
    Held,
    /// The script sleeps with the transaction in its hands.
    Napping,
    /// The next hop has a name.
    Named,
    /// The next hop has a name nobody knows.
    Lost,
    /// The caller sends many re-INVITEs at once.
    Hasty,
}

impl Behaviour {
    /// What the user part of the first request begins with: workload.cfg reads it.
    pub fn prefix(self) -> &'static str {
        match self {
            Behaviour::Spiral => "spiral-",
            Behaviour::Suspended => "wait-",
            Behaviour::Held => "hold-",
            Behaviour::Napping => "nap-",
            Behaviour::Named => "named-",
            Behaviour::Lost => "lost-",
            _ => "",
        }
    }
}

/// Behaviours with their weights.
const WEIGHTS: &[(Behaviour, u64)] = &[
    (Behaviour::CallerHangsUp, 5),
    (Behaviour::CalleeHangsUp, 5),
    (Behaviour::BothHangUp, 3),
    (Behaviour::Busy, 3),
    (Behaviour::Declined, 1),
    (Behaviour::Refused, 4),
    (Behaviour::NoAnswer, 2),
    (Behaviour::Cancelled, 3),
    (Behaviour::CancelledAtAnswer, 4),
    (Behaviour::ByeAtAnswer, 2),
    (Behaviour::EarlyBye, 1),
    (Behaviour::Renegotiated, 2),
    (Behaviour::Glare, 2),
    (Behaviour::Reliable, 2),
    (Behaviour::Churn, 2),
    (Behaviour::Referred, 1),
    (Behaviour::MuteCallee, 2),
    (Behaviour::CalleeVanishes, 2),
    (Behaviour::CallerVanishes, 2),
    (Behaviour::Endless, 3),
    (Behaviour::Spiral, 3),
    (Behaviour::Suspended, 2),
    (Behaviour::Held, 2),
    (Behaviour::Napping, 2),
    (Behaviour::Named, 2),
    (Behaviour::Lost, 1),
    (Behaviour::Hasty, 1),
];

/// Codes callees refuse with.
const REFUSALS: &[u16] = &[302, 401, 404, 407, 410, 415, 480, 486, 500, 503, 600, 603];

/// Codes parties answer a BYE with that is not simply accepted; 0: no answer at all.
const BYE_REFUSALS: &[u16] = &[0, 401, 408, 481, 500, 503];

/// What the script is asked to do with the call, and when: workload.cfg reads it.
const WISHES: &[&str] = &[
    "request-caller",
    "request-callee",
    "request-all",
    "refer-caller",
    "refer-callee",
    "early-all",
    "answer-all",
    "failure-all",
    "start-all",
    "start-caller",
    "timeout-all",
    "timeout-callee",
    "bridge-none",
    "lifetime-odd",
    "copies-none",
    "variables-many",
    "variables-huge",
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
    /// What either callee refuses with.
    pub refusals: [u16; 2],
    /// The lifetime the script is asked for, seconds.
    pub lifetime: Option<u64>,
    /// The caller speaks over TCP.
    pub is_stream: bool,
    /// What both parties answer a BYE with; 0: nothing.
    pub bye_code: u16,
    /// The caller sends an ACK when it is answered.
    pub acknowledges: bool,
    /// How far a request within the dialog is numbered above the last one: others may have used the numbers between.
    pub cseq_step: u32,
    /// Milliseconds that may lie between the answers of two callees.
    pub answers_apart: u64,
    /// What the script is asked for.
    pub wish: Option<&'static str>,
}

impl Plan {
    /// The plan of call `number`, which begins before `latest`. `has_prefixes`: the first proxy runs workload.cfg.
    pub fn of_seed(number: usize, latest: u64, has_prefixes: bool, random: &mut Random) -> Plan {
        let mut behaviour = pick(random);
        if !behaviour.prefix().is_empty() && !has_prefixes {
            behaviour = Behaviour::CallerHangsUp;
        }
        let mut refusal = || any_of(REFUSALS, random).unwrap_or(486);
        let refusals = [refusal(), refusal()];
        Plan {
            call_id: format!("call-{number}@simulation"),
            account: format!("account{}", random.below(3)),
            behaviour,
            begin: random.below(latest),
            ring: (random.below(4) != 0).then(|| random.below(300)),
            answer: 200 + random.below(4_000),
            talk: random.below(15_000),
            refusals,
            lifetime: (random.below(5) == 0).then(|| 2 + random.below(8)),
            is_stream: random.below(5) == 0,
            bye_code: if random.below(6) == 0 { any_of(BYE_REFUSALS, random).unwrap_or(200) } else { 200 },
            acknowledges: random.below(16) != 0,
            cseq_step: if random.below(4) == 0 { 1 + random.below(1_000) as u32 } else { 1 },
            answers_apart: if random.below(3) == 0 { 1_500 } else { 30 },
            wish: if random.below(4) == 0 { any_of(WISHES, random) } else { None },
        }
    }
}

fn any_of<T: Copy>(list: &[T], random: &mut Random) -> Option<T> {
    list.get(random.below(list.len() as u64) as usize).copied()
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
