//! Running `event_route[dialog:...]` and timeout routes: which message they see and with what context (spec dialog 10.2).

use ::dialog::{DialogId, EventRoute};
use script::RouteId;
use script::exports::Routes;
use script::syntax::ast::RouteKind;
use sip::message::Message;

use super::context::Context;
use crate::core::made_up;
use crate::run::Run;
use crate::worker::Worker;

/// The three event routes of a configuration, looked up at start.
#[derive(Debug, Default, Clone, Copy)]
pub struct EventRoutes {
    start: Option<RouteId>,
    end: Option<RouteId>,
    failed: Option<RouteId>,
}

impl EventRoutes {
    /// Looks the routes up.
    pub fn of(program: &script::Program<Worker>) -> EventRoutes {
        let route = |event: EventRoute| program.route(RouteKind::Event, event.name().as_bytes());
        EventRoutes { start: route(EventRoute::Start), end: route(EventRoute::End), failed: route(EventRoute::Failed) }
    }

    fn find(self, event: EventRoute) -> Option<RouteId> {
        match event {
            EventRoute::Start => self.start,
            EventRoute::End => self.end,
            EventRoute::Failed => self.failed,
        }
    }
}

/// Runs the route on the run's own message: the BYE that ended the dialog.
pub(super) fn run_here(worker: &mut Worker, event: Option<EventRoute>, dialog: DialogId) {
    let Some(route) = event.and_then(|event| worker.node.states.dialog.routes.find(event)) else { return };
    let outer = (worker.run.route, worker.run.route_set, worker.run.return_code);
    let context = Context { dialog: Some(dialog), ..Context::default() };
    let context = std::mem::replace(&mut worker.run.dialog.context, context);
    worker.run.route = RouteKind::Event;
    worker.run.route_set = Routes::LOCAL.or(Routes::EVENT);
    worker.run_route_id(route);
    worker.run.dialog.context = context;
    (worker.run.route, worker.run.route_set, worker.run.return_code) = outer;
}

/// Runs the route on a copy of the reply that caused it, or on a made-up request.
pub(super) fn run_aside(worker: &mut Worker, event: Option<EventRoute>, dialog: DialogId, reply: Option<&Message>) {
    if let Some(route) = event.and_then(|event| worker.node.states.dialog.routes.find(event)) {
        run_nested(worker, route, dialog, reply, RouteKind::Event, Routes::LOCAL.or(Routes::EVENT));
    }
}

/// Runs `route[NAME]` of an expired dialog. False: there is none of that name.
pub(super) fn run_timeout(worker: &mut Worker, name: &[u8], dialog: DialogId) -> bool {
    let Some(route) = worker.node.program.route(RouteKind::Request, name) else { return false };
    run_nested(worker, route, dialog, None, RouteKind::Request, Routes::REQUEST);
    true
}

fn run_nested(worker: &mut Worker, route: RouteId, dialog: DialogId, reply: Option<&Message>, kind: RouteKind, routes: Routes) {
    let mut run = match reply {
        Some(reply) => {
            let mut run = worker.fresh_run();
            run.message.clone_from(reply);
            run.source = worker.run.source;
            run
        }
        None => made_up::run(worker, made_up::OF_DIALOG),
    };
    run.message_number = worker.run.message_number;
    run.route = kind;
    run.route_set = routes;
    run.dialog.context.dialog = Some(dialog);
    // A made-up request has no flags of its own, a reply has those of its transaction.
    if reply.is_some() {
        run.flags = worker.run.flags;
    }
    lend(&mut worker.run, &mut run);
    let (_, mut used) = worker.with_run(run, |worker| worker.run_route_id(route));
    lend(&mut used, &mut worker.run);
    if reply.is_some() {
        worker.run.flags = used.flags;
    }
    worker.recycle(used);
}

/// Moves the variables of the transaction (and of the process) into the other run.
fn lend(from: &mut Run, to: &mut Run) {
    std::mem::swap(&mut from.attributes, &mut to.attributes);
    std::mem::swap(&mut from.variables, &mut to.variables);
}
