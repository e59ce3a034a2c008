//! Words of the language itself: defines of the same name have no effect on them (spec cfg-language 1.5).

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::core_parameters;
use crate::lexer::token::word_number;

/// Is this word reserved, so that it is never looked up among the defines?
pub fn is_reserved(word: &str) -> bool {
    static RESERVED: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| WORDS.iter().copied().chain(core_parameters::names()).chain(core_function_names()).collect());
    RESERVED.contains(word) || word_number(word).is_some()
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "udp", "UDP", "tcp", "TCP", "tls", "TLS", "sctp", "SCTP", "ws", "WS", "wss", "WSS", "if", "else", "switch", "case",
    "default", "while", "break", "return", "exit", "drop", "route", "request_route", "reply_route", "onreply_route",
    "failure_route", "branch_route", "onsend_route", "event_route", "method", "uri", "status", "from_uri", "to_uri",
    "src_ip", "dst_ip", "snd_ip", "to_ip", "src_port", "dst_port", "snd_port", "to_port", "af", "snd_af", "to_af", "proto",
    "snd_proto", "to_proto", "myself", "and", "or", "not", "mod", "eq", "ne", "ieq", "ine", "strlen", "strempty", "defined",
    "selval", "loadmodule", "loadmodulex", "loadpath", "mpath", "modparam", "modparamx", "cfgengine", "kemi", "flags", "bool",
    "avpflags", "advertise", "virtual", "name", "agname", "vrf", "bind", "workers", "desc", "descr", "description",
    "include_file", "import_file", "max_len",
];

/// Functions built into the grammar: name, and may it be written without parentheses (spec cfg-language 16.1)?
#[rustfmt::skip]
pub const CORE_FUNCTIONS: &[(&str, bool)] = &[
    ("forward", false), ("forward_udp", false), ("forward_tcp", false), ("forward_tls", false), ("forward_sctp", false),
    ("log", false), ("error", false), ("exec", false), ("force_rport", true), ("add_rport", true),
    ("add_local_rport", true), ("force_tcp_alias", true), ("add_tcp_alias", true), ("udp_mtu_try_proto", false),
    ("setflag", false), ("resetflag", false), ("isflagset", false),
    ("rewritehost", false), ("sethost", false), ("seth", false), ("rewritehostport", false), ("sethostport", false),
    ("sethp", false), ("rewritehostporttrans", false), ("sethostporttrans", false), ("sethpt", false),
    ("rewriteuser", false), ("setuser", false), ("setu", false), ("rewriteuserpass", false), ("setuserpass", false),
    ("setup", false), ("rewriteport", false), ("setport", false), ("setp", false), ("rewriteuri", false), ("seturi", false),
    ("revert_uri", true), ("prefix", false), ("strip", false), ("strip_tail", false), ("userphone", true),
    ("remove_branch", true), ("clear_branches", true), ("set_advertised_address", false), ("set_advertised_port", false),
    ("force_send_socket", false), ("set_forward_no_connect", true), ("set_reply_no_connect", true),
    ("set_forward_close", true), ("set_reply_close", true), ("cfg_select", false), ("cfg_reset", false),
    ("setavpflag", false), ("resetavpflag", false), ("isavpflagset", false),
];

/// The names in [`CORE_FUNCTIONS`].
pub fn core_function_names() -> impl Iterator<Item = &'static str> {
    CORE_FUNCTIONS.iter().map(|(name, _)| *name)
}

/// Is this a function built into the grammar?
pub fn is_core_function(name: &str) -> bool {
    core_function_names().any(|known| known == name)
}

/// May this function be written without parentheses?
pub fn is_bare_function(name: &str) -> bool {
    CORE_FUNCTIONS.iter().any(|(known, is_bare)| *is_bare && *known == name)
}
