//! Tables used from scripts.

use crate::fixture::{edited, request, run, worker};
use sip::time::Time;

const MODULES: &str = "loadmodule \"pv.so\"\nloadmodule \"textops.so\"\nloadmodule \"htable.so\"\nmodparam(\"htable\", \"htable\", \"a=>size=4;autoexpire=5;initval=0\")\nmodparam(\"htable\", \"htable\", \"b=>size=4\")\nmodparam(\"htable\", \"timer_interval\", 1)\n";

fn result(script: &str) -> String {
    let mut worker = worker(&format!("{MODULES}request_route {{ {script} }}\n"));
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let text = edited(&worker);
    text.lines().filter_map(|line| line.strip_prefix("R: ")).collect::<Vec<_>>().join("|")
}

#[test]
fn items_are_written_read_counted_and_removed() {
    assert_eq!(result("$sht(b=>k) = \"v\"; append_hf(\"R: $sht(b=>k)\\r\\n\");"), "v");
    assert_eq!(result("$sht(b=>x::$ci) = 5; append_hf(\"R: $sht(b=>x::call1)\\r\\n\");"), "5");
    assert_eq!(result("$var(i) = $shtinc(a=>n); $var(i) = $shtinc(a=>n); append_hf(\"R: $sht(a=>n)\\r\\n\");"), "2");
    assert_eq!(result("$sht(b=>k) = 1; $sht(b=>k) = $null; if ($sht(b=>k) == $null) append_hf(\"R: gone\\r\\n\");"), "gone");
    assert_eq!(result("append_hf(\"R: $sht(a=>absent)\\r\\n\");"), "0");
    assert_eq!(result("$sht(b=>k1) = \"v\"; $sht(b=>k2) = \"v\"; sht_rm_name_re(\"b=>k.*\"); append_hf(\"R: $shtcn(b=>**)\\r\\n\");"), "0");
    assert_eq!(result("$sht(b=>k1) = \"v\"; $sht(b=>k2) = \"w\"; append_hf(\"R: $shtcn(b=>~%k) $shtcv(b=>==w)\\r\\n\");"), "2 1");
    assert_eq!(result("if (sht_is_null(\"b\", \"k\")) append_hf(\"R: null\\r\\n\");"), "null");
    assert_eq!(result("$sht(a=>k) = 1; append_hf(\"R: $shtex(a=>k)\\r\\n\");"), "5");
}

#[test]
fn iterators_see_every_item() {
    let script = "$sht(b=>k1) = 1; $sht(b=>k2) = 2; $var(n) = 0; sht_iterator_start(\"i\", \"b\"); while (sht_iterator_next(\"i\")) { $var(n) = $var(n) + $shtitval(i); } sht_iterator_end(\"i\"); append_hf(\"R: $var(n)\\r\\n\");";
    assert_eq!(result(script), "3");
}

#[test]
fn locks_are_recursive_and_given_back() {
    assert_eq!(
        result(
            "if (sht_lock(\"b=>k\") && sht_lock(\"b=>k\") && sht_unlock(\"b=>k\") && sht_unlock(\"b=>k\") && sht_unlock(\"b=>k\") && !sht_lock(\"none=>k\")) append_hf(\"R: ok\\r\\n\");"
        ),
        "ok"
    );
}

#[test]
fn expiry_runs_the_event_route_with_the_record() {
    let mut worker = worker(&format!(
        "{MODULES}request_route {{ $sht(a=>k) = 7; }}\nevent_route[htable:expired:a] {{ $sht(b=>$shtrecord(key)) = $shtrecord(value); }}\n"
    ));
    run(&mut worker, &request("OPTIONS", "sip:bob@z.z", "", ""));
    let node = std::sync::Arc::clone(&worker.node);
    let table = node.states.htable.table(b"b").expect("the table");
    super::on_timer(&mut worker);
    assert!(table.is_empty());
    worker.now.time = Time(worker.now.time.0 + 6_000);
    super::on_timer(&mut worker);
    assert_eq!(table.value(worker.now.time, b"k"), script::value::Value::Integer(7));
}

#[test]
fn the_start_event_runs_exactly_once() {
    use script::value::Value;
    let mut worker = worker(&format!("{MODULES}request_route {{ exit; }}\nevent_route[htable:mod-init] {{ $var(n) = $shtinc(a=>s); }}\n"));
    let node = std::sync::Arc::clone(&worker.node);
    let table = node.states.htable.table(b"a").expect("the table");
    super::started(&mut worker);
    assert_eq!(table.value(worker.now.time, b"s"), Value::Integer(1));
    super::started(&mut worker);
    super::on_timer(&mut worker);
    assert_eq!(table.value(worker.now.time, b"s"), Value::Integer(1));
}
