//! Ports of loopback for processes that tests and measurements start. A port that was merely seen to be free may be somebody
//! else's by the time the process binds it; one from here lies below those that the system hands out by itself, and no
//! other process that asks here gets it. It binds nothing for its caller and knows no protocols.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Mutex;

/// The first port given and how many there are: five digits each, below the system's own range (32 768 and up).
const FIRST: u16 = 14_000;
const COUNT: u16 = 18_000;
/// How many ports a process keeps for itself, the latest ones. Each is a file descriptor; a process that was started long ago
/// has bound its port.
const KEPT_MAX: usize = 256;

/// What this process keeps, and the offset of the port it tries next.
struct Claims {
    kept: VecDeque<UnixDatagram>,
    next: Option<u16>,
}

static CLAIMS: Mutex<Claims> = Mutex::new(Claims { kept: VecDeque::new(), next: None });

/// A port that nobody uses on 127.0.0.1 or ::1, neither over UDP nor over TCP, and that nobody else who asks here is given
/// until this process ends or has asked for [`KEPT_MAX`] more.
///
/// # Errors
/// All of them are taken.
pub fn free_port() -> Result<u16, String> {
    let mut claims = CLAIMS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Processes begin at different places, so that they rarely try the same ones.
    let first = u16::try_from(std::process::id().wrapping_mul(61) % u32::from(COUNT)).unwrap_or(0);
    let mut offset = claims.next.unwrap_or(first);
    for _ in 0..COUNT {
        let port = FIRST + offset;
        offset = (offset + 1) % COUNT;
        if let Some(claim) = claim(port).filter(|_| is_free(port)) {
            claims.next = Some(offset);
            claims.kept.push_back(claim);
            if claims.kept.len() > KEPT_MAX {
                claims.kept.pop_front();
            }
            return Ok(port);
        }
    }
    Err(format!("none of the ports {FIRST}-{} of loopback is free", FIRST + COUNT - 1))
}

/// A name in the abstract space of unix sockets belongs to one process and goes with it, however that ends.
fn claim(port: u16) -> Option<UnixDatagram> {
    let name = SocketAddr::from_abstract_name(format!("duolog-loopback-port-{port}")).ok()?;
    UnixDatagram::bind_addr(&name).ok()
}

fn is_free(port: u16) -> bool {
    let taken = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let four = (Ipv4Addr::LOCALHOST, port);
    let six = (Ipv6Addr::LOCALHOST, port);
    // A machine without IPv6 has nobody there.
    UdpSocket::bind(four).is_ok()
        && TcpListener::bind(four).is_ok()
        && !UdpSocket::bind(six).is_err_and(taken)
        && !TcpListener::bind(six).is_err_and(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_can_be_bound() {
        let mut ports: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        for port in &ports {
            assert!(UdpSocket::bind(("127.0.0.1", *port)).is_ok() && TcpListener::bind(("127.0.0.1", *port)).is_ok());
            assert!((FIRST..FIRST + COUNT).contains(port));
        }
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
    }

    #[test]
    fn a_port_that_another_process_claimed_or_uses_is_passed_over() {
        let given = free_port().unwrap();
        assert!(claim(given).is_none(), "it is claimed");
        let udp = UdpSocket::bind(("127.0.0.1", given)).unwrap();
        assert!(!is_free(given));
        drop(udp);
        assert!(is_free(given));
        let _tcp = TcpListener::bind(("127.0.0.1", given)).unwrap();
        assert!(!is_free(given));
    }
}
