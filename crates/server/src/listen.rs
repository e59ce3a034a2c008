//! From `listen` lines to bound sockets, and the map between their places here and in the transport room.

use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};

use crate::command_line::CommandLine;
use modules::core_settings::CoreSettings;
use modules::sockets::{Alias, Socket, Sockets, parse_address};
use script::syntax::ast::{self, Configuration};
use transaction::Protocol;
use transport::socket::{SocketOptions, bind_tcp, bind_udp};

/// Everything that was bound.
pub struct Bound {
    pub sockets: Sockets,
    pub udp: Vec<UdpSocket>,
    pub tcp: Vec<TcpListener>,
    /// Index in `sockets` of each UDP socket and TCP listener.
    pub udp_places: Vec<u16>,
    pub tcp_places: Vec<u16>,
}

/// What to bind: protocol, address, advertised name, socket name.
struct Wanted {
    protocol: Protocol,
    address: SocketAddr,
    advertise: Option<(String, Option<u16>)>,
    name: Option<String>,
}

/// Binds what the configuration and the command line (`-l`) ask for; without either, every interface.
pub fn bind(configuration: &Configuration, line: &CommandLine, core: &CoreSettings) -> Result<Bound, String> {
    let extra = &line.listen;
    let mut wanted = Vec::new();
    if extra.is_empty() {
        for listen in &configuration.listens {
            wanted.extend(of_listen(listen, core)?);
        }
    } else {
        for text in extra {
            wanted.extend(of_text(text, core)?);
        }
    }
    if wanted.is_empty() {
        for address in transport::interfaces::default_addresses(false).map_err(|error| error.to_string())? {
            wanted.extend(each_protocol(None, address, core.port, core, None, None));
        }
    }
    let defaults = SocketOptions::default();
    let receive_bytes = line.receive_buffer_max.unwrap_or(defaults.receive_bytes);
    let options = SocketOptions { free_bind: core.ip_free_bind, receive_bytes, ..defaults };
    let mut bound = Bound { sockets: Sockets::default(), udp: Vec::new(), tcp: Vec::new(), udp_places: Vec::new(), tcp_places: Vec::new() };
    for one in wanted {
        let place = u16::try_from(bound.sockets.list.len()).map_err(|_| "too many listen addresses".to_owned())?;
        match one.protocol {
            Protocol::Udp => {
                bound.udp.push(bind_udp(one.address, &options).map_err(|error| error.to_string())?);
                bound.udp_places.push(place);
            }
            Protocol::Tcp => {
                bound.tcp.push(bind_tcp(one.address, &options).map_err(|error| error.to_string())?);
                bound.tcp_places.push(place);
            }
            other => return Err(format!("listen on {}: {} is not offered by this version; use udp or tcp", one.address, other.name())),
        }
        bound.sockets.list.push(Socket::new(one.protocol, one.address, one.advertise, one.name));
    }
    if bound.udp.is_empty() {
        return Err("no UDP socket: at least one `listen = udp:...` is needed".to_owned());
    }
    bound.sockets.aliases = configuration
        .aliases
        .iter()
        .map(|alias| Alias { protocol: alias.protocol.map(protocol), host: alias.host.clone(), port: alias.port })
        .collect();
    for text in &line.aliases {
        bound.sockets.aliases.push(alias(text)?);
    }
    if core.auto_aliases {
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let automatic = automatic_aliases(&hosts, &bound.sockets.list);
        bound.sockets.aliases.extend(automatic);
    }
    Ok(bound)
}

fn protocol(word: ast::Protocol) -> Protocol {
    match word {
        ast::Protocol::Udp => Protocol::Udp,
        ast::Protocol::Tcp => Protocol::Tcp,
        ast::Protocol::Tls => Protocol::Tls,
        ast::Protocol::Sctp => Protocol::Sctp,
        ast::Protocol::Ws => Protocol::Ws,
        ast::Protocol::Wss => Protocol::Wss,
    }
}

fn of_listen(listen: &ast::Listen, core: &CoreSettings) -> Result<Vec<Wanted>, String> {
    let advertise = listen.advertise.as_ref().map(|advertise| (advertise.host.clone(), advertise.port));
    let port = listen.port.unwrap_or(core.port);
    let mut wanted = Vec::new();
    for address in addresses(&listen.host)? {
        wanted.extend(each_protocol(listen.protocol.map(protocol), address, port, core, advertise.clone(), listen.name.clone()));
    }
    Ok(wanted)
}

/// One socket a protocol: UDP and, unless switched off, TCP when none is named.
fn each_protocol(
    named: Option<Protocol>,
    address: IpAddr,
    port: u16,
    core: &CoreSettings,
    advertise: Option<(String, Option<u16>)>,
    name: Option<String>,
) -> Vec<Wanted> {
    let protocols: &[Protocol] = match named {
        Some(Protocol::Tcp) if core.disable_tcp => &[],
        Some(ref one) => std::slice::from_ref(one),
        None if core.disable_tcp => &[Protocol::Udp],
        None => &[Protocol::Udp, Protocol::Tcp],
    };
    protocols
        .iter()
        .map(|protocol| Wanted {
            protocol: *protocol,
            address: SocketAddr::new(address, port),
            advertise: advertise.clone(),
            name: name.clone(),
        })
        .collect()
}

/// An address literal, an interface, or a name.
fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    if let Some(address) = parse_address(host.as_bytes()) {
        return Ok(vec![address]);
    }
    if let Ok(found) = transport::interfaces::addresses_of(host)
        && !found.is_empty()
    {
        return Ok(found);
    }
    let found: Vec<IpAddr> =
        (host, 0_u16).to_socket_addrs().map_err(|error| format!("listen on `{host}`: {error}"))?.map(|address| address.ip()).collect();
    found.first().map(|address| vec![*address]).ok_or_else(|| format!("listen on `{host}`: no such address or interface"))
}

/// A host with an optional port; brackets around IPv6.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse::<u16>().map_err(|_| format!("`{port}` is no port"))?;
            Ok((host, Some(port)))
        }
        _ => Ok((text, None)),
    }
}

/// Most names of the hosts file that become aliases.
const AUTOMATIC_ALIASES_MAX: usize = 64;

/// `auto_aliases`: the names that the hosts file has for the address of a socket, each with the socket's port.
fn automatic_aliases(hosts: &str, sockets: &[Socket]) -> Vec<Alias> {
    let names_of = |address: IpAddr| {
        let words = hosts.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
        words.filter_map(move |mut words| (words.next()?.parse() == Ok(address)).then_some(words)).next()
    };
    let aliases = sockets.iter().flat_map(|socket| {
        let names = names_of(socket.address.ip()).into_iter().flatten();
        names.map(|name| Alias { protocol: Some(socket.protocol), host: name.to_owned(), port: Some(socket.address.port()) })
    });
    aliases.take(AUTOMATIC_ALIASES_MAX).collect()
}

/// `--alias=[proto:]host[:port]`
pub fn alias(text: &str) -> Result<Alias, String> {
    let (protocol, rest) = match text.split_once(':') {
        Some((word, rest)) if Protocol::from_bytes(word.as_bytes()).is_some() => (Protocol::from_bytes(word.as_bytes()), rest),
        _ => (None, text),
    };
    let (host, port) = host_and_port(rest).map_err(|reason| format!("--alias={text}: {reason}"))?;
    Ok(Alias { protocol, host: host.to_owned(), port })
}

/// `-l [proto:]address[:port][/advertised[:port]]`
fn of_text(text: &str, core: &CoreSettings) -> Result<Vec<Wanted>, String> {
    let bad = |reason: String| format!("-l {text}: {reason}");
    let (text_of_socket, advertise) = match text.split_once('/') {
        Some((socket, advertise)) => (socket, Some(host_and_port(advertise).map_err(bad)?)),
        None => (text, None),
    };
    let advertise = advertise.map(|(host, port)| (host.to_owned(), port));
    let (named, rest) = match text_of_socket.split_once(':') {
        Some((word, rest)) if Protocol::from_bytes(word.as_bytes()).is_some() => (Protocol::from_bytes(word.as_bytes()), rest),
        _ => (None, text_of_socket),
    };
    let (host, port) = host_and_port(rest).map_err(bad)?;
    let mut wanted = Vec::new();
    for address in addresses(host)? {
        wanted.extend(each_protocol(named, address, port.unwrap_or(core.port), core, advertise.clone(), None));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hosts_file_become_aliases_with_the_port_of_the_socket() {
        let socket = |protocol, address: &str| Socket::new(protocol, address.parse().unwrap(), None, None);
        let hosts = "# local\n127.0.0.1\tlocalhost here # loopback\n127.0.0.1 later\n::1 localhost\n";
        let sockets = [socket(Protocol::Udp, "127.0.0.1:5080"), socket(Protocol::Udp, "127.0.0.2:5060")];
        let found = automatic_aliases(hosts, &sockets);
        let shown: Vec<_> = found.iter().map(|alias| (alias.host.as_str(), alias.port)).collect();
        assert_eq!(shown, [("localhost", Some(5080)), ("here", Some(5080))]);
    }

    #[test]
    fn an_alias_of_the_command_line_may_name_protocol_and_port() {
        let read = |text| alias(text).map(|alias| (alias.protocol.is_some(), alias.host, alias.port));
        assert_eq!(read("example.com"), Ok((false, "example.com".to_owned(), None)));
        assert_eq!(read("udp:example.com:5070"), Ok((true, "example.com".to_owned(), Some(5070))));
        assert!(read("example.com:x").is_err());
    }
}
