//! RPC commands about stream connections: `core.tcp_info`, `core.tcp_list`, `core.tcp_options`.

use super::rpc::field;
use crate::connections::{StreamConnection, StreamState};
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

fn integer(value: u64) -> Item {
    Item::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn streams_only(worker: &Worker) -> Result<(), Fault> {
    if worker.node.core.disable_tcp { Err(Fault::new(500, "tcp support disabled")) } else { Ok(()) }
}

pub(super) fn information(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    streams_only(worker)?;
    let core = &worker.node.core;
    let counters = worker.node.states.core.stream_counters();
    let most = Item::Integer(i64::from(core.tcp_max_connections));
    Ok(Reply::one(Item::Structure(vec![
        field("readers", Item::Integer(1)),
        field("max_connections", most.clone()),
        field("max_tls_connections", most),
        field("opened_connections", integer(counters.open)),
        field("opened_tls_connections", Item::Integer(0)),
        field("write_queued_bytes", integer(counters.queued)),
    ])))
}

fn describe(connection: &StreamConnection, lifetime: u32) -> Item {
    let state = match connection.state {
        StreamState::Accepted => "CONN_ACCEPT",
        StreamState::Connecting => "CONN_CONNECT",
        StreamState::Established => "CONN_OK",
    };
    let local = connection.local.map_or_else(|| (String::new(), 0), |local| (local.ip().to_string(), local.port()));
    Item::Structure(vec![
        field("id", Item::Integer(i64::from(connection.id))),
        field("type", Item::text("TCP")),
        field("state", Item::text(state)),
        field("timeout", integer(connection.timeout)),
        field("lifetime", Item::Integer(i64::from(lifetime))),
        field("ref_count", Item::Integer(1)),
        field("src_ip", Item::text(connection.peer.ip().to_string())),
        field("src_port", Item::Integer(i64::from(connection.peer.port()))),
        field("dst_ip", Item::text(local.0)),
        field("dst_port", Item::Integer(i64::from(local.1))),
    ])
}

pub(super) fn list(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    streams_only(worker)?;
    let lifetime = worker.node.core.tcp_connection_lifetime;
    let streams = worker.node.states.core.connections.get().map_or_else(Vec::new, |connections| connections.streams());
    Ok(Reply::many(streams.iter().map(|connection| describe(connection, lifetime)).collect()))
}

/// `core.tcp_options`: the run-time settings of the group `tcp`, up to `new_conn_alias_flags`.
pub(super) fn options(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    streams_only(worker)?;
    let names = [
        ("connect_timeout", "connect_timeout"),
        ("send_timeout", "send_timeout"),
        ("connection_lifetime", "connection_lifetime"),
        ("max_connections(soft)", "max_connections"),
        ("max_tls_connections(soft)", "max_tls_connections"),
        ("no_connect", "no_connect"),
        ("fd_cache", "fd_cache"),
        ("async", "async"),
        ("connect_wait", "connect_wait"),
        ("conn_wq_max", "conn_wq_max"),
        ("wq_max", "wq_max"),
        ("defer_accept", "defer_accept"),
        ("delayed_ack", "delayed_ack"),
        ("syncnt", "syncnt"),
        ("linger2", "linger2"),
        ("keepalive", "keepalive"),
        ("keepidle", "keepidle"),
        ("keepintvl", "keepintvl"),
        ("keepcnt", "keepcnt"),
        ("crlf_ping", "crlf_ping"),
        ("accept_aliases", "accept_aliases"),
        ("alias_flags", "alias_flags"),
        ("new_conn_alias_flags", "new_conn_alias_flags"),
    ];
    let value = |name: &str| crate::cfg_rpc::integer(&worker.node, "tcp", name).unwrap_or(0);
    Ok(Reply::one(Item::Structure(names.into_iter().map(|(shown, name)| field(shown, Item::Integer(value(name)))).collect())))
}
