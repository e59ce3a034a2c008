//! A small host for tests: `$var`, `$vn`, `$avp`, a printing function and functions with every kind of argument.

use std::collections::BTreeMap;

use crate::exports::{Argument, Catalogue, Flow, Host, Index, Inner, InnerKind, Kind, Refusal, Routes, RunLimits};
use crate::syntax::ast::{CoreWord, RouteKind};
use crate::value::{Text, Value};
use crate::vm;

type Function = crate::exports::Function<TestHost>;
type Variable = crate::exports::Variable<TestHost>;

#[derive(Default)]
pub(crate) struct TestHost {
    pub vars: BTreeMap<Vec<u8>, Value>,
    pub nullable: BTreeMap<Vec<u8>, Value>,
    /// Newest last.
    pub avps: BTreeMap<Vec<u8>, Vec<Value>>,
    pub return_code: i64,
    pub printed: Vec<String>,
    pub logged: Vec<String>,
    pub limits: RunLimits,
}

impl Host for TestHost {
    fn log_level(&self) -> i32 {
        3
    }

    fn log(&mut self, _level: i32, place: &str, text: &str) {
        self.logged.push(format!("{place}: {text}"));
    }

    fn return_code(&self) -> i64 {
        self.return_code
    }

    fn set_return_code(&mut self, code: i64) {
        self.return_code = code;
    }

    fn core_word(&mut self, word: CoreWord) -> Value {
        match word {
            CoreWord::Method => Value::text("INVITE"),
            CoreWord::Uri => Value::text("sip:Bob@Example.com"),
            CoreWord::SourceIp => Value::text("10.1.2.3"),
            CoreWord::SourcePort => Value::Integer(5060),
            CoreWord::AddressFamily => Value::Integer(2),
            CoreWord::Protocol => Value::Number(1, Text::from("udp")),
            _ => Value::Null,
        }
    }

    fn is_myself(&mut self, word: CoreWord) -> bool {
        word == CoreWord::Uri
    }

    fn select(&mut self, name: &[u8]) -> Value {
        if name == b"cfg_get.a.b" { Value::text("selected") } else { Value::Null }
    }

    fn limits(&self) -> RunLimits {
        self.limits
    }
}

fn read_avp(host: &mut TestHost, inner: &Inner, index: Option<Index>) -> Value {
    let Some(list) = host.avps.get(inner.word()) else { return Value::Null };
    match index {
        None => list.last().cloned().unwrap_or_default(),
        Some(Index::At(at)) => {
            let position = usize::try_from(at).ok().and_then(|at| list.len().checked_sub(at + 1));
            position.and_then(|position| list.get(position)).cloned().unwrap_or_default()
        }
        Some(_) => {
            let joined: Vec<String> = list.iter().rev().map(|value| value.to_text().to_string()).collect();
            Value::text(joined.join(", "))
        }
    }
}

fn write_avp(host: &mut TestHost, inner: &Inner, index: Option<Index>, value: Value) -> Result<(), String> {
    let list = host.avps.entry(inner.word().to_vec()).or_default();
    if index == Some(Index::All) {
        list.clear();
    }
    match value {
        Value::Null => {
            list.pop();
        }
        value => list.push(value),
    }
    Ok(())
}

static VARIABLES: &[Variable] = &[
    Variable::new("var", |host, inner, _| host.vars.get(inner.word()).cloned().unwrap_or(Value::Integer(0)))
        .inner(InnerKind::Word)
        .writable(|host, inner, _, value| {
            let value = if value.is_null() { Value::Integer(0) } else { value };
            host.vars.insert(inner.word().to_vec(), value);
            Ok(())
        }),
    Variable::new("vn", |host, inner, _| host.nullable.get(inner.word()).cloned().unwrap_or_default()).inner(InnerKind::Word).writable(
        |host, inner, _, value| {
            host.nullable.insert(inner.word().to_vec(), value);
            Ok(())
        },
    ),
    Variable::new("avp", read_avp).inner(InnerKind::Format).indexed().writable(write_avp),
    Variable::new("ru", |_, _, _| Value::text("sip:bob@example.com")),
    Variable::new("rU", |_, _, _| Value::text("bob")),
    Variable::new("time", |_, inner, _| if let Inner::Choice(choice) = inner { Value::Integer(i64::from(*choice)) } else { Value::Null })
        .inner(InnerKind::OneOf(&["sec", "min", "hour"])),
    Variable::new("xavp", |_, inner, _| if let Inner::Xavp(path) = inner { Value::text(format!("{path:?}")) } else { Value::Null })
        .inner(InnerKind::Xavp),
    Variable::new("T_req", |host, inner, _| if let Inner::Variable(reference) = inner { vm::read(host, reference) } else { Value::Null })
        .inner(InnerKind::Variable),
    Variable::new("refusing", |_, _, _| Value::Null).writable(|_, _, _, _| Err("no room".to_string())),
];

fn print(host: &mut TestHost, arguments: &[Argument]) -> Flow {
    let text: Vec<String> = arguments.iter().map(|argument| argument.text().to_string()).collect();
    host.printed.push(text.join("|"));
    Flow::Code(1)
}

fn print_debug(host: &mut TestHost, arguments: &[Argument]) -> Flow {
    host.printed.push(format!("{arguments:?}"));
    Flow::Code(1)
}

fn substitute(host: &mut TestHost, arguments: &[Argument]) -> Flow {
    let [Argument::Substitution(substitution), Argument::Variable(target)] = arguments else { return Flow::Code(-2) };
    let subject = vm::read(host, target).to_text();
    match vm::substitute(host, substitution, &subject) {
        Some((text, count)) => match vm::write(host, target, Value::text(text)) {
            Ok(()) => Flow::Code(i32::try_from(count).unwrap_or(i32::MAX)),
            Err(_) => Flow::Code(-3),
        },
        None => Flow::Code(-1),
    }
}

static FUNCTIONS: &[Function] = &[
    Function::new("print", 1..=6, &[Kind::Format], print),
    Function::new("whisper", 2..=2, &[Kind::Format], print).unless(|_, arguments| match arguments.next() {
        Some(Some(Argument::Text(first))) => **first == *b"off",
        _ => false,
    }),
    Function::new("plain", 1..=1, &[Kind::Plain], print),
    Function::new("number", 1..=1, &[Kind::Integer], print_debug),
    Function::new("flag", 1..=1, &[Kind::Flag], print_debug),
    Function::new("regex", 2..=2, &[Kind::Format, Kind::Regex], |_, arguments| match arguments {
        [Argument::Text(text), Argument::Regex(pattern)] => pattern.is_match(text).into(),
        _ => Flow::Code(-2),
    }),
    Function::new("subst", 2..=2, &[Kind::Substitution, Kind::Variable], substitute),
    Function::new("arm", 1..=1, &[Kind::Route(RouteKind::Failure)], print).routes(Routes::REQUEST),
    Function::new("good", 0..=0, &[], |_, _| Flow::Code(1)),
    Function::new("bad", 0..=0, &[], |_, _| Flow::Code(-1)),
    Function::new("zero", 0..=0, &[], |_, _| Flow::Code(0)),
    Function::new("seven", 0..=0, &[], |_, _| Flow::Code(7)),
    Function::new("wait", 0..=1, &[Kind::Format], |_, _| Flow::Wait),
    Function::new("setflag", 1..=1, &[Kind::Flag], |_, _| Flow::Code(1)),
    Function::new("only_request", 0..=0, &[], |_, _| Flow::Code(1)).routes(Routes::REQUEST),
];

static UNLOADED: &[Function] = &[Function::new("t_relay", 0..=2, &[Kind::Format], |_, _| Flow::Code(1))];

pub(crate) struct TestCatalogue;

impl Catalogue<TestHost> for TestCatalogue {
    fn function(&self, name: &str, arguments: usize) -> Option<&'static Function> {
        FUNCTIONS
            .iter()
            .find(|function| function.name == name && (usize::from(function.arity.0)..=usize::from(function.arity.1)).contains(&arguments))
    }

    fn functions_named(&self, name: &str) -> Vec<(&'static str, &'static Function, bool)> {
        let loaded = FUNCTIONS.iter().map(|function| ("test", function, true));
        let others = UNLOADED.iter().map(|function| ("tm", function, false));
        loaded.chain(others).filter(|(_, function, _)| function.name == name).collect()
    }

    fn variable(&self, name: &str) -> Option<&'static Variable> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }

    fn home_of(&self, name: &str) -> Option<&'static str> {
        (name == "dlg_var").then_some("dialog")
    }

    fn check(&self, function: &'static Function, arguments: &[Option<&Argument>]) -> Result<(), Refusal> {
        match (function.name, arguments) {
            ("plain", [Some(Argument::Text(text))]) if &text[..] == b"impossible" => {
                Err(Refusal { argument: 0, text: "impossible is no word".to_string() })
            }
            _ => Ok(()),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        FUNCTIONS.iter().map(|function| function.name).collect()
    }
}
