//! What `dlg.explain` tells about calls that ended, and for how long (docs/end-reasons.md).

use modules::rpc::{Item, Parameter, Reply};

use crate::stage::{ALICE, BOB, Stage, ordinary};

fn explain(stage: &mut Stage, call_id: &str) -> Option<Reply> {
    stage.rpc("dlg.explain", vec![Parameter::Text(call_id.into())]).ok()
}

fn field<'a>(reply: &'a Reply, name: &str) -> &'a Item {
    let [Item::Structure(fields)] = &reply.items[..] else { panic!("not one call: {reply:?}") };
    fields.iter().find(|(field, _)| field == name).map(|(_, item)| item).expect("the field exists")
}

/// The history without its times.
fn history(reply: &Reply) -> Vec<String> {
    let Item::Array(lines) = field(reply, "history") else { panic!("no history") };
    let text = |line: &Item| match line {
        Item::Text(text) => String::from_utf8_lossy(text).split_once(' ').map_or_else(String::new, |(_, what)| what.to_owned()),
        other => panic!("no line: {other:?}"),
    };
    lines.iter().map(text).collect()
}

#[test]
fn a_call_whose_callee_is_dead_tells_the_probe_the_bye_and_each_answer() {
    let parameters =
        "modparam(\"dialog\", \"ka_timer\", 1)\nmodparam(\"dialog\", \"ka_interval\", 30)\nmodparam(\"dialog\", \"send_bye\", 1)\n";
    let configuration = ordinary(parameters).replace("\tdlg_manage();\n", "\tdlg_manage();\n\tdlg_set_property(\"ka-dst\");\n");
    let mut stage = Stage::new(&configuration);
    stage.confirmed("c1");
    stage.wait(31_000);
    let probe = stage.take(BOB, "OPTIONS");
    stage.answer(&probe, "481 Unknown", "B", "");
    stage.wait(11_000);
    let (to_caller, to_callee) = (stage.take(ALICE, "BYE"), stage.take(BOB, "BYE"));
    stage.answer(&to_caller, "200 OK", "A", "");
    stage.answer(&to_callee, "481 Unknown", "B", "");
    assert!(stage.dialogs().is_empty());
    let reply = explain(&mut stage, "c1").expect("it is remembered");
    assert_eq!((field(&reply, "end_reason"), field(&reply, "ended_by")), (&Item::text("keepalive"), &Item::text("proxy")));
    let told = history(&reply);
    let expected = [
        "INVITE received",
        "answered with 200, state 1 to 3",
        "ACK received, state 3 to 4",
        "keepalive to the callee answered with 481, lifetime cut",
        "lifetime over",
        "BYE to the caller answered with 200",
        "ended, state 4 to 5",
        "BYE to the callee answered with 481",
    ];
    assert_eq!(told, expected);
    assert_eq!(field(&reply, "left_out"), &Item::Integer(0));
}

#[test]
fn an_ended_call_is_remembered_for_the_time_asked_for_and_no_longer() {
    let mut stage = Stage::new(&ordinary("modparam(\"dialog\", \"explain_time\", 60)\n"));
    stage.confirmed("c1");
    stage.within("BYE", "c1", false, 5, "B");
    let bye = stage.take(BOB, "BYE");
    stage.answer(&bye, "200 OK", "B", "");
    stage.wait(50_000);
    assert!(stage.dialogs().is_empty());
    let reply = explain(&mut stage, "c1").expect("it is remembered");
    assert_eq!((field(&reply, "end_reason"), field(&reply, "in_table")), (&Item::text("caller_bye"), &Item::Integer(0)));
    stage.wait(40_000);
    assert_eq!((explain(&mut stage, "c1"), stage.proxy.node.dialogs.ended_calls()), (None, 0));
}

#[test]
fn a_call_nobody_knows_is_a_fault() {
    let mut stage = Stage::new(&ordinary(""));
    let fault = stage.rpc("dlg.explain", vec![Parameter::Text(b"nobody".to_vec())]).expect_err("there is none");
    assert_eq!((fault.code, fault.text.as_str()), (404, "No such call"));
    assert_eq!(stage.rpc("dlg.explain", Vec::new()).expect_err("nothing was asked").code, 400);
}
