//! Which local socket and which advertised address a message uses: `force_send_socket`, `set_advertised_*`.

use script::exports::{Argument, Flow};

use crate::worker::Worker;

pub(super) fn force_send_socket(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = arguments.first().map(Argument::text).unwrap_or_default();
    let found = worker.node.sockets.find_text(&text).or_else(|| worker.node.sockets.find_named(&text));
    if found.is_none() {
        let line = format!("force_send_socket: {text} is not a listening socket");
        worker.log(0, "core", &line);
    }
    worker.run.target.socket = found;
    Flow::from(found.is_some())
}

pub(super) fn advertised_address(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    worker.run.advertised_address = arguments.first().map(Argument::text).filter(|text| !text.is_empty());
    Flow::Code(1)
}

pub(super) fn advertised_port(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let port = arguments.first().map_or(0, Argument::integer);
    worker.run.advertised_port = u16::try_from(port).ok().filter(|port| *port != 0);
    Flow::from(worker.run.advertised_port.is_some())
}
