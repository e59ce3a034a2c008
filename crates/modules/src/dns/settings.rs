//! The core parameters about names (spec cfg-language 4.3, proxy-core 6.3 and 6.4).

use transaction::Protocol;

/// `dns_*`, `use_dns_*`. Numbers without a default of their own are `None`: the system's resolver configuration decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub try_ipv6: bool,
    pub try_naptr: bool,
    /// Preferences of protocols, higher first; a negative one is never used.
    pub udp_preference: i32,
    pub tcp_preference: i32,
    pub tls_preference: i32,
    pub sctp_preference: i32,
    /// The preferences above decide among NAPTR records, not their order and preference.
    pub naptr_ignores_rfc: bool,
    /// SRV records of one priority are chosen at random by their weight.
    pub balances_servers: bool,
    pub retry_seconds: Option<u32>,
    pub retries: Option<u32>,
    pub servers_max: Option<u32>,
    pub uses_search_list: bool,
    pub search_full_match: bool,
    /// A question that takes longer is counted and logged; 0: none is.
    pub slow_milliseconds: u32,
    pub uses_cache: bool,
    pub cache_exists: bool,
    /// Bits of `dns_cache_flags`: 1 addresses of IPv4 only, 2 of IPv6 only, 4 IPv6 first.
    pub family_flags: u32,
    pub negative_seconds: u32,
    pub lifetime_min: u32,
    pub lifetime_max: u32,
    pub cache_bytes: usize,
    /// Entries that still count may be dropped for new ones.
    pub drops_unexpired: bool,
    pub sweep_seconds: u32,
    pub preference: RecordPreference,
    pub fails_over: bool,
}

/// `dns_cache_rec_pref`: which of two answers stays when a name is answered again before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecordPreference {
    #[default]
    None,
    Old,
    New,
    LongerLived,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            try_ipv6: true,
            try_naptr: false,
            udp_preference: 30,
            tcp_preference: 20,
            tls_preference: 10,
            sctp_preference: 20,
            naptr_ignores_rfc: true,
            balances_servers: false,
            retry_seconds: None,
            retries: None,
            servers_max: None,
            uses_search_list: true,
            search_full_match: true,
            slow_milliseconds: 0,
            uses_cache: true,
            cache_exists: true,
            family_flags: 0,
            negative_seconds: 60,
            lifetime_min: 0,
            lifetime_max: u32::MAX,
            cache_bytes: 500 << 10,
            drops_unexpired: false,
            sweep_seconds: 120,
            preference: RecordPreference::None,
            fails_over: false,
        }
    }
}

impl Settings {
    /// Takes over a core parameter; false: it is none of these.
    pub fn apply(&mut self, name: &str, value: i64) -> bool {
        let is_on = value != 0;
        let number = u32::try_from(value).unwrap_or(0);
        let signed = i32::try_from(value).unwrap_or(0);
        match name {
            "dns_try_ipv6" => self.try_ipv6 = is_on,
            "dns_try_naptr" => self.try_naptr = is_on,
            "dns_udp_pref" | "dns_udp_preference" => self.udp_preference = signed,
            "dns_tcp_pref" | "dns_tcp_preference" => self.tcp_preference = signed,
            "dns_tls_pref" | "dns_tls_preference" => self.tls_preference = signed,
            "dns_sctp_pref" | "dns_sctp_preference" => self.sctp_preference = signed,
            "dns_naptr_ignore_rfc" => self.naptr_ignores_rfc = is_on,
            "dns_srv_lb" | "dns_srv_loadbalancing" => self.balances_servers = is_on,
            "dns_retr_time" => self.retry_seconds = Some(number.max(1)),
            "dns_retr_no" => self.retries = Some(number),
            "dns_servers_no" => self.servers_max = Some(number.max(1)),
            "dns_use_search_list" => self.uses_search_list = is_on,
            "dns_search_full_match" => self.search_full_match = is_on,
            "dns_slow_query_ms" => self.slow_milliseconds = number,
            "use_dns_cache" | "dns_use_cache" => self.uses_cache = is_on,
            "dns_cache_init" => self.cache_exists = is_on,
            "dns_cache_flags" => self.family_flags = number,
            "dns_cache_negative_ttl" => self.negative_seconds = number,
            "dns_cache_min_ttl" => self.lifetime_min = number,
            "dns_cache_max_ttl" => self.lifetime_max = number,
            "dns_cache_mem" => self.cache_bytes = usize::try_from(value).unwrap_or(0).saturating_mul(1_024),
            "dns_cache_del_nonexp" | "dns_cache_delete_nonexpired" => self.drops_unexpired = is_on,
            "dns_cache_gc_interval" => self.sweep_seconds = number,
            "dns_cache_rec_pref" => {
                self.preference = match value {
                    1 => RecordPreference::Old,
                    2 => RecordPreference::New,
                    3 => RecordPreference::LongerLived,
                    _ => RecordPreference::None,
                };
            }
            "use_dns_failover" | "dns_use_failover" => self.fails_over = is_on,
            _ => return false,
        }
        true
    }

    /// Are answers kept?
    pub fn caches(&self) -> bool {
        self.uses_cache && self.cache_exists
    }

    /// Is the next address of a name tried after a failure? Only with the cache, as in Kamailio.
    pub fn tries_next_address(&self) -> bool {
        self.fails_over && self.caches()
    }

    /// How much a protocol is wanted; negative: not at all.
    pub fn preference_of(&self, protocol: Protocol) -> i32 {
        match protocol {
            Protocol::Udp => self.udp_preference,
            Protocol::Tcp => self.tcp_preference,
            Protocol::Tls => self.tls_preference,
            Protocol::Sctp => self.sctp_preference,
            Protocol::Ws | Protocol::Wss => -1,
        }
    }
}
