//! TCP connections between user agents and proxies: bytes in order, cut anywhere, reset at any piece.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use modules::worker::Random;
use sip::{Frame, Framer};

use crate::limits::{PIECES_MAX, STREAMS_MAX};

/// One end of a connection: what it has not understood yet, and until when older bytes are on their way to it.
#[derive(Debug, Default)]
struct End {
    framer: Framer,
    busy_until: u64,
}

/// One connection.
#[derive(Debug)]
pub struct Stream {
    pub proxy: usize,
    pub agent: SocketAddr,
    at_proxy: End,
    at_agent: End,
    /// Nothing more is written; what is on its way still arrives.
    is_finished: bool,
}

/// All open connections.
#[derive(Debug, Default)]
pub struct Streams {
    open: BTreeMap<u64, Stream>,
    last: u64,
}

/// Where a piece of bytes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    Proxy,
    Agent,
}

impl Streams {
    /// The open connection between the two, if there is one.
    pub fn find(&self, proxy: usize, agent: SocketAddr) -> Option<u64> {
        let is_wanted = |stream: &Stream| stream.proxy == proxy && stream.agent == agent && !stream.is_finished;
        self.open.iter().find(|(_, stream)| is_wanted(stream)).map(|(number, _)| *number)
    }

    /// A new connection; None at the bound.
    pub fn connect(&mut self, proxy: usize, agent: SocketAddr) -> Option<u64> {
        if self.open.len() >= STREAMS_MAX {
            return None;
        }
        self.last += 1;
        self.open.insert(self.last, Stream { proxy, agent, at_proxy: End::default(), at_agent: End::default(), is_finished: false });
        Some(self.last)
    }

    /// The connection with this number, while it is open.
    pub fn get(&self, number: u64) -> Option<&Stream> {
        self.open.get(&number)
    }

    /// The last message was written to it.
    pub fn finish(&mut self, number: u64) {
        if let Some(stream) = self.open.get_mut(&number) {
            stream.is_finished = true;
        }
    }

    /// Both ends forget it, with what was on its way.
    pub fn close(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// A proxy is gone, and its connections with it.
    pub fn close_all_of(&mut self, proxy: usize) {
        self.open.retain(|_, stream| stream.proxy != proxy);
    }

    /// The moment a piece arrives that takes `delay` from `now`: never before an older one.
    pub fn arrival(&mut self, number: u64, towards: Towards, now: u64, delay: u64) -> u64 {
        let Some(stream) = self.open.get_mut(&number) else { return now + delay };
        let end = match towards {
            Towards::Proxy => &mut stream.at_proxy,
            Towards::Agent => &mut stream.at_agent,
        };
        end.busy_until = end.busy_until.max(now + delay);
        end.busy_until
    }

    /// The messages whole after this piece. Err: the stream cannot be read on and has to be closed.
    pub fn arrived(&mut self, number: u64, towards: Towards, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let Some(stream) = self.open.get_mut(&number) else { return Ok(Vec::new()) };
        let framer = match towards {
            Towards::Proxy => &mut stream.at_proxy.framer,
            Towards::Agent => &mut stream.at_agent.framer,
        };
        framer.push(bytes);
        let mut messages = Vec::new();
        loop {
            match framer.next() {
                Ok(Some(Frame::Message(message))) => messages.push(message.to_vec()),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(messages),
                // What was whole before the trouble still counts.
                Err(error) if messages.is_empty() => return Err(error.to_string()),
                Err(_) => return Ok(messages),
            }
        }
    }
}

/// Bytes cut at random places.
pub fn pieces(bytes: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = (0..random.below(PIECES_MAX)).map(|_| random.below(bytes.len() as u64 + 1) as usize).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let ranges = cuts.windows(2).filter_map(|cut| bytes.get(*cut.first()?..*cut.last()?));
    ranges.filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\nbody";

    fn agent() -> SocketAddr {
        SocketAddr::from(([10, 0, 1, 1], 5060))
    }

    #[test]
    fn messages_come_whole_however_their_bytes_are_cut() {
        let mut random = Random::new(5);
        for _ in 0..200 {
            let mut streams = Streams::default();
            let number = streams.connect(0, agent()).expect("room");
            let sent = [MESSAGE, MESSAGE].concat();
            let mut came = Vec::new();
            for piece in pieces(&sent, &mut random) {
                came.extend(streams.arrived(number, Towards::Proxy, &piece).expect("readable"));
            }
            assert_eq!(came, [MESSAGE.to_vec(), MESSAGE.to_vec()]);
        }
    }

    #[test]
    fn pieces_never_overtake_each_other() {
        let mut streams = Streams::default();
        let number = streams.connect(0, agent()).expect("room");
        assert_eq!(streams.arrival(number, Towards::Agent, 100, 900), 1_000);
        assert_eq!(streams.arrival(number, Towards::Agent, 200, 5), 1_000);
        assert_eq!(streams.arrival(number, Towards::Proxy, 200, 5), 205);
    }

    #[test]
    fn a_stream_that_is_not_sip_has_to_be_closed() {
        let mut streams = Streams::default();
        let number = streams.connect(0, agent()).expect("room");
        assert!(streams.arrived(number, Towards::Proxy, b"\x16\x03\x01 nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn a_closed_connection_delivers_nothing() {
        let mut streams = Streams::default();
        let number = streams.connect(0, agent()).expect("room");
        streams.close_all_of(0);
        assert_eq!(streams.find(0, agent()), None);
        assert_eq!(streams.arrived(number, Towards::Proxy, MESSAGE), Ok(Vec::new()));
    }

    #[test]
    fn a_finished_connection_takes_nothing_new_and_delivers_what_is_on_its_way() {
        let mut streams = Streams::default();
        let number = streams.connect(0, agent()).expect("room");
        streams.finish(number);
        assert_eq!(streams.find(0, agent()), None);
        assert_eq!(streams.arrived(number, Towards::Agent, MESSAGE), Ok(vec![MESSAGE.to_vec()]));
    }
}
