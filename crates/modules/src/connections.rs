//! What the shell tells of its connections when a command or a statistic asks: facts that come in, as time does.

use std::net::SocketAddr;

/// Asked for facts about sockets, which the pure rooms do not touch (invariant A1).
pub trait Connections: std::fmt::Debug + Send + Sync {
    /// Open stream connections for SIP, by number.
    fn streams(&self) -> Vec<StreamConnection>;
    /// Counters of streams.
    fn stream_counters(&self) -> StreamCounters;
    /// Open connections of the control sockets.
    fn control(&self) -> Vec<ControlConnection>;
    /// The run-time variables of the group `tcp` have changed.
    fn settings_changed(&self);
}

/// How far a stream connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    Accepted,
    Connecting,
    Established,
}

/// One stream connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConnection {
    pub id: u32,
    pub state: StreamState,
    /// Seconds until it is closed if nothing comes.
    pub timeout: u64,
    pub peer: SocketAddr,
    pub local: Option<SocketAddr>,
}

/// Since the start, except the current values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Current value.
    pub open: u64,
    /// Bytes that wait to be written: a current value.
    pub queued: u64,
    /// Accepted connections on which something came.
    pub passive_open: u64,
    pub connected: u64,
    pub connect_failures: u64,
    pub connect_timeouts: u64,
    pub send_timeouts: u64,
    pub resets: u64,
    pub queue_full: u64,
    /// Refused at a bound of ours.
    pub refused: u64,
}

/// One connection of a control socket, as `ctl.who` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlConnection {
    /// `unix_stream` or `tcp`.
    pub transport: &'static str,
    /// Address and port, or `<anonymous unix socket>` and nothing.
    pub peer: (String, String),
    /// Address and port, or path and nothing.
    pub local: (String, String),
}
