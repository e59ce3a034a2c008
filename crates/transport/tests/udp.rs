//! UDP workers over loopback: nothing is lost, the deputy steps in, timers and wakes arrive, failures come back.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use transport::outbox::{Datagrams, SendFailure};
use transport::socket::{SocketOptions, bind_udp};
use transport::udp::{self, Driver, UdpOptions, UdpWorkers};

#[derive(Clone)]
struct Echo {
    queue: Vec<(usize, SocketAddr, Vec<u8>)>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    handled: AtomicU64,
    wakes: AtomicU64,
    timers: Mutex<Vec<Instant>>,
    failures: Mutex<Vec<SendFailure>>,
    /// The datagram `block` waits until this is true.
    released: AtomicBool,
    blocked: AtomicBool,
}

impl Driver for Echo {
    fn batch_begin(&mut self) {}

    /// The first byte of a datagram of eight.
    fn call_of(&self, bytes: &[u8]) -> u32 {
        bytes.first().filter(|_| bytes.len() == 8).map_or(0, |first| u32::from(*first))
    }

    fn datagram(&mut self, bytes: &[u8], source: SocketAddr, socket: usize) {
        if let [_, _, _, _, _, _, work, 1] = bytes {
            // Some take longer than others, so that workers overtake each other.
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_micros(u64::from(*work)) {}
        }
        self.shared.handled.fetch_add(1, Ordering::SeqCst);
        if bytes == b"block" {
            self.shared.blocked.store(true, Ordering::SeqCst);
            while !self.shared.released.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
        let destination = if bytes == b"unreachable" { "[::1]:9".parse().unwrap() } else { source };
        self.queue.push((socket, destination, bytes.to_vec()));
    }

    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>) {
        for (socket, destination, bytes) in self.queue.drain(..) {
            datagrams.push(socket, destination, &bytes);
        }
    }

    fn timers(&mut self) -> Option<Duration> {
        self.shared.timers.lock().unwrap().push(Instant::now());
        Some(Duration::from_millis(20))
    }

    fn woken(&mut self) {
        self.shared.wakes.fetch_add(1, Ordering::SeqCst);
    }

    fn send_failed(&mut self, failure: SendFailure) {
        self.shared.failures.lock().unwrap().push(failure);
    }
}

struct Rig {
    addresses: Vec<SocketAddr>,
    crew: Arc<transport::crew::Crew>,
    shared: Arc<Shared>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

fn start(sockets: usize, workers: usize, gather_max: Duration, receive_slots: usize) -> Rig {
    let sockets: Vec<UdpSocket> =
        (0..sockets).map(|_| bind_udp("127.0.0.1:0".parse().unwrap(), &SocketOptions::default()).unwrap()).collect();
    let addresses = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    let UdpWorkers { crew, seats } = udp::workers(sockets, UdpOptions { workers, gather_max, receive_slots }).unwrap();
    let shared = Arc::new(Shared::default());
    let threads = seats
        .into_iter()
        .map(|seat| {
            let driver = Echo { queue: Vec::new(), shared: shared.clone() };
            std::thread::spawn(move || {
                seat.run(driver).unwrap();
            })
        })
        .collect();
    Rig { addresses, crew, shared, threads }
}

impl Rig {
    fn stop(self) {
        self.crew.stop();
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

fn client() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

/// Sends `count` numbered datagrams with at most `window` unanswered and checks that each comes back once.
fn exchange(to: SocketAddr, count: u32, window: u32) {
    let socket = client();
    let mut seen = vec![false; count as usize];
    let (mut sent, mut received) = (0u32, 0u32);
    let mut bytes = [0u8; 64];
    while received < count {
        while sent < count && sent - received < window {
            socket.send_to(&sent.to_be_bytes(), to).unwrap();
            sent += 1;
        }
        let (length, from) = socket.recv_from(&mut bytes).expect("an echo was lost");
        assert_eq!((length, from), (4, to));
        let number = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        assert!(!std::mem::replace(&mut seen[number], true), "{number} came twice");
        received += 1;
    }
}

#[test]
fn one_worker_answers_every_datagram_on_the_socket_it_came_to() {
    let rig = start(3, 1, Duration::from_millis(1), 64);
    let clients: Vec<_> = rig.addresses.iter().map(|&address| std::thread::spawn(move || exchange(address, 3000, 40))).collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(rig.crew.counters().received.load(Ordering::Relaxed), 9000);
    assert_eq!(rig.shared.handled.load(Ordering::Relaxed), 9000);
    rig.stop();
}

#[test]
fn several_workers_share_a_flood_and_lose_nothing() {
    // A batch of four is often full, so that help is called.
    let rig = start(1, 3, Duration::ZERO, 4);
    let address = rig.addresses[0];
    let clients: Vec<_> = (0..4).map(|_| std::thread::spawn(move || exchange(address, 3000, 30))).collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(rig.shared.handled.load(Ordering::Relaxed), 12_000);
    assert!(rig.crew.counters().calls_for_help.load(Ordering::Relaxed) > 0);
    rig.stop();
}

#[test]
fn messages_of_a_call_leave_in_the_order_they_came_whichever_worker_takes_them() {
    const CALLS: u32 = 7;
    const COUNT: u32 = 12_000;
    const WINDOW: u32 = 60;
    let rig = start(1, 3, Duration::ZERO, 4);
    let socket = client();
    let (mut sent, mut received, mut overtaken) = (0, 0, 0);
    let mut last = [0; CALLS as usize];
    let mut bytes = [0; 16];
    while received < COUNT {
        while sent < COUNT && sent - received < WINDOW {
            let call = sent % CALLS;
            let [_, a, b, c] = sent.to_be_bytes();
            socket.send_to(&[call as u8, a, b, c, 0, 0, (sent * 37 % 90) as u8, 1], rig.addresses[0]).unwrap();
            sent += 1;
        }
        socket.recv_from(&mut bytes).expect("an echo was lost");
        let number = u32::from_be_bytes([0, bytes[1], bytes[2], bytes[3]]);
        let before = std::mem::replace(&mut last[usize::from(bytes[0])], number);
        overtaken += u64::from(number < before);
        received += 1;
    }
    let counters = rig.crew.counters();
    assert!(counters.calls_for_help.load(Ordering::Relaxed) > 0);
    // None, unless a worker got no processor for as long as others wait for it.
    assert!(overtaken <= counters.out_of_turn.load(Ordering::Relaxed), "{overtaken} messages overtook another of their call");
    rig.stop();
}

#[test]
fn a_stuck_leader_does_not_silence_the_proxy() {
    let rig = start(1, 2, Duration::from_millis(1), 64);
    let socket = client();
    socket.send_to(b"block", rig.addresses[0]).unwrap();
    while !rig.shared.blocked.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    exchange(rig.addresses[0], 50, 5);
    assert!(rig.crew.counters().stalls.load(Ordering::Relaxed) >= 1);
    rig.shared.released.store(true, Ordering::SeqCst);
    let mut bytes = [0u8; 16];
    assert_eq!(socket.recv(&mut bytes).unwrap(), 5);
    exchange(rig.addresses[0], 50, 5);
    rig.stop();
}

#[test]
fn timers_run_without_traffic_and_a_wake_is_heard() {
    let rig = start(1, 1, Duration::from_millis(1), 64);
    let deadline = Instant::now() + Duration::from_secs(10);
    while rig.shared.timers.lock().unwrap().len() < 5 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let times = rig.shared.timers.lock().unwrap().clone();
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] >= Duration::from_millis(19)), "timers ran early");
    rig.crew.wake();
    while rig.shared.wakes.load(Ordering::SeqCst) == 0 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    rig.stop();
}

#[test]
fn what_cannot_be_sent_comes_back_with_its_bytes() {
    let rig = start(1, 1, Duration::ZERO, 64);
    client().send_to(b"unreachable", rig.addresses[0]).unwrap();
    exchange(rig.addresses[0], 10, 1);
    let failures = rig.shared.failures.lock().unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].bytes, b"unreachable");
    drop(failures);
    rig.stop();
}

#[test]
fn empty_and_largest_datagrams_pass() {
    let rig = start(1, 1, Duration::ZERO, 64);
    let socket = client();
    let mut bytes = vec![0u8; 70_000];
    for size in [0, 1, 65_507] {
        socket.send_to(&vec![b'z'; size], rig.addresses[0]).unwrap();
        assert_eq!(socket.recv(&mut bytes).unwrap(), size);
    }
    rig.stop();
}

#[test]
fn stopping_ends_idle_workers_at_once() {
    let rig = start(2, 4, Duration::from_millis(1), 64);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        rig.stop();
        sender.send(()).unwrap();
    });
    receiver.recv_timeout(Duration::from_secs(5)).unwrap();
}
