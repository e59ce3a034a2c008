//! What a change of a run-time variable does.

use std::sync::atomic::Ordering;

use script::syntax::ast::Literal;
use script::value::Text;
use transaction::Settings;
use transaction::settings::CancelUnanswered;

use super::variable::number;
use crate::node::Node;

fn text(value: &Literal) -> Text {
    match value {
        Literal::Integer(number) => Text::from(number.to_string()),
        Literal::Text(text) => text.clone(),
    }
}

fn integer(value: &Literal) -> i64 {
    number(value).unwrap_or(0)
}

fn unsigned<T: TryFrom<i64> + Default>(value: &Literal) -> T {
    T::try_from(integer(value)).unwrap_or_default()
}

pub(super) fn core_debug(node: &Node, _name: &str, value: &Literal) -> bool {
    let Ok(level) = i32::try_from(integer(value)) else { return false };
    node.core.set_debug(level);
    true
}

pub(super) fn core_log_facility(node: &Node, _name: &str, value: &Literal) -> bool {
    match crate::xlog::level::facility(&text(value)) {
        Some(facility) => node.core.log_facility.store(facility, Ordering::Relaxed),
        None => return false,
    }
    true
}

pub(super) fn core_while_loops(node: &Node, _name: &str, value: &Literal) -> bool {
    node.core.max_while_loops.store(unsigned(value), Ordering::Relaxed);
    true
}

pub(super) fn core_udp_mtu(node: &Node, _name: &str, value: &Literal) -> bool {
    node.core.udp_mtu.store(unsigned(value), Ordering::Relaxed);
    true
}

/// The number of TCP among the protocols.
const PROTOCOL_TCP: i64 = 2;

pub(super) fn core_udp_mtu_protocol(node: &Node, _name: &str, value: &Literal) -> bool {
    node.core.udp_mtu_try_tcp.store(integer(value) == PROTOCOL_TCP, Ordering::Relaxed);
    true
}

pub(super) fn core_force_rport(node: &Node, _name: &str, value: &Literal) -> bool {
    node.core.force_rport.store(integer(value) != 0, Ordering::Relaxed);
    true
}

/// A setting about names; negative numbers are the defaults of those that have none of their own.
pub(super) fn core_names(node: &Node, name: &str, value: &Literal) -> bool {
    let mut settings = crate::dns::Settings::clone(&node.core.dns);
    match name {
        "dns_cache_max_ttl" if integer(value) < 0 => settings.lifetime_max = u32::MAX,
        _ => {
            settings.apply(name, integer(value));
        }
    }
    node.core.dns.set(settings)
}

pub(super) fn core_blocklist(node: &Node, name: &str, value: &Literal) -> bool {
    let mut settings = crate::blocklist::Settings::clone(&node.core.blocklist);
    settings.apply(name, integer(value));
    node.core.blocklist.set(settings)
}

pub(super) fn maxfwd_limit(node: &Node, _name: &str, value: &Literal) -> bool {
    node.states.maxfwd.limit.store(unsigned(value), Ordering::Relaxed);
    true
}

pub(super) fn xlog_methods(node: &Node, _name: &str, value: &Literal) -> bool {
    node.states.xlog.silent_methods.store(integer(value), Ordering::Relaxed);
    true
}

/// Streams are not here: whoever runs them looks at the group again.
pub(super) fn streams(node: &Node, _name: &str, _value: &Literal) -> bool {
    if let Some(connections) = node.states.core.connections.get() {
        connections.settings_changed();
    }
    true
}

/// A setting of tm: for transactions from now on, and for what is decided later in those that exist.
pub(super) fn transactions(node: &Node, name: &str, value: &Literal) -> bool {
    let tm = &node.states.tm;
    match name {
        "auto_inv_100" => tm.auto_inv_100.store(integer(value) != 0, Ordering::Relaxed),
        "unmatched_cancel" => tm.unmatched_cancel.store(integer(value), Ordering::Relaxed),
        "auto_inv_100_reason" => return tm.auto_inv_100_reason.set(text(value).to_vec().into_boxed_slice()),
        "ac_extra_hdrs" => return tm.additional_cancel_headers.set(Some(text(value)).filter(|prefix| !prefix.is_empty())),
        _ => {
            let mut settings = Settings::clone(&tm.settings);
            change(&mut settings, name, value);
            return tm.settings.set(settings);
        }
    }
    true
}

fn change(settings: &mut Settings, name: &str, value: &Literal) {
    let is_on = integer(value) != 0;
    match name {
        "fr_timer" => settings.timers.final_response = unsigned(value),
        "fr_inv_timer" => settings.timers.final_response_invite = unsigned(value),
        "retr_timer1" => settings.timers.retransmit_first = unsigned(value),
        "retr_timer2" => settings.timers.retransmit_longest = unsigned(value),
        "max_inv_lifetime" => settings.timers.lifetime_invite = unsigned(value),
        "max_noninv_lifetime" => settings.timers.lifetime_other = unsigned(value),
        "wt_timer" => settings.wait = unsigned(value),
        "noisy_ctimer" => settings.noisy_timeout = is_on,
        "restart_fr_on_each_reply" => settings.restart_final_response_on_each_reply = is_on,
        "pass_provisional_replies" => settings.pass_provisional_replies = is_on,
        "aggregate_challenges" => settings.aggregate_challenges = is_on,
        "ruri_matching" => settings.match_request_uri = is_on,
        "via1_matching" => settings.match_top_via = is_on,
        "default_code" => settings.default_code = unsigned(value),
        "default_reason" => settings.default_reason = text(value).to_string().into_boxed_str(),
        "disable_6xx_block" => settings.disable_6xx_block = is_on,
        "local_cancel_reason" => settings.local_cancel_reason = is_on,
        "e2e_cancel_reason" => settings.copy_cancel_reason = is_on,
        "relay_100" => settings.relay_100 = is_on,
        "cancel_b_method" => {
            settings.cancel_unanswered = match integer(value) {
                0 => CancelUnanswered::Fake,
                2 => CancelUnanswered::SendNow,
                _ => CancelUnanswered::Wait,
            };
        }
        _ => {}
    }
}
