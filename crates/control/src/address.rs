//! Addresses of control sockets as `modparam("ctl", "binrpc", ...)` writes them (spec proxy-core 12.1).

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// Default port of BINRPC over TCP and UDP.
pub const DEFAULT_PORT: u16 = 2049;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAddress {
    UnixStream(PathBuf),
    UnixDatagram(PathBuf),
    Tcp(SocketAddr),
    Udp(SocketAddr),
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressError {
    /// Unknown scheme or missing part.
    Malformed(String),
    /// Reachable from other machines, which needs an explicit permission.
    NotLoopback(SocketAddr),
}

impl std::fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AddressError::Malformed(text) => {
                write!(formatter, "`{text}` is no control address; use unixs:/path, unixd:/path, tcp:host:port or udp:host:port")
            }
            AddressError::NotLoopback(address) => write!(
                formatter,
                "the control socket {address} would be reachable from other machines; bind it to loopback, or set \
                 modparam(\"ctl\", \"allow_remote\", 1) if that is meant"
            ),
        }
    }
}

/// Reads an address. A bare path is a unix stream socket; a relative one stands in `run_directory`.
pub fn parse(text: &str, run_directory: &Path, may_be_remote: bool) -> Result<ControlAddress, AddressError> {
    let malformed = || AddressError::Malformed(text.to_owned());
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
        _ => ("unixs", text),
    };
    let path = || if rest.is_empty() { Err(malformed()) } else { Ok(run_directory.join(rest)) };
    match scheme {
        "unix" | "unixs" => Ok(ControlAddress::UnixStream(path()?)),
        "unixd" => Ok(ControlAddress::UnixDatagram(path()?)),
        "tcp" | "udp" => {
            let with_port = if rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
                rest.to_owned()
            } else {
                format!("{rest}:{DEFAULT_PORT}")
            };
            let address = with_port.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).ok_or_else(malformed)?;
            if !address.ip().is_loopback() && !may_be_remote {
                return Err(AddressError::NotLoopback(address));
            }
            Ok(if scheme == "tcp" { ControlAddress::Tcp(address) } else { ControlAddress::Udp(address) })
        }
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let run = Path::new("/run/duolog");
        assert_eq!(parse("unixs:/a/b", run, false), Ok(ControlAddress::UnixStream("/a/b".into())));
        assert_eq!(parse("ctl", run, false), Ok(ControlAddress::UnixStream("/run/duolog/ctl".into())));
        assert_eq!(parse("unixd:x", run, false), Ok(ControlAddress::UnixDatagram("/run/duolog/x".into())));
        assert_eq!(parse("tcp:127.0.0.1", run, false), Ok(ControlAddress::Tcp("127.0.0.1:2049".parse().unwrap())));
        assert!(matches!(parse("carrier:pigeon", run, false), Err(AddressError::Malformed(_))));
    }

    #[test]
    fn other_machines_are_kept_out_unless_allowed() {
        let run = Path::new("/run");
        assert!(matches!(parse("tcp:0.0.0.0:2046", run, false), Err(AddressError::NotLoopback(_))));
        assert!(parse("tcp:0.0.0.0:2046", run, true).is_ok());
    }
}
