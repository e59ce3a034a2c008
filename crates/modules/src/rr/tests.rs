//! Routing as spec proxy-core 9 shows it on the wire.

use crate::fixture::{edited, request, run, worker};
use crate::worker::Worker;

const MODULES: &str = "loadmodule \"sl.so\"\nloadmodule \"rr.so\"\nloadmodule \"pv.so\"\n";

fn routing(parameters: &str) -> Worker {
    worker(&format!("{MODULES}{parameters}\nrequest_route {{ loose_route(); return $rc; }}\n"))
}

fn result(worker: &Worker) -> i32 {
    worker.run.rr.last_result
}

fn next_hop(worker: &Worker) -> String {
    worker.run.target.next_hop.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn without_route_nothing_is_driven() {
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:bob@h", "t", ""));
    assert_eq!(result(&worker), -1);
    assert!(worker.run.edits.is_empty());
}

#[test]
fn an_own_route_alone_goes_with_its_line() {
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:bob@192.0.2.9", "t", "Route: <sip:127.0.0.1;lr;ftag=ft1;did=a.b>\n"));
    assert_eq!(result(&worker), 1);
    assert!(!edited(&worker).contains("Route:"));
    assert_eq!(next_hop(&worker), "");
    assert_eq!(super::own_route_parameters(&worker.run), b"lr;ftag=ft1;did=a.b");
}

#[test]
fn the_next_loose_route_becomes_the_next_hop_and_stays() {
    let mut worker = routing("");
    let routes = "Route: <sip:127.0.0.1;lr;ftag=x>, <sip:127.0.0.1:16070;lr;x=1>\nRoute: <sip:last@h;lr>\n";
    run(&mut worker, &request("BYE", "sip:bob@192.0.2.9", "t", routes));
    assert_eq!(result(&worker), 1);
    assert_eq!(next_hop(&worker), "sip:127.0.0.1:16070;lr;x=1");
    let text = edited(&worker);
    assert!(text.contains("Route: <sip:127.0.0.1:16070;lr;x=1>\nRoute: <sip:last@h;lr>\n"), "{text}");
    assert!(text.starts_with("BYE sip:bob@192.0.2.9 "));
}

#[test]
fn a_strict_next_hop_takes_the_request_uri_and_the_target_goes_last() {
    let mut worker = routing("");
    let routes = "Route: <sip:127.0.0.1;lr>,<sip:127.0.0.1:16070>, <sip:4th@h>\n";
    run(&mut worker, &request("BYE", "sip:bob@z.z", "t", routes));
    assert_eq!(result(&worker), 1);
    let text = edited(&worker);
    assert!(text.starts_with("BYE sip:127.0.0.1:16070 "), "{text}");
    assert!(text.contains("Route: <sip:4th@h>\n"), "{text}");
    assert!(text.contains("Content-Length: 0\nRoute: <sip:bob@z.z>\n\n"), "{text}");
}

#[test]
fn both_routes_of_a_pair_go_and_the_second_names_the_socket() {
    let mut worker = routing("");
    let routes = "Route: <sip:127.0.0.1;r2=on;lr;ftag=ft1>\nRoute: <sip:127.0.0.1:5070;r2=on;lr;ftag=ft1>\nRoute: <sip:192.0.2.7;lr>\n";
    run(&mut worker, &request("BYE", "sip:bob@z.z", "t", routes));
    assert_eq!(result(&worker), 1);
    assert_eq!(worker.run.target.socket, Some(1));
    assert_eq!(next_hop(&worker), "sip:192.0.2.7;lr");
    let text = edited(&worker);
    assert!(!text.contains("r2=on") && text.contains("Route: <sip:192.0.2.7;lr>"), "{text}");
}

#[test]
fn the_first_parameter_of_a_name_counts_and_a_gruu_is_never_ours() {
    let mut worker = routing("");
    let routes = "Route: <sip:127.0.0.1;r2=off;R2=on;lr>\nRoute: <sip:127.0.0.1:5070;r2=on;lr>\n";
    run(&mut worker, &request("BYE", "sip:bob@z.z", "t", routes));
    assert_eq!((next_hop(&worker).as_str(), worker.run.target.socket), ("sip:127.0.0.1:5070;r2=on;lr", None));
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:bob@z.z", "t", "Route: <sip:127.0.0.1;lr;gr=urn:uuid:1>\n"));
    assert_eq!(next_hop(&worker), "sip:127.0.0.1;lr;gr=urn:uuid:1");
    assert!(!worker.run.rr.is_own_route);
}

#[test]
fn a_preloaded_own_route_alone_is_told_apart() {
    let mut worker = routing("");
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", "Route: <sip:127.0.0.1;lr>\n"));
    assert_eq!(result(&worker), -3);
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", "Route: <sip:127.0.0.1;lr>,<sip:192.0.2.7;lr>\n"));
    assert_eq!((result(&worker), next_hop(&worker)), (1, "sip:192.0.2.7;lr".to_owned()));
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", "Route: <sip:192.0.2.7;lr>\n"));
    assert_eq!((result(&worker), next_hop(&worker)), (1, "sip:192.0.2.7;lr".to_owned()));
    assert!(super::own_route_parameters(&worker.run).is_empty());
}

#[test]
fn after_a_strict_router_the_last_route_is_the_target() {
    let mut worker = routing("");
    let routes = "Route: <sip:127.0.0.1:16070;lr>, <sip:last@h>\n";
    run(&mut worker, &request("BYE", "sip:127.0.0.1;lr;ftag=ft1", "t", routes));
    assert_eq!(result(&worker), 1);
    assert_eq!(next_hop(&worker), "sip:127.0.0.1:16070;lr");
    let text = edited(&worker);
    assert!(text.starts_with("BYE sip:last@h "), "{text}");
    assert!(text.contains("Route: <sip:127.0.0.1:16070;lr>\n"), "{text}");
    assert_eq!(super::own_route_parameters(&worker.run), b"lr;ftag=ft1");
}

#[test]
fn after_a_strict_router_a_strict_next_hop_takes_the_request_uri() {
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:127.0.0.1;lr", "t", "Route: <sip:127.0.0.1:16070>, <sip:last@h>\n"));
    let text = edited(&worker);
    assert!(text.starts_with("BYE sip:127.0.0.1:16070 "), "{text}");
    assert!(text.contains("Route: <sip:last@h>\n"), "{text}");
}

#[test]
fn a_route_that_is_no_uri_is_refused() {
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:bob@z.z", "t", "Route: nonsense\n"));
    assert_eq!(result(&worker), -1);
}

/// What Kamailio 5.6.3 did with these on the wire: result, next hop, request URI, socket, Routes left, loose next hop.
#[test]
fn routing_agrees_with_kamailio() {
    let own = "sip:127.0.0.1;lr;ftag=f;r2=on";
    for (uri, to_tag, routes, expected) in [
        (
            "sip:bob@h",
            "t",
            "<sip:127.0.0.1;r2=on;lr;ftag=f>, <sip:127.0.0.1:5070;r2=on;lr;ftag=f>",
            (1, "", "sip:bob@h", Some(1), "", false),
        ),
        ("sip:bob@h", "t", "<sip:127.0.0.1;r2=on;lr;ftag=f>", (1, "", "sip:bob@h", None, "", false)),
        (
            own,
            "t",
            "<sip:127.0.0.1:5070;lr;r2=on>, <sip:x@y;lr>, <sip:last@h>",
            (1, "sip:x@y;lr", "sip:last@h", Some(1), "<sip:x@y;lr>", false),
        ),
        (own, "t", "<sip:127.0.0.1:5070;lr;r2=on>", (-1, "", own, Some(1), "", false)),
        ("sip:127.0.0.1;lr;ftag=f", "t", "<sip:last@h;lr>", (1, "sip:last@h;lr", "sip:last@h;lr", None, "", false)),
        (
            "sip:bob@h",
            "",
            "<sip:127.0.0.1;lr>, <sip:127.0.0.1:5070;lr>",
            (1, "sip:127.0.0.1:5070;lr", "sip:bob@h", None, "<sip:127.0.0.1:5070;lr>", true),
        ),
        (
            "sip:bob@h",
            "t",
            "<sip:127.0.0.1;lr>, <sip:n@h;maddr=1.2.3.4;lr>",
            (1, "sip:1.2.3.4", "sip:bob@h", None, "<sip:n@h;maddr=1.2.3.4;lr>", true),
        ),
        ("sip:bob@h", "t", "<sip:n@h;maddr=1.2.3.4>, <sip:q@h>", (1, "", "sip:1.2.3.4", None, "<sip:q@h>|<sip:bob@h>", false)),
    ] {
        let mut worker = routing("");
        run(&mut worker, &request("BYE", uri, to_tag, &format!("Route: {routes}\n")));
        let text = edited(&worker);
        let left = text.lines().filter_map(|line| line.strip_prefix("Route: ")).collect::<Vec<_>>().join("|");
        let uri_now = String::from_utf8_lossy(worker.run.request_uri()).into_owned();
        let (code, hop, uri_wanted, socket, routes_wanted, has_next) = expected;
        assert_eq!((result(&worker), next_hop(&worker).as_str(), uri_now.as_str()), (code, hop, uri_wanted), "{routes}");
        assert_eq!((worker.run.target.socket, left.as_str(), worker.run.rr.has_next_route), (socket, routes_wanted, has_next), "{routes}");
    }
}

fn recorded(parameters: &str, script: &str, received_on: u16, sent_from: u16) -> String {
    let mut worker = worker(&format!("{MODULES}{parameters}\nrequest_route {{ {script} }}\n"));
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", ""));
    let mut out = Vec::new();
    let plan = &worker.run.rr.plan;
    super::render(&worker.node, plan, received_on, sent_from, &mut out);
    assert_eq!(plan.header_count(&worker.node, received_on, sent_from), out.iter().filter(|byte| **byte == b'\n').count());
    String::from_utf8_lossy(&out).replace("\r\n", "\n")
}

#[test]
fn one_header_on_one_socket_two_on_two() {
    assert_eq!(recorded("", "record_route();", 0, 0), "Record-Route: <sip:127.0.0.1;lr;ftag=ft1>\n");
    assert_eq!(
        recorded("", "record_route();", 0, 1),
        "Record-Route: <sip:127.0.0.1:5070;r2=on;lr;ftag=ft1>\nRecord-Route: <sip:127.0.0.1;r2=on;lr;ftag=ft1>\n"
    );
    assert_eq!(
        recorded("", "record_route();", 0, 2),
        "Record-Route: <sip:127.0.0.1;transport=tcp;r2=on;lr;ftag=ft1>\nRecord-Route: <sip:127.0.0.1;r2=on;lr;ftag=ft1>\n"
    );
    let never = "modparam(\"rr\", \"enable_double_rr\", 0)";
    assert_eq!(recorded(never, "record_route();", 0, 1), "Record-Route: <sip:127.0.0.1;lr;ftag=ft1>\n");
}

#[test]
fn parameters_added_before_and_after_are_carried_in_order() {
    let script = "add_rr_param(\";a=1\"); record_route(\";p=2\"); add_rr_param(\";did=dfe.4681\");";
    assert_eq!(
        recorded("modparam(\"rr\", \"enable_full_lr\", 1)", script, 0, 0),
        "Record-Route: <sip:127.0.0.1;lr=on;ftag=ft1;p=2;a=1;did=dfe.4681>\n"
    );
}

#[test]
fn presets_end_with_lr_and_users_are_added_on_request() {
    assert_eq!(
        recorded("modparam(\"rr\", \"add_username\", 1)", "record_route_preset(\"1.2.3.4:5090\");", 0, 1),
        "Record-Route: <sip:bob@1.2.3.4:5090;ftag=ft1;lr>\n"
    );
    assert_eq!(
        recorded("", "record_route_preset(\"in\", \"out\");", 0, 1),
        "Record-Route: <sip:out;ftag=ft1;lr>\nRecord-Route: <sip:in;ftag=ft1;lr>\n"
    );
}

#[test]
fn recording_twice_is_refused_and_removal_allows_it_again() {
    assert_eq!(recorded("", "record_route(); record_route();", 0, 0).lines().count(), 1);
    assert_eq!(recorded("", "record_route(); remove_record_route();", 0, 0), "");
    assert_eq!(recorded("", "record_route(); remove_record_route(); record_route();", 0, 0).lines().count(), 1);
}

#[test]
fn added_parameters_are_bounded() {
    let mut plan = super::Plan::default();
    assert!(!super::add_parameter(&mut plan, b"a=1"));
    assert!(super::add_parameter(&mut plan, &[b";a=", &[b'x'; 500][..]].concat()));
    assert!(!super::add_parameter(&mut plan, b";bbbbbbbbbbb"));
}

#[test]
fn the_direction_follows_the_initiators_tag() {
    use super::{Direction, direction};
    let mut worker = routing("");
    run(&mut worker, &request("BYE", "sip:bob@h", "t", "Route: <sip:127.0.0.1;lr;ftag=ft1>\n"));
    assert_eq!(direction(&worker.run), Direction::Downstream);
    run(&mut worker, &request("BYE", "sip:bob@h", "t", "Route: <sip:127.0.0.1;lr;ftag=other>\n"));
    assert_eq!(direction(&worker.run), Direction::Upstream);
}
