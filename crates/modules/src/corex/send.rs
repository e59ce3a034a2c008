//! Sending as it is: the received message, or data; and stateless forwarding of replies.

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::uri::Uri;

use crate::core::send_to_uri;
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

/// Forwarding with a Via that hides the client is not available.
pub(super) fn no_forward_as_client(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.log(-1, "corex", "forward_uac() and forward_uac_uri() are not available");
    Flow::Code(-1)
}
