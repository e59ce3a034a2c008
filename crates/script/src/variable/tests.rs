//! Tests of the parser of variables and format strings.

use crate::exports::{Index, Inner};
use crate::format::Format;
use crate::test_host::{TestCatalogue, TestHost};
use crate::value::Value;
use crate::variable::{Known, Reference, parse};
use crate::vm;

fn parsed(text: &str) -> Result<Reference, String> {
    parse(text.as_bytes(), &Known(&TestCatalogue))
}

fn host() -> TestHost {
    let mut host = TestHost::default();
    host.vars.insert(b"a".to_vec(), Value::text("list"));
    host.vars.insert(b"i".to_vec(), Value::Integer(1));
    host.avps.insert(b"list".to_vec(), vec![Value::Integer(1), Value::Integer(2), Value::Integer(3)]);
    host
}

fn read(text: &str) -> Value {
    vm::read(&mut host(), &parsed(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn every_form_is_read() {
    assert_eq!(read("$ru"), Value::text("sip:bob@example.com"));
    assert_eq!(read("$(ru)"), Value::text("sip:bob@example.com"));
    assert_eq!(read("$(ru{uri.user}{s.len})").to_integer(), 3);
    assert_eq!(read("$avp(list)"), Value::Integer(3));
    assert_eq!(read("$(avp(list)[1])"), Value::Integer(2));
    assert_eq!(read("$(avp(list)[$var(i)])"), Value::Integer(2));
    assert_eq!(read("$(avp(list)[*])"), Value::text("3, 2, 1"));
    assert_eq!(read("$avp($var(a))"), Value::Integer(3));
    assert_eq!(read("$(avp($var(a))[2])"), Value::Integer(1));
    assert_eq!(read("$null"), Value::Null);
    assert_eq!(read("$true"), Value::Integer(1));
    assert_eq!(read("$$"), Value::text("$"));
    assert_eq!(read("$($)"), Value::text("$"));
    assert_eq!(read("$time(min)"), Value::Integer(1));
    assert_eq!(read("$T_req(rU)"), Value::text("bob"));
    assert_eq!(read("$T_req($rU)"), Value::text("bob"));
    assert_eq!(read("$_s(x$var(i)y$avp(none))"), Value::text("x1y<null>"));
}

#[test]
fn the_return_code_has_three_names() {
    let mut host = host();
    host.return_code = -7;
    for name in ["$rc", "$retcode", "$?"] {
        assert_eq!(vm::read(&mut host, &parsed(name).expect(name)), Value::Integer(-7), "{name}");
    }
}

#[test]
fn xavp_paths_are_split() {
    let reference = parsed("$xavp(a[0]=>b[*])").expect("good");
    let Some(Inner::Xavp(path)) = reference.constant_inner() else { panic!("constant expected") };
    assert_eq!((&*path.root, path.root_index), (&b"a"[..], Some(Index::At(0))));
    let (key, index) = path.key.clone().expect("a key");
    assert_eq!((&*key, index), (&b"b"[..], Some(Index::All)));
    assert!(read("$xavp(a[$var(i)]=>b)").to_text().to_string().contains("At(1)"));
    assert!(read("$xavp($var(a)=>b)").to_text().to_string().contains("list"));
}

#[test]
fn what_is_wrong_is_said() {
    for (text, part) in [
        ("", "`$` expected"),
        ("$", "name is expected"),
        ("$nope", "unknown variable $nope"),
        ("$rU.txt", "write $(rU).txt"),
        ("$rU_x", "write $(rU)_x"),
        ("$dlg_var(x)", "dialog, which is not loaded"),
        ("$var", "expects a name"),
        ("$var()", "is empty"),
        ("$var(x", "`)` is missing"),
        ("$ru(x)", "takes no name"),
        ("$(var(x)[0])", "takes no index"),
        ("$(avp(x)[a])", "bad index"),
        ("$(avp(x)", "`)` is missing"),
        ("$time(day)", "knows no `day`"),
        ("$ru x", "after the variable"),
    ] {
        let error = parsed(text).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn writing_is_checked() {
    assert!(parsed("$var(x)").expect("good").check_writable().is_ok());
    assert!(parsed("$ru").expect("good").check_writable().expect_err("read only").contains("read only"));
    assert!(parsed("$(avp(x){s.len})").expect("good").check_writable().expect_err("no").contains("transformations"));
    assert!(parsed("$null").expect("good").check_writable().is_err());
}

#[test]
fn formats_mix_text_and_variables() {
    let text_of = |text: &str| {
        let format = Format::parse(text.as_bytes(), &Known(&TestCatalogue)).unwrap_or_else(|error| panic!("{text}: {error}"));
        vm::format_text(&mut host(), &format).to_string()
    };
    assert_eq!(text_of("plain"), "plain");
    assert_eq!(text_of("<$rU>$$5 $(rU).txt"), "<bob>$5 bob.txt");
    assert_eq!(text_of("$avp(none)!"), "<null>!");
    assert_eq!(text_of(""), "");
    assert!(Format::parse(b"100$ ", &Known(&TestCatalogue)).is_err(), "a lone dollar");
    assert!(Format::parse(b"100$", &Known(&TestCatalogue)).is_err(), "a lone dollar");
    assert!(Format::literal("100$").constant().is_some());
}

#[test]
fn nesting_is_bounded() {
    let mut text = "$rU".to_string();
    for _ in 0..200 {
        text = format!("$avp({text})");
    }
    assert!(parsed(&text).expect_err("too deep").contains("nested"));
    let open = "$avp(".repeat(20_000);
    assert!(parsed(&open).is_err());
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
fn mutated_texts_never_panic() {
    let seeds: &[&[u8]] = &[
        b"$(avp(x)[$var(i)]{s.select,1,,}{s.substr,-1,$var(i)})",
        b"$xavp(a[0]=>b[$var(i)]) $$ $($)",
        b"$(var(x){re.subst,/^sip:(.*)@x{1,2}$/\\1$var(y)/gi}{uri.param,x})",
        b"a $var(x) b $(ru{uri.host}{s.replace,a,b}) $time(sec) $T_req($T_req(rU))",
        b"$_s(a$_s(b$var(x)))",
        b"$(var(x){s.ftime,%Y-%m-%d}{param.value,a,;}{tobody.params}{line.at,-1}{s.fmtlines,3,2})",
    ];
    let pool = b"$(){}[],;=>*+-\\/.%sx0\x00\xff \"'^?|avrupl";
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut host = host();
    host.vars.insert(b"x".to_vec(), Value::text("sip:a@x;x=\"1;2\"?h=%zz\r\n b\\"));
    let mut good = 0;
    for round in 0..15_000 {
        let mut text = seeds.get(round % seeds.len()).copied().unwrap_or_default().to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(text.len() + 1);
            match random.below(4) {
                0 if at < text.len() => {
                    text.remove(at);
                }
                1 if at < text.len() => text[at] = pool[random.below(pool.len())],
                2 => text.truncate(at),
                _ => text.insert(at, pool[random.below(pool.len())]),
            }
        }
        if let Ok(format) = Format::parse(&text, &Known(&TestCatalogue)) {
            good += 1;
            let _ = vm::format_text(&mut host, &format);
        }
        let _ = parse(&text, &Known(&TestCatalogue));
    }
    assert!(good > 400, "mutations that still parse are evaluated too, {good}");
}
