//! Every core parameter of Kamailio: aliases, type, default, and what this program does with it (spec cfg-language 4).

/// The form of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number or `yes`, `no` and their like.
    Integer,
    /// A number that may be negative.
    SignedInteger,
    /// A quoted text.
    Text,
    /// A quoted text or a bare word.
    Word,
    /// A host or address, bare or quoted.
    Host,
    /// An IPv4 or IPv6 address, bare or quoted.
    Address,
    /// `udp`, `tcp`, `tls`, `sctp`.
    Protocol,
    /// A number or a quoted text.
    IntegerOrText,
    /// A number or a bare word.
    IntegerOrWord,
    /// Has its own grammar: `listen`, `alias`, `domain`, `socket`, `coreparam`.
    Special,
}

/// What this program does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Changes what users see.
    Used,
    /// Read and kept; applied where it has a meaning here.
    Accepted,
    /// Belongs to a memory or process model this program does not have.
    Ignored,
}

/// The value without an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    Unset,
    Integer(i64),
    Text(&'static str),
    /// Depends on something else; the words say on what.
    Described(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct CoreParameterExport {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    pub initial: Initial,
    pub class: Class,
    pub note: &'static str,
}

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    initial: Initial,
    class: Class,
    note: &'static str,
) -> CoreParameterExport {
    CoreParameterExport { name, aliases, kind, initial, class, note }
}

/// The parameter of this name or alias.
pub fn find(name: &str) -> Option<&'static CoreParameterExport> {
    CORE_PARAMETERS.iter().find(|parameter| parameter.name == name || parameter.aliases.contains(&name))
}

/// Every name and alias, for suggestions and reserved words.
pub fn names() -> impl Iterator<Item = &'static str> {
    CORE_PARAMETERS.iter().flat_map(|parameter| std::iter::once(parameter.name).chain(parameter.aliases.iter().copied()))
}

/// What became of a parameter that only older releases know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It has a new name.
    Renamed(&'static str),
    /// It has no effect any more.
    Removed,
}

/// Parameters of older releases: still accepted, with a warning (spec cfg-language 4.3).
pub fn former(name: &str) -> Option<Former> {
    if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == name) {
        return Some(Former::Renamed(new));
    }
    let is_removed = REMOVED.contains(&name) || REMOVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_removed.then_some(Former::Removed)
}

const RENAMED: &[(&str, &str)] = &[
    ("use_dst_blacklist", "use_dst_blocklist"),
    ("dst_blacklist_init", "dst_blocklist_init"),
    ("dst_blacklist_mem", "dst_blocklist_mem"),
    ("dst_blacklist_expire", "dst_blocklist_expire"),
    ("dst_blacklist_ttl", "dst_blocklist_expire"),
    ("dst_blacklist_gc_interval", "dst_blocklist_gc_interval"),
    ("dst_blacklist_udp_imask", "dst_blocklist_udp_imask"),
    ("dst_blacklist_tcp_imask", "dst_blocklist_tcp_imask"),
    ("dst_blacklist_tls_imask", "dst_blocklist_tls_imask"),
    ("dst_blacklist_sctp_imask", "dst_blocklist_sctp_imask"),
];

const REMOVED: &[&str] = &[
    "syn_branch",
    "mcast_join",
    "disable_dns_blacklist",
    "disable_dns_failover",
    "disable_stateless_fwd",
    "sock_mode",
    "sock_user",
    "sock_group",
    "loop_checks",
    "open_fd_limit",
    "avp_aliases",
];

const REMOVED_PREFIXES: &[&str] = &["fifo", "unix_", "unixsock", "sock_", "stun_", "dst_blacklist_", "sctp_"];

/// The table, in alphabetical order.
#[rustfmt::skip]
pub const CORE_PARAMETERS: &[CoreParameterExport] = &[
    row("advertised_address", &[], Kind::Host, Initial::Unset, Class::Used, ""),
    row("advertised_port", &[], Kind::Integer, Initial::Unset, Class::Used, ""),
    row("alias", &[], Kind::Special, Initial::Unset, Class::Used, "host considered local; list allowed; alias domain in master"),
    row("async_nonblock", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("async_tkv_evcb", &[], Kind::Text, Initial::Unset, Class::Accepted, ""),
    row("async_tkv_gname", &[], Kind::Text, Initial::Unset, Class::Accepted, ""),
    row("async_usleep", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("async_workers", &[], Kind::Integer, Initial::Integer(0), Class::Used, "needed by async functions"),
    row("async_workers_group", &[], Kind::Text, Initial::Unset, Class::Used, "\"name=N;workers=M;nonblock=x;usleep=y\""),
    row("auto_aliases", &[], Kind::Integer, Initial::Integer(1), Class::Used, "reverse DNS of listen addresses becomes local name; alias auto_domains"),
    row("auto_bind_ipv6", &[], Kind::Integer, Initial::Integer(0), Class::Used, "with no listen: also bind v6 interfaces"),
    row("auto_domains", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("bind_ipv6_link_local", &[], Kind::Integer, Initial::Integer(0), Class::Used, "bit flags"),
    row("check_via", &[], Kind::Integer, Initial::Integer(0), Class::Used, "drop replies whose first Via is not ours"),
    row("children", &[], Kind::Integer, Initial::Integer(8), Class::Used, "UDP workers per socket; map to worker count"),
    row("chroot", &[], Kind::Word, Initial::Unset, Class::Accepted, ""),
    row("corelog", &["core_log"], Kind::SignedInteger, Initial::Integer(-1), Class::Used, "level for noisy core messages"),
    row("coreparam", &[], Kind::Special, Initial::Unset, Class::Accepted, "coreparam[\"iuid\"]=\"x\", random_engine, timer_sanity_check"),
    row("debug", &[], Kind::SignedInteger, Initial::Integer(0), Class::Used, "log threshold: -5 alert .. -1 error, 0 warn, 1 notice, 2 info, 3 debug"),
    row("disable_core_dump", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("disable_sctp", &[], Kind::Integer, Initial::Described("auto"), Class::Accepted, ""),
    row("disable_tcp", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("disable_tls", &["tls_disable"], Kind::Integer, Initial::Described("yes unless tls enabled"), Class::Used, ""),
    row("dns", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, "add received from reverse lookup"),
    row("dns_cache_del_nonexp", &["dns_cache_delete_nonexpired"], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dns_cache_flags", &[], Kind::Integer, Initial::Integer(0), Class::Used, "1 v4 only, 2 v6 only, 4 prefer v6"),
    row("dns_cache_gc_interval", &[], Kind::Integer, Initial::Integer(120), Class::Used, ""),
    row("dns_cache_init", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("dns_cache_max_ttl", &[], Kind::Integer, Initial::Described("max int"), Class::Used, ""),
    row("dns_cache_mem", &[], Kind::Integer, Initial::Integer(500), Class::Used, "KiB"),
    row("dns_cache_min_ttl", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dns_cache_negative_ttl", &[], Kind::Integer, Initial::Integer(60), Class::Used, ""),
    row("dns_cache_rec_pref", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dns_naptr_ignore_rfc", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("dns_retr_no", &[], Kind::Integer, Initial::Described("system"), Class::Used, ""),
    row("dns_retr_time", &[], Kind::Integer, Initial::Described("system"), Class::Used, "resolver retransmission seconds"),
    row("dns_sctp_pref", &["dns_sctp_preference"], Kind::SignedInteger, Initial::Integer(20), Class::Used, ""),
    row("dns_search_full_match", &[], Kind::Integer, Initial::Integer(1), Class::Accepted, "a name from the search list always has to match in full"),
    row("dns_servers_no", &[], Kind::Integer, Initial::Described("system"), Class::Used, ""),
    row("dns_slow_query_ms", &[], Kind::Integer, Initial::Integer(0), Class::Used, "log lookups slower than this"),
    row("dns_srv_lb", &["dns_srv_loadbalancing"], Kind::Integer, Initial::Integer(0), Class::Used, "SRV weight balancing"),
    row("dns_tcp_pref", &["dns_tcp_preference"], Kind::SignedInteger, Initial::Integer(20), Class::Used, ""),
    row("dns_tls_pref", &["dns_tls_preference"], Kind::SignedInteger, Initial::Integer(10), Class::Used, ""),
    row("dns_try_ipv6", &[], Kind::Integer, Initial::Integer(1), Class::Used, "auto off when no IPv6 socket"),
    row("dns_try_naptr", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dns_udp_pref", &["dns_udp_preference"], Kind::SignedInteger, Initial::Integer(30), Class::Used, "NAPTR preference, negative disables"),
    row("dns_use_search_list", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("domain", &[], Kind::Special, Initial::Unset, Class::Used, ""),
    row("dst_blocklist_expire", &["dst_blocklist_ttl"], Kind::Integer, Initial::Integer(60), Class::Used, ""),
    row("dst_blocklist_gc_interval", &[], Kind::Integer, Initial::Integer(60), Class::Used, ""),
    row("dst_blocklist_init", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("dst_blocklist_mem", &[], Kind::Integer, Initial::Integer(250), Class::Used, "KiB"),
    row("dst_blocklist_sctp_imask", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dst_blocklist_tcp_imask", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dst_blocklist_tls_imask", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("dst_blocklist_udp_imask", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("enable_sctp", &[], Kind::Integer, Initial::Described("auto"), Class::Accepted, "2 means auto"),
    row("enable_tls", &["tls_enable"], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("exit_timeout", &["ser_kill_timeout"], Kind::Integer, Initial::Integer(60), Class::Used, ""),
    row("force_rport", &["add_rport"], Kind::Integer, Initial::Integer(0), Class::Used, "global symmetric response"),
    row("fork", &[], Kind::Integer, Initial::Integer(1), Class::Accepted, "no: one process, first UDP socket only"),
    row("fork_delay", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, "microseconds between forks"),
    row("group", &["gid"], Kind::Word, Initial::Unset, Class::Used, ""),
    row("hdr_name_extra_chars", &[], Kind::Text, Initial::Unset, Class::Used, ""),
    row("http_reply_parse", &["http_reply_hack"], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("ip_free_bind", &["ipfreebind", "ip_nonlocal_bind"], Kind::SignedInteger, Initial::Integer(0), Class::Used, "1 bind to addresses not yet present"),
    row("ipv6_hex_style", &[], Kind::Text, Initial::Text("c"), Class::Used, "\"c\" compact, \"a\" lower full, \"A\" upper full"),
    row("latency_cfg_log", &[], Kind::SignedInteger, Initial::Integer(3), Class::Accepted, ""),
    row("latency_limit_action", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, "us"),
    row("latency_limit_cfg", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("latency_limit_db", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, "ms"),
    row("latency_log", &[], Kind::SignedInteger, Initial::Integer(-1), Class::Accepted, ""),
    row("listen", &[], Kind::Special, Initial::Described("all interfaces"), Class::Used, "see 4.2"),
    row("local_rport", &[], Kind::Integer, Initial::Integer(0), Class::Used, "add rport to own Via"),
    row("log_color", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("log_engine_data", &[], Kind::Text, Initial::Unset, Class::Accepted, ""),
    row("log_engine_type", &[], Kind::Text, Initial::Unset, Class::Accepted, "udp or json"),
    row("log_facility", &[], Kind::Word, Initial::Text("LOG_DAEMON"), Class::Used, "syslog facility word"),
    row("log_name", &[], Kind::Text, Initial::Unset, Class::Used, "syslog identity"),
    row("log_prefix", &[], Kind::Text, Initial::Unset, Class::Used, "string with variables evaluated per message and put before each log line"),
    row("log_prefix_mode", &[], Kind::Integer, Initial::Integer(0), Class::Used, "0 set once per message; bit 1 refreshes before each action"),
    row("log_stderror", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("max_branches", &[], Kind::Integer, Initial::Integer(12), Class::Used, "hard limit 32"),
    row("max_recursive_level", &[], Kind::Integer, Initial::Integer(256), Class::Used, "depth of nested blocks and route calls"),
    row("max_while_loops", &[], Kind::Integer, Initial::Integer(100), Class::Used, "see 7.4"),
    row("maxbuffer", &[], Kind::Integer, Initial::Integer(262144), Class::Accepted, "UDP receive buffer probing cap"),
    row("maxsndbuffer", &[], Kind::Integer, Initial::Integer(262144), Class::Accepted, ""),
    row("mcast", &[], Kind::Word, Initial::Unset, Class::Accepted, "interface"),
    row("mcast_loopback", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("mcast_ttl", &[], Kind::SignedInteger, Initial::Integer(-1), Class::Accepted, ""),
    row("mem_add_size", &[], Kind::SignedInteger, Initial::Integer(0), Class::Ignored, ""),
    row("mem_join", &[], Kind::SignedInteger, Initial::Integer(1), Class::Ignored, ""),
    row("mem_safety", &[], Kind::SignedInteger, Initial::Integer(1), Class::Ignored, ""),
    row("mem_status_mode", &[], Kind::SignedInteger, Initial::Integer(0), Class::Ignored, ""),
    row("mem_summary", &[], Kind::SignedInteger, Initial::Integer(12), Class::Ignored, ""),
    row("memdbg", &["mem_dbg"], Kind::SignedInteger, Initial::Integer(4), Class::Ignored, ""),
    row("memlog", &["mem_log"], Kind::SignedInteger, Initial::Integer(4), Class::Ignored, ""),
    row("mhomed", &[], Kind::Integer, Initial::Integer(0), Class::Used, "select outgoing socket by route lookup"),
    row("mlock_pages", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("modinit_delay", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("msg_apply_changes_mode", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("msg_clone_extra_size", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("msg_recv_max_size", &[], Kind::Integer, Initial::Integer(32767), Class::Used, "larger messages are dropped"),
    row("msg_time", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("onsend_route_reply", &[], Kind::Integer, Initial::Integer(0), Class::Used, "also run onsend_route for replies"),
    row("open_files_limit", &[], Kind::Integer, Initial::Unset, Class::Used, ""),
    row("overload_control", &[], Kind::Integer, Initial::Integer(1), Class::Used, "extension: new calls get 503 while the receive queue stays full (docs/overload.md)"),
    row("phone2tel", &[], Kind::Integer, Initial::Integer(1), Class::Used, "treat user=phone as tel"),
    row("pmtu_discovery", &[], Kind::Integer, Initial::Integer(0), Class::Used, "DF bit"),
    row("port", &[], Kind::Integer, Initial::Integer(5060), Class::Used, "default for sockets without port"),
    row("pv_buffer_size", &[], Kind::Integer, Initial::Integer(32768), Class::Accepted, "cap on the length of an evaluated string"),
    row("pv_buffer_slots", &[], Kind::Integer, Initial::Integer(40), Class::Ignored, ""),
    row("pv_cache_action", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("pv_cache_limit", &[], Kind::Integer, Initial::Integer(2048), Class::Ignored, ""),
    row("real_time", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("received_route_mode", &[], Kind::SignedInteger, Initial::Integer(0), Class::Used, "run event_route[core:msg-received]"),
    row("reply_to_via", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("return_mode", &[], Kind::Integer, Initial::Integer(0), Class::Used, "see 9.3"),
    row("rev_dns", &["dns_rev_via"], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("route_locks_size", &[], Kind::Integer, Initial::Integer(0), Class::Used, "serialise requests by Call-ID hash"),
    row("rpc_exec_delta", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("rpc_exec_locks", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("rpc_exec_locks_mode", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("rt_policy", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rt_prio", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rt_timer1_policy", &["rt_ftimer_policy"], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rt_timer1_prio", &["rt_fast_timer_prio", "rt_ftimer_prio"], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rt_timer2_policy", &["rt_stimer_policy"], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rt_timer2_prio", &["rt_stimer_prio"], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("rundir", &["run_dir"], Kind::Word, Initial::Described("build default"), Class::Accepted, ""),
    row("sctp_children", &[], Kind::Integer, Initial::Described("= children"), Class::Accepted, ""),
    row("server_header", &[], Kind::Text, Initial::Described("\"Server: ...\""), Class::Used, "full header line without CRLF"),
    row("server_id", &[], Kind::Integer, Initial::Integer(0), Class::Used, "$sid"),
    row("server_signature", &[], Kind::Integer, Initial::Integer(1), Class::Used, "add Server/User-Agent headers"),
    row("shm", &["shm_mem", "shm_mem_size"], Kind::Integer, Initial::Integer(64), Class::Ignored, "MiB; aliases shm_mem, shm_mem_size"),
    row("shm_force_alloc", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("sip_parser_log", &[], Kind::SignedInteger, Initial::Integer(-1), Class::Used, "level for parse errors"),
    row("sip_parser_log_oneline", &[], Kind::SignedInteger, Initial::Integer(0), Class::Accepted, ""),
    row("sip_parser_mode", &[], Kind::SignedInteger, Initial::Integer(0), Class::Used, "bit flags for strictness"),
    row("sip_warning", &[], Kind::Integer, Initial::Integer(0), Class::Used, "add Warning header to local replies"),
    row("socket", &[], Kind::Special, Initial::Described("block"), Class::Used, "structured listen, see 4.2"),
    row("socket_workers", &[], Kind::Integer, Initial::Integer(0), Class::Used, "workers for the next listen only"),
    row("sql_buffer_size", &[], Kind::Integer, Initial::Integer(65535), Class::Accepted, ""),
    row("stats_name_separator", &[], Kind::Text, Initial::Text("_"), Class::Accepted, ""),
    row("tcp_accept_aliases", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tcp_accept_haproxy", &[], Kind::Integer, Initial::Integer(0), Class::Used, "PROXY protocol"),
    row("tcp_accept_hep3", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_accept_iplimit", &[], Kind::Integer, Initial::Integer(1024), Class::Used, "connections per source address"),
    row("tcp_accept_no_cl", &[], Kind::Integer, Initial::Integer(0), Class::Used, "accept requests without Content-Length (HTTP)"),
    row("tcp_accept_protocols", &["tcp_accept_protos"], Kind::IntegerOrText, Initial::Described("http+ws+msrp+stun"), Class::Used, "bit mask or string list"),
    row("tcp_accept_unique", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_async", &["tcp_buf_write"], Kind::Integer, Initial::Integer(1), Class::Accepted, ""),
    row("tcp_check_timer", &[], Kind::Integer, Initial::Described("auto"), Class::Accepted, ""),
    row("tcp_children", &[], Kind::Integer, Initial::Described("= children"), Class::Accepted, ""),
    row("tcp_clone_rcvbuf", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("tcp_close_rst", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_conn_wq_max", &[], Kind::Integer, Initial::Integer(32768), Class::Used, "bytes queued per connection"),
    row("tcp_connect_timeout", &[], Kind::SignedInteger, Initial::Integer(10), Class::Used, "seconds"),
    row("tcp_connection_lifetime", &[], Kind::SignedInteger, Initial::Integer(120), Class::Used, "seconds; negative never"),
    row("tcp_connection_match", &[], Kind::Integer, Initial::Integer(0), Class::Used, "1 strict local and remote match"),
    row("tcp_crlf_ping", &[], Kind::Integer, Initial::Integer(1), Class::Used, "answer double CRLF"),
    row("tcp_defer_accept", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_delayed_ack", &[], Kind::Integer, Initial::Integer(1), Class::Accepted, ""),
    row("tcp_fd_cache", &[], Kind::Integer, Initial::Integer(1), Class::Ignored, ""),
    row("tcp_keepalive", &[], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("tcp_keepcnt", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tcp_keepidle", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tcp_keepintvl", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tcp_linger2", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_listen_backlog", &[], Kind::Integer, Initial::Described("build default"), Class::Accepted, ""),
    row("tcp_main_threads", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_max_connections", &[], Kind::Integer, Initial::Integer(2048), Class::Used, ""),
    row("tcp_msg_data_timeout", &[], Kind::Integer, Initial::Integer(20), Class::Used, ""),
    row("tcp_msg_read_timeout", &[], Kind::Integer, Initial::Integer(20), Class::Used, "seconds to complete a message"),
    row("tcp_no_connect", &[], Kind::Integer, Initial::Integer(0), Class::Used, "never open connections"),
    row("tcp_poll_method", &[], Kind::Word, Initial::Described("auto"), Class::Ignored, ""),
    row("tcp_rd_buf_size", &[], Kind::Integer, Initial::Integer(16384), Class::Used, "also caps the message size on streams"),
    row("tcp_reuse_port", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tcp_script_mode", &[], Kind::SignedInteger, Initial::Integer(0), Class::Used, ""),
    row("tcp_send_timeout", &[], Kind::SignedInteger, Initial::Integer(10), Class::Used, "seconds"),
    row("tcp_source_ipv4", &[], Kind::Address, Initial::Unset, Class::Used, ""),
    row("tcp_source_ipv6", &[], Kind::Address, Initial::Unset, Class::Used, ""),
    row("tcp_syncnt", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("tcp_wait_data", &[], Kind::SignedInteger, Initial::Integer(5000), Class::Used, "ms"),
    row("tcp_wq_blk_size", &[], Kind::Integer, Initial::Integer(2100), Class::Ignored, ""),
    row("tcp_wq_max", &[], Kind::Integer, Initial::Integer(10485760), Class::Used, "bytes queued in total"),
    row("tls_ca_list", &[], Kind::Text, Initial::Unset, Class::Ignored, ""),
    row("tls_certificate", &[], Kind::Text, Initial::Unset, Class::Ignored, ""),
    row("tls_connection_match_domain", &[], Kind::Integer, Initial::Integer(0), Class::Used, ""),
    row("tls_handshake_timeout", &[], Kind::Integer, Initial::Unset, Class::Ignored, ""),
    row("tls_log", &["tlslog"], Kind::Integer, Initial::Unset, Class::Ignored, "core TLS, removed"),
    row("tls_max_connections", &[], Kind::Integer, Initial::Integer(2048), Class::Used, ""),
    row("tls_method", &[], Kind::Word, Initial::Unset, Class::Ignored, "core TLS era; use the tls module"),
    row("tls_port_no", &[], Kind::Integer, Initial::Integer(5061), Class::Used, ""),
    row("tls_private_key", &[], Kind::Text, Initial::Unset, Class::Ignored, ""),
    row("tls_require_certificate", &[], Kind::Integer, Initial::Unset, Class::Ignored, ""),
    row("tls_send_timeout", &[], Kind::Integer, Initial::Unset, Class::Ignored, ""),
    row("tls_threads_mode", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, "OpenSSL process model switch"),
    row("tls_verify", &[], Kind::Integer, Initial::Unset, Class::Ignored, ""),
    row("tos", &[], Kind::IntegerOrWord, Initial::Integer(0x10), Class::Used, "number or IPTOS_* word (the word comparison upstream is inverted: any word yields LOWDELAY)"),
    row("udp4_raw", &[], Kind::SignedInteger, Initial::Integer(0), Class::Ignored, ""),
    row("udp4_raw_mtu", &[], Kind::Integer, Initial::Integer(1500), Class::Ignored, ""),
    row("udp4_raw_ttl", &[], Kind::SignedInteger, Initial::Integer(-1), Class::Ignored, ""),
    row("udp_accept_proxy", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("udp_gather_time", &[], Kind::Integer, Initial::Integer(1000), Class::Used, "extension: longest wait in which datagrams gather, microseconds, at most 5000; 0: none (docs/performance.md)"),
    row("udp_mtu", &[], Kind::Integer, Initial::Integer(0), Class::Used, "switch protocol over this size"),
    row("udp_mtu_try_proto", &[], Kind::Protocol, Initial::Described("none"), Class::Used, "udp tcp tls sctp"),
    row("udp_receiver_mode", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("uri_host_extra_chars", &[], Kind::Text, Initial::Unset, Class::Used, ""),
    row("use_dns_cache", &["dns_use_cache"], Kind::Integer, Initial::Integer(1), Class::Used, ""),
    row("use_dns_failover", &["dns_use_failover"], Kind::Integer, Initial::Integer(0), Class::Used, "try the next address on failure"),
    row("use_dst_blocklist", &[], Kind::Integer, Initial::Integer(0), Class::Used, "temporary blocklist of failing destinations"),
    row("user", &["uid"], Kind::Word, Initial::Unset, Class::Used, ""),
    row("user_agent_header", &[], Kind::Text, Initial::Described("\"User-Agent: ...\""), Class::Used, ""),
    row("verbose_startup", &[], Kind::Integer, Initial::Integer(0), Class::Ignored, ""),
    row("version_table", &[], Kind::Text, Initial::Text("version"), Class::Used, ""),
    row("wait_worker1_mode", &[], Kind::Integer, Initial::Integer(0), Class::Accepted, ""),
    row("wait_worker1_time", &[], Kind::Integer, Initial::Integer(4000000), Class::Accepted, ""),
    row("wait_worker1_usleep", &[], Kind::Integer, Initial::Integer(100000), Class::Accepted, ""),
    row("workdir", &["wdir"], Kind::Word, Initial::Text("/"), Class::Accepted, ""),
    row("xavp_via_fields", &[], Kind::Text, Initial::Unset, Class::Used, "xavp with address and port override for Via"),
    row("xavp_via_params", &[], Kind::Text, Initial::Unset, Class::Used, "name of the xavp whose fields become Via parameters"),
    row("xavp_via_reply_params", &[], Kind::Text, Initial::Unset, Class::Used, ""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_or_alias_is_listed_twice() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name}");
        }
        assert!(seen.len() > 200);
    }

    #[test]
    fn aliases_lead_to_the_same_row() {
        assert_eq!(find("add_rport").map(|row| row.name), Some("force_rport"));
        assert_eq!(find("shm_mem_size").map(|row| row.name), Some("shm"));
        assert_eq!(find("children").map(|row| row.initial), Some(Initial::Integer(8)));
        assert!(find("childrens").is_none());
    }

    #[test]
    fn parameters_of_older_releases_are_known_and_new_names_exist() {
        assert_eq!(former("use_dst_blacklist"), Some(Former::Renamed("use_dst_blocklist")));
        assert_eq!(former("fifo_db_url"), Some(Former::Removed));
        assert_eq!(former("children"), None);
        for (old, new) in RENAMED {
            assert!(find(new).is_some(), "{new}");
            assert!(find(old).is_none(), "{old}");
        }
        for old in REMOVED {
            assert!(find(old).is_none(), "{old}");
        }
    }
}
