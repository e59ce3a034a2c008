//! A call between addresses of version 6.

mod support;

use std::net::{SocketAddr, TcpListener, UdpSocket};

use support::sip::{Party, whole_call};
use support::{RELAY, Server, free_port};

#[test]
fn a_call_over_version_6_works_by_datagram_and_by_stream() {
    if UdpSocket::bind("[::1]:0").is_err() {
        println!("skipped: no ::1 here");
        return;
    }
    let port = free_port();
    let listen = format!("listen = udp:[::1]:{port}\nlisten = tcp:[::1]:{port}\n");
    let mut server = Server::start(port, &listen, "", RELAY, |_| {});
    let proxy: SocketAddr = format!("[::1]:{port}").parse().unwrap();
    let callee = Party::udp("[::1]:0", proxy);
    let uri = format!("sip:bob@{}", callee.address());
    let (_, invite) = whole_call(&mut Party::udp("[::1]:0", proxy), "six-udp", &uri, || callee, &[]);
    assert!(invite.contains(&format!("Record-Route: <sip:[::1]:{port};lr")), "{invite}");
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let uri = format!("sip:bob@{};transport=tcp", listener.local_addr().unwrap());
    whole_call(&mut Party::tcp(proxy), "six-tcp", &uri, || Party::accept(&listener), &[9, 100]);
    server.assert_serves("calls over version 6");
}
