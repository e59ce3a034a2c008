//! A caller and a callee made of strings: just enough SIP to drive a call through the proxy and look at what arrives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::{PATIENCE, text};

/// One end of a call, over UDP or a TCP connection.
pub enum Party {
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream, Vec<u8>),
}

impl Party {
    /// A UDP socket that talks to the proxy.
    pub fn udp(local: &str, proxy: SocketAddr) -> Party {
        let socket = UdpSocket::bind(local).unwrap();
        Party::Udp(socket, proxy)
    }

    /// A connection to the proxy.
    pub fn tcp(proxy: SocketAddr) -> Party {
        Party::of(TcpStream::connect(proxy).unwrap())
    }

    /// The next connection the proxy opens to us.
    pub fn accept(listener: &TcpListener) -> Party {
        listener.set_nonblocking(true).unwrap();
        let stream = super::until("a connection from the proxy", || listener.accept().ok()).0;
        stream.set_nonblocking(false).unwrap();
        Party::of(stream)
    }

    fn of(stream: TcpStream) -> Party {
        stream.set_nodelay(true).unwrap();
        Party::Tcp(stream, Vec::new())
    }

    pub fn address(&self) -> SocketAddr {
        match self {
            Party::Udp(socket, _) => socket.local_addr().unwrap(),
            Party::Tcp(stream, _) => stream.local_addr().unwrap(),
        }
    }

    /// `UDP` or `TCP`.
    pub fn transport(&self) -> &'static str {
        if matches!(self, Party::Udp(..)) { "UDP" } else { "TCP" }
    }

    pub fn send(&mut self, message: &str) {
        match self {
            Party::Udp(socket, proxy) => drop(socket.send_to(message.as_bytes(), *proxy).unwrap()),
            Party::Tcp(stream, _) => stream.write_all(message.as_bytes()).unwrap(),
        }
    }

    /// Sends in pieces of these lengths in turn, each in a segment of its own.
    pub fn send_split(&mut self, message: &str, lengths: &[usize]) {
        let mut rest = message.as_bytes();
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                return;
            }
            let (piece, behind) = rest.split_at((*length).min(rest.len()));
            if let Party::Tcp(stream, _) = self {
                stream.write_all(piece).unwrap();
                std::thread::park_timeout(Duration::from_millis(2));
            }
            rest = behind;
        }
    }

    /// The next message, None when none comes in time or the connection is closed.
    pub fn next_within(&mut self, patience: Duration) -> Option<String> {
        let end = Instant::now() + patience;
        loop {
            if let Party::Tcp(_, buffer) = self
                && let Some(message) = cut(buffer)
            {
                return Some(message);
            }
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let mut chunk = [0; 65_536];
            match self {
                Party::Udp(socket, _) => {
                    socket.set_read_timeout(Some(left)).unwrap();
                    return socket.recv(&mut chunk).ok().map(|length| text(&chunk[..length]));
                }
                Party::Tcp(stream, buffer) => {
                    stream.set_read_timeout(Some(left)).unwrap();
                    match stream.read(&mut chunk) {
                        Ok(0) | Err(_) => return None,
                        Ok(length) => buffer.extend_from_slice(&chunk[..length]),
                    }
                }
            }
        }
    }

    /// The next message that begins so; others (100, retransmissions) are passed over.
    pub fn expect(&mut self, start: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < end {
            match self.next_within(end.saturating_duration_since(Instant::now())) {
                Some(message) if message.starts_with(start) => return message,
                Some(message) => seen.push(message),
                None => break,
            }
        }
        panic!("no `{start}` came, but {seen:#?}");
    }

    /// Reads until the peer closes; what came before that. Panics when it stays open.
    pub fn expect_close(&mut self) -> String {
        let Party::Tcp(stream, buffer) = self else { panic!("not a connection") };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut chunk = [0; 4096];
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => return text(buffer),
                Ok(length) => buffer.extend_from_slice(&chunk[..length]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    panic!("the connection stays open after {:?}", text(buffer));
                }
                Err(_) => return text(buffer),
            }
        }
    }
}

/// Cuts one message (or a keep-alive) from the front of a stream.
fn cut(buffer: &mut Vec<u8>) -> Option<String> {
    if buffer.starts_with(b"\r\n") {
        buffer.drain(..2);
        return Some("\r\n".to_owned());
    }
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let length = header(&text(&buffer[..head]), "Content-Length").and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    if buffer.len() < head + length {
        return None;
    }
    Some(text(&buffer.drain(..head + length).collect::<Vec<u8>>()))
}

/// The first value of a header.
pub fn header(message: &str, name: &str) -> Option<String> {
    headers(message, name).into_iter().next()
}

/// All values of a header, top first.
pub fn headers(message: &str, name: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let found = head.split("\r\n").filter_map(|line| line.split_once(':')).filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned()).collect()
}

/// The caller's side of a dialog; no tag and no routes before there is one.
pub struct Dialog<'a> {
    pub target: &'a str,
    pub remote_tag: &'a str,
    pub routes: &'a [String],
}

/// What stays the same during a call.
pub struct Call {
    pub id: String,
    pub to: String,
}

impl Call {
    pub fn new(id: &str, to: &str) -> Call {
        Call { id: id.to_owned(), to: to.to_owned() }
    }

    /// A request of the caller outside a dialog.
    pub fn request(&self, from: &Party, method: &str, number: u32, uri: &str, body: &str) -> String {
        self.request_within(from, method, number, &Dialog { target: uri, remote_tag: "", routes: &[] }, body)
    }

    /// A request of the caller within the dialog.
    pub fn request_within(&self, from: &Party, method: &str, number: u32, dialog: &Dialog, body: &str) -> String {
        let Dialog { target: uri, remote_tag: to_tag, routes } = dialog;
        let (address, transport) = (from.address(), from.transport());
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let mut out =
            format!("{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};rport;branch=z9hG4bK{}-{number}-{method}\r\n", self.id);
        for route in *routes {
            out.push_str(&format!("Route: {route}\r\n"));
        }
        out.push_str(&format!(
            "Max-Forwards: 70\r\nFrom: <sip:alice@{address}>;tag=a{}\r\nTo: <{}>{tag}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:alice@{address};transport={}>\r\nContent-Length: {}\r\n\r\n{body}",
            self.id,
            self.to,
            self.id,
            transport.to_lowercase(),
            body.len()
        ));
        out
    }
}

/// The callee's answer to a request that arrived.
pub fn reply(request: &str, at: &Party, status: &str, to_tag: &str) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
        for value in headers(request, name) {
            let tag = if name == "To" && !value.contains(";tag=") && !to_tag.is_empty() { format!(";tag={to_tag}") } else { String::new() };
            out.push_str(&format!("{name}: {value}{tag}\r\n"));
        }
    }
    out.push_str(&format!("Contact: <sip:bob@{};transport={}>\r\nContent-Length: 0\r\n\r\n", at.address(), at.transport().to_lowercase()));
    out
}

/// INVITE, 180, 200, ACK, BYE, 200 between two ends. `callee` may be a connection that does not exist yet. `pieces`: how
/// the caller's stream is cut.
pub fn whole_call(caller: &mut Party, id: &str, uri: &str, callee: impl FnOnce() -> Party, pieces: &[usize]) -> (Party, String) {
    let call = Call::new(id, uri);
    let say = |caller: &mut Party, message: &str| if pieces.is_empty() { caller.send(message) } else { caller.send_split(message, pieces) };
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let invite = call.request(caller, "INVITE", 1, uri, body);
    say(caller, &invite);
    let mut callee = callee();
    let arrived = callee.expect("INVITE ");
    assert!(arrived.ends_with(body), "{arrived}");
    assert_eq!(headers(&arrived, "Via").len(), 2, "{arrived}");
    let via = headers(&arrived, "Via").remove(0);
    assert!(via.starts_with(&format!("SIP/2.0/{} ", callee.transport())), "{via}");
    callee.send(&reply(&arrived, &callee, "180 Ringing", "bob"));
    caller.expect("SIP/2.0 180");
    callee.send(&reply(&arrived, &callee, "200 OK", "bob"));
    let answer = caller.expect("SIP/2.0 200");
    assert_eq!(headers(&answer, "Via").len(), 1, "{answer}");
    let mut routes = headers(&answer, "Record-Route");
    routes.reverse();
    assert!(!routes.is_empty(), "{answer}");
    let contact = header(&answer, "Contact").unwrap();
    let target = contact.trim_start_matches('<').split('>').next().unwrap();
    let dialog = Dialog { target, remote_tag: "bob", routes: &routes };
    let ack = call.request_within(caller, "ACK", 1, &dialog, "");
    say(caller, &ack);
    let ack = callee.expect("ACK ");
    assert!(headers(&ack, "Route").is_empty(), "{ack}");
    let bye = call.request_within(caller, "BYE", 2, &dialog, "");
    say(caller, &bye);
    let bye = callee.expect("BYE ");
    assert!(headers(&bye, "Route").is_empty(), "{bye}");
    callee.send(&reply(&bye, &callee, "200 OK", "bob"));
    let end = caller.expect("SIP/2.0 200");
    assert!(header(&end, "CSeq").is_some_and(|value| value.ends_with("BYE")), "{end}");
    (callee, arrived)
}

/// An OPTIONS to the proxy itself.
pub fn options(from: &Party, id: &str, proxy: SocketAddr) -> String {
    let uri = format!("sip:{proxy}");
    Call::new(id, &uri).request(from, "OPTIONS", 1, &uri, "")
}
