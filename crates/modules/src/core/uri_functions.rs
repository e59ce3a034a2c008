//! Core functions that rewrite the request URI (spec cfg-language 16.1).

use script::exports::{Argument, Flow};

use super::uri_edit::{Change, edit};
use crate::worker::Worker;

/// Applies one change to the request URI; logs and answers -1 when that gives no URI.
pub fn change(worker: &mut Worker, change: Change<'_>) -> Flow {
    match edit(worker.run.request_uri(), change) {
        Ok(uri) => {
            worker.run.set_request_uri(&uri);
            Flow::Code(1)
        }
        Err(error) => {
            let text = format!("cannot rewrite the request URI: {error}");
            worker.log(-1, "core", &text);
            Flow::Code(-1)
        }
    }
}

fn first(arguments: &[Argument]) -> script::value::Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

fn count(arguments: &[Argument]) -> usize {
    arguments.first().map_or(0, |argument| usize::try_from(argument.integer()).unwrap_or(0))
}

pub(super) fn host(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::Host(&first(arguments)))
}

pub(super) fn host_port(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::HostPort(&first(arguments)))
}

pub(super) fn host_port_transport(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::HostPortTransport(&first(arguments)))
}

pub(super) fn user(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::User(&first(arguments)))
}

pub(super) fn user_password(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::UserPassword(&first(arguments)))
}

pub(super) fn port(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::Port(&first(arguments)))
}

pub(super) fn prefix(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, Change::Prefix(&first(arguments)))
}

pub(super) fn strip(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    warn_if_longer(worker, count(arguments), "strip");
    change(worker, Change::Strip(count(arguments)))
}

pub(super) fn strip_tail(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    warn_if_longer(worker, count(arguments), "strip_tail");
    change(worker, Change::StripTail(count(arguments)))
}

fn warn_if_longer(worker: &mut Worker, wanted: usize, function: &str) {
    let length = sip::uri::Uri::parse(worker.run.request_uri()).map_or(0, |uri| uri.user.len());
    if wanted > length {
        let text = format!("{function}({wanted}) of a user of {length} characters removes the user");
        worker.log(0, "core", &text);
    }
}

pub(super) fn userphone(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    change(worker, Change::UserPhone)
}

pub(super) fn whole(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let uri = first(arguments);
    if uri.is_empty() || uri.len() > super::uri_edit::URI_BYTES_MAX {
        worker.log(-1, "core", "rewriteuri: empty or too long");
        return Flow::Code(-1);
    }
    worker.run.set_request_uri(&uri);
    Flow::Code(1)
}

pub(super) fn revert(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.target.uri = None;
    worker.run.is_target_consumed = false;
    Flow::Code(1)
}
