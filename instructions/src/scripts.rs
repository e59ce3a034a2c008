//! Cases of the virtual machine: plain statements, and the request route of the example over an INVITE.

use std::sync::Arc;

use modules::{dialog, tm, tmx};
use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::vm;
use transaction::Endpoint;

use crate::call::{BASIC_CALL, CALLS_BEFORE, Scene, Step};
use crate::meter::{Meter, Uncounted};

/// Ten statements, of which a script has five rounds: what a route with much logic and no module functions looks like.
const TEN_STATEMENTS: &str = r#"
    $var(count) = 7;
    $var(count) = $var(count) * 3 + 1;
    $var(user) = $fU;
    if ($var(count) > 20 && $var(user) == "sipp") $var(found) = 1;
    $var(text) = "call of " + $var(user);
    if ($var(text) =~ "^call of s") $var(found) = $var(found) + 1;
    $var(short) = $(var(text){s.substr,0,4});
    if ($var(short) != "call") $var(found) = 0;
    if ($rm == "INVITE" && $var(found) == 2) $var(count) = $var(count) - 1;
    $var(line) = "$rm from $fU, $var(count) counted";
"#;

fn fifty_statements() -> String {
    format!("loadmodule \"pv\"\nlisten = udp:127.0.0.1:5060\nrequest_route {{\n{}drop;\n}}\n", TEN_STATEMENTS.repeat(5))
}

/// Puts an INVITE into the worker's run, as the spine does before it runs the request route.
fn take_invite(scene: &mut Scene, bytes: &[u8]) -> Result<(), String> {
    let worker = &mut scene.worker;
    worker.now = scene.now;
    worker.messages += 1;
    worker.run.clear();
    worker.run.source = Endpoint::udp(std::net::SocketAddr::from(([127, 0, 0, 1], 5070)), 0);
    worker.run.message_number = worker.messages;
    worker.run.message.parse(bytes, &sip::Limits::default()).map_err(|error| error.to_string())?;
    worker.run.route = RouteKind::Request;
    worker.run.route_set = Routes::REQUEST;
    Ok(())
}

fn run_request_route(scene: &mut Scene, meter: &mut impl Meter) -> Result<(), String> {
    let node = Arc::clone(&scene.worker.node);
    let route = node.program.route(RouteKind::Request, b"").ok_or("no request_route")?;
    let worker = &mut scene.worker;
    match meter.run(|| vm::run(&node.program, worker, route)) {
        vm::Run::Done(_) => Ok(()),
        vm::Run::Parked(_) => Err("the script waits for something".to_owned()),
    }
}

pub(crate) fn statements(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let mut scene = Scene::on(&fifty_statements())?;
    let invite = scene.next_call().request(Step::Invite);
    take_invite(&mut scene, &invite)?;
    run_request_route(&mut scene, &mut Uncounted)?;
    for _ in 0..count {
        take_invite(&mut scene, &invite)?;
        run_request_route(&mut scene, meter)?;
    }
    Ok(())
}

/// Counted is the run of the route; what the spine does before it and after it is not, nor is the rest of the call.
pub(crate) fn of_an_invite(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let mut scene = Scene::new()?;
    for _ in 0..CALLS_BEFORE {
        call(&mut scene, &mut Uncounted)?;
    }
    for _ in 0..count {
        call(&mut scene, meter)?;
    }
    Ok(())
}

fn call(scene: &mut Scene, meter: &mut impl Meter) -> Result<(), String> {
    let mut call = scene.next_call();
    take_invite(scene, &call.request(Step::Invite))?;
    run_request_route(scene, meter)?;
    dialog::request_ended(&mut scene.worker);
    tm::finish_request(&mut scene.worker);
    tmx::request_ended(&mut scene.worker);
    scene.learn(Step::Invite, &mut call)?;
    for step in BASIC_CALL.into_iter().filter(|step| *step != Step::Invite) {
        scene.step(step, &mut call, &mut Uncounted)?;
    }
    scene.end_call();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifty_statements_come_to_what_they_say() -> Result<(), String> {
        let mut scene = Scene::on(&fifty_statements())?;
        let invite = scene.next_call().request(Step::Invite);
        take_invite(&mut scene, &invite)?;
        run_request_route(&mut scene, &mut Uncounted)?;
        assert!(scene.worker.outbox.effects.is_empty());
        assert_eq!(fifty_statements().lines().filter(|line| line.trim_end().ends_with(';')).count(), 51);
        Ok(())
    }
}
