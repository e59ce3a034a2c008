//! RPC commands of `ctl`: what the control sockets are (spec proxy-core 12.8).

use crate::connections::ControlConnection;
use crate::rpc::{Fault, Item, Parameters, Reply, Wire};
use crate::worker::Worker;

/// The control socket when none is configured; relative to the runtime directory.
const DEFAULT_SOCKET: &str = "unixs:kamailio_ctl";
/// Default port of BINRPC over TCP and UDP.
const DEFAULT_PORT: &str = "2049";
/// Where relative names stand when `run_dir` is not set.
const DEFAULT_RUN_DIRECTORY: &str = "/run/kamailio";

/// Only a BINRPC caller sees the control connections.
fn binrpc_only(parameters: &Parameters) -> Result<(), Fault> {
    match parameters.wire {
        Wire::Binrpc => Ok(()),
        Wire::Json => Err(Fault::new(606, "rpc available only over binrpc (ctl)")),
    }
}

fn open_connections(worker: &Worker) -> Vec<ControlConnection> {
    worker.node.states.core.connections.get().map_or_else(Vec::new, |connections| connections.control())
}

/// `ctl.who`: protocol, transport, address and port of the client, address or path and port of ours, one after the other.
pub(super) fn who(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    binrpc_only(parameters)?;
    let texts = open_connections(worker)
        .into_iter()
        .flat_map(|one| ["binrpc".to_owned(), one.transport.to_owned(), one.peer.0, one.peer.1, one.local.0, one.local.1]);
    Ok(Reply::many(texts.map(Item::text).collect()))
}

/// `ctl.connections`: how many there are.
pub(super) fn connections(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    binrpc_only(parameters)?;
    let count = open_connections(worker).len();
    Ok(Reply::one(Item::Integer(i64::try_from(count).unwrap_or(i64::MAX))))
}

/// `ctl.listen`: protocol, transport, address, port of each socket, one after the other.
pub(super) fn listen(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    if parameters.wire == Wire::Json {
        return Ok(Reply::empty());
    }
    let settings = &worker.node.settings;
    let run_directory = worker.node.core.run_directory.as_deref().unwrap_or(DEFAULT_RUN_DIRECTORY);
    let mut sockets: Vec<String> = settings.texts("ctl", "binrpc").iter().map(ToString::to_string).collect();
    if sockets.is_empty() {
        sockets.push(DEFAULT_SOCKET.to_owned());
    }
    Ok(Reply::many(sockets.iter().flat_map(|socket| describe(socket, run_directory)).map(Item::text).collect()))
}

/// Protocol, transport, address or path, port (empty for unix sockets).
fn describe(socket: &str, run_directory: &str) -> [String; 4] {
    let (scheme, rest) = match socket.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
        _ => ("unixs", socket),
    };
    let (scheme, address, port) = match scheme {
        "tcp" | "udp" => match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (scheme, host.to_owned(), port),
            _ => (scheme, rest.to_owned(), DEFAULT_PORT),
        },
        "unixd" => ("unix_dgram", absolute(rest, run_directory), ""),
        _ => ("unix_stream", absolute(rest, run_directory), ""),
    };
    ["binrpc".to_owned(), scheme.to_owned(), address, port.to_owned()]
}

fn absolute(path: &str, run_directory: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", run_directory.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_control_socket_is_four_texts() {
        let shown = |socket: &str| describe(socket, "/run/duolog/").join(" ");
        assert_eq!(shown("unixs:/tmp/ctl"), "binrpc unix_stream /tmp/ctl ");
        assert_eq!(shown("kamailio_ctl"), "binrpc unix_stream /run/duolog/kamailio_ctl ");
        assert_eq!(shown("unixd:d"), "binrpc unix_dgram /run/duolog/d ");
        assert_eq!(shown("tcp:127.0.0.1:2046"), "binrpc tcp 127.0.0.1 2046");
        assert_eq!(shown("udp:localhost"), "binrpc udp localhost 2049");
    }
}
