//! Every transformation on the examples of spec cfg-language 12, most results taken from Kamailio 5.6.3.

use crate::format::Format;
use crate::test_host::{TestCatalogue, TestHost};
use crate::value::Value;
use crate::variable::Known;
use crate::vm;

/// `$(var(x){chain})` in a format string.
fn through(input: &str, chain: &str) -> String {
    let mut host = TestHost::default();
    host.vars.insert(b"x".to_vec(), Value::text(input));
    host.vars.insert(b"n".to_vec(), Value::Integer(2));
    let text = format!("$(var(x){chain})");
    let format = Format::parse(text.as_bytes(), &Known(&TestCatalogue)).unwrap_or_else(|error| panic!("{text}: {error}"));
    vm::format_text(&mut host, &format).to_string()
}

fn check(input: &str, cases: &[(&str, &str)]) {
    for (chain, wanted) in cases {
        assert_eq!(through(input, chain), *wanted, "{chain} on {input:?}");
    }
}

#[test]
fn lengths_numbers_and_case() {
    check(
        "hello world",
        &[
            ("{s.len}", "11"),
            ("{s.toupper}", "HELLO WORLD"),
            ("{s.toupper}{s.tolower}", "hello world"),
            ("{s.toupper} {s.tolower}", "hello world"),
            ("{s.count,o}", "2"),
            ("{s.rmws}", "helloworld"),
            ("{s.charat,4}", "o"),
            ("{s.byteat,-1}", "100"),
            ("{s.charat,40}", ""),
        ],
    );
    check("12abc", &[("{s.numeric}", "12"), ("{s.int}", ""), ("{num.fdigit}", "1"), ("{num.ldigit}", "2")]);
    check("0x10", &[("{s.int}", ""), ("{s.intv}", "16")]);
    check("", &[("{s.int}", ""), ("{s.len}", "0")]);
}

#[test]
fn parts_of_a_text() {
    check(
        "a,b,c",
        &[
            ("{s.select,1,,}", "b"),
            ("{s.select,-1,,}", "c"),
            ("{s.select,7,,}", ""),
            ("{s.substr,2,0}", "b,c"),
            ("{s.substr,-1,1}", "c"),
            ("{s.substr,9,1}", ""),
            ("{s.substr,1,9}", ",b,c"),
            ("{s.substr,-2,0}", ",c"),
            ("{s.substr,$var(n),1}", "b"),
        ],
    );
    check("a\nb", &[(r"{s.select,1,\n}", "b")]);
    check(
        "hello world",
        &[
            ("{s.stripto,w}", "world"),
            ("{s.stripto,Z}", ""),
            ("{s.strip,30}", ""),
            ("{s.strip,$var(n)}", "llo world"),
            ("{s.striptail,3}", "hello wo"),
            ("{s.selectsw,1}", "world"),
            ("{s.selectsw,-2}", "hello"),
            ("{s.before,o}", "hell"),
            ("{s.after,o}", " world"),
            ("{s.rbefore,o}", "hello w"),
            ("{s.rafter,o}", "rld"),
            ("{s.before,Z}", "hello world"),
            ("{s.after,Z}", ""),
            ("{s.prefixes,3}", "h,he,hel"),
            ("{s.prefixes.quoted,3}", "'h','he','hel'"),
            ("{s.fmtlines,6,2}", "hello \r\n  world"),
        ],
    );
}

#[test]
fn replacing_and_trimming() {
    check(
        "hello world",
        &[
            ("{s.rm,o}", "hell wrld"),
            ("{s.replace,o,0}", "hell0 w0rld"),
            (r"{re.subst,/(w.*)$/X\1X/}", "hello XworldX"),
            (r"{re.subst,/(w.*)$$/X\1X/}", "hello XworldX"),
            ("{re.subst,/o{1}/0/g}", "hell0 w0rld"),
            ("{re.subst,/zz/0/g}", "hello world"),
        ],
    );
    check(" \t x \r\n", &[("{s.trim}", "x"), ("{s.ltrim}", "x \r\n"), ("{s.rtrim}", " \t x")]);
    check("X: a\r\n  b\r\n\tc\r\n", &[("{s.rmhdws}", "X: a b c\r\n"), ("{s.rmhlws}", "X: abc\r\n")]);
    check("\"q\"", &[("{s.unquote}", "q")]);
    check("<sip:a>", &[("{s.unbracket}", "sip:a")]);
}

#[test]
fn digests_and_hashes() {
    check(
        "hello world",
        &[
            ("{s.md5}", "5eb63bbbe01eeed093cb22bb8f5acdc3"),
            ("{s.sha1}", "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"),
            ("{s.sha256}", "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"),
            ("{s.corehash}", "3368663417"),
            ("{s.corehash,16}", "9"),
            ("{s.crc32}", "222957957"),
        ],
    );
    assert_eq!(through("a", "{s.sha384}").len(), 96);
    assert_eq!(through("a", "{s.sha512}").len(), 128);
    assert_eq!(through("", "{s.sha3}"), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    assert_eq!(through("", "{s.keccak}"), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    assert_eq!(through("a", "{s.sha3,384}").len(), 96);
    assert_eq!(through("a", "{s.keccak,512}").len(), 128);
    assert_eq!(super::digest::generic_hash(b"c1@x"), 1_869_139_709);
    assert_eq!(super::digest::generic_hash(b""), 0);
}

#[test]
fn encodings_round_trip() {
    check(
        "hello world",
        &[
            ("{s.encode.hexa}", "68656c6c6f20776f726c64"),
            ("{s.encode.7bit}", "E8329BFD06DDDF723619"),
            ("{s.encode.base58}", "StV1DL6CwTryKyV"),
            ("{s.encode.base64}", "aGVsbG8gd29ybGQ="),
            ("{s.encode.base64t}", "aGVsbG8gd29ybGQ"),
            ("{s.encode.base64url}", "aGVsbG8gd29ybGQ="),
        ],
    );
    for name in ["hexa", "7bit", "base58", "base64", "base64t", "base64url", "base64urlt"] {
        assert_eq!(through("hello world", &format!("{{s.encode.{name}}}{{s.decode.{name}}}")), "hello world", "{name}");
    }
    check("zz", &[("{s.decode.hexa}", "")]);
    check("0OIl", &[("{s.decode.base58}", "")]);
}

#[test]
fn escapes_follow_kamailio() {
    check(
        "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1",
        &[
            ("{s.escape.user}", "sip%3abob%3apw%40ex.com%3a5070;transport=tcp;lr?X=1"),
            ("{s.escape.param}", "sip:bob:pw%40ex.com:5070%3btransport%3dtcp%3blr%3fX%3d1"),
            ("{s.urlencode.param}", "sip%3abob%3apw%40ex.com%3a5070%3btransport%3dtcp%3blr%3fX%3d1"),
            ("{s.urlencode.param}{s.urldecode.param}", "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1"),
            ("{s.escape.user}{s.unescape.user}", "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1"),
            ("{s.escape.param}{s.unescape.param}", "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1"),
        ],
    );
    check(
        "a\"b'c\\d",
        &[
            ("{s.escape.common}", "a\\\"b\\'c\\\\d"),
            ("{s.escape.common}{s.unescape.common}", "a\"b'c\\d"),
            ("{s.escape.csv}", "\"a\"\"b'c\\d\""),
            ("{val.json}", "a\\\"b'c\\\\d"),
            ("{val.jsonqe}", "\"a\\\"b'c\\\\d\""),
            ("{sql.val}", "'a\"b''c\\\\d'"),
        ],
    );
    check("a\r\nb", &[("{s.escape.crlf}", "a\\r\\nb"), ("{s.escape.crlf}{s.unescape.crlf}", "a\r\nb"), ("{s.escape.user}", "")]);
}

#[test]
fn parts_of_a_uri() {
    check(
        "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1",
        &[
            ("{uri.user}", "bob"),
            ("{uri.host}", "ex.com"),
            ("{URI.Domain}", "ex.com"),
            ("{uri.port}", "5070"),
            ("{uri.params}", "transport=tcp;lr"),
            ("{uri.transport}", "tcp"),
            ("{uri.passwd}", "pw"),
            ("{uri.headers}", "X=1"),
            ("{uri.lr}", ""),
            ("{uri.scheme}", "sip"),
            ("{uri.tosocket}", "tcp:ex.com:5070"),
            ("{uri.duri}", "sip:ex.com:5070;transport=tcp"),
            ("{uri.saor}", "sip:bob@ex.com"),
            ("{uri.suri}", "sip:bob@ex.com:5070;transport=tcp"),
            ("{uri.rmparam,lr}", "sip:bob:pw@ex.com:5070;transport=tcp?X=1"),
        ],
    );
    check(
        "sips:a@ex.com;x=y;maddr=1.2.3.4;user=phone;r2=on",
        &[
            ("{uri.maddr}", "1.2.3.4"),
            ("{uri.uparam}", "phone"),
            ("{uri.r2}", "on"),
            ("{uri.param,x}", "y"),
            ("{uri.param,zz}", ""),
            ("{uri.tosocket}", "tls:ex.com:5061"),
            ("{uri.port}{s.len}", "0"),
        ],
    );
    check("sip:[2001:db8::1]:5080", &[("{uri.host}", "[2001:db8::1]"), ("{uri.port}", "5080"), ("{uri.user}", "")]);
    check("tel:+4912;phone-context=x", &[("{uri.user}", "+4912"), ("{uri.params}", "")]);
    check("hello world", &[("{uri.user}", ""), ("{uri.host}", "")]);
}

#[test]
fn lists_of_parameters() {
    check("a=1;b=2;c", &[("{param.value,b}", "2"), ("{param.name,0}", "a"), ("{param.count}", "3")]);
    check(
        "a=1;b=\"x;y\";c; d = 4",
        &[
            ("{param.value,b}", "x;y"),
            ("{param.value,zz}", ""),
            ("{param.name,-1}", "d"),
            ("{param.count}", "4"),
            ("{param.valueat,1}", "x;y"),
            ("{param.value,d}", "4"),
            ("{param.in,a}", "1"),
            ("{param.in,zz}", "0"),
        ],
    );
    check("a=1,b=2", &[("{param.value,b,,}", "2"), ("{param.count,,}", "2")]);
    check("a=1,b=2;c=3", &[("{param.count}", "1"), ("{param.value,a}", "1")]);
    check("A=1;a='x;y'", &[("{param.value,a}", "x;y"), ("{param.count}", "2")]);
    check("a=1;A=2", &[("{param.value,a}", "2"), ("{param.in,A}", "1")]);
    for text in ["", "a=;b=2", "a b;c", "a=1 2;b", "a=\"open;b", " a=1", "a; "] {
        check(text, &[("{param.count}", ""), ("{param.in,b}", "")]);
    }
}

#[test]
fn addresses_and_lines() {
    check(
        "\"Bob X\" <sip:bob@ex.com>;tag=abc;z",
        &[
            ("{nameaddr.name}", "\"Bob X\" "),
            ("{nameaddr.uri}", "sip:bob@ex.com"),
            ("{nameaddr.len}", "24"),
            ("{tobody.params}", "tag=abc;z"),
            ("{tobody.display}", "\"Bob X\""),
            ("{tobody.tag}", "abc"),
            ("{tobody.user}", "bob"),
            ("{tobody.host}", "ex.com"),
            ("{tobody.uri}", "sip:bob@ex.com"),
        ],
    );
    check("sip:bob@ex.com;tag=x", &[("{tobody.uri}", "sip:bob@ex.com"), ("{tobody.params}", "tag=x"), ("{tobody.tag}", "x")]);
    check(
        "one\r\ntwo\nthree\n",
        &[
            ("{line.count}", "3"),
            ("{line.at,0}", "one"),
            ("{line.at,-1}", "three"),
            ("{line.at,2}", "three"),
            ("{line.at,9}", ""),
            ("{line.sw,tw}", "two"),
        ],
    );
}

#[test]
fn small_classes() {
    check(
        "sip:10.0.0.1:5080;transport=tcp",
        &[("{urialias.encode}", "10.0.0.1~5080~2"), ("{urialias.encode}{urialias.decode}", "sip:10.0.0.1:5080;transport=tcp")],
    );
    check(
        "tcp:1.2.3.4:5061",
        &[("{sock.host}", "1.2.3.4"), ("{sock.port}", "5061"), ("{sock.proto}", "tcp"), ("{sock.touri}", "sip:1.2.3.4:5061;transport=tcp")],
    );
    check("/a/b?c=d", &[("{url.path}", "/a/b"), ("{url.querystring}", "c=d")]);
    check("0", &[("{s.ftime,%Y-%m-%d %H:%M:%S %a %b %j %U %V}", "1970-01-01 00:00:00 Thu Jan 001 00 01")]);
    check("1709210096", &[("{s.ftime,%F %T %e %I %p %u %G-%V}", "2024-02-29 12:34:56 29 12 PM 4 2024-09")]);
}

#[test]
fn null_fails_except_where_it_is_welcome() {
    let mut host = TestHost::default();
    let mut text_of = |text: &str| {
        let format = Format::parse(text.as_bytes(), &Known(&TestCatalogue)).expect("good");
        vm::format_text(&mut host, &format).to_string()
    };
    assert_eq!(text_of("$avp(n)"), "<null>");
    assert_eq!(text_of("$(avp(n){s.len})"), "");
    assert_eq!(text_of("$(avp(n){val.n0})"), "0");
    assert_eq!(text_of("[$(avp(n){val.ne})]"), "[]");
    assert_eq!(text_of("$(avp(n){sql.val})"), "NULL");
    assert_eq!(text_of("$(avp(n){uri.user})x"), "x");
}

#[test]
fn every_name_of_the_tables_is_unique_and_lower_case() {
    let mut names = super::names();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
}

#[test]
fn mistakes_are_refused_with_a_hint() {
    for (text, part) in [
        ("$(var(x){s.lenn})", "did you mean `s.len`"),
        ("$(var(x){s.strip})", "needs 1 parameter"),
        ("$(var(x){s.strip,a})", "needs a number"),
        ("$(var(x){s.len,1})", "too many"),
        ("$(var(x){s.len)", "missing"),
        ("$(var(x){re.subst,/(/x/})", "without )"),
    ] {
        let error = Format::parse(text.as_bytes(), &Known(&TestCatalogue)).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_body_of_to_has_a_uri_and_nothing_but_parameters_behind_it() {
    check("<sip:a@b>;tag=\"x\"", &[("{tobody.tag}", "x"), ("{tobody.uri}", "sip:a@b")]);
    for text in ["", "abc", "<>", "bob@example.com", "<sip:a@b>, <sip:c@d>;tag=2"] {
        check(text, &[("{tobody.uri}", ""), ("{tobody.tag}", "")]);
    }
    check("sip:a@b;x=1", &[("{nameaddr.uri}", "sip:a@b;x=1"), ("{nameaddr.len}", "11"), ("{tobody.params}", "x=1")]);
}

#[test]
fn the_user_of_a_telephone_number_has_no_parameters() {
    check("sip:+1;phone-context=x@h;user=phone", &[("{uri.user}", "+1")]);
    check("sip:a;b=c@h", &[("{uri.user}", "a;b=c")]);
}
