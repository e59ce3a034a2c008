//! The floor: a process that passes datagrams on without looking at them, with the receiving and gathering of duolog.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use transport::outbox::Datagrams;
use transport::socket::{SocketOptions, bind_udp};
use transport::udp::{self, Driver, UdpOptions};

use super::cores;

/// A started forwarder; ended when dropped, or with this process.
pub struct Forwarder {
    child: Child,
}

impl Forwarder {
    /// Starts one on these cores, between whoever calls and `callee`.
    pub fn start(address: SocketAddr, callee: SocketAddr, on: &[usize]) -> Result<Forwarder, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new("taskset");
        command.args(["-c", &cores::list(on), "setpriv", "--pdeathsig", "TERM"]).arg(own);
        command.args(["forward", &address.to_string(), &callee.to_string()]).stdin(Stdio::null());
        let child = command.spawn().map_err(|error| format!("cannot start taskset: {error} (package util-linux)"))?;
        Ok(Forwarder { child })
    }

    /// The process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came in one round and goes out at its end. All buffers are reused.
struct Passing {
    callee: SocketAddr,
    /// Who calls: the last source that was not the callee.
    caller: Option<SocketAddr>,
    bytes: Vec<u8>,
    /// Where each datagram ends in `bytes`, and where it goes.
    ends: Vec<(usize, SocketAddr)>,
}

impl Driver for Passing {
    fn batch_begin(&mut self) {}

    fn datagram(&mut self, bytes: &[u8], source: SocketAddr, _socket: usize) {
        let destination = if source == self.callee { self.caller } else { Some(self.callee) };
        if source != self.callee {
            self.caller = Some(source);
        }
        if let Some(destination) = destination {
            self.bytes.extend_from_slice(bytes);
            self.ends.push((self.bytes.len(), destination));
        }
    }

    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>) {
        let mut start = 0;
        for (end, destination) in self.ends.drain(..) {
            datagrams.push(0, destination, self.bytes.get(start..end).unwrap_or_default());
            start = end;
        }
        self.bytes.clear();
    }

    fn timers(&mut self) -> Option<Duration> {
        None
    }
}

/// Forwards until the process is ended.
pub fn forward(address: &str, callee: &str) -> Result<(), String> {
    let read = |text: &str| text.parse::<SocketAddr>().map_err(|error| format!("{text}: {error}"));
    let socket = bind_udp(read(address)?, &SocketOptions::default()).map_err(|error| error.to_string())?;
    let mut workers = udp::workers(vec![socket], UdpOptions::default()).map_err(|error| error.to_string())?;
    let seat = workers.seats.pop().ok_or("no worker")?;
    let passing = Passing { callee: read(callee)?, caller: None, bytes: Vec::new(), ends: Vec::new() };
    seat.run(passing).map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_callee_sends_goes_to_the_caller_and_all_else_to_the_callee() {
        let [caller, callee] = ["127.0.0.1:1", "127.0.0.1:2"].map(|text| text.parse::<SocketAddr>().unwrap());
        let mut passing = Passing { callee, caller: None, bytes: Vec::new(), ends: Vec::new() };
        passing.datagram(b"nobody called yet", callee, 0);
        passing.datagram(b"INVITE", caller, 0);
        passing.datagram(b"180", callee, 0);
        assert_eq!((passing.ends, passing.bytes), (vec![(6, callee), (9, caller)], b"INVITE180".to_vec()));
    }
}
