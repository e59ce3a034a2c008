//! Measures what bare forwarding costs: CPU per datagram of one worker at fixed rates, with and without gathering.
//!
//! `cargo run --release -p transport --example forward [gather microseconds ...]`. A paced sender and a sink run beside
//! the worker; CPU time of the worker thread alone comes from `/proc/thread-self/schedstat`, delay from stamps inside
//! the datagrams.

use std::net::{SocketAddr, UdpSocket};

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use transport::outbox::Datagrams;
use transport::socket::{SocketOptions, bind_udp};
use transport::udp::{self, Driver, UdpOptions};

const PAYLOAD_BYTES: usize = 800;
const SECONDS: u64 = 3;

struct Forwarder {
    sink: SocketAddr,
    queue: Vec<u8>,
    ends: Vec<usize>,
}

fn own_cpu_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

impl Driver for Forwarder {
    fn batch_begin(&mut self) {}

    fn datagram(&mut self, bytes: &[u8], _source: SocketAddr, _socket: usize) {
        self.queue.extend_from_slice(bytes);
        self.ends.push(self.queue.len());
    }

    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>) {
        let mut start = 0;
        for end in self.ends.drain(..) {
            datagrams.push(0, self.sink, &self.queue[start..end]);
            start = end;
        }
        self.queue.clear();
    }

    fn timers(&mut self) -> Option<Duration> {
        None
    }
}

fn measure(rate: u64, gather_max: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let sink = UdpSocket::bind("127.0.0.1:0")?;
    sink.set_read_timeout(Some(Duration::from_millis(500)))?;
    let sink_address = sink.local_addr()?;
    let socket = bind_udp("127.0.0.1:0".parse()?, &SocketOptions { buffer_bytes: 4 << 20, ..SocketOptions::default() })?;
    let address = socket.local_addr()?;
    let mut workers = udp::workers(vec![socket], UdpOptions { gather_max, ..UdpOptions::default() })?;
    let crew = workers.crew.clone();
    let seat = workers.seats.remove(0);
    let driver = Forwarder { sink: sink_address, queue: Vec::new(), ends: Vec::new() };
    let worker = std::thread::spawn(move || seat.run(driver).map(|_| own_cpu_nanoseconds()));

    let start = Instant::now();
    let receiver = std::thread::spawn(move || {
        let mut delays: Vec<u64> = Vec::new();
        let mut bytes = [0u8; 2048];
        while let Ok(length) = sink.recv(&mut bytes) {
            if let Some(Ok(stamp)) = bytes[..length].get(..8).map(<[u8; 8]>::try_from) {
                delays.push((start.elapsed().as_nanos() as u64).saturating_sub(u64::from_be_bytes(stamp)) / 1000);
            }
        }
        delays
    });
    let sender = UdpSocket::bind("127.0.0.1:0")?;
    let mut payload = [b'x'; PAYLOAD_BYTES];
    let total = rate * SECONDS;
    for number in 0..total {
        let due = Duration::from_nanos(number * 1_000_000_000 / rate);
        while start.elapsed() < due {
            std::hint::spin_loop(); // arrivals evenly spaced, as many independent callers would be on average
        }
        payload[..8].copy_from_slice(&(start.elapsed().as_nanos() as u64).to_be_bytes());
        sender.send_to(&payload, address)?;
    }
    let mut delays = receiver.join().map_err(|_| "sink failed")?;
    crew.stop();
    let used = worker.join().map_err(|_| "worker failed")??;
    delays.sort_unstable();
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or(0);
    let rounds = crew.counters().rounds.load(Ordering::Relaxed).max(1);
    println!(
        "{rate:>6} packets/s  gather {:>5} µs  {:>6.2} µs CPU/packet  {:>5.1} packets/round  delay median {} µs, 99 % {} µs  lost {}",
        gather_max.as_micros(),
        used as f64 / 1000.0 / delays.len().max(1) as f64,
        delays.len() as f64 / rounds as f64,
        at(0.5),
        at(0.99),
        total - delays.len() as u64,
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut gathers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if gathers.is_empty() {
        gathers = vec![0, 1000, 2000];
    }
    for rate in [1_300, 2_000, 3_000, 5_000, 10_000, 50_000] {
        for gather in &gathers {
            measure(rate, Duration::from_micros(*gather))?;
        }
    }
    Ok(())
}
