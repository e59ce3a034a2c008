//! The local sockets: what they are bound to, what they advertise, and the question "is this me?" (spec proxy-core 2).

use std::net::{IpAddr, SocketAddr};

use script::value::Text;
use transaction::Protocol;

/// Default port of SIP without TLS (RFC 3261 §19.1.2).
pub const DEFAULT_PORT: u16 = 5060;

/// One listening socket.
#[derive(Debug, Clone)]
pub struct Socket {
    pub protocol: Protocol,
    pub address: SocketAddr,
    /// `advertise HOST[:PORT]`.
    pub advertise: Option<(String, Option<u16>)>,
    /// `name "..."`.
    pub name: Option<String>,
    /// `udp:127.0.0.1:5060`, as `$fs` and dialog storage print it.
    pub text: Text,
    /// What Via and Record-Route carry: advertised or bound host, port only if advertised or not 5060.
    pub sent_by: Text,
}

impl Socket {
    /// A socket with its texts made.
    pub fn new(protocol: Protocol, address: SocketAddr, advertise: Option<(String, Option<u16>)>, name: Option<String>) -> Socket {
        let host = bracketed(address.ip());
        let text = format!("{}:{}:{}", word(protocol), host, address.port());
        let sent_by = match &advertise {
            Some((advertised, Some(port))) => format!("{advertised}:{port}"),
            Some((advertised, None)) => advertised.clone(),
            None if address.port() == DEFAULT_PORT => host,
            None => format!("{host}:{}", address.port()),
        };
        Socket { protocol, address, advertise, name, text: Text::from(text), sent_by: Text::from(sent_by) }
    }
}

/// The protocol in lower case, as socket texts and URIs write it.
pub const fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp => "tcp",
        Protocol::Tls => "tls",
        Protocol::Sctp => "sctp",
        Protocol::Ws => "ws",
        Protocol::Wss => "wss",
    }
}

/// An address as it stands in a URI: IPv6 in brackets.
pub fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// A name that counts as this proxy.
#[derive(Debug, Clone)]
pub struct Alias {
    pub protocol: Option<Protocol>,
    pub host: String,
    /// None matches any port.
    pub port: Option<u16>,
}

/// All local sockets and aliases, in order of configuration.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    pub list: Vec<Socket>,
    pub aliases: Vec<Alias>,
}

impl Sockets {
    /// The socket with this index.
    pub fn at(&self, index: u16) -> Option<&Socket> {
        self.list.get(usize::from(index))
    }

    /// Does host and port name this proxy (spec proxy-core 2.5)? A port of None or 0 counts as 5060.
    pub fn is_myself(&self, host: &[u8], port: Option<u16>) -> bool {
        if host.is_empty() {
            return false;
        }
        let port = port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT);
        let address = parse_address(host);
        let of_socket = self.list.iter().any(|socket| {
            let bound = socket.address.port() == port && address == Some(socket.address.ip());
            let advertised = socket.advertise.as_ref().is_some_and(|(name, advertised_port)| {
                advertised_port.unwrap_or(DEFAULT_PORT) == port && host.eq_ignore_ascii_case(name.as_bytes())
            });
            bound || advertised
        });
        of_socket
            || self
                .aliases
                .iter()
                .any(|alias| host.eq_ignore_ascii_case(alias.host.as_bytes()) && alias.port.is_none_or(|alias_port| alias_port == port))
    }

    /// The socket bound to this address and port with this protocol (None: any).
    pub fn find(&self, protocol: Option<Protocol>, address: IpAddr, port: u16) -> Option<u16> {
        let port = if port == 0 { DEFAULT_PORT } else { port };
        self.list
            .iter()
            .position(|socket| {
                protocol.is_none_or(|wanted| wanted == socket.protocol) && socket.address.ip() == address && socket.address.port() == port
            })
            .and_then(|index| u16::try_from(index).ok())
    }

    /// The socket with this `name`.
    pub fn find_named(&self, name: &[u8]) -> Option<u16> {
        self.list
            .iter()
            .position(|socket| socket.name.as_deref().is_some_and(|own| own.as_bytes() == name))
            .and_then(|index| u16::try_from(index).ok())
    }

    /// A socket from `proto:host:port` text, as `$fs` takes it; the host may be an advertised name.
    pub fn find_text(&self, text: &[u8]) -> Option<u16> {
        let text = std::str::from_utf8(text).ok()?;
        let (protocol, rest) = match text.split_once(':') {
            Some((word, rest)) if Protocol::from_bytes(word.as_bytes()).is_some() => (Protocol::from_bytes(word.as_bytes()), rest),
            _ => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse::<u16>().ok()?),
            _ => (rest, DEFAULT_PORT),
        };
        if let Some(address) = parse_address(host.as_bytes())
            && let Some(index) = self.find(protocol, address, port)
        {
            return Some(index);
        }
        self.list
            .iter()
            .position(|socket| {
                protocol.is_none_or(|wanted| wanted == socket.protocol)
                    && socket.advertise.as_ref().is_some_and(|(name, advertised_port)| {
                        name.eq_ignore_ascii_case(host) && advertised_port.unwrap_or(DEFAULT_PORT) == port
                    })
            })
            .and_then(|index| u16::try_from(index).ok())
    }

    /// The socket to send from when none is forced (spec proxy-core 2.7): the receiving one when protocol and family fit,
    /// else the first that fits.
    pub fn automatic(&self, protocol: Protocol, destination: IpAddr, received_on: Option<u16>) -> Option<u16> {
        let fits = |socket: &Socket| socket.protocol == protocol && socket.address.is_ipv4() == destination.is_ipv4();
        if let Some(index) = received_on.filter(|index| self.at(*index).is_some_and(fits)) {
            return Some(index);
        }
        self.list.iter().position(fits).and_then(|index| u16::try_from(index).ok())
    }
}

/// An IP literal, IPv6 with or without brackets.
pub fn parse_address(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    text.parse().ok()
}
