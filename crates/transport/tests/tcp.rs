//! The stream thread over loopback: framing at every split, bounds, slow peers, reuse of connections, failures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use transport::limits::StreamLimits;
use transport::outbox::Datagrams;
use transport::socket::{SocketOptions, bind_tcp};
use transport::tcp::{ConnectionId, StreamDriver, StreamError, StreamFailure, StreamState, Streams, Target, stream_worker};
use transport::udp::{self, UdpOptions};

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Message(Vec<u8>, ConnectionId),
    Http(Vec<u8>, ConnectionId),
    Opened(ConnectionId, SocketAddr),
    Closed(ConnectionId, String),
    Failed(Vec<u8>, String),
}

struct Recorder(Sender<Event>);

impl StreamDriver for Recorder {
    fn batch_begin(&mut self) {}
    fn stream_message(&mut self, bytes: &[u8], _: SocketAddr, _: usize, connection: ConnectionId) {
        let _ = self.0.send(Event::Message(bytes.to_vec(), connection));
    }
    fn http_request(&mut self, bytes: &[u8], _: SocketAddr, _: usize, connection: ConnectionId) {
        let _ = self.0.send(Event::Http(bytes.to_vec(), connection));
    }
    fn outgoing(&mut self, _: &mut Datagrams<'_>) {}
    fn send_failed(&mut self, failure: StreamFailure) {
        let _ = self.0.send(Event::Failed(failure.bytes, failure.error));
    }
    fn opened(&mut self, connection: ConnectionId, peer: SocketAddr, _: usize) {
        let _ = self.0.send(Event::Opened(connection, peer));
    }
    fn closed(&mut self, connection: ConnectionId, _: SocketAddr, reason: &StreamError) {
        let _ = self.0.send(Event::Closed(connection, reason.to_string()));
    }
}

struct Rig {
    address: SocketAddr,
    streams: Streams,
    events: Receiver<Event>,
    thread: std::thread::JoinHandle<()>,
}

fn start(limits: StreamLimits) -> Rig {
    let listener = bind_tcp("127.0.0.1:0".parse().unwrap(), &SocketOptions::default()).unwrap();
    let address = listener.local_addr().unwrap();
    let crew = udp::workers(Vec::new(), UdpOptions::default()).unwrap().crew;
    let (worker, streams) = stream_worker(vec![listener], crew, limits, None).unwrap();
    let (sender, events) = channel();
    let thread = std::thread::spawn(move || {
        worker.run(Recorder(sender)).unwrap();
    });
    Rig { address, streams, events, thread }
}

impl Rig {
    fn event(&self) -> Event {
        self.events.recv_timeout(Duration::from_secs(15)).expect("no event")
    }

    /// The next event that is not about a connection being opened.
    fn next(&self) -> Event {
        loop {
            match self.event() {
                Event::Opened(..) => {}
                event => return event,
            }
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        stream
    }

    fn stop(self) {
        self.streams.stop();
        self.thread.join().unwrap();
    }
}

fn message(body: &str) -> Vec<u8> {
    format!("MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[test]
fn a_message_is_whole_wherever_the_stream_is_cut() {
    let rig = start(StreamLimits::default());
    let (first, second) = (message("hello"), message(""));
    let both = [first.clone(), second.clone()].concat();
    let mut stream = rig.connect();
    for cut in 1..both.len() {
        stream.write_all(&both[..cut]).unwrap();
        stream.write_all(&both[cut..]).unwrap();
        assert!(matches!(rig.next(), Event::Message(bytes, _) if bytes == first), "cut at {cut}");
        assert!(matches!(rig.next(), Event::Message(bytes, _) if bytes == second), "cut at {cut}");
    }
    rig.stop();
}

#[test]
fn a_ping_is_answered_and_http_is_told_from_sip() {
    let rig = start(StreamLimits::default());
    let mut stream = rig.connect();
    stream.write_all(b"\r\n\r\n").unwrap();
    let mut answer = [0u8; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\r\n");
    let request = b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    let mut web = rig.connect();
    web.write_all(request).unwrap();
    let Event::Http(bytes, connection) = rig.next() else { panic!("not HTTP") };
    assert_eq!(bytes, request);
    let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    rig.streams.send(Target { then_close: true, ..Target::connection(connection) }, reply).unwrap();
    let mut received = Vec::new();
    web.read_to_end(&mut received).unwrap();
    assert_eq!(received, reply);
    rig.stop();
}

#[test]
fn streams_that_two_receivers_could_cut_differently_are_closed() {
    let rig = start(StreamLimits::default());
    for header in [
        "Content-Length: 5\r\nContent-Length: 0",
        "Content-Length: -1",
        "Content-Length: 4294967297",
        "Content-Length: 5, 6",
        "Content-Length: 0x5",
        "Subject: no length at all",
    ] {
        let mut stream = rig.connect();
        let text = format!("MESSAGE sip:a@b SIP/2.0\r\n{header}\r\n\r\nhello");
        stream.write_all(text.as_bytes()).unwrap();
        assert!(matches!(rig.next(), Event::Closed(_, reason) if reason.starts_with("unreadable")), "{header}");
        // The end or a reset: we closed with their bytes unread.
        assert!(matches!(stream.read(&mut [0u8; 8]), Ok(0) | Err(_)));
    }
    assert_eq!(rig.streams.counters().misbehaved.load(std::sync::atomic::Ordering::Relaxed), 6);
    rig.stop();
}

#[test]
fn a_message_that_trickles_in_too_slowly_ends_the_connection() {
    let rig = start(StreamLimits { read_timeout: Duration::from_millis(300), ..StreamLimits::default() });
    let mut slow = rig.connect();
    let text = message("hello");
    for byte in &text[..text.len() - 1] {
        if slow.write_all(std::slice::from_ref(byte)).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    assert!(matches!(rig.next(), Event::Closed(_, reason) if reason.contains("completed in time")));
    rig.stop();
}

#[test]
fn an_idle_connection_ends_after_its_lifetime() {
    let rig = start(StreamLimits { lifetime: Duration::from_millis(100), ..StreamLimits::default() });
    let mut stream = rig.connect();
    assert_eq!(stream.read(&mut [0u8; 8]).unwrap(), 0);
    assert!(matches!(rig.next(), Event::Closed(_, reason) if reason.contains("idle")));
    rig.stop();
}

#[test]
fn new_limits_hold_for_connections_that_are_open() {
    let rig = start(StreamLimits::default());
    let mut stream = rig.connect();
    stream.write_all(&message("x")).unwrap();
    assert!(matches!(rig.next(), Event::Message(..)));
    rig.streams.set_limits(StreamLimits { lifetime: Duration::from_millis(50), ..StreamLimits::default() }).unwrap();
    assert_eq!(stream.read(&mut [0u8; 8]).unwrap(), 0);
    rig.stop();
}

#[test]
fn without_connects_and_answers_to_pings_nothing_is_opened_and_nothing_answered() {
    let rig = start(StreamLimits { connects: false, answers_pings: false, ..StreamLimits::default() });
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    rig.streams.send(Target::address(elsewhere.local_addr().unwrap(), 0), b"bytes").unwrap();
    assert_eq!(rig.next(), Event::Failed(b"bytes".to_vec(), StreamError::NotConnected.to_string()));
    let mut stream = rig.connect();
    stream.write_all(b"\r\n\r\n").unwrap();
    stream.write_all(&message("x")).unwrap();
    assert!(matches!(rig.next(), Event::Message(..)));
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(stream.read(&mut [0u8; 8]).is_err());
    rig.stop();
}

#[test]
fn open_connections_are_listed_with_their_state_and_counted() {
    let rig = start(StreamLimits::default());
    let mut stream = rig.connect();
    assert!(matches!(rig.event(), Event::Opened(..)));
    let local = stream.local_addr().unwrap();
    let seen = rig.streams.list();
    assert_eq!(seen.iter().map(|one| (one.state, one.peer)).collect::<Vec<_>>(), [(StreamState::Accepted, local)]);
    assert_eq!(seen[0].local, Some(rig.address));
    stream.write_all(&message("x")).unwrap();
    assert!(matches!(rig.event(), Event::Message(..)));
    assert_eq!(rig.streams.list()[0].state, StreamState::Established);
    assert_eq!(rig.streams.counters().heard.load(Ordering::Relaxed), 1);
    // A peer that closes with unread bytes resets.
    let connection = rig.streams.list()[0].id;
    rig.streams.send(Target::connection(connection), b"unread").unwrap();
    while stream.peek(&mut [0u8; 1]).is_err() {}
    drop(stream);
    assert!(matches!(rig.next(), Event::Closed(_, reason) if reason.contains("reset") || reason.contains("peer")));
    assert!(rig.streams.list().is_empty());
    rig.stop();
}

#[test]
fn connections_beyond_the_bound_are_refused_and_room_is_given_back() {
    let rig = start(StreamLimits { connections_per_source_max: 2, ..StreamLimits::default() });
    let mut first = rig.connect();
    let _second = rig.connect();
    assert!(matches!(rig.event(), Event::Opened(..)));
    assert!(matches!(rig.event(), Event::Opened(..)));
    let mut third = rig.connect();
    assert!(matches!(third.read(&mut [0u8; 8]), Ok(0) | Err(_)));
    first.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(first.read(&mut [0u8; 8]).unwrap(), 0);
    assert!(matches!(rig.next(), Event::Closed(_, reason) if reason.contains("peer")));
    let mut fourth = rig.connect();
    fourth.write_all(&message("x")).unwrap();
    assert!(matches!(rig.next(), Event::Message(..)));
    rig.stop();
}

#[test]
fn a_peer_that_does_not_read_is_cut_off_and_the_rest_is_reported() {
    let rig = start(StreamLimits::default());
    let stream = rig.connect();
    let Event::Opened(connection, _) = rig.event() else { panic!("not opened") };
    let block = vec![b'x'; 30_000];
    let mut sent = 0;
    // Kernel buffers take some megabytes before our own queue fills.
    let failed = loop {
        rig.streams.send(Target::connection(connection), &block).unwrap();
        sent += 1;
        if let Ok(event) = rig.events.recv_timeout(Duration::from_millis(5)) {
            break event;
        }
        assert!(sent < 2000, "the queue never filled");
    };
    assert!(matches!(failed, Event::Failed(_, reason) if reason.contains("queue")));
    loop {
        match rig.event() {
            Event::Closed(id, _) => break assert_eq!(id, connection),
            Event::Failed(..) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(stream);
    rig.stop();
}

#[test]
fn nothing_stays_counted_as_waiting_for_peers_that_reset_in_the_middle_of_a_message() {
    let rig = start(StreamLimits::default());
    let block = vec![b'x'; 6 << 20];
    for round in 1..=100 {
        let mut stream = rig.connect();
        let Event::Opened(connection, _) = rig.event() else { panic!("not opened") };
        rig.streams.send(Target::connection(connection), &block).unwrap();
        // Makes room for more to leave, and at once a reset: the system answers so when what came was not read.
        stream.read_exact(&mut vec![0; round * 40_000]).unwrap();
        drop(stream);
        while !matches!(rig.event(), Event::Closed(id, _) if id == connection) {}
        assert_eq!(rig.streams.counters().queued.load(Ordering::Relaxed), 0, "round {round}");
    }
    rig.stop();
}

#[test]
fn sends_connect_on_demand_and_then_reuse_the_connection() {
    let rig = start(StreamLimits::default());
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::address(peer.local_addr().unwrap(), 0);
    let (first, second) = (message("one"), message("two"));
    rig.streams.send(target, &first).unwrap();
    rig.streams.send(target, &second).unwrap();
    let (mut accepted, _) = peer.accept().unwrap();
    let mut received = vec![0u8; first.len() + second.len()];
    accepted.read_exact(&mut received).unwrap();
    assert_eq!(received, [first, second].concat());
    // The answer comes back on the same connection.
    accepted.write_all(&message("three")).unwrap();
    let Event::Message(_, connection) = rig.next() else { panic!("no message") };
    // A stale number falls back to the address; the connection is the one we know.
    rig.streams.send(Target { connection: Some(connection + 1000), ..target }, &message("four")).unwrap();
    let mut more = vec![0u8; message("four").len()];
    accepted.read_exact(&mut more).unwrap();
    peer.set_nonblocking(true).unwrap();
    assert!(peer.accept().is_err(), "a second connection was opened");
    assert_eq!(rig.streams.counters().connected.load(std::sync::atomic::Ordering::Relaxed), 1);
    rig.stop();
}

#[test]
fn an_alias_makes_an_accepted_connection_serve_another_port() {
    let rig = start(StreamLimits::default());
    let mut stream = rig.connect();
    let Event::Opened(connection, _) = rig.event() else { panic!("not opened") };
    rig.streams.alias(connection, 5999).unwrap();
    let target = Target { may_connect: false, ..Target::address("127.0.0.1:5999".parse().unwrap(), 0) };
    rig.streams.send(target, b"over the alias").unwrap();
    let mut received = [0u8; 14];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"over the alias");
    rig.stop();
}

#[test]
fn what_cannot_be_delivered_comes_back() {
    let rig = start(StreamLimits::default());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rig.streams.send(Target::address(nobody, 0), b"refused").unwrap();
    assert!(matches!(rig.next(), Event::Failed(bytes, _) if bytes == b"refused"));
    assert!(matches!(rig.next(), Event::Closed(..)));
    rig.streams.send(Target { may_connect: false, ..Target::address(nobody, 0) }, b"not allowed").unwrap();
    assert_eq!(rig.next(), Event::Failed(b"not allowed".to_vec(), "no open connection".into()));
    let streams = rig.streams.clone();
    rig.stop();
    assert!(matches!(streams.send(Target::connection(1), b"late"), Err(StreamError::Stopped)));
}
