//! Core parameters of the configuration that the running proxy reads.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use script::syntax::ast::{CoreParameter, Literal};
use script::value::Text;

use crate::live::Live;

/// Default of `log_facility`: LOG_DAEMON.
const FACILITY_DAEMON: u8 = 3;

/// Core parameters with their defaults (spec cfg-language 4.3).
#[derive(Debug)]
pub struct CoreSettings {
    /// `debug`: changeable at run time.
    debug: AtomicI32,
    pub log_stderror: bool,
    /// As the system log numbers it.
    pub log_facility: AtomicU8,
    pub log_name: Option<String>,
    pub log_prefix: Option<Text>,
    pub log_prefix_mode: i64,
    pub children: u32,
    pub check_via: bool,
    pub force_rport: AtomicBool,
    pub local_rport: bool,
    pub server_signature: bool,
    /// Whole line without CRLF.
    pub server_header: Text,
    /// Whole line without CRLF.
    pub user_agent_header: Text,
    pub sip_warning: bool,
    pub server_id: i64,
    pub max_branches: usize,
    pub max_recursive_level: u32,
    pub max_while_loops: AtomicU32,
    pub return_mode: i32,
    pub reply_to_via: bool,
    pub mhomed: bool,
    /// New calls are refused while the receive queue stays full.
    pub overload_control: bool,
    /// Longest wait in which datagrams gather; zero: none.
    pub udp_gather_time: Duration,
    pub udp_mtu: AtomicUsize,
    pub udp_mtu_try_tcp: AtomicBool,
    pub message_bytes_max: usize,
    pub onsend_route_reply: bool,
    pub received_route_mode: i32,
    pub disable_tcp: bool,
    pub tcp_connection_lifetime: u32,
    pub tcp_max_connections: u32,
    pub tcp_accept_no_cl: bool,
    pub exit_timeout: u32,
    pub advertised_address: Option<String>,
    pub advertised_port: Option<u16>,
    pub auto_aliases: bool,
    pub port: u16,
    pub user: Option<String>,
    pub group: Option<String>,
    pub workdir: Option<String>,
    pub run_directory: Option<String>,
    pub phone2tel: bool,
    pub version_table: String,
    /// Names of xavps for the Via (spec cfg-language 4.3, `xavp_via_params` and its kin).
    pub via_parameters_xavp: Option<Text>,
    pub via_fields_xavp: Option<Text>,
    pub via_reply_parameters_xavp: Option<Text>,
    pub tos: u32,
    pub ip_free_bind: bool,
    /// `dns_*` and `use_dns_*`.
    pub dns: Live<crate::dns::Settings>,
    /// `use_dst_blocklist` and `dst_blocklist_*`.
    pub blocklist: Live<crate::blocklist::Settings>,
    /// As written, for RPC and for what is read rarely.
    pub all: Vec<(String, Literal)>,
}

impl Default for CoreSettings {
    fn default() -> CoreSettings {
        CoreSettings {
            debug: AtomicI32::new(0),
            log_stderror: false,
            log_facility: AtomicU8::new(FACILITY_DAEMON),
            log_name: None,
            log_prefix: None,
            log_prefix_mode: 0,
            children: 8,
            check_via: false,
            force_rport: AtomicBool::new(false),
            local_rport: false,
            server_signature: true,
            server_header: Text::from(concat!("Server: duolog (", env!("CARGO_PKG_VERSION"), ")")),
            user_agent_header: Text::from(concat!("User-Agent: duolog (", env!("CARGO_PKG_VERSION"), ")")),
            sip_warning: false,
            server_id: 0,
            max_branches: 12,
            max_recursive_level: 256,
            max_while_loops: AtomicU32::new(100),
            return_mode: 0,
            reply_to_via: false,
            mhomed: false,
            overload_control: true,
            udp_gather_time: Duration::from_millis(1),
            udp_mtu: AtomicUsize::new(0),
            udp_mtu_try_tcp: AtomicBool::new(false),
            message_bytes_max: 65_535,
            onsend_route_reply: false,
            received_route_mode: 0,
            disable_tcp: false,
            tcp_connection_lifetime: 120,
            tcp_max_connections: 2048,
            tcp_accept_no_cl: false,
            exit_timeout: 60,
            advertised_address: None,
            advertised_port: None,
            auto_aliases: true,
            port: 5060,
            user: None,
            group: None,
            workdir: None,
            run_directory: None,
            phone2tel: true,
            version_table: "version".to_owned(),
            via_parameters_xavp: None,
            via_fields_xavp: None,
            via_reply_parameters_xavp: None,
            tos: 0x10,
            ip_free_bind: false,
            dns: Live::default(),
            blocklist: Live::default(),
            all: Vec::new(),
        }
    }
}

impl CoreSettings {
    /// From assignments in order; a later one wins. Names are canonical (aliases resolved by the parser's table).
    pub fn new(parameters: &[CoreParameter]) -> CoreSettings {
        let mut settings = CoreSettings::default();
        for parameter in parameters {
            settings.apply(&parameter.name, &parameter.value);
            settings.all.push((parameter.name.clone(), parameter.value.clone()));
        }
        settings
    }

    /// The value of the Server header: `server_header` without its name.
    pub fn server_value(&self) -> &[u8] {
        let line = &self.server_header[..];
        let has_name = line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"server:"));
        if has_name { line.get(7..).unwrap_or_default().trim_ascii() } else { line }
    }

    /// The log threshold: -5 alert .. 3 debug.
    pub fn debug(&self) -> i32 {
        self.debug.load(Ordering::Relaxed)
    }

    /// `force_rport`: every request is answered to the port it came from.
    pub fn forces_rport(&self) -> bool {
        self.force_rport.load(Ordering::Relaxed)
    }

    /// Changes the log threshold.
    pub fn set_debug(&self, level: i32) {
        self.debug.store(level, Ordering::Relaxed);
    }

    fn apply(&mut self, name: &str, value: &Literal) {
        let number = match value {
            Literal::Integer(number) => *number,
            Literal::Text(text) => script::value::parse_integer(text).unwrap_or(0),
        };
        let text = || match value {
            Literal::Integer(number) => Text::from(number.to_string()),
            Literal::Text(text) => text.clone(),
        };
        let string = || String::from_utf8_lossy(&text()).into_owned();
        let is_on = number != 0;
        let unsigned = u32::try_from(number).unwrap_or(0);
        let size = usize::try_from(number).unwrap_or(0);
        match name {
            "debug" => self.set_debug(i32::try_from(number).unwrap_or(0)),
            "log_stderror" => self.log_stderror = is_on,
            "log_facility" => self.log_facility = AtomicU8::new(crate::xlog::level::facility(&text()).unwrap_or(FACILITY_DAEMON)),
            "log_name" => self.log_name = Some(string()),
            "log_prefix" => self.log_prefix = Some(text()),
            "log_prefix_mode" => self.log_prefix_mode = number,
            "children" => self.children = unsigned.max(1),
            "check_via" => self.check_via = is_on,
            "force_rport" | "add_rport" => self.force_rport = AtomicBool::new(is_on),
            "local_rport" => self.local_rport = is_on,
            "server_signature" => self.server_signature = is_on,
            "server_header" => self.server_header = text(),
            "user_agent_header" => self.user_agent_header = text(),
            "sip_warning" => self.sip_warning = is_on,
            "server_id" => self.server_id = number,
            "max_branches" => self.max_branches = size.clamp(1, 32),
            "max_recursive_level" => self.max_recursive_level = unsigned.max(1),
            "max_while_loops" => self.max_while_loops = AtomicU32::new(unsigned),
            "return_mode" => self.return_mode = i32::try_from(number).unwrap_or(0),
            "reply_to_via" => self.reply_to_via = is_on,
            "mhomed" => self.mhomed = is_on,
            "overload_control" => self.overload_control = is_on,
            "udp_gather_time" => self.udp_gather_time = Duration::from_micros(u64::from(unsigned)),
            "udp_mtu" => self.udp_mtu = AtomicUsize::new(size),
            "udp_mtu_try_proto" => self.udp_mtu_try_tcp = AtomicBool::new(string().eq_ignore_ascii_case("tcp") || number == 2),
            "msg_recv_max_size" => self.message_bytes_max = size,
            "onsend_route_reply" => self.onsend_route_reply = is_on,
            "received_route_mode" => self.received_route_mode = i32::try_from(number).unwrap_or(0),
            "disable_tcp" => self.disable_tcp = is_on,
            // Negative means never.
            "tcp_connection_lifetime" => self.tcp_connection_lifetime = if number < 0 { u32::MAX } else { unsigned },
            "tcp_max_connections" => self.tcp_max_connections = unsigned,
            "tcp_accept_no_cl" => self.tcp_accept_no_cl = is_on,
            "exit_timeout" | "ser_kill_timeout" => self.exit_timeout = unsigned,
            "advertised_address" => self.advertised_address = Some(string()),
            "advertised_port" => self.advertised_port = u16::try_from(number).ok(),
            "auto_aliases" | "auto_domains" => self.auto_aliases = is_on,
            "port" => self.port = u16::try_from(number).unwrap_or(5060),
            "user" | "uid" => self.user = Some(string()),
            "group" | "gid" => self.group = Some(string()),
            "workdir" | "wdir" => self.workdir = Some(string()),
            "rundir" | "run_dir" => self.run_directory = Some(string()),
            "phone2tel" => self.phone2tel = is_on,
            "version_table" => self.version_table = string(),
            "xavp_via_params" => self.via_parameters_xavp = Some(text()),
            "xavp_via_fields" => self.via_fields_xavp = Some(text()),
            "xavp_via_reply_params" => self.via_reply_parameters_xavp = Some(text()),
            "tos" => self.tos = unsigned,
            "ip_free_bind" | "ipfreebind" | "ip_nonlocal_bind" => self.ip_free_bind = is_on,
            _ => {
                let _ = self.dns.begin().apply(name, number) || self.blocklist.begin().apply(name, number);
            }
        }
    }
}
