//! What can be said about calls of this module's functions before they run.

use script::exports::Refusal;
use script::value::parse_integer;

use super::forwarding::{is_relay_flags, parse_proxy};
use crate::literals::{Check, Literals, refuse, status_code};
use crate::settings::Settings;

pub(super) static CHECKS: &[Check] = &[
    Check { function: "t_reply", examine: status_code::<0> },
    Check { function: "t_send_reply", examine: status_code::<0> },
    Check { function: "t_relay", examine: host_and_port },
    Check { function: "t_relay_to_udp", examine: host_and_port },
    Check { function: "t_relay_to_tcp", examine: host_and_port },
    Check { function: "t_relay_to_tls", examine: host_and_port },
    Check { function: "t_relay_to_sctp", examine: host_and_port },
    Check { function: "t_forward_nonack", examine: host_and_port },
    Check { function: "t_replicate", examine: host_and_port },
    Check { function: "t_relay_to", examine: proxy },
    Check { function: "t_relay_to_proxy", examine: proxy },
];

fn host_and_port(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    if literals.count() == 2 {
        if literals.text(0).is_some_and(|host| host.is_empty()) {
            return refuse(0, "a host is named here");
        }
        if let Some(port) = literals.text(1).filter(|port| parse_integer(port).is_none_or(|port| port < 0)) {
            return refuse(1, format!("{port} is no port"));
        }
    }
    Ok(())
}

/// `[protocol:]host[:port]`, or flags.
fn proxy(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(0) {
        Some(text) if is_relay_flags(&text) && parse_integer(&text).is_none() => refuse(0, format!("{text} is no number")),
        Some(text) if !text.is_empty() && !is_relay_flags(&text) && parse_proxy(&text).is_none() => {
            refuse(0, format!("\"{text}\" is not [protocol:]host[:port]"))
        }
        _ => Ok(()),
    }
}
