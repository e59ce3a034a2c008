//! What commands and statistics ask the shell about its connections.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use control::connections::OpenConnections;
use modules::connections::{Connections, ControlConnection, StreamConnection, StreamCounters, StreamState};
use modules::node::Node;
use script::syntax::ast::Literal;
use transport::limits::{Keepalive, StreamLimits};
use transport::tcp;

use crate::shell::Shell;

/// Answers for the node of a shell; the shell owns the node, so this does not own the shell.
pub struct Facts {
    shell: Weak<Shell>,
    control: OpenConnections,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Facts")
    }
}

impl Facts {
    /// Lets the node of `shell` ask.
    pub fn tell(shell: &Arc<Shell>, control: OpenConnections) {
        let facts = Facts { shell: Arc::downgrade(shell), control };
        let _ = shell.proxy.node.states.core.connections.set(Box::new(facts));
    }
}

impl Connections for Facts {
    fn streams(&self) -> Vec<StreamConnection> {
        let Some(shell) = self.shell.upgrade() else { return Vec::new() };
        let lifetime = stream_limits(&shell.proxy.node).lifetime;
        let one = |info: tcp::StreamInfo| StreamConnection {
            id: info.id,
            state: match info.state {
                tcp::StreamState::Accepted => StreamState::Accepted,
                tcp::StreamState::Connecting => StreamState::Connecting,
                tcp::StreamState::Established => StreamState::Established,
            },
            timeout: lifetime.saturating_sub(info.idle).as_secs(),
            peer: unmapped(info.peer),
            local: info.local.map(unmapped),
        };
        shell.streams.get().map_or_else(Vec::new, |streams| streams.list().into_iter().map(one).collect())
    }

    fn stream_counters(&self) -> StreamCounters {
        let Some(shell) = self.shell.upgrade() else { return StreamCounters::default() };
        let Some(streams) = shell.streams.get() else { return StreamCounters::default() };
        let counters = streams.counters();
        StreamCounters {
            open: counters.open.load(Ordering::Relaxed),
            queued: counters.queued.load(Ordering::Relaxed),
            passive_open: counters.heard.load(Ordering::Relaxed),
            connected: counters.connected.load(Ordering::Relaxed),
            connect_failures: counters.connect_failures.load(Ordering::Relaxed),
            connect_timeouts: counters.connect_timeouts.load(Ordering::Relaxed),
            send_timeouts: counters.send_timeouts.load(Ordering::Relaxed),
            resets: counters.resets.load(Ordering::Relaxed),
            queue_full: counters.queue_full.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
        }
    }

    fn control(&self) -> Vec<ControlConnection> {
        self.control.list()
    }

    fn settings_changed(&self) {
        if let Some(shell) = self.shell.upgrade()
            && let Some(streams) = shell.streams.get()
        {
            let _ = streams.set_limits(stream_limits(&shell.proxy.node));
        }
    }
}

fn number(value: &Literal) -> Option<usize> {
    match value {
        Literal::Integer(number) => usize::try_from(*number).ok(),
        Literal::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The bounds of streams as the group `tcp` has them now.
pub fn stream_limits(node: &Node) -> StreamLimits {
    let defaults = StreamLimits::default();
    let value = |name: &str| modules::cfg_rpc::integer(node, "tcp", name);
    // Negative means never.
    let seconds = |name: &str, preset: Duration| match value(name).map(u64::try_from) {
        Some(Ok(seconds)) => Duration::from_secs(seconds),
        Some(Err(_)) => Duration::from_secs(u64::from(u32::MAX)),
        None => preset,
    };
    let size = |name: &str, preset: usize| value(name).and_then(|value| usize::try_from(value).ok()).unwrap_or(preset);
    let is_on = |name: &str| value(name).is_none_or(|value| value != 0);
    let written = |name: &str| node.core.all.iter().rev().find(|(own, _)| own == name).and_then(|(_, value)| number(value));
    let keepalive = Keepalive {
        idle: seconds("keepidle", Duration::ZERO),
        interval: seconds("keepintvl", Duration::ZERO),
        count: value("keepcnt").and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
    };
    StreamLimits {
        connects: value("no_connect") != Some(1),
        answers_pings: is_on("crlf_ping"),
        keepalive: is_on("keepalive").then_some(keepalive),
        connections_per_source_max: written("tcp_accept_iplimit").map_or(defaults.connections_per_source_max, |most| most.max(1)),
        read_timeout: written("tcp_msg_read_timeout").map_or(defaults.read_timeout, |seconds| Duration::from_secs(seconds.max(1) as u64)),
        lifetime: seconds("connection_lifetime", defaults.lifetime),
        connect_timeout: seconds("connect_timeout", defaults.connect_timeout),
        send_timeout: seconds("send_timeout", defaults.send_timeout),
        connections_max: size("max_connections", defaults.connections_max).max(1),
        write_queue_bytes_max: size("conn_wq_max", defaults.write_queue_bytes_max),
        write_queues_bytes_max: size("wq_max", defaults.write_queues_bytes_max),
        ..defaults
    }
}
