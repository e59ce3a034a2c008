//! `event_route[network:msg]`: a script sees, and may rewrite, what is received and what is sent (`nio_intercept`).

use std::sync::Arc;

use script::RouteId;
use script::exports::{Evaluate, Routes};
use script::syntax::ast::RouteKind;
use script::variable::Reference;
use sip::limits::Limits;
use transaction::Endpoint;

use crate::outbox::Effect;
use crate::settings::Settings;
use crate::worker::Worker;

/// Which way a message goes that `event_route[network:msg]` sees: `is_incoming()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

/// What the parameters ask for.
#[derive(Debug, Default)]
pub struct Interception {
    route: Option<RouteId>,
    /// Shorter ones pass unseen.
    bytes_min: usize,
    /// Where the route leaves the message as it is to be.
    result: Option<Arc<Reference>>,
}

impl Interception {
    /// Reads `nio_intercept`, `nio_min_msg_len`, `nio_msg_avp`.
    pub fn new(settings: &Settings, program: &script::Program<Worker>) -> Result<Interception, String> {
        if settings.integer("corex", "nio_intercept") == 0 {
            return Ok(Interception::default());
        }
        let route = program.route(RouteKind::Event, "network:msg");
        if route.is_none() {
            return Err("corex: nio_intercept needs an event_route[network:msg]".to_owned());
        }
        let result = match settings.text("corex", "nio_msg_avp") {
            Some(name) => Some(Arc::new(program.compile_reference(&name).map_err(|error| format!("corex: nio_msg_avp: {error}"))?)),
            None => None,
        };
        let bytes_min = usize::try_from(settings.integer("corex", "nio_min_msg_len")).unwrap_or(0);
        Ok(Interception { route, bytes_min, result })
    }
}

/// The bytes the route wants in place of these; None: they stay.
fn rewritten(worker: &mut Worker, bytes: &[u8], source: Option<Endpoint>, direction: Direction) -> Option<Vec<u8>> {
    let interception = &worker.node.states.corex.interception;
    let route = interception.route.filter(|_| bytes.len() >= interception.bytes_min)?;
    let reference = interception.result.clone();
    let mut run = worker.fresh_run();
    // What does not parse (yet) is still there as `$mb`.
    let _ = run.message.parse(bytes, &Limits::default());
    run.source = source.unwrap_or_else(crate::run::nowhere);
    run.is_faked = direction == Direction::Out;
    run.corex.direction = Some(direction);
    run.route = RouteKind::Event;
    run.route_set = Routes::EVENT_ROUTE;
    let (result, used) = worker.with_run(run, |worker| {
        worker.run_route_id(route);
        reference.map(|reference| worker.read(&reference)).unwrap_or_default()
    });
    worker.recycle(used);
    let text = result.to_text();
    (!result.is_null() && !text.is_empty() && text[..] != *bytes).then(|| text.to_vec())
}

/// A message from the network, as the script wants it; None: as it came.
pub fn received(worker: &mut Worker, bytes: &[u8], from: Endpoint) -> Option<Vec<u8>> {
    rewritten(worker, bytes, Some(from), Direction::In)
}

/// Lets the script see the messages in the outbox before they leave, those before `first` excepted: it saw them before.
pub fn sending(worker: &mut Worker, first: usize) {
    if worker.node.states.corex.interception.route.is_none() {
        return;
    }
    // What the route itself sends is not shown to it again.
    for at in first..worker.outbox.effects.len() {
        let range = match worker.outbox.effects.get(at) {
            Some(Effect::Send { bytes, .. } | Effect::StreamSend { bytes, .. }) => bytes.clone(),
            _ => continue,
        };
        let Some(bytes) = worker.outbox.bytes.get(range).map(<[u8]>::to_vec) else { continue };
        let Some(other) = rewritten(worker, &bytes, None, Direction::Out) else { continue };
        let start = worker.outbox.bytes.len();
        worker.outbox.bytes.extend_from_slice(&other);
        let now = start..worker.outbox.bytes.len();
        if let Some(Effect::Send { bytes, .. } | Effect::StreamSend { bytes, .. }) = worker.outbox.effects.get_mut(at) {
            *bytes = now;
        }
    }
}
