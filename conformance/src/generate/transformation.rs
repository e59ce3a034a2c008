//! Chains of transformations on the texts scripts meet: URIs, name-addresses, parameters, lists, lines, encoded text.

use super::random::Random;

/// Texts a variable may hold before it is transformed, as they stand between double quotes.
pub const TEXTS: [&str; 40] = [
    "",
    "a",
    "abc",
    "Hello World",
    "10",
    "-3",
    "0",
    "007",
    "0x1F",
    "3.14",
    "12abc",
    "a,b,c",
    ",a,,b,",
    "a=1;b=2;c",
    "a=1;b=\\\"x;y\\\";c=3",
    "x=1,y=2,z",
    "one two  three",
    "  trim me\\t",
    "sip:bob@example.com",
    "sip:bob:pw@ex.com:5070;transport=tcp;lr?X=1",
    "sips:alice@[2001:db8::1]:5071;maddr=h;ttl=5",
    "sip:host.example.com",
    "sip:+1234;phone-context=x@h;user=phone",
    "tel:+1-201-555-0123;phone-context=example.com",
    "sip:a;b=c@h:5060;r2=on;method=INVITE",
    "\\\"Bob X\\\" <sip:bob@ex.com>;tag=abc",
    "Bob <sip:bob@ex.com;lr>;tag=abc;q=0.5",
    "<sip:bob@ex.com>",
    "sip:bob@ex.com;tag=abc",
    "%41b%20c%2f",
    "a'b\\\\c",
    "it's \\\"quoted\\\"",
    "\\\"quoted\\\"",
    "<bracketed>",
    "l1\\r\\nl2\\r\\nx: l3\\r\\n",
    "aGVsbG8=",
    "68656c6c6f",
    "hello world wide",
    "User.Name+tag",
    "udp:127.0.0.1:5060",
];

/// Those of 5.6.3, without the ones it has wrong (`s.rbefore`, `s.fmtlines`, `uri.saor` and their kin). A transformation with its parameters as marks: `N` a number, `I` an index, `C` a character, `T` a short text.
const FORMS: [&str; 89] = [
    "s.len",
    "s.int",
    "s.md5",
    "s.sha256",
    "s.sha384",
    "s.sha512",
    "s.substr,I,N",
    "s.substr,N,N",
    "s.substr,N,0",
    "s.select,I,C",
    "s.select,N,C",
    "s.encode.hexa",
    "s.encode.base64",
    "s.encode.base58",
    "s.encode.base64t",
    "s.encode.base64url",
    "s.encode.base64urlt",
    "s.escape.common",
    "s.unescape.common",
    "s.escape.user",
    "s.unescape.user",
    "s.escape.param",
    "s.unescape.param",
    "s.escape.csv",
    "s.urlencode.param",
    "s.urldecode.param",
    "s.numeric",
    "s.tolower",
    "s.toupper",
    "s.strip,N",
    "s.striptail,N",
    "s.stripto,C",
    "s.replace,T,T",
    "s.rm,T",
    "s.prefixes,9",
    "s.prefixes.quoted,3",
    "s.trim",
    "s.ltrim",
    "s.rtrim",
    "s.rmws",
    "s.corehash,8",
    "s.unquote",
    "s.unbracket",
    "s.count,C",
    "s.before,C",
    "s.after,C",
    "uri.user",
    "uri.host",
    "uri.domain",
    "uri.passwd",
    "uri.port",
    "uri.params",
    "uri.param,transport",
    "uri.param,lr",
    "uri.headers",
    "uri.transport",
    "uri.ttl",
    "uri.uparam",
    "uri.maddr",
    "uri.method",
    "uri.lr",
    "uri.r2",
    "uri.scheme",
    "param.value,a",
    "param.value,b",
    "param.value,y,C",
    "param.in,b",
    "param.in,q",
    "param.valueat,I",
    "param.valueat,I,C",
    "param.name,I",
    "param.name,I,C",
    "param.count",
    "param.count,C",
    "nameaddr.name",
    "nameaddr.uri",
    "nameaddr.len",
    "tobody.uri",
    "tobody.tag",
    "tobody.user",
    "tobody.host",
    "tobody.display",
    "tobody.params",
    "line.count",
    "line.at,I",
    "line.sw,x",
    "re.subst,/(l+)o/<\\1>/g",
    "re.subst,/^(.)(.*)$/\\2\\1/",
    "re.subst,/B/X/ig",
];

/// Those that take any text.
pub const SAFE: [&str; 8] = ["s.len", "s.tolower", "s.toupper", "s.rmws", "s.trim", "s.md5", "s.escape.csv", "s.select,0,:"];

const CHARACTERS: [&str; 8] = [";", "a", "=", "o", ":", "@", ".", "<"];
const WORDS: [&str; 8] = ["o", "l", "ab", "bob", "x", "World", "=", "."];

/// One to three transformations. `tobody` only begins a chain: 5.6.3 remembers what it parsed last by its place in memory.
/// `s.int` does not follow `param.valueat`: it takes a value that is not there for none, an empty one for 0.
pub fn chain(random: &mut Random) -> String {
    let length = 1 + random.below(6) / 3 + random.below(6) / 5;
    let mut chain = format!("{{{}}}", fill(random));
    for _ in 1..length {
        let next = fill(random);
        let is_odd = next.starts_with("tobody.") || (next == "s.int" && chain.contains("param.valueat"));
        if !is_odd {
            chain.push_str(&format!("{{{next}}}"));
        }
    }
    chain
}

/// What decodes follows what encodes: decoders are lenient with other input, each in its own way.
const CODES: [&str; 3] = ["hexa", "base64", "base64t"];

fn fill(random: &mut Random) -> String {
    if random.once_in(25) {
        let code = random.pick(&CODES);
        return format!("s.encode.{code}}}{{s.decode.{code}");
    }
    let form = random.pick(&FORMS);
    let (name, parameters) = form.split_once(',').unwrap_or((form, ""));
    if parameters.is_empty() || name == "re.subst" {
        return form.to_owned();
    }
    let mut text = name.to_owned();
    for parameter in parameters.split(',') {
        text.push(',');
        match parameter {
            "N" => text.push_str(&random.between(0, 12).to_string()),
            "I" => text.push_str(&random.between(-4, 4).to_string()),
            "C" if name == "s.select" && random.once_in(3) => text.push_str(random.pick(&[",", " "])),
            "C" => text.push_str(random.pick(&CHARACTERS)),
            "T" => text.push_str(random.pick(&WORDS)),
            other => text.push_str(other),
        }
    }
    text
}
