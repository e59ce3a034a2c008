//! Sending as it is: the received message, or data; and stateless forwarding of replies.

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::uri::Uri;

use crate::core::{forward, send_to_uri};
use crate::worker::Worker;

fn finish(worker: &mut Worker, sent: Result<(), i32>, function: &str) -> Flow {
    if let Err(code) = sent {
        let line = format!("{function}: not sent ({code}); only addresses are possible, names are not looked up");
        worker.log(-1, "corex", &line);
        return Flow::Code(-1);
    }
    Flow::Code(1)
}

/// `send_udp([host[:port]])`: the message as received, to a host or where the request would go.
pub(super) fn message(worker: &mut Worker, arguments: &[Argument], transport: &str) -> Flow {
    let uri = match arguments.first().map(Argument::text).filter(|text| !text.is_empty()) {
        Some(host) => Text::from(format!("sip:{host};transport={transport}")),
        None => {
            let next = worker.run.target.next_hop.clone().unwrap_or_else(|| Text::from(worker.run.request_uri()));
            let Ok(parsed) = Uri::parse(&next) else { return Flow::Code(-1) };
            let port = parsed.port.map_or_else(String::new, |port| format!(":{port}"));
            Text::from(format!("sip:{}{port};transport={transport}", String::from_utf8_lossy(parsed.host)))
        }
    };
    let bytes = worker.run.message.bytes().to_vec();
    let socket = worker.run.target.socket;
    let sent = send_to_uri(worker, &uri, socket, &bytes);
    finish(worker, sent, "send")
}

/// `send_data(uri, data)`.
pub(super) fn data(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |at: usize| arguments.get(at).map(Argument::text).unwrap_or_default();
    let sent = send_to_uri(worker, &text(0), None, &text(1));
    finish(worker, sent, "send_data")
}

/// `sendx(uri, socket, data)`.
pub(super) fn data_from(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |at: usize| arguments.get(at).map(Argument::text).unwrap_or_default();
    let Some(socket) = worker.node.sockets.find_text(&text(1)) else {
        worker.log(-1, "corex", "sendx: not a listening socket");
        return Flow::Code(-1);
    };
    let sent = send_to_uri(worker, &text(0), Some(socket), &text(2));
    finish(worker, sent, "sendx")
}

pub(super) fn forward_reply(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    if worker.run.message.is_request() {
        return Flow::Code(-1);
    }
    Flow::from(crate::core::forward::reply(worker))
}

/// The branch index of `forward_uac`, 0 when it is not given.
fn branch_index(worker: &mut Worker, argument: Option<&Argument>) -> Option<u32> {
    let number = argument.map_or(0, Argument::integer);
    let index = u32::try_from(number).ok();
    if index.is_none() {
        worker.log(-1, "corex", "forward_uac: a branch index is 0 or above");
    }
    index
}

/// `forward_uac([index])`.
pub(super) fn forward_as_client(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(index) = branch_index(worker, arguments.first()) else { return Flow::Code(-1) };
    forward::as_client(worker, None, index)
}

/// `forward_uac_uri(uri [, index])`.
pub(super) fn forward_as_client_to(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let uri = arguments.first().map(Argument::text).unwrap_or_default();
    let Some(index) = branch_index(worker, arguments.get(1)) else { return Flow::Code(-1) };
    forward::as_client(worker, Some(&uri), index)
}
