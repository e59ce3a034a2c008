//! Opens and binds sockets with the options that core parameters ask for.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::TransportError;
use crate::limits::{Keepalive, LISTEN_BACKLOG, UDP_RECEIVE_BYTES, UDP_SEND_BYTES};

/// Options of sockets, from core parameters.
#[derive(Clone, Copy, Debug)]
pub struct SocketOptions {
    /// Receive buffer of a UDP socket (command line `-b`); the kernel caps it.
    pub receive_bytes: usize,
    /// Send buffer of a UDP socket; the kernel caps it.
    pub send_bytes: usize,
    /// Bind addresses that are not configured yet (`ip_free_bind`).
    pub free_bind: bool,
    /// Type-of-service byte (`tos`), None: leave the kernel's.
    pub tos: Option<u8>,
    /// Time-to-live of multicast datagrams (`mcast_ttl`).
    pub multicast_ttl: Option<u8>,
    /// Several sockets on one address (`socket_workers` experiments above four cores).
    pub reuse_port: bool,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            receive_bytes: UDP_RECEIVE_BYTES,
            send_bytes: UDP_SEND_BYTES,
            free_bind: false,
            tos: None,
            multicast_ttl: None,
            reuse_port: false,
        }
    }
}

/// A non-blocking UDP socket on `address`; IPv6 sockets take IPv6 only.
///
/// Address reuse stays off: UDP has no TIME_WAIT, and with it a second proxy started by mistake would silently share the
/// port and steal every other call. Such a start fails with "address in use" instead.
pub fn bind_udp(address: SocketAddr, options: &SocketOptions) -> Result<UdpSocket, TransportError> {
    let fail = |step: &'static str| move |source: io::Error| TransportError::Bind { address, step, source };
    let socket =
        Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP)).map_err(fail("open a UDP socket for"))?;
    prepare(&socket, address, options)?;
    // Larger buffers are a wish: the kernel may give less and a refusal is no reason not to serve.
    let _ = socket.set_recv_buffer_size(options.receive_bytes);
    let _ = socket.set_send_buffer_size(options.send_bytes);
    if let Some(ttl) = options.multicast_ttl {
        if address.is_ipv4() {
            socket.set_multicast_ttl_v4(u32::from(ttl)).map_err(fail("set mcast_ttl for"))?;
        } else {
            socket.set_multicast_hops_v6(u32::from(ttl)).map_err(fail("set mcast_ttl for"))?;
        }
    }
    socket.bind(&address.into()).map_err(fail("bind udp"))?;
    Ok(socket.into())
}

/// A non-blocking TCP listener on `address`; IPv6 listeners take IPv6 only.
pub fn bind_tcp(address: SocketAddr, options: &SocketOptions) -> Result<TcpListener, TransportError> {
    let fail = |step: &'static str| move |source: io::Error| TransportError::Bind { address, step, source };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))
        .map_err(fail("open a TCP socket for"))?;
    // After a restart the old connections are in TIME_WAIT; without this the port stays taken for a minute.
    socket.set_reuse_address(true).map_err(fail("set address reuse for"))?;
    prepare(&socket, address, options)?;
    socket.bind(&address.into()).map_err(fail("bind tcp"))?;
    socket.listen(LISTEN_BACKLOG).map_err(fail("listen on tcp"))?;
    Ok(socket.into())
}

fn prepare(socket: &Socket, address: SocketAddr, options: &SocketOptions) -> Result<(), TransportError> {
    let fail = |step: &'static str| move |source: io::Error| TransportError::Bind { address, step, source };
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(fail("set IPv6-only for"))?;
    }
    if options.reuse_port {
        socket.set_reuse_port(true).map_err(fail("set port reuse for"))?;
    }
    if options.free_bind {
        let set = if address.is_ipv4() { socket.set_freebind_v4(true) } else { socket.set_freebind_v6(true) };
        set.map_err(fail("set ip_free_bind for"))?;
    }
    if let Some(tos) = options.tos {
        let set = if address.is_ipv4() { socket.set_tos_v4(u32::from(tos)) } else { socket.set_tclass_v6(u32::from(tos)) };
        set.map_err(fail("set tos for"))?;
    }
    Ok(())
}

/// Starts to connect to `destination` without blocking; with `local`, from that address and any port.
/// The stream becomes writable when it is connected or has failed (`take_error` tells which).
pub fn start_connect(destination: SocketAddr, local: Option<std::net::IpAddr>, tos: Option<u8>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(destination), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if let Some(local) = local.filter(|local| !local.is_unspecified() && local.is_ipv4() == destination.is_ipv4()) {
        socket.bind(&SocketAddr::new(local, 0).into())?;
    }
    if let Some(tos) = tos {
        let set = if destination.is_ipv4() { socket.set_tos_v4(u32::from(tos)) } else { socket.set_tclass_v6(u32::from(tos)) };
        set?;
    }
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&destination.into()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(socket.into())
}

/// Turns the keepalives of a connection on or off. A system that refuses a value keeps its own.
pub fn keep_alive(stream: &TcpStream, keepalive: Option<Keepalive>) {
    let socket = socket2::SockRef::from(stream);
    let Some(wanted) = keepalive else {
        let _ = socket.set_keepalive(false);
        return;
    };
    let mut options = socket2::TcpKeepalive::new();
    if !wanted.idle.is_zero() {
        options = options.with_time(wanted.idle);
    }
    if !wanted.interval.is_zero() {
        options = options.with_interval(wanted.interval);
    }
    if wanted.count > 0 {
        options = options.with_retries(wanted.count);
    }
    let _ = socket.set_tcp_keepalive(&options);
}

/// The local address the kernel would use towards `destination` (`mhomed=1`, spec proxy-core 2.7).
pub fn local_address_towards(destination: SocketAddr) -> io::Result<std::net::IpAddr> {
    let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))?;
    socket.connect(&destination.into())?;
    let local = socket.local_addr()?;
    local.as_socket().map(|address| address.ip()).ok_or_else(|| io::Error::other("no IP address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_udp_socket_on_the_same_address_is_refused() {
        let options = SocketOptions::default();
        let first = bind_udp("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind_udp(address, &options).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }

    #[test]
    fn ipv4_and_ipv6_wildcards_share_a_port() {
        let options = SocketOptions { free_bind: true, tos: Some(0x68), ..SocketOptions::default() };
        let Ok(six) = bind_udp("[::1]:0".parse().unwrap(), &options) else {
            eprintln!("no IPv6 on this host: nothing to test");
            return;
        };
        let port = six.local_addr().unwrap().port();
        drop(six);
        let _six = bind_udp(SocketAddr::new("::".parse().unwrap(), port), &options).unwrap();
        let _four = bind_udp(SocketAddr::new("0.0.0.0".parse().unwrap(), port), &options).unwrap();
    }

    #[test]
    fn the_route_to_loopback_starts_at_loopback() {
        let local = local_address_towards("127.0.0.1:5060".parse().unwrap()).unwrap();
        assert_eq!(local.to_string(), "127.0.0.1");
    }
}
