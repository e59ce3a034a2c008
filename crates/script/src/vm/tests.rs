//! The semantics table of spec cfg-language appendix C (obtained from Kamailio 5.6.3), the traps of section 18, and parking.

use super::*;
use crate::compile::tests::program;
use crate::exports::RunLimits;
use crate::syntax::ast::RouteKind;
use crate::test_host::TestHost;

const ROUTES: &str = r#"
route[FIVE] { return 5; }
route[SHOW] { print("in $rc"); }
route[ZERO] { return 0; }
route[MINUS] { return -1; }
route[LAST_FALSE] { good(); bad(); }
route[IF_NOTHING] { $var(z) = 1; bad(); if ($var(none) == 99) { good(); } }
route[IF_FALSE] { if (1 == 1) { bad(); } }
route[ASSIGN] { bad(); $var(z) = 3; }
route[BREAK] { $var(z) = 1; if (1 == 1) { break; } print("not here"); }
route[EXIT] { exit; }
route[DROP] { drop; }
route[AGAIN] { $var(depth) = $var(depth) + 1; route(AGAIN); }
route[SEVEN] { if (seven()) { return; } }
failure_route[F] { good(); }
"#;

fn start(body: &str, mut host: TestHost) -> (TestHost, Run) {
    let text = format!("#!KAMAILIO\nflags FLT_A:3;\nrequest_route {{\n{body}\n}}\n{ROUTES}");
    let program = program(&text).unwrap_or_else(|error| panic!("{error}"));
    let route = program.route(RouteKind::Request, "").expect("there is a main route");
    let run = run(&program, &mut host, route);
    (host, run)
}

/// Runs a body to its end.
fn ran(body: &str) -> (TestHost, Finish) {
    match start(body, TestHost::default()) {
        (host, Run::Done(finish)) => (host, finish),
        (_, Run::Parked(_)) => panic!("parked"),
    }
}

/// What the body prints.
fn printed(body: &str) -> String {
    ran(body).0.printed.join(" ")
}

/// The value of an expression, through an assignment; null prints `<null>`.
fn value(expression: &str) -> String {
    printed(&format!("$vn(out) = {expression}; print(\"$vn(out)\");"))
}

/// Is the condition true?
fn holds(setup: &str, condition: &str) -> bool {
    printed(&format!("{setup} if ({condition}) {{ print(\"yes\"); }} else {{ print(\"no\"); }}")) == "yes"
}

#[test]
fn a_call_that_would_do_nothing_is_left_out_and_answers_1() {
    assert_eq!(printed(r#"bad(); whisper("off", "$var(x)"); print("$rc");"#), "1");
    assert_eq!(printed(r#"whisper("on", "$rc");"#), printed(r#"print("on", "$rc");"#));
    // What is computed is not known before.
    assert_eq!(printed(r#"$var(x) = "off"; whisper("$var(x)", "a");"#), printed(r#"print("off", "a");"#));
    // A computed argument leaves the stack.
    assert_eq!(printed(r#"whisper("off", 1 + 2); print("on");"#), "on");
}

#[test]
fn a_neutral_side_leaves_the_integer_of_the_other() {
    let setup = r#"$var(n) = 7; $var(s) = "007"; $var(m) = -3;"#;
    for (expression, wanted) in
        [("$var(n) && 1", "7"), ("0 || $var(s)", "7"), ("$var(n) && 5", "1"), ("$var(m) || 0", "-3"), ("3 || 0", "1"), ("2 && 1", "1")]
    {
        assert_eq!(printed(&format!("{setup} $var(r) = {expression}; print(\"$var(r)\");")), wanted, "{expression}");
    }
    assert!(!holds(setup, "$var(m) && 1"), "only what is above 0 is true");
}

#[test]
fn unset_variables() {
    assert_eq!(printed(r#"print("$var(u) $avp(u) $vn(u)");"#), "0 <null> <null>");
    for condition in [r#"$avp(u) == """#, "$avp(u) == 0", "$avp(u) == $null", r#"$avp(u) != "a""#, "$null == $avp(undef)"] {
        assert!(holds("", condition), "{condition}");
    }
    assert!(!holds("", "$var(u) == $null"), "an unset $var is 0");
    assert!(!holds(r#"$vn(e) = "";"#, "$vn(e) == $null"), "empty is not null");
    assert!(holds(r#"$vn(e) = "";"#, "$vn(e) != $null"));
    assert!(holds("", "not defined $avp(u)"));
    assert_eq!(printed(r#"$var(x) = $null; $vn(x) = 5; $vn(x) = $null; print("$var(x) $vn(x)");"#), "0 <null>");
}

#[test]
fn text_and_numbers() {
    let setup = r#"$var(a) = "10";"#;
    assert!(holds(setup, "$var(a) == 10") && holds(setup, "$var(a) > 9"));
    let with = |expression: &str| printed(&format!(r#"{setup} $var(o) = {expression}; print("$var(o)");"#));
    assert_eq!(with("$var(a) + 5"), "105");
    assert_eq!(with("5 + $var(a)"), "15");
    assert_eq!(with("$var(a) - 5"), "5");
    assert_eq!(with("(int)$var(a) + 5"), "15");
    assert_eq!(printed(r#"$var(a) = "abc"; $var(o) = $var(a) + 5 + 6; print("$var(o)");"#), "abc56");
    assert_eq!(printed(r#"$var(n)=1; $var(m)=2; $var(o) = $var(n) + $var(m) + "x"; print("$var(o)");"#), "3");
    assert_eq!(printed(r#"$var(n)=1; $var(m)=2; $var(o) = "a" + ($var(n) + $var(m)); print("$var(o)");"#), "a3");
    assert_eq!(printed(r#"$var(n)=1; $var(m)=2; $var(o) = (str)$var(n) + $var(m); print("$var(o)");"#), "12");
    assert_eq!(value(r#"$avp(u) + "a""#), "a");
}

/// Where an integer is wanted, Kamailio adds integers (seen on 5.6.3, 2 000 random expressions give equal results).
#[test]
fn plus_adds_where_an_integer_is_wanted() {
    let setup = r#"$var(a) = "10"; $var(h) = "5";"#;
    let with = |expression: &str| printed(&format!(r#"{setup} $var(o) = {expression}; print("$var(o)");"#));
    assert_eq!(with("$var(a) + 5"), "105");
    assert_eq!(with("($var(h) + $var(h)) - $var(h)"), "5");
    assert_eq!(with("(int)($var(a) + $var(none))"), "10");
    assert_eq!(with("-($var(a) + $var(a) + !$var(none))"), "-21");
    assert_eq!(with("3 | $var(h) + 1"), "7");
    assert!(holds(setup, "$var(a) + 5 == \"105\"") && holds(setup, "$var(a) + 5 < 16"));
    assert!(!holds(setup, "$var(a) + \"-10\""), "10 - 10 is not true");
}

#[test]
fn truth_is_greater_than_zero() {
    for text in [r#""abc""#, r#""0""#, r#""-1""#, r#""1abc""#, "-1", "0"] {
        assert!(!holds(&format!("$var(c) = {text};"), "$var(c)"), "{text}");
    }
    assert!(holds("$var(c) = 1;", "$var(c)") && holds(r#"$var(c) = "1";"#, "$var(c)"));
    assert!(!holds("$var(c) = -1;", "!$var(c)"), "but ! takes any number as true");
    assert!(holds("$var(c) = -1;", "$var(c) && $var(c)"), "and so do && and ||");
    assert_eq!(value("3 || 0"), "1");
}

#[test]
fn return_mode_changes_the_truth() {
    let mut host = TestHost::default();
    host.limits.return_mode = 1;
    let (host, _) = start(
        r#"if (bad()) { print("true"); } if (bad() < 0) { print("negative"); } $var(c) = -1; if ($var(c)) { print("holds"); }"#,
        host,
    );
    assert_eq!(host.printed.join(" "), "true negative holds");
}

#[test]
fn comparisons() {
    assert!(holds(r#"$var(c) = "abc";"#, r#"$var(c) =~ "^A""#) && !holds(r#"$var(c) = "abc";"#, r#"$var(c) == "ABC""#));
    assert!(holds("$var(i) = 5;", r#"$var(i) == "5""#) && !holds("$var(i) = 5;", r#"$var(i) == "5a""#));
    assert!(holds("$var(i) = 0;", r#"$var(i) == "abc""#) && !holds(r#"$var(i) = "abc";"#, "$var(i) == 0"));
    assert!(holds(r#"$var(i) = "05";"#, "$var(i) ieq 5") && !holds("$var(i) = 5;", r#"$var(i) eq "05""#));
    assert!(holds("$var(i) = 5;", r#"$var(i) ne "05""#) && holds("$var(i) = 5;", "$var(i) ine 6"));
    assert!(holds(r#"$var(p) = "^b"; $var(t) = "Bob";"#, "$var(t) =~ $var(p)"));
    assert!(holds("", r#"$avp(u) =~ "^$""#), "undefined matches as empty");
    let (host, _) = ran(r#"$var(p) = "("; if ($var(p) =~ $var(p)) { print("no"); }"#);
    assert!(host.printed.is_empty() && host.logged.iter().any(|line| line.contains("( without )")), "{:?}", host.logged);
}

#[test]
fn operators_bind_as_documented() {
    for (expression, wanted) in [
        ("1<<2+1", "8"),
        ("6&3|8", "10"),
        ("7 mod 4 * 2", "6"),
        ("-7/2", "-3"),
        ("~5", "-6"),
        ("!5", "0"),
        ("0x1F", "31"),
        ("017", "15"),
        ("101b", "5"),
        ("yes", "1"),
        (r#"(int)"12abc""#, "0"),
        (r#"(int)"0x10""#, "16"),
        (r#"(int)" 12""#, "0"),
        (r#"(int)"1234567890123""#, "1234567890123"),
        (r#"strlen("abc")"#, "3"),
        (r#"strempty("")"#, "1"),
        (r#""x$var(n)y""#, "x$var(n)y"),
        (r#""tab\tq\"x\x41\101""#, "tab\tq\"xAA"),
        (r"'a \n'", r"a \n"),
        ("@cfg_get.a.b", "selected"),
        ("$null", "<null>"),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
}

#[test]
fn routes_give_codes() {
    assert_eq!(printed(r#"route(FIVE); print("$rc");"#), "5");
    assert!(!holds("", "route(FIVE) == 5") && holds("", "route(FIVE) == 1") && holds("", "route(FIVE)"));
    assert_eq!(value("route(FIVE)"), "5");
    assert_eq!(value("route(LAST_FALSE)"), "-1");
    assert_eq!(value("route(IF_NOTHING)"), "1");
    assert_eq!(value("route(IF_FALSE)"), "-1");
    assert_eq!(value("route(ASSIGN)"), "1");
    assert_eq!(value("route(SEVEN)"), "1");
    assert!(!holds("", "route(MINUS)"));
    assert_eq!(value("bad()"), "-1");
    assert_eq!(printed(r#"$var(n) = "FI" + "VE"; route($var(n)); print("$rc");"#), "5");
    assert_eq!(printed(r#"route("FI" + "VE"); print("$rc");"#), "5");
}

#[test]
fn a_missing_dynamic_route_is_logged_and_passed_over() {
    let (host, _) = ran(r#"seven(); $var(n) = "NOPE"; route($var(n)); print("$rc");"#);
    assert!(host.logged.iter().any(|line| line.contains("NOPE")));
    // The assignment between leaves $rc alone, so does the missing route.
    assert_eq!(host.printed, ["7"]);
}

#[test]
fn zero_ends_the_script() {
    for body in
        ["route(ZERO);", "zero();", "exit;", "if (route(ZERO)) { good(); } else { print(\"else\"); }", "route(EXIT);", "$var(x) = zero();"]
    {
        let (host, finish) = ran(&format!("{body} print(\"after\");"));
        assert!(host.printed.is_empty(), "{body}");
        assert_eq!(finish.how, Ended::Exit, "{body}");
    }
    assert_eq!(ran("return 0;").1, Finish { code: 0, how: Ended::Exit });
    assert_eq!(ran("exit 4;").1, Finish { code: 4, how: Ended::Exit });
    assert_eq!(ran("return 3;").1, Finish { code: 3, how: Ended::Return });
    assert_eq!(ran("drop;").1, Finish { code: 0, how: Ended::Drop });
    assert_eq!(ran("drop(2);").1, Finish { code: 2, how: Ended::Drop });
    assert_eq!(ran("route(DROP); print(\"after\");").1.how, Ended::Drop);
    assert_eq!(ran("bad();").1, Finish { code: -1, how: Ended::Return });
}

#[test]
fn break_leaves_the_nearest_thing() {
    assert_eq!(printed(r#"route(BREAK); print("rc $rc");"#), "rc 0", "directly in a route it leaves the route with 0");
    assert_eq!(
        printed(
            r#"while (1) { $var(i) = $var(i) + 1; switch ($var(i)) { case 1: break; case 3: print("three"); } if ($var(i) == 3) break; } print("$var(i)");"#
        ),
        "three 3"
    );
}

#[test]
fn switch_falls_through() {
    let body = |subject: &str| {
        printed(&format!(
            r#"$var(s) = {subject}; switch ($var(s)) {{ case 1: print("1"); case 2: print("2"); case 3: print("3"); break; case 4: print("4"); default: print("d"); }} print("end");"#
        ))
    };
    assert_eq!(body("2"), "2 3 end");
    assert_eq!(body("1"), "1 2 3 end");
    assert_eq!(body("4"), "4 d end");
    assert_eq!(body("9"), "d end");
    let texts = |subject: &str| {
        printed(&format!(
            r#"$var(s) = "{subject}"; switch ($var(s)) {{ case "a": print("a"); break; case /"^b": print("b"); break; default: print("d"); }}"#
        ))
    };
    assert_eq!(texts("a"), "a");
    assert_eq!(texts("bob"), "b");
    assert_eq!(texts("Bob"), "d", "case /re/ minds the case");
    assert_eq!(texts("A"), "d");
}

#[test]
fn while_stops_after_its_rounds() {
    let (host, _) = ran(r#"while (1) { $var(i) = $var(i) + 1; } print("$var(i)");"#);
    assert_eq!(host.printed, ["100"]);
    assert_eq!(host.logged.len(), 1);
    assert!(host.logged.iter().all(|line| line.starts_with("test.cfg:4: while")), "{:?}", host.logged);
    let mut host = TestHost::default();
    host.limits.while_loops_max = 0;
    let (host, _) = start(r#"while ($var(i) < 1000) { $var(i) = $var(i) + 1; } print("$var(i)");"#, host);
    assert_eq!(host.printed, ["1000"], "0 turns the bound off");
}

#[test]
fn division_by_zero_fails_the_statement_only() {
    assert_eq!(printed(r#"$var(x) = 1; $var(x) = 5/$var(none); print("$var(x)");"#), "1");
    assert_eq!(printed(r#"if (5 / 0 == 1) { print("yes"); } else { print("no"); }"#), "no");
    assert_eq!(printed(r#"if (1 == 1 && 5 mod $var(none)) { print("yes"); } print("end");"#), "end");
    assert_eq!(printed(r#"while (5 / $var(none)) { print("round"); } print("end");"#), "end");
    assert_eq!(printed(r#"switch (5 / $var(none)) { case 1: print("case"); default: print("default"); } print("end");"#), "end");
    assert_eq!(printed(r#"print("a" + 5 / $var(none)); print("end");"#), "end");
    assert_eq!(ran("return 5 / $var(none);").1.code, -1);
    let (host, _) = ran("$var(i) = 0; while ($var(i) < 3) { $var(i) = $var(i) + 1; $var(x) = 1 / $var(none); } print(\"$var(i)\");");
    assert_eq!((host.printed.join(" "), host.logged.len()), ("3".to_string(), 3), "the loop's own counter survives");
}

#[test]
fn the_return_code_is_of_the_last_function() {
    assert_eq!(printed(r#"bad(); $var(x) = 3; if ($var(x) == 3) { $var(y) = 1; } $var(r) = $rc; print("$var(r)");"#), "-1");
    assert_eq!(printed(r#"bad(); print("x"); print("$rc");"#), "x 1", "every function sets it");
    assert_eq!(printed(r#"bad(); setflag(FLT_A); print("$rc");"#), "-1", "core functions do not");
}

#[test]
fn an_action_inside_an_expression_begins_with_return_code_zero() {
    assert_eq!(printed(r#"bad(); if (route(SHOW)) { print("after $rc"); }"#), "in 0 after 1");
    assert_eq!(printed(r#"bad(); route(SHOW);"#), "in -1");
    assert_eq!(printed(r#"bad(); if (($var(b) = 0)) { print("$rc"); }"#), "0");
}

#[test]
fn a_core_function_inside_an_expression_leaves_return_code_zero() {
    assert_eq!(printed(r#"bad(); $var(f) = setflag(FLT_A); print("$rc");"#), "0");
}

#[test]
fn a_sum_adds_beside_an_integer_and_joins_beside_a_text() {
    let sum = |expression: &str| printed(&format!(r#"$var(n) = 3; $var(s) = "10"; $var(r) = {expression}; print("$var(r)");"#));
    for (expression, wanted) in [
        ("$var(n) + ($var(s) + 5)", "18"),
        ("$var(s) + ($var(s) + 5)", "10105"),
        ("(1 + 2) + ($var(s) + 5)", "18"),
        ("15 == ($var(s) + 5)", "1"),
        ("($var(s) + 5) == 105", "1"),
        (r#"(int)("10" + 5)"#, "105"),
        ("-($var(s) + 5)", "-15"),
    ] {
        assert_eq!(sum(expression), wanted, "{expression}");
    }
}

#[test]
fn zero_is_not_the_empty_text_but_undefined_is() {
    assert!(!holds("$var(z) = 0;", r#"$var(z) == """#));
    assert!(holds(r#"$var(e) = "";"#, r#"$var(e) == """#));
    assert!(holds("", r#"$avp(never) == """#));
    assert!(!holds("$var(z) = 0;", r#"$var(z) != """#));
}

#[test]
fn assignments_are_actions_and_expressions() {
    assert!(holds("", "($var(x) = 0)"), "its value is its success");
    let (host, finish) = ran("$refusing = 1;");
    assert_eq!(finish.code, -1);
    assert!(host.logged.iter().any(|line| line.contains("no room")), "{:?}", host.logged);
    let (host, _) = ran(
        r#"$avp(m) = 1; $avp(m) = 2; $avp(m) = 3; print("$(avp(m)[*]) $(avp(m)[1])"); $(avp(m)[*]) = 7; print("$(avp(m)[*])"); $avp(m) = $null; print("$avp(m)");"#,
    );
    assert_eq!(host.printed, ["3, 2, 1 2", "7", "<null>"]);
}

#[test]
fn core_words_ignore_case() {
    for condition in [
        "method == INVITE",
        r#"method == "invite""#,
        r#"method =~ "^INV""#,
        r#"method != "BYE""#,
        r#"uri == "SIP:BOB@example.com""#,
        "uri == myself",
        "src_ip == 10.1.0.0/16",
        "src_ip == 10.1.2.3",
        r#"src_ip == "10.0.0.0/8""#,
        "src_ip != 10.2.0.0/16",
        "src_port == 5060",
        "src_port > 1024",
        "af == INET",
        "proto == UDP",
        "proto != tcp",
        "!(src_ip == myself)",
    ] {
        assert!(holds("", condition), "{condition}");
    }
    for condition in ["method == BYE", "uri != myself", "src_ip == 10.2.0.0/16", "proto == tls", r#"from_uri == "x""#, r#"from_uri != "x""#]
    {
        assert!(!holds("", condition), "{condition}");
    }
}

#[test]
fn arguments_follow_their_kind() {
    assert_eq!(printed(r#"$var(v) = "$ru"; print("$var(v)", $var(v), $avp(none), "$avp(none)", 5, "a" + 1);"#), "$ru|$ru||<null>|5|a1");
    assert_eq!(printed(r#"plain("$var(x)");"#), "$var(x)");
    assert_eq!(
        printed(r#"$var(n) = 4; number("$var(n)"); number($var(n)); number(3 + $var(n)); number("0x10"); number("1$var(n)");"#),
        "[Integer(4)] [Integer(4)] [Integer(7)] [Integer(16)] [Integer(14)]"
    );
    assert_eq!(printed(r#"flag("FLT_A"); flag(7); flag("9");"#), "[Integer(3)] [Integer(7)] [Integer(9)]");
    assert_eq!(printed(r#"arm("F"); arm("0"); arm("");"#), "F 0 ");
    assert!(holds("", r#"regex("abc", "^A")"#) && !holds("", r#"regex("abc", "^b")"#));
    assert!(holds(r#"$var(p) = "^a";"#, r#"regex("abc", $var(p))"#));
    let (host, finish) = ran(r#"$var(p) = "("; regex("a", $var(p));"#);
    assert!(finish.code == -1 && host.logged.iter().any(|line| line.contains("regex: bad")), "{:?}", host.logged);
    assert_eq!(
        printed(r#"$var(u) = "foo"; subst("/o/$rU/g", "$var(u)"); print("$var(u) $rc"); subst("/z/a/", $var(u)); print("$rc");"#),
        "fbobbob 2 -1"
    );
}

#[test]
fn blocks_and_selections_have_values() {
    assert_eq!(value("{ good(); bad(); }"), "-1");
    assert_eq!(value("selval($var(x) == 0, \"a\", \"b\")"), "a");
    assert_eq!(value("selval(bad(), 1, seven())"), "7");
    assert_eq!(
        printed(r#"$var(i) = 0; while ({ $var(i) = $var(i) + 1; if ($var(i) > 3) { break; } good(); }) { print("$var(i)"); }"#),
        "1 2 3"
    );
}

#[test]
fn recursion_is_bounded() {
    let (host, finish) = ran(r#"route(AGAIN); print("on");"#);
    assert_eq!(host.vars.get(&b"depth"[..]).map(crate::value::Value::to_integer), Some(256));
    assert_eq!(host.printed, ["on"]);
    assert_eq!(finish.how, Ended::Return);
    assert_eq!(host.logged.len(), 1);
}

#[test]
fn texts_are_bounded() {
    let (host, _) =
        ran(r#"$var(t) = "0123456789"; while (1) { $var(t) = $var(t) + $var(t); } $var(l) = strlen($var(t)); print("$var(l)");"#);
    assert_eq!(host.printed, ["655360"]);
    assert!(host.logged.iter().any(|line| line.contains("was not extended")));
    let (host, _) = ran(
        r#"$var(t) = "0123456789"; while ($var(i) < 16) { $var(t) = $var(t) + $var(t); $var(i) = $var(i) + 1; } print("$var(t)$var(t)$var(t)");"#,
    );
    assert_eq!(host.printed.first().map(String::len), Some(TEXT_BYTES_MAX));
}

#[test]
fn steps_are_bounded() {
    let host = TestHost { limits: RunLimits { while_loops_max: 0, steps_max: 10_000, ..RunLimits::default() }, ..TestHost::default() };
    let (host, run) = start("while (1) { good(); }", host);
    assert!(matches!(run, Run::Done(Finish { code: -1, how: Ended::Exit })));
    assert!(host.logged.iter().any(|line| line.contains("10000 steps")), "{:?}", host.logged);
}

#[test]
fn a_waiting_function_parks_the_run_anywhere() {
    let text = format!(
        "#!KAMAILIO\nrequest_route {{ while ($var(i) < 2) {{ $var(i) = $var(i) + 1; $var(r) = 10 + $var(i); if (route(W)) {{ print(\"t$var(i) $rc\"); }} else {{ print(\"f$var(i) $rc\"); }} }} print(\"end $var(r)\"); }}\n\
         route[W] {{ switch (1) {{ case 1: if (!wait(\"$rU\")) {{ return -3; }} }} return 4; }}\n{ROUTES}"
    );
    let program = program(&text).unwrap_or_else(|error| panic!("{error}"));
    let route = program.route(RouteKind::Request, "").expect("there is one");
    let mut host = TestHost::default();
    let Run::Parked(frame) = run(&program, &mut host, route) else { panic!("it waits") };
    let Run::Parked(frame) = resume(&program, &mut host, frame, 1) else { panic!("it waits again") };
    assert_eq!(host.printed, ["t1 4"]);
    let Run::Done(finish) = resume(&program, &mut host, frame, -1) else { panic!("it is done") };
    assert_eq!(host.printed, ["t1 4", "f2 -3", "end 12"]);
    assert_eq!(finish.how, Ended::Return);
    let Run::Parked(frame) = run(&program, &mut TestHost::default(), route) else { panic!("it waits") };
    assert!(matches!(resume(&program, &mut host, frame, 0), Run::Done(Finish { how: Ended::Exit, .. })), "0 ends the script");
}

/// A generator with a fixed seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

#[test]
fn shuffled_scripts_never_panic_and_always_end() {
    let pieces = [
        "$var(a) = ",
        "$avp(b) = ",
        "$(avp(b)[*])",
        "$var(a)",
        "$vn(c)",
        "\"x\"",
        "\"^a(b|c)$\"",
        "5",
        "0",
        " + ",
        " / ",
        " mod ",
        " << ",
        " == ",
        " =~ ",
        " == $null",
        " && ",
        " || ",
        "!",
        "~",
        "-",
        "(int)",
        "(str)",
        "strlen(",
        "defined ",
        "(",
        ")",
        "{ ",
        " }",
        "; ",
        "if (",
        ") { ",
        " } else { ",
        "while (",
        "switch (",
        "case 1: ",
        "case \"x\": ",
        "default: ",
        "break; ",
        "return ",
        "exit; ",
        "drop; ",
        "route(FIVE)",
        "route(AGAIN)",
        "route($var(a))",
        "bad()",
        "seven()",
        "wait()",
        "print(",
        ", ",
        "method == INVITE",
        "src_ip == 10.0.0.0/8",
        "uri == myself",
        "subst(\"/a/$rU/g\", \"$var(a)\")",
        "$(var(a){s.substr,1,2})",
        "@cfg_get.a.b",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut compiled, mut parked) = (0, 0);
    for _ in 0..4_000 {
        let mut body = String::new();
        for _ in 0..1 + random.below(3) {
            // Mostly whole statements, so that many of them compile.
            let value = |random: &mut Random| {
                let mut text = pieces[3 + random.below(6)].to_string();
                for _ in 0..random.below(4) {
                    text += pieces[9 + random.below(9)];
                    text += pieces[[3, 4, 5, 7, 8, 41, 44, 45][random.below(8)]];
                }
                text
            };
            match random.below(6) {
                0 => body += &format!("$var(a) = {}; ", value(&mut random)),
                1 => {
                    body += &format!(
                        "if ({}) {{ print({}); }} else {{ {}; }} ",
                        value(&mut random),
                        value(&mut random),
                        pieces[41 + random.below(5)]
                    )
                }
                2 => body += &format!("while ({}) {{ $var(a) = {}; }} ", value(&mut random), value(&mut random)),
                3 => body += &format!("switch ({}) {{ case 1: bad(); default: wait(); }} ", value(&mut random)),
                4 => body += &format!("return {}; ", value(&mut random)),
                _ => {
                    for _ in 0..random.below(8) {
                        body += pieces[random.below(pieces.len())];
                    }
                }
            }
        }
        let Ok(program) = program(&format!("#!KAMAILIO\nrequest_route {{ {body} }}\n{ROUTES}")) else { continue };
        compiled += 1;
        let Some(route) = program.route(RouteKind::Request, "") else { continue };
        let limits = RunLimits { steps_max: 20_000, ..RunLimits::default() };
        let mut host = TestHost { limits, ..TestHost::default() };
        let mut state = run(&program, &mut host, route);
        for _ in 0..50 {
            let Run::Parked(frame) = state else { break };
            parked += 1;
            state = resume(&program, &mut host, frame, 1);
        }
    }
    assert!(compiled > 400 && parked > 100, "{compiled} {parked}");
}

#[test]
fn a_program_is_shared_and_a_frame_moves_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    is_shared::<crate::Program<TestHost>>();
    is_shared::<crate::variable::Reference>();
    moves::<Frame>();
}
