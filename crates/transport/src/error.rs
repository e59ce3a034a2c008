//! What can go wrong when sockets are opened or used, with the address or name it went wrong for.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// An error of this room.
#[derive(Debug)]
pub enum TransportError {
    /// A socket could not be opened or bound. `step` names the call, for instance `bind`.
    Bind { address: SocketAddr, step: &'static str, source: io::Error },
    /// The list of network interfaces could not be read.
    Interfaces(io::Error),
    /// `listen` names an interface or host that has no usable address.
    NoSuchInterface(String),
    /// A thread, pipe or epoll instance could not be made.
    Setup { step: &'static str, source: io::Error },
    /// Waiting on sockets failed in a way that does not go away by itself.
    Wait(io::Error),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Bind { address, step, source } => write!(f, "cannot {step} {address}: {source}"),
            TransportError::Interfaces(source) => {
                write!(f, "cannot list network interfaces: {source}")
            }
            TransportError::NoSuchInterface(name) => {
                write!(f, "{name} is neither an address nor a host name nor an interface with an address")
            }
            TransportError::Setup { step, source } => write!(f, "cannot {step}: {source}"),
            TransportError::Wait(source) => write!(f, "waiting on sockets failed: {source}"),
        }
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TransportError::Bind { source, .. } | TransportError::Setup { source, .. } => Some(source),
            TransportError::Interfaces(source) | TransportError::Wait(source) => Some(source),
            TransportError::NoSuchInterface(_) => None,
        }
    }
}
