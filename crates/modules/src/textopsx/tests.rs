//! Edits and their visibility, run through small scripts.

use crate::fixture::{edited, receive, request, run, worker};

const MODULES: &str = "loadmodule \"sl.so\"\nloadmodule \"rr.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"textopsx.so\"\nloadmodule \"maxfwd.so\"\n";

/// The request as the script leaves it.
fn edit(script: &str, headers: &str) -> String {
    let mut worker = worker(&format!("{MODULES}request_route {{ {script} }}\n"));
    run(&mut worker, &request("INVITE", "sip:bob@z.z", "", headers));
    edited(&worker)
}

#[test]
fn added_headers_stand_at_both_ends_in_their_orders() {
    let text = edit("append_hf(\"A: 1\\r\\n\"); append_hf(\"B: 2\\r\\n\"); insert_hf(\"C: 3\\r\\n\"); insert_hf(\"D: 4\\r\\n\");", "");
    assert!(text.contains("SIP/2.0\nC: 3\nD: 4\nVia:"), "{text}");
    assert!(text.contains("Content-Length: 0\nA: 1\nB: 2\n\n"), "{text}");
}

#[test]
fn edits_are_invisible_until_they_are_applied() {
    let script = "append_hf(\"X-A: 1\\r\\n\"); remove_hf(\"X-Old\"); $ru = \"sip:new@z.z\";\n\
        if (is_present_hf(\"X-A\")) append_hf(\"Wrong: 1\\r\\n\");\n\
        if (!is_present_hf(\"X-Old\")) append_hf(\"Wrong: 2\\r\\n\");\n\
        msg_apply_changes();\n\
        if (is_present_hf(\"X-A\") && !is_present_hf(\"X-Old\")) append_hf(\"Right: $ou\\r\\n\");";
    let text = edit(script, "X-Old: 1\n");
    assert!(!text.contains("Wrong") && text.contains("Right: sip:new@z.z\n"), "{text}");
    assert!(text.starts_with("INVITE sip:new@z.z SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5090;branch=z9hG4bKabc\n"), "{text}");
}

#[test]
fn applying_after_record_route_is_refused() {
    let text = edit(
        "record_route(); append_hf(\"X-A: 1\\r\\n\"); msg_apply_changes(); if (is_present_hf(\"X-A\")) append_hf(\"Wrong: 1\\r\\n\");",
        "",
    );
    assert!(!text.contains("Wrong"), "{text}");
}

#[test]
fn a_body_is_set_once_however_often_it_is_said() {
    let text = edit("set_body(\"one\", \"text/plain\"); set_body(\"second\", \"text/plain\");", "");
    assert!(text.ends_with("Content-Length: 6\nContent-Type: text/plain\n\nsecond") || text.ends_with("\n\nsecond"), "{text}");
    assert!(!text.contains("one"), "{text}");
}

#[test]
fn values_of_lists_are_edited_one_by_one() {
    let list = "Foo: a, b;x=1, c\nFoo: d\n";
    assert!(edit("remove_hf_value(\"Foo[2]\");", list).contains("Foo: a, c\nFoo: d\n"));
    assert!(edit("remove_hf_value(\"Foo\");", list).contains("Foo:  b;x=1, c\nFoo: d\n"));
    assert!(edit("remove_hf_value(\"Foo[-1]\");", list).contains("Foo: a, b;x=1, c\nFrom:"));
    assert!(!edit("remove_hf_value(\"Foo[*]\");", list).contains("Foo"));
    assert!(edit("remove_hf_value(\"Foo[2].x\");", list).contains("Foo: a, b, c\n"));
    assert!(edit("assign_hf_value(\"Foo[2].x\", \"9\");", list).contains("b;x=9, c"));
    assert!(edit("assign_hf_value(\"Foo[1].y\", \"7\");", list).contains("Foo: a;y=7, b"));
    assert!(edit("append_hf_value(\"Foo[1]\", \"n\");", list).contains("Foo: a,n, b"));
    assert!(edit("insert_hf_value(\"Foo[1]\", \"n\");", list).contains("Foo: n,a, b"));
    assert!(edit("include_hf_value(\"Foo\", \"e\");", list).contains("Foo: a, b;x=1, c,e\nFoo: d\n"));
    assert!(edit("include_hf_value(\"Foo\", \"c\");", list).contains(list));
    assert!(edit("exclude_hf_value(\"Foo\", \"a\");", list).contains("Foo:  b;x=1, c\n"));
}

#[test]
fn removing_neighbours_leaves_no_comma_behind() {
    let text = edit("remove_hf_value(\"Foo[1]\"); remove_hf_value(\"Foo[2]\");", "Foo: a, b, c\n");
    assert!(text.contains("Foo:  c\n"), "{text}");
    let text = edit("remove_hf_value(\"Foo[2]\"); remove_hf_value(\"Foo[1]\");", "Foo: a, b, c\n");
    assert!(text.contains("Foo:  c\n"), "{text}");
    let text = edit("remove_hf_value(\"Foo[2]\"); remove_hf_value(\"Foo[1]\"); remove_hf_value(\"Foo[3]\");", "Foo: a, b, c\n");
    assert!(!text.contains("Foo"), "{text}");
}

#[test]
fn iterators_walk_over_headers() {
    let script = "hf_iterator_start(\"i\"); while (hf_iterator_next(\"i\")) { if ($hfitname(i) == \"X-Old\") { hf_iterator_rm(\"i\"); hf_iterator_append(\"i\", \"X-New: $hfitbody(i)\\r\\n\"); } } hf_iterator_end(\"i\");";
    let text = edit(script, "X-Old: 1\n");
    assert!(text.contains("X-New: 1\n") && !text.contains("X-Old"), "{text}");
}

#[test]
fn expressions_replace_in_headers_and_uri() {
    let text = edit("subst(\"/^(X-Old): *([0-9]+)/\\1: <\\2>/\"); subst_user(\"/^b(.*)/x\\1/\");", "X-Old: 12\n");
    assert!(text.contains("X-Old: <12>\n") && text.starts_with("INVITE sip:xob@z.z "), "{text}");
    let text = edit("replace_all(\"example\", \"sample\"); replace_str(\"call1\", \"call2\", \"f\");", "");
    assert!(text.contains("alice@sample.com") && text.contains("bob@sample.com") && text.contains("Call-ID: call2"), "{text}");
}

#[test]
fn max_forwards_is_counted_down_in_place() {
    assert!(edit("mf_process_maxfwd_header(\"10\");", "Max-Forwards: 10\n").contains("Max-Forwards:  9\n"));
    assert!(edit("mf_process_maxfwd_header(\"10\");", "Max-Forwards: 100\n").contains("Max-Forwards:  70\n"));
    assert!(
        edit("mf_process_maxfwd_header(\"10\"); mf_process_maxfwd_header(\"10\");", "Max-Forwards: 10\n").contains("Max-Forwards:  8\n")
    );
    assert!(edit("mf_process_maxfwd_header(\"10\");", "").contains("SIP/2.0\nMax-Forwards: 10\nVia:"));
    assert!(edit("mf_process_maxfwd_header(\"10\");", "Max-Forwards: abc\n").contains("Max-Forwards: abc\n"));
}

#[test]
fn a_reply_gets_another_status_within_its_class() {
    let mut worker = worker(&format!("{MODULES}request_route {{ exit; }}\nonreply_route {{ change_reply_status(\"503\", \"Gone\"); }}\n"));
    receive(
        &mut worker,
        "SIP/2.0 404 Not Found\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\n\n",
    );
    worker.run_route(script::syntax::ast::RouteKind::CoreReply, "");
    assert_eq!(super::changed_status(&worker.run), Some((503, &b"Gone"[..])));
    assert_eq!(super::status_line(&worker.run).as_deref(), Some(&b"SIP/2.0 503 Gone\r\n"[..]));
    worker.run.edits.insert_after(worker.run.message.headers_end(), b"X: 1\r\n");
    super::commit_status(&mut worker);
    assert_eq!((worker.run.message.status(), worker.run.message.reason()), (503, &b"Gone"[..]));
    assert!(worker.run.edits.is_empty() && worker.run.message.headers_named(b"X").next().is_some());
    assert!(worker.run.message.top_via().is_some());
}
