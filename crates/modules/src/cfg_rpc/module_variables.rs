//! The run-time variables of modules.

use super::apply;
use super::variable::{Variable, integer, text, within};

/// Group `tm`.
pub(super) static TRANSACTIONS: &[Variable] = &[
    text("auto_inv_100_reason", "trying -- your call is important to us", "reason of the automatic 100").with(apply::transactions),
    text("default_reason", "Server Internal Error", "reason of a reply for which none is given").with(apply::transactions),
    text("ac_extra_hdrs", "", "prefix of headers copied into CANCEL and ACK").with(apply::transactions),
    within("ruri_matching", 1, (0, 1), "matching of old branches looks at the Request-URI").with(apply::transactions),
    within("via1_matching", 1, (0, 1), "matching of old branches looks at the first Via").with(apply::transactions),
    integer("callid_matching", 0, "matching looks at Call-ID"),
    integer("callid_cseq_matching", 0, "matching looks at Call-ID and CSeq"),
    integer("fr_timer", 30_000, "milliseconds until the first reply, and for the ACK of a refusal").with(apply::transactions),
    integer("fr_inv_timer", 120_000, "milliseconds until the final reply to an INVITE that has a provisional one")
        .with(apply::transactions),
    integer("fr_inv_timer_next", 30_000, "the same for later branches"),
    integer("wt_timer", 5000, "milliseconds a completed transaction stays").with(apply::transactions),
    within("retr_timer1", 500, (0, 65_534), "milliseconds to the first retransmission").with(apply::transactions),
    within("retr_timer2", 4000, (0, 65_534), "longest milliseconds between retransmissions").with(apply::transactions),
    integer("max_inv_lifetime", 180_000, "milliseconds an INVITE transaction may live").with(apply::transactions),
    integer("max_noninv_lifetime", 32_000, "milliseconds another transaction may live").with(apply::transactions),
    within("noisy_ctimer", 1, (0, 1), "a timed out INVITE is always answered").with(apply::transactions),
    within("auto_inv_100", 1, (0, 1), "an INVITE is answered 100 at once").with(apply::transactions),
    integer("unix_tx_timeout", 500, "milliseconds for an application at a socket, none here"),
    within("restart_fr_on_each_reply", 1, (0, 1), "each provisional reply restarts the timer").with(apply::transactions),
    within("pass_provisional_replies", 0, (0, 1), "provisional replies to our own requests are told").with(apply::transactions),
    within("aggregate_challenges", 1, (0, 1), "a 401 or 407 carries the challenges of all branches").with(apply::transactions),
    within("unmatched_cancel", 0, (0, 2), "CANCEL without a transaction: 0 with one of its own, 1 without, 2 dropped")
        .with(apply::transactions),
    within("default_code", 500, (400, 699), "code of a reply for which none is given").with(apply::transactions),
    within("reparse_invite", 1, (0, 1), "CANCEL and ACK are built from the INVITE that was sent"),
    within("blst_503", 0, (0, 1), "senders of 503 are avoided"),
    integer("blst_503_def_timeout", 0, "seconds for that without Retry-After"),
    integer("blst_503_min_timeout", 0, "least seconds for that"),
    integer("blst_503_max_timeout", 3600, "most seconds for that"),
    integer("blst_methods_add", 1, "methods whose timeouts count against a destination"),
    integer("blst_methods_lookup", -9, "methods that respect avoided destinations"),
    within("cancel_b_method", 1, (0, 2), "branches without a reply: 0 are given up, 1 are cancelled when one comes, 2 at once")
        .with(apply::transactions),
    within("reparse_on_dns_failover", 1, (0, 1), "the next address gets what the former one got"),
    within("disable_6xx_block", 0, (0, 1), "6xx ends no other branch").with(apply::transactions),
    within("local_ack_mode", 0, (0, 2), "where the ACK of our own INVITE goes"),
    within("local_cancel_reason", 1, (0, 1), "CANCELs made here carry a Reason").with(apply::transactions),
    within("e2e_cancel_reason", 1, (0, 1), "the Reason of a received CANCEL is passed on").with(apply::transactions),
    within("relay_100", 0, (0, 1), "100 is relayed").with(apply::transactions),
    within("enable_uac_fr", 0, (0, 1), "failure routes run for requests made here"),
];

/// Group `maxfwd`.
pub(super) static HOP_LIMIT: &[Variable] = &[within("max_limit", 70, (0, 255), "largest Max-Forwards passed on").with(apply::maxfwd_limit)];

/// Group `siputils`.
pub(super) static RINGING: &[Variable] = &[within("ring_timeout", 30, (1, i32::MAX as i64), "seconds a Call-ID is remembered")];

/// Group `xlog`.
pub(super) static LOG_LINES: &[Variable] = &[integer("methods_filter", -1, "methods that xlogm is silent for").with(apply::xlog_methods)];
