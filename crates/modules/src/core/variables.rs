//! Variables that need no module: return code, environment, defines.

use script::exports::{Index, Inner, InnerKind};
use script::value::{Text, Value, parse_integer};
use sip::Method;

use crate::registry::Variable;
use crate::worker::Worker;

/// The interpreter answers `$rc`, `$retcode`, `$?` and `$null` by itself; they stand here to be listed.
pub(super) static TABLE: &[Variable] = &[
    Variable::new("?", return_code),
    Variable::new("rc", return_code),
    Variable::new("retcode", return_code),
    Variable::new("null", |_, _, _| Value::Null),
    Variable::new("env", |worker, inner, _| environment(worker, inner).map_or(Value::Null, Value::Text)).inner(InnerKind::Word),
    Variable::new("envn", |worker, inner, _| Value::Integer(number(environment(worker, inner)))).inner(InnerKind::Word),
    Variable::new("def", |worker, inner, _| define(worker, inner).map_or(Value::Null, Value::Text)).inner(InnerKind::Word),
    Variable::new("defn", |worker, inner, _| match define(worker, inner) {
        // Printed as written, computed with as a decimal number.
        Some(text) => Value::Number(std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(0), text),
        None => Value::Integer(0),
    })
    .inner(InnerKind::Word),
    Variable::new("defv", |worker, inner, _| define(worker, inner).map_or(Value::Null, |text| Value::text(unquoted(&text))))
        .inner(InnerKind::Word),
    Variable::new("defs", |worker, inner, _| {
        define(worker, inner).map_or(Value::Null, |text| Value::text([&b"\""[..], unquoted(&text), &b"\""[..]].concat()))
    })
    .inner(InnerKind::Word),
    Variable::new("iuid", |worker, _, _| {
        let process = &worker.node.process;
        Value::text(format!("{:x}-{:x}", process.started.seconds(), process.pid))
    }),
];

fn return_code(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Integer(worker.run.return_code)
}

fn environment(worker: &Worker, inner: &Inner) -> Option<Text> {
    let name = std::str::from_utf8(inner.word()).ok()?;
    worker.node.environment.get(name).map(|value| Text::from(value.as_str()))
}

/// A define's value; `1` when it has none.
fn define(worker: &Worker, inner: &Inner) -> Option<Text> {
    let found = worker.node.defines.iter().rev().find(|(name, _)| name.as_bytes() == inner.word())?;
    Some(found.1.clone().unwrap_or_else(|| Text::from("1")))
}

fn number(text: Option<Text>) -> i64 {
    text.and_then(|text| parse_integer(&text)).unwrap_or(0)
}

fn unquoted(text: &[u8]) -> &[u8] {
    let bare = |quote: &[u8]| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    bare(b"\"").or_else(|| bare(b"'")).unwrap_or(text)
}

/// The number Kamailio gives a method in `$rmid` and in method filters.
pub fn symbol_of_method(method: Method) -> i64 {
    match method {
        Method::Invite => 1,
        Method::Cancel => 2,
        Method::Ack => 4,
        Method::Bye => 8,
        Method::Info => 16,
        Method::Register => 32,
        Method::Subscribe => 64,
        Method::Notify => 128,
        Method::Message => 256,
        Method::Options => 512,
        Method::Prack => 1024,
        Method::Update => 2048,
        Method::Refer => 4096,
        Method::Publish => 8192,
        Method::Kdmq => 16_384,
        Method::Other => 65_536,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defines_lose_one_pair_of_quotes() {
        assert_eq!(unquoted(b"\"a b\""), b"a b");
        assert_eq!(unquoted(b"'x'"), b"x");
        assert_eq!(unquoted(b"\""), b"\"");
        assert_eq!(unquoted(b"plain"), b"plain");
    }

    #[test]
    fn methods_have_different_bits() {
        let mut seen = 0;
        for method in Method::ALL {
            let bit = symbol_of_method(*method);
            assert_eq!(seen & bit, 0, "{method:?}");
            seen |= bit;
        }
    }
}
