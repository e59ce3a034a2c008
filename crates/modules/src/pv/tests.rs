//! Variables and functions as the oracle (Kamailio 5.6.3) printed them for the same request.

use crate::trial::{printed, run, worker};

/// Variable and what it prints for `trial::OPTIONS`.
const PRINTED: &[(&str, &str)] = &[
    ("$rm", "OPTIONS"),
    ("$rmid", "512"),
    ("$ru", "sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar"),
    ("$rU", "bob"),
    ("$rd", "127.0.0.1"),
    ("$rp", "5966"),
    ("$rP", "udp"),
    ("$rz", "sip"),
    ("$rUl", "3"),
    ("$ou", "sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar"),
    ("$oU", "bob"),
    ("$od", "127.0.0.1"),
    ("$op", "5966"),
    ("$oP", "udp"),
    ("$oUl", "3"),
    ("$du", "<null>"),
    ("$dd", "<null>"),
    ("$dp", "<null>"),
    ("$dP", "<null>"),
    ("$fu", "sip:alice@ex.com:77"),
    ("$fU", "alice"),
    ("$fd", "ex.com"),
    ("$fn", "\"Al Ice\""),
    ("$ft", "ft1"),
    ("$fUl", "5"),
    ("$tu", "sip:bob@ex.org"),
    ("$tU", "bob"),
    ("$td", "ex.org"),
    ("$tn", "Bob"),
    ("$tt", "<null>"),
    ("$tUl", "3"),
    ("$ci", "cid@x"),
    ("$cs", "12"),
    ("$csb", "12 OPTIONS"),
    ("$cl", "5"),
    ("$cT", "application/sdp"),
    ("$ct", "\"c\" <sip:alice@10.0.0.1>;expires=60, <sip:a2@10.0.0.2>;expires=10"),
    ("$ua", "UA 1"),
    ("$rs", "<null>"),
    ("$rsi", "0"),
    ("$rr", "<null>"),
    ("$rv", "SIP/2.0"),
    ("$mt", "1"),
    ("$mts", "rq"),
    ("$ml", "859"),
    ("$si", "127.0.0.1"),
    ("$siz", "127.0.0.1"),
    ("$sp", "5967"),
    ("$su", "sip:127.0.0.1:5967"),
    ("$sut", "sip:127.0.0.1:5967;transport=udp"),
    ("$sas", "udp:127.0.0.1:5967"),
    ("$Ri", "127.0.0.1"),
    ("$Rp", "5966"),
    ("$Ru", "sip:127.0.0.1:5966"),
    ("$Rut", "sip:127.0.0.1:5966;transport=udp"),
    ("$Ras", "udp:127.0.0.1:5966"),
    ("$Rn", "s1"),
    ("$RAi", "127.0.0.1"),
    ("$RAp", "5966"),
    ("$RAu", "sip:127.0.0.1:5966"),
    ("$RAut", "sip:127.0.0.1:5966;transport=udp"),
    ("$pr", "udp"),
    ("$prid", "1"),
    ("$proto", "udp"),
    ("$af(id)", "2"),
    ("$af(name)", "IPv4"),
    ("$fs", "<null>"),
    ("$fsn", "<null>"),
    ("$fsp", "0"),
    ("$br", "<null>"),
    ("$bR", "<null>"),
    ("$mf", "0"),
    ("$mF", "00000000"),
    ("$sf", "0"),
    ("$sF", "00000000"),
    ("$bf", "0"),
    ("$bF", "00000000"),
    ("$au", "bob"),
    ("$aU", "bob@dom"),
    ("$ad", "dom"),
    ("$ar", "ex.com"),
    ("$adu", "sip:ex.com"),
    ("$aa", "MD5"),
    ("$adn", "nn"),
    ("$adc", "cc"),
    ("$adr", "rr"),
    ("$ado", "oo"),
    ("$Au", "alice@ex.com"),
    ("$AU", "alice"),
    ("$ai", "sip:pai@ex.com"),
    ("$pu", "sip:ppi@ex.com"),
    ("$pU", "ppi"),
    ("$pd", "ex.com"),
    ("$pn", "\"Q\""),
    ("$re", "<null>"),
    ("$rt", "<null>"),
    ("$di", "sip:div@ex.com"),
    ("$dir", "busy"),
    ("$dip", "full"),
    ("$dic", "3"),
    ("$expires(min)", "10"),
    ("$expires(max)", "60"),
    ("$time(sec)", "34"),
    ("$time(mon)", "11"),
    ("$time(year)", "2026"),
    ("$time(wday)", "2"),
    ("$time(yday)", "327"),
    ("$utime(hour)", "0"),
    ("$timef(%Y-%m-%d)", "2026-11-23"),
    ("$Ts", "1795392034"),
    ("$Tf", "Mon Nov 23 00:00:34 2026"),
    ("$TF", "Mon Nov 23 00:00:34 2026"),
    ("$TV(s)", "1795392034"),
    ("$TV(sn)", "1795392034"),
    ("$sid", "0"),
    ("$K(IPv4)", "2"),
    ("$K(IPv6)", "10"),
    ("$K(UDP)", "1"),
    ("$K(TCP)", "2"),
    ("$K(TLS)", "3"),
    ("$conid", "<null>"),
    ("$ruid", "<null>"),
    ("$location_ua", "<null>"),
    ("$err.class", "<null>"),
    ("$err.rreason", "<null>"),
    ("$hdr(X)", "<null>"),
    ("$hdr(x-a)", "one, two"),
    ("$hdrc(Via)", "2"),
    ("$hdrc(X-A)", "2"),
    ("$hfl(X-A)", "one, two"),
    ("$hflc(X-A)", "2"),
    ("$(hfl(X-A)[1])", "three"),
    ("$(hfl(X-A)[-1])", "three"),
    ("$(hdr(X-A)[1])", "three"),
    ("$(hdr(X-A)[-1])", "three"),
    ("$(hdr(X-A)[*])", "one, two,three"),
    ("$nh(u)", "sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar"),
    ("$nh(U)", "bob"),
    ("$nh(d)", "127.0.0.1"),
    ("$nh(P)", "udp"),
    ("$nh(p)", "5966"),
    ("$nh(i)", "4"),
    ("$via0(host)", "127.0.0.1"),
    ("$via0(port)", "5967"),
    ("$via0(proto)", "UDP"),
    ("$via0(protoid)", "1"),
    ("$via0(branch)", "z9hG4bKabc"),
    ("$via0(received)", "<null>"),
    ("$via0(i)", "<null>"),
    ("$via1(host)", "10.0.0.9"),
    ("$viaZ(host)", "10.0.0.9"),
    ("$msg(len)", "859"),
    ("$msg(body_len)", "5"),
    ("$msg(hdrc)", "18"),
    ("$msg(fline)", "OPTIONS sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar SIP/2.0"),
    ("$rpl(duri)", "<null>"),
    ("$rpl(dhost)", "<null>"),
    ("$rpl(dport)", "<null>"),
    ("$rpl(dproto)", "<null>"),
    ("$rpl(dprotoid)", "<null>"),
    ("$rpl(cntvia)", "<null>"),
    ("$rpl(cntrr)", "<null>"),
    ("$branch(uri)", "<null>"),
    ("$snd(ip)", "<null>"),
    ("$sel(from.tag)", "ft1"),
    ("$sel(ruri.user)", "bob"),
    ("$sel(msg.id)", "1"),
    ("$sel(src.ip)", "127.0.0.1"),
    ("$sel(cseq.method)", "OPTIONS"),
    ("$sel(ruri.params)", "transport=udp;foo=bar"),
    ("$shv(x)", "0"),
    ("$var(q)", "0"),
    ("$(rb{s.len})", "5"),
    ("$cnt($avp(zz))", "0"),
    ("$xavp(e)", "<null>"),
    ("$xavp(e=>b)", "<null>"),
    ("$avp(i1)", "<null>"),
    ("$avp(s1)", "<null>"),
];

#[test]
fn variables_print_what_the_oracle_prints() {
    let formats: Vec<&str> = PRINTED.iter().map(|(variable, _)| *variable).collect();
    let lines = printed(&formats);
    let wrong: Vec<String> = PRINTED
        .iter()
        .zip(&lines)
        .filter(|((_, expected), line)| expected != line)
        .map(|((variable, expected), line)| format!("{variable}: {line} instead of {expected}"))
        .collect();
    assert_eq!(lines.len(), PRINTED.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Runs a body and returns its lines that start with `@@ `.
fn lines(body: &str) -> Vec<String> {
    let mut worker = worker("a.b = 7 desc \"x\"\nmodparam(\"pv\", \"shvset\", \"seven=i:7\")", body);
    let marked = |line: String| line.trim_start_matches("<script>: ").strip_prefix("@@ ").map(str::to_owned);
    run(&mut worker).into_iter().filter_map(marked).collect()
}

fn line(body: &str) -> String {
    lines(body).join("|")
}

#[test]
fn avps_are_stacks() {
    let body = r#"$avp(l) = "a"; $avp(l) = "b"; $avp(l) = "c";
        xlog("L_ERR", "@@ [$(avp(l)[*])] $cnt($avp(l)) $(avp(l)[1]) $(avp(l)[-1])");
        $(avp(l)[*]) = $null; xlog("L_ERR", "@@ $avp(l)");"#;
    assert_eq!(lines(body), ["[c, b, a] 3 b a", "<null>"]);
}

#[test]
fn lists_explode_and_implode() {
    let body = r#"xavp_params_explode("a=1;b=\"2 3\";a=3", "p");
        xlog("L_ERR", "@@ $xavp(p=>a) $xavp(p=>a[0]) $xavp(p=>a[1]) $xavp(p=>b)");
        $xavp(q=>i) = 5; $xavp(q[0]=>s) = "tt"; $xavp(q[0]=>i) = 6; xavp_params_implode("q", "$var(z)");
        xlog("L_ERR", "@@ $var(z)");
        xavp_child_sets("q", "s", "new"); xlog("L_ERR", "@@ $xavp(q=>s) $xavp(q=>s[1])");
        $xavu(u=>a) = 1; $xavu(u=>b) = "x"; xavu_params_implode("u", "$var(z)"); xlog("L_ERR", "@@ $var(z)");
        xavp_copy("q", "0", "cp"); xlog("L_ERR", "@@ $xavp(cp=>s) $xavp(cp=>i)");
        xavp_slist_explode("a, b", ",", "t", "l"); xlog("L_ERR", "@@ $xavp(l=>v[0]) $xavp(l=>v[1])");"#;
    assert_eq!(lines(body), ["1 1 3 2 3", "i=6;s=tt;i=5;", "new <null>", "b=x;a=1;", "new 6", "a b"]);
}

#[test]
fn branches_are_added_read_and_assigned() {
    let body = r#"append_branch("sip:x@y"); append_branch("sip:z@y", "0.5");
        $(branch(dst_uri)[0]) = "sip:9.9.9.9"; setbflag(3); setbflag(2, 1);
        xlog("L_ERR", "@@ $br [$bR] $branch(count) $(branch(q)[1]) $(branch(q)[0]) $(branch(uri)[-1]) $(branch(dst_uri)[0])");
        xlog("L_ERR", "@@ $bf $bF $(branch(flags)[0])");
        $br = "sip:k@k"; xlog("L_ERR", "@@ $br $branch(count)");
        clear_branches(); xlog("L_ERR", "@@ $branch(count)");
        $sbranch(uri) = "sip:sb@x"; $sbranch(q) = 700; sbranch_append(); xlog("L_ERR", "@@ $bR");
        $sbranch(uri) = "sip:sc@x"; $sbranch(dst_uri) = "sip:d@d"; sbranch_set_ruri(); xlog("L_ERR", "@@ $ru $du");"#;
    assert_eq!(
        lines(body),
        [
            "sip:x@y [sip:x@y, <sip:z@y>;q=0.5] 2 500 <null> sip:z@y sip:9.9.9.9",
            "8 00000008 4",
            "sip:x@y 3",
            "<null>",
            "<sip:sb@x>;q=0.7",
            "sip:sc@x sip:d@d"
        ]
    );
}

#[test]
fn the_request_uri_is_assigned_in_parts() {
    let body = r#"seturi("sip:a:p@b:1;transport=tcp;x=1?h=1"); $rU = $null; xlog("L_ERR", "@@ $ru");
        $rd = "zz"; xlog("L_ERR", "@@ $ru"); $rp = 99; xlog("L_ERR", "@@ $ru"); prefix("00"); xlog("L_ERR", "@@ $ru $ou");
        revert_uri(); xlog("L_ERR", "@@ $rU");
        $du = "sip:1.2.3.4:7;transport=tcp"; xlog("L_ERR", "@@ $dd $dp $dP $nh(d) $nh(p)"); $du = $null; xlog("L_ERR", "@@ $du");"#;
    assert_eq!(
        lines(body),
        [
            "sip:b:1;transport=tcp;x=1?h=1",
            "sip:zz:1;transport=tcp;x=1?h=1",
            "sip:zz:99;transport=tcp;x=1?h=1",
            "sip:00@zz:99;transport=tcp;x=1?h=1 sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar",
            "bob",
            "1.2.3.4 7 tcp 1.2.3.4 7",
            "<null>"
        ]
    );
}

#[test]
fn flags_are_numbers_and_single_bits() {
    let body = r#"$mf = 5; $Mf(3) = 1; xlog("L_ERR", "@@ $mf $mF $Mf(3) $Mf(1)"); resetflag(0); if (isflagset(2)) xlog("L_ERR", "@@ $mf");
        setsflag(1); if (issflagset(1)) xlog("L_ERR", "@@ $sf"); setxflag(40); if (isxflagset(40)) xlog("L_ERR", "@@ yes");"#;
    assert_eq!(lines(body), ["13 0000000d 1 0", "12", "2", "yes"]);
}

#[test]
fn variables_have_types_and_presence() {
    let body = r#"if (!not_empty("$var(z)")) xlog("L_ERR", "@@ 0 is empty"); if (pv_isset("$var(z)")) xlog("L_ERR", "@@ 0 is set");
        if (!pv_isset("$avp(z)")) xlog("L_ERR", "@@ unset"); if (typeof("$avp(z)", "null")) xlog("L_ERR", "@@ null");
        $var(a) = "1"; if (!is_int("$var(a)")) xlog("L_ERR", "@@ text"); $avp(o) = 1; $avp(o) = 2; pv_unset("$avp(o)"); xlog("L_ERR", "@@ $avp(o)");
        pv_printf("$var(p)", "x$rm"); xlog("L_ERR", "@@ $var(p)"); $var(b) = "$rU x"; pv_evalx("$var(c)", "[$var(b)]"); xlog("L_ERR", "@@ $var(c)");
        xlog("L_ERR", "@@ $shv(seven) $shvinc(seven) $sel(cfg_get.a.b) $ccp(a.b) $null $true");"#;
    assert_eq!(lines(body), ["0 is empty", "0 is set", "unset", "null", "text", "1", "xOPTIONS", "[bob x]", "7 8 7 7 <null> 1"]);
}

#[test]
fn from_and_to_change_in_the_outgoing_message_only() {
    let body = r#"$fU = "first"; $fU = "changed"; $fn = "New Name"; $td = "td.example"; xlog("L_ERR", "@@ $fu $tu");"#;
    let mut worker = worker("", body);
    assert_eq!(run(&mut worker), ["<script>: @@ sip:alice@ex.com:77 sip:bob@ex.org"]);
    let mut out = Vec::new();
    let run = &worker.run;
    sip::write_request(&mut out, &run.message, &[&run.edits], &sip::RequestHead::default(), false);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("\r\nFrom: New Name <sip:changed@ex.com:77>;tag=ft1\r\n"), "{out}");
    assert!(out.contains("\r\nTo: Bob <sip:bob@td.example>\r\n"), "{out}");
}

#[test]
fn is_myself_knows_sockets_and_ports() {
    let body = r#"if (is_myself("sip:x@127.0.0.1:5966")) xlog("L_ERR", "@@ uri"); if (!is_myself("sip:x@127.0.0.1")) xlog("L_ERR", "@@ port");
        if (is_myhost("sip:x@127.0.0.1")) xlog("L_ERR", "@@ host"); if (uri == myself) xlog("L_ERR", "@@ word"); if (src_ip == 127.0.0.1) xlog("L_ERR", "@@ ip");
        if (proto == UDP) xlog("L_ERR", "@@ proto"); if (method == "options") xlog("L_ERR", "@@ method"); if (src_port == 5967) xlog("L_ERR", "@@ sport");"#;
    assert_eq!(line(body), "uri|port|host|word|ip|proto|method|sport");
}

/// Every variable of every module, read with each inner form it may have, on a message.
fn read_everything(worker: &mut crate::Worker) {
    use script::exports::{Index, Inner, InnerKind, XavpPath};
    use script::value::Text;
    let words = [
        "Via",
        "Contact",
        "0",
        "-1",
        "from.uri.user",
        "via[1].params",
        "hf_value.contact[0].p.q",
        "msg",
        "core:rcv_requests",
        "%c",
        "$avp(x)",
    ];
    for module in crate::registry::ALL {
        for variable in module.variables {
            let inners: Vec<Inner> = match variable.inner {
                InnerKind::None => vec![Inner::None],
                InnerKind::OneOf(keys) => (0..keys.len()).map(|key| Inner::Choice(u16::try_from(key).unwrap())).collect(),
                InnerKind::Xavp => vec![Inner::Xavp(XavpPath { root: Text::from("r"), root_index: None, key: None })],
                _ => words.iter().map(|word| Inner::Word(Text::from(*word))).collect(),
            };
            for inner in &inners {
                for index in [None, Some(Index::At(1)), Some(Index::At(-1)), Some(Index::At(i64::MIN)), Some(Index::All)] {
                    let value = (variable.read)(worker, inner, index);
                    assert!(value.to_text().len() <= 1 << 20, "{}", variable.name);
                }
            }
        }
    }
}

#[test]
fn every_variable_survives_any_message_that_parses() {
    let mut worker = worker("", ";");
    let whole = crate::trial::OPTIONS.replace('\n', "\r\n").into_bytes();
    let reply = crate::trial::OPTIONS.replacen("OPTIONS sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar SIP/2.0", "SIP/2.0 180 Ringing", 1);
    let reply = reply.replace('\n', "\r\n").into_bytes();
    let mut random = crate::worker::Random::new(7);
    let mut parsed = 0;
    for round in 0..400 {
        let mut bytes = if round % 2 == 0 { whole.clone() } else { reply.clone() };
        for _ in 0..random.below(6) {
            let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            match random.below(3) {
                0 => bytes[at] = random.next_u64() as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, *b";,<>\"@:=\r"[..].get(usize::try_from(random.below(9)).unwrap()).unwrap()),
            }
        }
        if round % 7 == 0 {
            bytes.truncate(usize::try_from(random.below(bytes.len() as u64)).unwrap());
        }
        let Ok(message) = sip::Message::from_bytes(&bytes) else { continue };
        worker.run.message = message;
        parsed += 1;
        read_everything(&mut worker);
    }
    assert!(parsed > 100, "{parsed} messages parsed");
}
