//! The parser, rule by rule (spec cfg-language 3-8, 14-16, 18), and what it does with mutilated files.

use std::collections::HashMap;

use crate::diagnostic::Severity;
use crate::exports::ParameterKind;
use crate::load::{LoadOptions, Loaded, ModuleCatalogue, load};
use crate::source::Files;
use crate::syntax::ast::*;

struct Disk(HashMap<String, Vec<u8>>);

impl Files for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_string())
    }

    fn environment(&self, _name: &str) -> Option<String> {
        None
    }
}

struct Shelf;

impl ModuleCatalogue for Shelf {
    fn module_exists(&self, name: &str) -> bool {
        self.known_modules().contains(&name)
    }

    fn parameter(&self, module: &str, name: &str) -> Option<ParameterKind> {
        Some(match (module, name) {
            (_, "number") => ParameterKind::Integer,
            (_, "text") => ParameterKind::Text,
            (_, "list") => ParameterKind::Texts,
            (_, "any") => ParameterKind::Any,
            ("dialog", "dlg_flag") => ParameterKind::Flag,
            _ => return None,
        })
    }

    fn known_modules(&self) -> Vec<&str> {
        vec!["tm", "rr", "dialog", "acc", "acc_radius"]
    }

    fn parameters(&self, _module: &str) -> Vec<&str> {
        vec!["number", "text", "list", "any", "dlg_flag"]
    }
}

fn load_text(text: &[u8]) -> Result<Loaded, crate::load::Failure> {
    let mut disk = Disk(HashMap::from([("k.cfg".to_string(), text.to_vec())]));
    load("k.cfg", &mut disk, &LoadOptions::default(), &Shelf)
}

fn good(text: &str) -> Configuration {
    good_with_warnings(text).0
}

fn good_with_warnings(text: &str) -> (Configuration, Vec<String>) {
    match load_text(text.as_bytes()) {
        Ok(loaded) => (loaded.configuration, loaded.warnings.into_iter().map(|warning| warning.message).collect()),
        Err(failure) => panic!("{text}\n{failure}"),
    }
}

/// `line: message` of every error.
fn errors(text: &str) -> Vec<String> {
    match load_text(text.as_bytes()) {
        Ok(loaded) => panic!("no error in {text}: {:?}", loaded.configuration),
        Err(failure) => {
            failure.iter().filter(|one| one.severity == Severity::Error).map(|one| format!("{}: {}", one.span.line, one.message)).collect()
        }
    }
}

fn body(text: &str) -> Vec<Statement> {
    let mut configuration = good(&format!("request_route {{ {text} }}"));
    configuration.routes.remove(0).body
}

fn body_errors(text: &str) -> Vec<String> {
    errors(&format!("request_route {{ {text} }}")).into_iter().map(|error| error.trim_start_matches("1: ").to_string()).collect()
}

/// An expression in full parentheses.
fn shown(expression: &Expression) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match &expression.kind {
        ExpressionKind::Integer(number) => number.to_string(),
        ExpressionKind::Text(bytes) => format!("\"{}\"", text(bytes)),
        ExpressionKind::Variable(variable) => text(&variable.text),
        ExpressionKind::Select(name) => format!("@{}", text(name)),
        ExpressionKind::Call(call) => {
            format!("{}({})", call.name, call.arguments.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        ExpressionKind::Unary(operator, operand) => format!("{operator:?}[{}]", shown(operand)),
        ExpressionKind::Binary(operator, left, right) => {
            format!("({} {operator:?} {})", shown(left), shown(right))
        }
        ExpressionKind::Match(element) => format!("{:?} {:?} {}", element.word, element.operator, operand(&element.right)),
        ExpressionKind::Assign(target, value) => {
            format!("({} := {})", text(&target.text), shown(value))
        }
        ExpressionKind::Block(body) => format!("{{{} actions}}", body.len()),
        ExpressionKind::SelectValue(condition, yes, no) => {
            format!("{} ? {} : {}", shown(condition), shown(yes), shown(no))
        }
    }
}

fn operand(right: &MatchOperand) -> String {
    match right {
        MatchOperand::Myself => "myself".to_string(),
        MatchOperand::Network(address, bits) => format!("{address}/{bits}"),
        MatchOperand::Host(host) => host.clone(),
        MatchOperand::Protocol(protocol) => format!("{protocol:?}"),
        MatchOperand::Expression(expression) => shown(expression),
    }
}

fn expression(text: &str) -> String {
    match body(&format!("$var(r) = {text};")).remove(0).kind {
        StatementKind::Assign { value, .. } => shown(&value),
        other => panic!("{other:?}"),
    }
}

fn expression_errors(text: &str) -> Vec<String> {
    body_errors(&format!("$var(r) = {text};"))
}

fn call(text: &str) -> String {
    match body(&format!("{text};")).remove(0).kind {
        StatementKind::Call(call) => format!("{}({})", call.name, call.arguments.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => panic!("{other:?}"),
    }
}

// Expressions.

#[test]
fn operators_bind_as_in_the_table() {
    for (text, wanted) in [
        ("1 << 2 + 1", "(1 ShiftLeft (2 Add 1))"),
        ("$x << 2 == 8", "($x ShiftLeft (2 Equal 8))"),
        ("6 & 3 | 8", "((6 BitAnd 3) BitOr 8)"),
        ("1 & 2 ^ 3", "(1 BitAnd (2 BitXor 3))"),
        ("1 >> 2 << 3", "((1 ShiftRight 2) ShiftLeft 3)"),
        ("1 << 2 >> 3", "(1 ShiftLeft (2 ShiftRight 3))"),
        ("7 mod 4 * 2", "((7 Modulo 4) Multiply 2)"),
        ("1 - 2 - 3", "((1 Subtract 2) Subtract 3)"),
        ("1 == 2 > 3", "(1 Equal (2 Greater 3))"),
        ("1 || 2 && 3 or 4 and 5", "((1 Or (2 And 3)) Or (4 And 5))"),
        ("!$x == 1", "(Not[$x] Equal 1)"),
        ("not $x && $y", "(Not[$x] And $y)"),
        ("defined $x == 1", "(Defined[$x] Equal 1)"),
        ("(int)$x + 5", "(CastInteger[$x] Add 5)"),
        ("(str)$n + $m", "(CastText[$n] Add $m)"),
        ("-7 / 2", "(-7 Divide 2)"),
        ("~5 - -3", "(BitNot[5] Subtract -3)"),
        ("-$x * 2", "(Negate[$x] Multiply 2)"),
        ("$x ieq 1 + 2", "($x IntegerEqual (1 Add 2))"),
        ("\"a\" + ($n + $m)", "(\"a\" Add ($n Add $m))"),
        ("strlen($x) > 0", "(TextLength[$x] Greater 0)"),
        ("selval($x > 1, \"a\", \"b\")", "($x Greater 1) ? \"a\" : \"b\""),
        ("yes + off", "(1 Add 0)"),
        ("@cfg_get.a.b", "@cfg_get.a.b"),
        ("route(R)", "route(\"R\")"),
        ("($x = 5) && 1", "(($x := 5) And 1)"),
        ("{ $x = 1; exit; }", "{2 actions}"),
    ] {
        assert_eq!(expression(text), wanted, "{text}");
    }
}

#[test]
fn texts_and_numbers_do_not_mix_where_upstream_refuses() {
    for text in [
        "\"a\" | 1",
        "\"a\" && 1",
        "1 == \"a\"",
        "1 + \"a\"",
        "!\"a\"",
        "-\"a\"",
        "~@x.y",
        "\"a\" > 1",
        "$x ieq \"1\"",
        "1 eq $x",
        "1 =~ \"a\"",
        "f() ne \"a\"",
        "\"a\" eq 1",
        "strlen(5)",
        "defined 5",
        "strempty(f())",
        "f() =~ \"x\"",
        "method == \"INVITE\" | \"ACK\"",
    ] {
        let found = expression_errors(text);
        assert!(found.iter().any(|error| error.starts_with("bad expression: type mismatch")), "{text}: {found:?}");
    }
    for text in ["\"a\" == 1", "\"a\" + 1", "$x == \"a\"", "$x + \"a\"", "(int)\"a\"", "(str)1 eq $x", "\"a\" =~ 1"] {
        expression(text);
    }
}

#[test]
fn operators_of_other_languages_get_advice() {
    for (text, advice) in [("$x !~ \"a\"", "there is no `!~`"), ("$x % 2", "written `mod`"), ("$x ++", "$var(x) + 1")] {
        let failure = load_text(format!("request_route {{ $var(r) = {text}; }}").as_bytes()).expect_err(text);
        assert!(failure.to_string().contains(advice), "{failure}");
    }
}

#[test]
fn too_deep_expressions_are_refused_without_harm() {
    for text in ["(".repeat(100_000), "!".repeat(100_000), "-".repeat(100_000), "{ if 1 ".repeat(50_000), "$x + (".repeat(50_000)] {
        assert!(!expression_errors(&text).is_empty());
    }
    let long = vec!["$x"; 20_000].join(" + ");
    assert_eq!(expression_errors(&long).first().map(String::as_str), Some("more than 1000 operators in a row"));
}

// Core match elements.

#[test]
fn core_words_have_their_own_comparisons() {
    for (text, wanted) in [
        ("method == INVITE", "Method Equal \"INVITE\""),
        ("method == \"INVITE\" || method eq ACK", "(Method Equal \"INVITE\" Or Method Equal \"ACK\")"),
        ("method =~ \"INV|ACK\"", "Method Matches \"INV|ACK\""),
        ("uri == myself", "Uri Equal myself"),
        ("myself != from_uri", "FromUri NotEqual myself"),
        ("uri =~ \"sip:.*\"", "Uri Matches \"sip:.*\""),
        ("src_ip == 10.0.0.0/8", "SourceIp Equal 10.0.0.0/8"),
        ("src_ip == 192.168.0.1", "SourceIp Equal 192.168.0.1/32"),
        ("src_ip != 10.0.0.0/255.0.0.0", "SourceIp NotEqual 10.0.0.0/8"),
        ("src_ip == [2001:db8::1]", "SourceIp Equal 2001:db8::1/128"),
        ("src_ip == 2001:db8::/32", "SourceIp Equal 2001:db8::/32"),
        ("src_ip == \"10.0.0.0/8\"", "SourceIp Equal 10.0.0.0/8"),
        ("src_ip == \"gw.example.org\"", "SourceIp Equal gw.example.org"),
        ("dst_ip == my-gw.example.org", "DestinationIp Equal my-gw.example.org"),
        ("src_ip == myself", "SourceIp Equal myself"),
        ("src_ip == $var(x)", "SourceIp Equal $var(x)"),
        ("src_port == 5060", "SourcePort Equal 5060"),
        ("msg:len >= 2048 + 1", "MessageLength GreaterEqual (2048 Add 1)"),
        ("src_port eq 5", "SourcePort Equal 5"),
        ("src_ip ne \"10.0.0.1\"", "SourceIp NotEqual 10.0.0.1/32"),
        ("af == INET6", "AddressFamily Equal 10"),
        ("proto == UDP && proto != tls", "(Protocol Equal Udp And Protocol NotEqual Tls)"),
    ] {
        assert_eq!(expression(text), wanted, "{text}");
    }
}

#[test]
fn host_bits_of_a_network_are_cleared_with_a_warning() {
    let (_, warnings) = good_with_warnings("request_route { if (src_ip == 10.1.2.3/8) exit; }");
    assert_eq!(warnings, ["host bits are set in the network 10.1.2.3/8: read as 10.0.0.0/8"]);
}

#[test]
fn core_words_are_no_values() {
    assert!(expression_errors("uri")[0].contains("can only be compared"));
    assert!(expression_errors("src_port =~ \"5\"")[0].contains("cannot compare"));
    assert!(expression_errors("src_ip == 10.0.0.256")[0].contains("invalid ipv4 address"));
}

// Calls.

#[test]
fn core_functions_take_bare_words_and_hosts() {
    for (text, wanted) in [
        ("force_rport", "force_rport()"),
        ("force_rport()", "force_rport()"),
        ("setflag(FLT_ACC)", "setflag(\"FLT_ACC\")"),
        ("setflag(5)", "setflag(5)"),
        ("route(RELAY)", "route(\"RELAY\")"),
        ("route(1)", "route(\"1\")"),
        ("route(\"A\" + \"_b\")", "route((\"A\" Add \"_b\"))"),
        ("route($var(name))", "route($var(name))"),
        ("forward(sip.example.org, 5060)", "forward(\"sip.example.org\", 5060)"),
        ("forward(10.0.0.1, 5060)", "forward(\"10.0.0.1\", 5060)"),
        ("forward(uri:host, uri:port)", "forward(\"uri:host\", \"uri:port\")"),
        ("force_send_socket(udp:10.0.0.1:5060)", "force_send_socket(\"udp:10.0.0.1:5060\")"),
        ("force_send_socket(tcp:\"10.0.0.1\":5060)", "force_send_socket(\"tcp:10.0.0.1:5060\")"),
        ("force_send_socket(\"10.0.0.1\":5060)", "force_send_socket(\"10.0.0.1:5060\")"),
        ("udp_mtu_try_proto(TCP)", "udp_mtu_try_proto(\"TCP\")"),
        ("strip(2)", "strip(2)"),
        ("strip($var(x))", "strip($var(x))"),
        ("log(1, \"text\")", "log(1, \"text\")"),
        ("xlog(\"L_INFO\", \"a $ru\\n\")", "xlog(\"L_INFO\", \"a $ru\n\")"),
        ("f(1 + 2, $var(x), -1)", "f((1 Add 2), $var(x), -1)"),
    ] {
        assert_eq!(call(text), wanted, "{text}");
    }
}

#[test]
fn module_functions_take_no_bare_words_and_no_calls() {
    let found = body_errors("xlog(L_INFO, \"x\");");
    assert_eq!(found, ["syntax error: `L_INFO` is no argument: names and levels are texts"]);
    assert_eq!(body_errors("f(g());"), ["use of function execution inside params not allowed"]);
    assert!(body_errors("f(1,);")[0].starts_with("syntax error"));
    assert!(body_errors("f(\"a\" 'b');")[0].contains("found text \"b\""));
}

// Statements.

#[test]
fn conditions_need_no_parentheses_and_chains_nest() {
    let statements = body("if $var(x) == 1 { exit; } else if is_method(\"INVITE\") drop; else { ; }; if (1 > $x) ; while ($y) break;");
    assert_eq!(statements.len(), 4);
    let StatementKind::If { otherwise, .. } = &statements[0].kind else { panic!() };
    let StatementKind::If { otherwise, then, .. } = &otherwise[0].kind else { panic!() };
    assert!(matches!(then[0].kind, StatementKind::Leave { how: Leave::Drop, code: None }));
    assert!(matches!(otherwise[0].kind, StatementKind::Empty));
}

#[test]
fn ways_out_have_optional_codes() {
    let statements = body("return; return(); return -1; return($var(x)); exit 0; drop(5); break; break();");
    let codes: Vec<(Leave, Option<String>)> = statements
        .iter()
        .map(|statement| match &statement.kind {
            StatementKind::Leave { how, code } => (*how, code.as_ref().map(shown)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes[0], (Leave::Return, None));
    assert_eq!(codes[1], (Leave::Return, None));
    assert_eq!(codes[2], (Leave::Return, Some("-1".into())));
    assert_eq!(codes[3], (Leave::Return, Some("$var(x)".into())));
    assert_eq!(codes[5], (Leave::Drop, Some("5".into())));
    assert_eq!(codes[7], (Leave::Break, None));
    assert_eq!(good_with_warnings("route { return \"a\"; }").1.len(), 1);
}

#[test]
fn switch_has_labels_that_fall_through() {
    let statements = body("switch($x) { case 1: case 1+1: exit; default: ; break; } switch $y { case \"a\": case /\"^b\": exit; }");
    let StatementKind::Switch { cases, .. } = &statements[0].kind else { panic!() };
    assert_eq!(cases.iter().map(|case| case.body.len()).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(matches!(cases[1].label, CaseLabel::Integer(2)));
    assert!(matches!(cases[2].label, CaseLabel::Default));
    let StatementKind::Switch { cases, .. } = &statements[1].kind else { panic!() };
    assert!(matches!(&cases[1].label, CaseLabel::Regex(text) if &**text == b"^b"));
}

#[test]
fn wrong_switches_are_refused() {
    assert!(body_errors("switch($x) { case 1: ; case \"a\": ; }")[0].contains("all numbers or all texts"));
    assert!(body_errors("switch($x) { default: ; default: ; }")[0].contains("more than one `default`"));
    assert!(body_errors("switch($x) { case $y: ; }")[0].contains("is a constant"));
    assert!(body_errors("switch($x) { case 1: { exit; } }")[0].contains("not a statement of its own"));
}

#[test]
fn empty_and_bare_blocks_are_refused() {
    assert!(errors("route[X] { }")[0].contains("at least one action"));
    assert!(body_errors("if (1 > $x) { }")[0].contains("at least one action"));
    assert!(body_errors("{ exit; }")[0].contains("not a statement of its own"));
    assert!(body_errors("if ($x) { exit; }; else exit;")[0].contains("`else` without an `if`"));
    good("route[X] { ; }");
}

#[test]
fn only_calls_and_assignments_are_statements() {
    assert!(body_errors("5;")[0].contains("expected a statement"));
    assert!(body_errors("\"a\";")[0].contains("expected a statement"));
    assert!(body_errors("$x;")[0].contains("expected `=`"));
    assert!(body_errors("%x = 1;")[0].contains("expected a statement"));
    assert!(body_errors("foo;")[0].contains("`foo` is no statement"));
    assert!(body_errors("$var(x) += 1;")[0].contains("expected `=`"));
    assert!(body_errors("$hdr(X)[1] = 1;")[0].contains("expected `=`"));
}

#[test]
fn a_missing_semicolon_is_one_error_and_reading_goes_on() {
    let found = errors("request_route {\n  f()\n  $x = 1;\n  g()\n}\nroute[A] {\n  5;\n  h();\n}\nfoo = 1\n");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("2: syntax error: a `;` is missing before variable `$x`"));
    assert!(found[1].starts_with("4: syntax error: a `;` is missing before `}`"));
    assert!(found[2].starts_with("7: "));
    assert!(found[3].starts_with("10: unknown config variable `foo`"));
}

#[test]
fn a_missing_brace_is_reported_once_at_its_opening() {
    let found = errors("route[A] {\n  if ($x) {\n    exit;\n}\nroute[B] {\n  exit;\n}\n");
    assert_eq!(found, ["1: this block is not closed: a `}` is missing"]);
    assert_eq!(errors("route[A] { exit;"), ["1: this block is not closed: a `}` is missing"]);
}

#[test]
fn suspicious_conditions_are_warned_of() {
    let (_, warnings) = good_with_warnings("request_route { if (1) exit; if (\"a\" + $x) exit; if ($x = 1) exit; }");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert_eq!(warnings[0], "constant value in if(...)");
}

// Route blocks.

#[test]
fn blocks_have_kinds_and_names() {
    let configuration = good(
        "route { f(); } request_route { g(); } route[A] { f(); } route[7] { f(); } route[\"a b\"] { f(); } reply_route { f(); }
         onreply_route[0] { g(); } onreply_route[A] { f(); } failure_route { f(); } failure_route[A] { f(); } branch_route[A] { f(); }
         onsend_route { f(); } event_route[dialog:start] { f(); } event_route [ tm:branch-failure:my_name ] { f(); }",
    );
    let routes: Vec<(RouteKind, &str, usize)> =
        configuration.routes.iter().map(|route| (route.kind, route.name.as_str(), route.body.len())).collect();
    assert_eq!(
        routes,
        [
            (RouteKind::Request, "", 2),
            (RouteKind::Request, "A", 1),
            (RouteKind::Request, "7", 1),
            (RouteKind::Request, "a b", 1),
            (RouteKind::CoreReply, "", 2),
            (RouteKind::OnReply, "A", 1),
            (RouteKind::Failure, "0", 1),
            (RouteKind::Failure, "A", 1),
            (RouteKind::Branch, "A", 1),
            (RouteKind::OnSend, "", 1),
            (RouteKind::Event, "dialog:start", 1),
            (RouteKind::Event, "tm:branch-failure:my_name", 1),
        ]
    );
}

#[test]
fn a_named_block_is_written_once() {
    assert_eq!(errors("route[A] { f(); }\nroute[A] { f(); }"), ["2: duplicate route `A`"]);
    good("route[A] { f(); } failure_route[A] { f(); }");
    assert!(errors("reply_route[A] { f(); }")[0].contains("`reply_route` has no name"));
    assert!(errors("event_route[dialog] { f(); }")[0].contains("no name of an event"));
    assert_eq!(good("event_route[\"dialog:end\"] { f(); }").routes[0].name, "dialog:end");
    assert!(body_errors("route(A, B);")[0].contains("exactly one argument"));
    assert!(body_errors("if (snd_ip == 1.2.3.4) exit;")[0].contains("only in onsend_route"));
    good("onsend_route { if (snd_ip == 1.2.3.4 && to_port == 5060) drop; }");
}

#[test]
fn reserved_words_may_name_routes_with_a_warning() {
    let (configuration, warnings) = good_with_warnings("route[domain] { route(domain); } flags name:3, workers");
    assert_eq!(configuration.routes[0].name, "domain");
    assert_eq!(configuration.flags.len(), 2);
    assert_eq!(warnings.len(), 3);
}

#[test]
fn defines_are_not_read_in_event_names() {
    let configuration = good("#!define end x\nevent_route[dialog:end] { f(); }");
    assert_eq!(configuration.routes[0].name, "dialog:end");
}

// Parameters.

#[test]
fn core_parameters_keep_their_first_name() {
    let configuration = good(
        "children=4 debug=-1;fork=yes\nadd_rport=on log_facility=LOG_LOCAL0 user=\"kam\" tos=IPTOS_LOWDELAY udp_mtu_try_proto=TCP tcp_source_ipv4=10.0.0.1 coreparam[\"iuid\"]=\"x\"",
    );
    let shown: Vec<String> = configuration.parameters.iter().map(|parameter| format!("{}={:?}", parameter.name, parameter.value)).collect();
    assert_eq!(
        shown,
        [
            "children=Integer(4)",
            "debug=Integer(-1)",
            "fork=Integer(1)",
            "force_rport=Integer(1)",
            "log_facility=Text(\"LOG_LOCAL0\")",
            "user=Text(\"kam\")",
            "tos=Text(\"IPTOS_LOWDELAY\")",
            "udp_mtu_try_proto=Text(\"tcp\")",
            "tcp_source_ipv4=Text(\"10.0.0.1\")",
            "coreparam.iuid=Text(\"x\")",
        ]
    );
}

#[test]
fn wrong_core_parameters_are_refused_with_advice() {
    let failure = load_text(b"childrn = 4\n").expect_err("unknown");
    assert!(failure.to_string().contains("k.cfg:1:1: error: unknown config variable `childrn`"), "{failure}");
    assert!(failure.to_string().contains("did you mean `children`?"), "{failure}");
    assert!(errors("children=\"4\"")[0].contains("expected a number"));
    assert!(errors("children=-4")[0].contains("cannot be negative"));
    assert!(errors("server_header=abc")[0].contains("expected a text in quotes"));
}

#[test]
fn parameters_of_older_releases_are_warned_of() {
    let (configuration, warnings) = good_with_warnings("use_dst_blacklist=yes fifo=\"/run/x\" stun_refresh_interval=5\nroute { f(); }");
    assert_eq!(configuration.parameters.len(), 1);
    assert_eq!(configuration.parameters[0].name, "use_dst_blocklist");
    assert_eq!(warnings.len(), 3);
}

#[test]
fn custom_parameters_have_groups_and_instances() {
    let configuration = good("pstn.gw_ip = \"1.2.3.4\" desc \"the gateway\"\npstn[2].max = 5 a.default = no");
    assert_eq!(configuration.custom_parameters[0].description.as_deref(), Some("the gateway"));
    assert_eq!(configuration.custom_parameters[1].instance, Some(2));
    assert_eq!(configuration.custom_parameters[2].value, Literal::Integer(0));
}

#[test]
fn flags_take_the_lowest_free_number() {
    let configuration = good("flags FLT_A:1, FLT_B, \"FLT_C\", FLT_D;");
    let numbers: Vec<u32> = configuration.flags.iter().map(|flag| flag.number).collect();
    assert_eq!(numbers, [1, 0, 2, 3]);
    assert_eq!(errors("flags A:1, A:2"), ["1: the flag `A` is declared twice"]);
    assert!(errors("flags A:32")[0].contains("bad flag value 32"));
}

// Sockets.

fn listens(text: &str) -> Vec<String> {
    good(text)
        .listens
        .iter()
        .map(|listen| {
            let advertise = listen.advertise.as_ref().map(|one| format!(" as {}:{:?}", one.host, one.port)).unwrap_or_default();
            let name = listen.name.as_deref().map(|name| format!(" name {name}")).unwrap_or_default();
            let protocol = listen.protocol.map_or("*".to_string(), |protocol| format!("{protocol:?}"));
            let port = listen.port.map_or("*".to_string(), |port| port.to_string());
            let workers = listen.workers.map(|workers| format!(" workers {workers}")).unwrap_or_default();
            let is_virtual = if listen.is_virtual { " virtual" } else { "" };
            format!("{protocol} {} {port}{advertise}{name}{is_virtual}{workers}", listen.host)
        })
        .collect()
}

#[test]
fn sockets_are_written_in_many_ways() {
    for (text, wanted) in [
        ("listen=udp:10.0.0.1:5060", vec!["Udp 10.0.0.1 5060"]),
        ("listen=10.0.0.1", vec!["* 10.0.0.1 *"]),
        ("listen=TLS:[2001:db8::1]:5061", vec!["Tls 2001:db8::1 5061"]),
        ("listen=udp:2001:db8::1", vec!["Udp 2001:db8::1 *"]),
        ("listen=udp:\"10.0.0.1\":5060", vec!["Udp 10.0.0.1 5060"]),
        ("listen=\"udp:10.0.0.1:5060\"", vec!["Udp 10.0.0.1 5060"]),
        ("listen=eth0 listen=eth0.100:5060", vec!["* eth0 *", "* eth0.100 5060"]),
        ("listen=tcp:my-host.example.com:5080", vec!["Tcp my-host.example.com 5080"]),
        ("listen=udp:10.0.0.1:5060 tcp:10.0.0.1:5060\nchildren=4", vec!["Udp 10.0.0.1 5060", "Tcp 10.0.0.1 5060"]),
        ("listen=udp:eth0\npstn.gw=\"x\"", vec!["Udp eth0 *"]),
        ("listen=*:10.0.0.1:*", vec!["* 10.0.0.1 *"]),
        ("listen=sctp:(10.0.0.1, 10.0.0.2):5060", vec!["Sctp 10.0.0.1 5060", "Sctp 10.0.0.2 5060"]),
        (
            "listen=udp:10.0.0.1:5060 advertise 1.2.3.4:5070 name \"s1\" virtual",
            vec!["Udp 10.0.0.1 5060 as 1.2.3.4:Some(5070) name s1 virtual"],
        ),
        ("listen=udp:10.0.0.1:5060 advertise \"a.org\":5070", vec!["Udp 10.0.0.1 5060 as a.org:Some(5070)"]),
        ("socket_workers=3 listen=udp:10.0.0.1 listen=udp:10.0.0.2", vec!["Udp 10.0.0.1 * workers 3", "Udp 10.0.0.2 *"]),
        ("#!define L udp:10.0.0.1:5060\nlisten=L", vec!["Udp 10.0.0.1 5060"]),
        ("#!define IP 10.0.0.1\nlisten=udp:IP:5060", vec!["Udp 10.0.0.1 5060"]),
        (
            "socket = { bind = udp:10.0.0.1:5060-5061; name = \"s\"; advertise = 1.2.3.4:5060 workers = 2; virtual = yes; }",
            vec![
                "Udp 10.0.0.1 5060 as 1.2.3.4:Some(5060) name s virtual workers 2",
                "Udp 10.0.0.1 5061 as 1.2.3.4:Some(5060) name s virtual workers 2",
            ],
        ),
    ] {
        assert_eq!(listens(text), wanted, "{text}");
    }
}

#[test]
fn aliases_accumulate_and_quoted_ones_are_split() {
    let configuration = good("alias=a.org alias=\"b.org:5060\" domain=udp:c.org:5070 d.org\nchildren=1");
    let hosts: Vec<(String, Option<u16>)> = configuration.aliases.iter().map(|alias| (alias.host.clone(), alias.port)).collect();
    assert_eq!(hosts, [("a.org".into(), None), ("b.org".into(), Some(5060)), ("c.org".into(), Some(5070)), ("d.org".into(), None)]);
    assert!(errors("listen=udp:10.0.0.1:99999")[0].contains("no port number"));
    assert!(errors("listen=10.0.0.300")[0].contains("invalid ipv4 address"));
    assert!(errors("socket = { name = \"x\" }")[0].contains("needs `bind"));
}

// Modules.

#[test]
fn modules_are_named_by_their_base_name_and_define_a_word() {
    let configuration = good(
        "mpath=\"/usr/lib\"\n#!ifdef MOD_tm\nloadmodule \"nonsense\"\n#!endif\nloadmodule \"tm.so\"\n#!ifdef MOD_tm\nloadmodule(\"a/dialog.so\", \"g\")\n#!endif\nloadmodule \"acc\"",
    );
    let names: Vec<&str> = configuration.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, ["tm", "dialog", "acc"]);
    assert!(configuration.defines.iter().any(|(name, _)| name == "MOD_acc"));
}

#[test]
fn wrong_modules_are_refused_with_advice() {
    let failure = load_text(b"loadmodule \"dialgo.so\"\nmodparam(\"dialgo\", \"x\", 1)").expect_err("unknown");
    assert_eq!(
        failure.to_string(),
        "k.cfg:1:12: error: could not find module `dialgo`\n    1 | loadmodule \"dialgo.so\"\n      |            ^^^^^^^^^^^\n      = help: did you mean `dialog`?\nbad config file (1 errors)\n"
    );
    assert_eq!(errors("loadmodule \"tm\"\nloadmodule \"tm.so\""), ["2: attempting to load the same module twice: `tm`"]);
    assert_eq!(errors("modparam(\"tm\", \"number\", 1)"), ["1: No module matching tm found"]);
    assert_eq!(errors("cfgengine \"lua\""), ["1: the engine \"lua\" is not supported"]);
}

#[test]
fn module_parameters_go_to_every_matching_module() {
    let configuration = good(
        "loadmodule \"tm\" loadmodule \"acc\" loadmodule \"acc_radius\" loadmodule \"dialog\"
         modparam(\"ACC.*\", \"number\", -5) modparam(\"tm|dialog\", \"text\", \"$avp(x)\") modparam(\"tm\", \"number\", yes)",
    );
    let shown: Vec<String> =
        configuration.module_parameters.iter().map(|one| format!("{}.{}={:?}", one.module, one.name, one.value)).collect();
    assert_eq!(
        shown,
        [
            "acc.number=Integer(-5)",
            "acc_radius.number=Integer(-5)",
            "tm.text=Text(\"$avp(x)\")",
            "dialog.text=Text(\"$avp(x)\")",
            "tm.number=Integer(1)"
        ]
    );
}

#[test]
fn types_of_module_parameters_are_checked() {
    let (configuration, warnings) = good_with_warnings("loadmodule \"tm\" modparam(\"tm\", \"number\", \"5\")");
    assert_eq!(configuration.module_parameters[0].value, Literal::Integer(5));
    assert_eq!(warnings.len(), 1);
    assert!(errors("loadmodule \"tm\" modparam(\"tm\", \"number\", \"5s\")")[0].contains("parameter `number` of type <string>"));
    assert!(errors("loadmodule \"tm\" modparam(\"tm\", \"text\", 5)")[0].contains("parameter `text` of type <integer>"));
    let failure = load_text(b"loadmodule \"tm\" modparam(\"tm\", \"txet\", 5)").expect_err("unknown");
    assert!(failure.to_string().contains("did you mean `text`?"), "{failure}");
    assert!(errors("loadmodule \"tm\" modparam(\"tm\", \"number\", $x)")[0].contains("is a constant"));
    assert!(errors("loadmodule \"tm\" modparam(\"(\", \"number\", 5)")[0].contains("no valid expression"));
}

#[test]
fn flag_parameters_declare_their_names() {
    let configuration = good(
        "flags FLT_X:2\nloadmodule \"dialog\" modparam(\"dialog\", \"dlg_flag\", \"FLT_DLG:4\") modparam(\"dialog\", \"dlg_flag\", \"FLT_X\") modparam(\"dialog\", \"dlg_flag\", \"7\")",
    );
    let values: Vec<&Literal> = configuration.module_parameters.iter().map(|one| &one.value).collect();
    assert_eq!(values, [&Literal::Integer(4), &Literal::Integer(2), &Literal::Integer(7)]);
    assert_eq!(configuration.flags.len(), 2);
}

#[test]
fn evaluated_forms_read_defines() {
    let configuration = good(
        "#!define NAME tm\n#!define N 5\nloadmodulex \"$def(NAME).so\" modparamx(\"$def(NAME)\", \"number\", $def(N)) modparamx(\"tm\", \"text\", \"<$def(N)>\")",
    );
    assert_eq!(configuration.module_parameters[0].value, Literal::Integer(5));
    assert_eq!(configuration.module_parameters[1].value, Literal::Text("<5>".into()));
}

// The command line.

#[test]
fn the_command_line_defines_substitutes_and_sets() {
    let text = "#!trydef PORT 1\nloadmodule \"tm\"\nmodparam(\"tm\", \"number\", 1)\nlisten=udp:HOST:PORT\nroute { f(\"OLD\"); }";
    let mut disk = Disk(HashMap::from([("k.cfg".to_string(), text.as_bytes().to_vec())]));
    let options = LoadOptions {
        defines: vec!["PORT=5080".into(), "HOST=\"10.0.0.9\"".into(), "BARE".into()],
        substs: vec![(crate::preprocess::Effect::Substitute, "/OLD/new/".into())],
        module_parameters: vec!["tm:number:i:9".into(), "tm:text:s:a:b".into()],
        ..LoadOptions::default()
    };
    let loaded = load("k.cfg", &mut disk, &options, &Shelf).expect("good");
    assert_eq!((loaded.configuration.listens[0].host.as_str(), loaded.configuration.listens[0].port), ("10.0.0.9", Some(5080)));
    assert_eq!(loaded.configuration.module_parameters.last().map(|one| one.value.clone()), Some(Literal::Text("a:b".into())));
    let StatementKind::Call(call) = &loaded.configuration.routes[0].body[0].kind else { panic!() };
    assert_eq!(shown(&call.arguments[0]), "\"new\"");
    let bad = LoadOptions { module_parameters: vec!["tm:number".into()], defines: vec!["A-B=1".into()], ..LoadOptions::default() };
    assert_eq!(load("k.cfg", &mut disk, &bad, &Shelf).expect_err("bad").len(), 2);
}

#[test]
fn a_missing_file_is_one_clear_error() {
    let failure = load("no.cfg", &mut Disk(HashMap::new()), &LoadOptions::default(), &Shelf).expect_err("missing");
    assert!(failure.to_string().contains("cannot read the configuration `no.cfg`: no such file"));
}

#[test]
fn errors_in_the_text_of_a_define_are_shown_where_it_is_used() {
    let failure = load_text(b"#!define BAD ) (\nroute {\n  f(BAD);\n}\n").expect_err("bad");
    assert_eq!((failure[0].span.line, failure[0].span.column), (3, 5));
    let failure = load_text(b"#!define BAD if\nroute {\n  $x = BAD 1;\n}\n").expect_err("bad");
    assert!(failure.to_string().contains("(in the text of the define BAD)"), "{failure}");
}

// Real files and mutilated ones.

/// Every module and parameter exists.
struct Anything;

impl ModuleCatalogue for Anything {
    fn module_exists(&self, _name: &str) -> bool {
        true
    }

    fn parameter(&self, _module: &str, _name: &str) -> Option<ParameterKind> {
        Some(ParameterKind::Any)
    }

    fn known_modules(&self) -> Vec<&str> {
        Vec::new()
    }
}

const STOCK_FILE: &str = "/etc/kamailio/kamailio.cfg";

#[test]
fn the_stock_file_of_the_distribution_loads_in_every_variant() {
    let Ok(bytes) = std::fs::read(STOCK_FILE) else {
        eprintln!("note: {STOCK_FILE} is not installed, nothing to test");
        return;
    };
    let all = [
        "WITH_AUTH",
        "WITH_IPAUTH",
        "WITH_USRLOCDB",
        "WITH_PRESENCE",
        "WITH_NAT",
        "WITH_RTPENGINE",
        "WITH_PSTN",
        "WITH_ALIASDB",
        "WITH_SPEEDDIAL",
        "WITH_MULTIDOMAIN",
        "WITH_TLS",
        "WITH_JSONRPC",
        "WITH_ANTIFLOOD",
        "WITH_BLOCK3XX",
        "WITH_BLOCK401407",
        "WITH_VOICEMAIL",
        "WITH_ACCDB",
        "WITH_DEBUG",
        "WITH_XHTTP",
        "WITH_SIPTRACE",
        "WITH_MSGREBUILD",
    ];
    let mut variants: Vec<Vec<String>> = vec![Vec::new(), all.iter().chain(&["WITH_MYSQL"]).map(|name| (*name).to_string()).collect()];
    variants.extend(all.iter().map(|name| vec!["WITH_MYSQL".to_string(), (*name).to_string()]));
    for defines in variants {
        let mut disk = Disk(HashMap::from([(STOCK_FILE.to_string(), bytes.clone())]));
        let options = LoadOptions { defines, ..LoadOptions::default() };
        match load(STOCK_FILE, &mut disk, &options, &Anything) {
            Ok(loaded) => {
                assert_eq!(loaded.warnings.len(), 0, "{:?}", loaded.warnings);
                assert!(loaded.configuration.routes.len() > 10);
                assert!(loaded.configuration.modules.len() > 15);
            }
            Err(failure) => panic!("{:?}\n{failure}", options.defines),
        }
    }
}

/// A fixed sequence of numbers (SplitMix64).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % bound.max(1) as u64).unwrap_or(0)
    }
}

const SEED_TEXT: &str = r#"#!KAMAILIO
#!define WITH_A
#!define PORT \
  5060
#!substdef "!DBURL!mysql://a:b@h/d!g"
#!ifdef WITH_A
listen=udp:10.0.0.1:5060 advertise "a.org":PORT name "x"
#!else
listen=[fe80::1]:5061
#!endif
#!ifexp PORT > 5 && "a" == "a"
children=4
#!endif
alias="a.org" socket = { bind = tcp:1.2.3.4:5060-5062; name = "s"; }
pstn.gw_ip = "" desc "PSTN" flags A:1, B
loadmodule "tm.so" loadmodule "dialog.so"
modparam("tm|dialog", "number", 1) modparam("dialog", "dlg_flag", "D:4")
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    else if uri == myself && src_ip != 10.0.0.0/8 drop; /* a /* nested */ comment */
    $var(x) = (int)$(hdr(X)[0]{s.len}) + 0x1F << 2 mod 3; # note
    switch($rU) { case /"^00": case "a": route(PSTN); break; default: ; }
    while ($var(i) < 5) { $var(i) = $var(i) + 1; }
    $avp(a) = selval(strlen($rU) > 3, @cfg_get.a.b, 'x\n'); forward(uri:host, uri:port);
}
event_route[dialog:end] { xlog("L_INFO", "a" "b\x41$ru\n"); return -1; }
failure_route[F] { if (t_check_status("486")) ; }
"#;

#[test]
fn mutilated_files_never_panic_and_always_end() {
    let pieces: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"(",
        b")",
        b";",
        b"\"",
        b"'",
        b"#!ifdef X\n",
        b"#!else\n",
        b"#!endif\n",
        b"#!define A A\n",
        b"/*",
        b"*/",
        b"$",
        b"$(",
        b"\\",
        b"\n",
        b"=",
        b"==",
        b"::",
        b"[",
        b"]",
        b"@",
        b"%",
        b"route",
        b"case ",
        b"if ",
        b"else ",
        b"\xff",
        b"\x00",
        b"include_file \"k.cfg\"",
        b"#!subst \"/a/b/\"\n",
        b"!!",
        b"-",
        b"0x",
        b"99999999999999999999",
        b"#!ifexp (\n",
        b"event_route[",
        b"listen=",
        b"modparam(",
    ];
    let stock = std::fs::read(STOCK_FILE).unwrap_or_default();
    let mut sequence = Sequence(20_260_101);
    for round in 0..3000 {
        let uses_stock = round % 60 == 0 && !stock.is_empty();
        let mut bytes = if uses_stock { stock.clone() } else { SEED_TEXT.as_bytes().to_vec() };
        for _ in 0..=sequence.below(6) {
            let at = sequence.below(bytes.len() + 1);
            match sequence.below(5) {
                0 => bytes.truncate(at),
                1 => {
                    let end = (at + sequence.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                2 => {
                    let piece = pieces[sequence.below(pieces.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
                3 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(sequence.below(256)).unwrap_or(0);
                    }
                }
                _ => {
                    let end = (at + sequence.below(60)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    let to = sequence.below(bytes.len() + 1);
                    bytes.splice(to..to, copy);
                }
            }
        }
        if let Err(failure) = load_text(&bytes) {
            assert!(failure.iter().any(|one| one.severity == Severity::Error));
            assert!(!failure.to_string().is_empty());
        }
    }
}

#[test]
fn the_unchanged_seed_of_the_mutations_is_good() {
    let (configuration, warnings) = good_with_warnings(SEED_TEXT);
    assert_eq!(configuration.routes.len(), 3);
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn pure_noise_never_panics() {
    let mut sequence = Sequence(7);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..sequence.below(400)).map(|_| u8::try_from(sequence.below(256)).unwrap_or(0)).collect();
        let _ = load_text(&bytes);
    }
}
