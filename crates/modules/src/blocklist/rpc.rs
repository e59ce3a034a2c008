//! The commands `dst_blocklist.*` (shapes and faults as Kamailio 5.6.3 answers).

use std::net::SocketAddr;

use transaction::Protocol;

use super::{Destination, ENTRY_BYTES, Listed, PROTOCOLS, number};
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::sockets::{parse_address, word};
use crate::worker::Worker;

type Answer = Result<Reply, Fault>;

fn needs_list(worker: &Worker) -> Result<(), Fault> {
    if worker.node.core.blocklist.is_used() { Ok(()) } else { Err(Fault::new(500, "dst blocklist support disabled")) }
}

/// Name of the protocol, address, port, seconds left, reasons.
type Row = (&'static str, SocketAddr, i64, u8);

fn rows(worker: &Worker) -> Vec<Row> {
    let now = worker.now.time;
    let row = |(destination, listed): (&Destination, &Listed)| {
        let protocol = PROTOCOLS.into_iter().find(|protocol| number(*protocol) == destination.protocol).unwrap_or(Protocol::Udp);
        let left = listed.expires.map_or(0, |end| i64::try_from(end.since(now).div_ceil(1_000)).unwrap_or(i64::MAX));
        (word(protocol), destination.address, left, listed.reasons)
    };
    let listed = worker.node.states.core.blocklist.read();
    listed.iter().filter(|(_, listed)| listed.expires.is_none_or(|end| end > now)).map(row).collect()
}

/// `dst_blocklist.view`: lines of text.
pub fn view(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_list(worker)?;
    let lines = |(protocol, address, left, reasons): Row| {
        [
            format!("{{\n    protocol: {protocol}"),
            format!("    ip: {}", address.ip()),
            format!("    port: {}", address.port()),
            format!("    expires in (s): {left}"),
            format!("    flags: {reasons}\n}}"),
        ]
    };
    Ok(Reply::many(rows(worker).into_iter().flat_map(lines).map(Item::text).collect()))
}

/// `dst_blocklist.debug`: five values a destination.
pub fn debug(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_list(worker)?;
    let values = |(protocol, address, left, reasons): Row| {
        [
            Item::text(protocol),
            Item::text(address.ip().to_string()),
            Item::Integer(i64::from(address.port())),
            Item::Integer(left),
            Item::Integer(i64::from(reasons)),
        ]
    };
    Ok(Reply::many(rows(worker).into_iter().flat_map(values).collect()))
}

/// `dst_blocklist.mem_info`: bytes in use, bytes allowed.
pub fn memory(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_list(worker)?;
    let count = |bytes: usize| Item::Integer(i64::try_from(bytes).unwrap_or(i64::MAX));
    let used = worker.node.states.core.blocklist.read().len() * ENTRY_BYTES;
    Ok(Reply::many(vec![count(used), count(worker.node.core.blocklist.bytes_max)]))
}

/// `dst_blocklist.delete_all`: permanent entries stay.
pub fn delete_all(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_list(worker)?;
    worker.node.states.core.blocklist.write().retain(|_, listed| listed.expires.is_none());
    Ok(Reply::empty())
}

/// `dst_blocklist.add ADDRESS PORT PROTOCOL FLAGS`; protocol 1 UDP, 2 TCP, 3 TLS, 4 SCTP.
pub fn add(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    needs_list(worker)?;
    let address = parameters.text()?;
    let (port, protocol, reasons) = (parameters.integer()?, parameters.integer()?, parameters.integer()?);
    let address = parse_address(&address).ok_or_else(|| Fault::new(400, "Malformed ip address"))?;
    let port = u16::try_from(port).map_err(|_| Fault::new(400, "Malformed port"))?;
    let protocol = PROTOCOLS
        .into_iter()
        .map(number)
        .find(|number| i64::from(*number) == protocol)
        .ok_or_else(|| Fault::new(400, "Unknown protocol"))?;
    let reasons = u8::try_from(reasons & 0xff).unwrap_or(0);
    let destination = Destination { protocol, address: SocketAddr::new(address, port) };
    let settings = &worker.node.core.blocklist;
    worker.node.states.core.blocklist.add(destination, reasons, settings.seconds, settings, worker.now.time);
    Ok(Reply::empty())
}
