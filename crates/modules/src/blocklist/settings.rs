//! The core parameters `use_dst_blocklist` and `dst_blocklist_*`.

use transaction::Protocol;

use super::number;

/// How long which failures list a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    is_on: bool,
    exists: bool,
    /// `dst_blocklist_expire`
    pub seconds: u64,
    pub bytes_max: usize,
    pub sweep_seconds: u64,
    /// Reasons that do not list a destination, by protocol: UDP, TCP, TLS, SCTP.
    ignored: [u8; 4],
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { is_on: false, exists: true, seconds: 60, bytes_max: 250 << 10, sweep_seconds: 60, ignored: [0; 4] }
    }
}

impl Settings {
    /// Takes over a core parameter; false: it is none of these.
    pub fn apply(&mut self, name: &str, value: i64) -> bool {
        let unsigned = u64::try_from(value).unwrap_or(0);
        // The bits of all reasons fit into a byte.
        let mask = u8::try_from(value & 0xff).unwrap_or(0);
        match name {
            "use_dst_blocklist" => self.is_on = value != 0,
            "dst_blocklist_init" => self.exists = value != 0,
            "dst_blocklist_expire" | "dst_blocklist_ttl" => self.seconds = unsigned,
            "dst_blocklist_mem" => self.bytes_max = usize::try_from(unsigned).unwrap_or(0).saturating_mul(1_024),
            "dst_blocklist_gc_interval" => self.sweep_seconds = unsigned,
            "dst_blocklist_udp_imask" => self.ignored[0] = mask,
            "dst_blocklist_tcp_imask" => self.ignored[1] = mask,
            "dst_blocklist_tls_imask" => self.ignored[2] = mask,
            "dst_blocklist_sctp_imask" => self.ignored[3] = mask,
            _ => return false,
        }
        true
    }

    /// Are destinations listed at all?
    pub fn is_used(&self) -> bool {
        self.is_on && self.exists
    }

    /// The reasons that do not list a destination of this protocol.
    pub fn ignored(&self, protocol: Protocol) -> u8 {
        let place = usize::from(number(protocol)).saturating_sub(1);
        self.ignored.get(place).copied().unwrap_or(0)
    }
}
