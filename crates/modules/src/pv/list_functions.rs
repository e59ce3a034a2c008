//! Functions on `$xavp`, `$xavi` and `$xavu` lists: explode, implode, copy, set and remove.

use script::exports::{Argument, Flow, Index, XavpPath};
use script::value::{Text, Value};
use sip::params::{Params, unquote};

use crate::attributes::{Content, Names, Nested, Root};
use crate::core::branches;
use crate::run::Target;
use crate::worker::Worker;

fn text(arguments: &[Argument], at: usize) -> Text {
    arguments.get(at).map(Argument::text).unwrap_or_default()
}

fn push(worker: &mut Worker, name: Text, fields: Vec<(Text, Value)>) -> Flow {
    Flow::from(worker.run.attributes.xavps.push(Root { name, content: Content::Fields(fields) }))
}

/// Name and value pairs of `a=1;b="2 3";c`; newest last, so that the first parameter is found first.
fn pairs(source: &[u8], separator: u8) -> Vec<(Text, Value)> {
    let mut fields: Vec<(Text, Value)> = Params::separated(source, separator)
        .take(crate::attributes::ENTRIES_MAX)
        .map(|param| (Text::from(param.name), Value::text(unquote(param.value.unwrap_or(b"")))))
        .collect();
    fields.reverse();
    fields
}

/// `xavp_params_explode(text, name)`.
pub(super) fn params_explode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let fields = pairs(&text(arguments, 0), b';');
    if fields.is_empty() { Flow::Code(-1) } else { push(worker, text(arguments, 1), fields) }
}

/// `xavp_xparams_explode(text, separator, name)`.
pub(super) fn separated_params_explode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(separator) = text(arguments, 1).first().copied() else { return Flow::Code(-1) };
    let fields = pairs(&text(arguments, 0), separator);
    if fields.is_empty() { Flow::Code(-1) } else { push(worker, text(arguments, 2), fields) }
}

/// `xavp_slist_explode(list, separator, mode, name)`: values as `name=>v[i]`; mode `t` trims them.
pub(super) fn list_explode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let list = text(arguments, 0);
    let Some(separator) = text(arguments, 1).first().copied() else { return Flow::Code(-1) };
    let trims = text(arguments, 2).contains(&b't');
    let values = list.split(|byte| *byte == separator).take(crate::attributes::ENTRIES_MAX);
    let mut fields: Vec<(Text, Value)> =
        values.map(|value| (Text::from("v"), Value::text(if trims { value.trim_ascii() } else { value }))).collect();
    fields.reverse();
    push(worker, text(arguments, 3), fields)
}

/// `xavu_params_explode(text, name)`.
pub(super) fn unique_explode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let root = text(arguments, 1);
    for (key, value) in pairs(&text(arguments, 0), b';') {
        let path = XavpPath { root: root.clone(), root_index: None, key: Some((key, None)) };
        if let Err(error) = worker.run.attributes.xavus.write(&path, value) {
            worker.log(-1, "pv", &error);
            return Flow::Code(-1);
        }
    }
    Flow::Code(1)
}

/// `name=value;` for each field, the newest first.
fn joined(fields: &[(Text, Value)], quotes: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields.iter().rev() {
        out.extend_from_slice(name);
        let value = value.to_text();
        if !value.is_empty() {
            out.push(b'=');
            if quotes {
                out.push(b'"');
            }
            out.extend_from_slice(&value);
            if quotes {
                out.push(b'"');
            }
        }
        out.push(b';');
    }
    out
}

/// Writes to the variable whose name is given as text.
fn write_named(worker: &mut Worker, name: &[u8], value: Value) -> Flow {
    match super::parse(worker, name) {
        Ok(reference) => super::functions::write(worker, &reference, value),
        Err(error) => {
            worker.log(-1, "pv", &error);
            Flow::Code(-1)
        }
    }
}

fn implode(worker: &mut Worker, arguments: &[Argument], quotes: bool) -> Flow {
    let name = text(arguments, 0);
    let Some(root) = worker.run.attributes.xavps.root(Names::Exact, &name, None) else { return Flow::Code(-1) };
    let out = joined(root.fields(), quotes);
    write_target(worker, arguments.get(1), out)
}

fn write_target(worker: &mut Worker, argument: Option<&Argument>, out: Vec<u8>) -> Flow {
    match argument {
        Some(Argument::Variable(reference)) => {
            let reference = std::sync::Arc::clone(reference);
            super::functions::write(worker, &reference, Value::text(out))
        }
        Some(other) => write_named(worker, &other.text(), Value::text(out)),
        None => Flow::Code(-1),
    }
}

pub(super) fn params_implode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    implode(worker, arguments, false)
}

pub(super) fn params_implode_quoted(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    implode(worker, arguments, true)
}

pub(super) fn unique_implode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(root) = worker.run.attributes.xavus.root(&text(arguments, 0)) else { return Flow::Code(-1) };
    let out = joined(root.fields(), false);
    write_target(worker, arguments.get(1), out)
}

/// Which of the two nested lists a function works on.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    Exact,
    IgnoreCase,
}

fn list(worker: &mut Worker, which: List) -> (&mut Nested, Names) {
    let attributes = &mut worker.run.attributes;
    match which {
        List::Exact => (&mut attributes.xavps, Names::Exact),
        List::IgnoreCase => (&mut attributes.xavis, Names::IgnoreCase),
    }
}

/// `xavp_child_seti(root, field, number)`.
pub(super) fn set_integer(worker: &mut Worker, arguments: &[Argument], which: List) -> Flow {
    let value = Value::Integer(arguments.get(2).map_or(0, Argument::integer));
    let (list, names) = list(worker, which);
    Flow::from(list.set_field(names, &text(arguments, 0), &text(arguments, 1), value))
}

/// `xavp_child_sets(root, field, text)`.
pub(super) fn set_text(worker: &mut Worker, arguments: &[Argument], which: List) -> Flow {
    let value = Value::Text(text(arguments, 2));
    let (list, names) = list(worker, which);
    Flow::from(list.set_field(names, &text(arguments, 0), &text(arguments, 1), value))
}

pub(super) fn remove(worker: &mut Worker, arguments: &[Argument], which: List) -> Flow {
    let (list, names) = list(worker, which);
    list.remove_newest(names, &text(arguments, 0));
    Flow::Code(1)
}

pub(super) fn remove_all(worker: &mut Worker, arguments: &[Argument], which: List) -> Flow {
    let (list, names) = list(worker, which);
    list.remove_all(names, &text(arguments, 0));
    Flow::Code(1)
}

pub(super) fn remove_child(worker: &mut Worker, arguments: &[Argument], which: List) -> Flow {
    let (list, names) = list(worker, which);
    list.remove_newest_field(names, &text(arguments, 0), &text(arguments, 1));
    Flow::Code(1)
}

/// `xavp_copy(source, index, destination[, destination index])`.
pub(super) fn copy(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let index = arguments.get(1).map_or(0, Argument::integer);
    let xavps = &mut worker.run.attributes.xavps;
    let Some(content) = xavps.root(Names::Exact, &text(arguments, 0), Some(Index::At(index))).map(|root| root.content.clone()) else {
        return Flow::Code(-1);
    };
    let name = text(arguments, 2);
    match arguments.get(3).map(Argument::integer) {
        None => Flow::from(xavps.push(Root { name, content })),
        Some(at) => Flow::from(xavps.replace(Names::Exact, &name, at, content)),
    }
}

/// `xavp_lshift(name, count)`.
pub(super) fn shift_left(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(count) = usize::try_from(arguments.get(1).map_or(0, Argument::integer)) else { return Flow::Code(-1) };
    Flow::from(worker.run.attributes.xavps.shift_left(Names::Exact, &text(arguments, 0), count))
}

/// `xavp_push_dst(name)`: the fields `uri`, `dst_uri`, `path`, `q`, `flags`, `socket` of each root become the destination set:
/// the first the request's own target, the others branches.
pub(super) fn push_destinations(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let roots: Vec<Root> = worker.run.attributes.xavps.all().filter(|root| root.name == name).cloned().collect();
    if roots.is_empty() {
        return Flow::Code(-1);
    }
    for (position, root) in roots.iter().enumerate() {
        let field = |key: &str| root.fields().iter().rev().find(|(own, _)| own[..] == *key.as_bytes()).map(|(_, value)| value);
        let socket = field("socket").or_else(|| field("sock")).map(Value::to_text).and_then(|text| worker.node.sockets.find_text(&text));
        let target = Target {
            uri: field("uri").map(Value::to_text),
            next_hop: field("dst_uri").map(Value::to_text),
            path: field("path").map(Value::to_text),
            q: field("q").and_then(|value| i32::try_from(value.to_integer()).ok()),
            flags: field("flags").and_then(|value| u32::try_from(value.to_integer()).ok()).unwrap_or(0),
            socket,
            ..Target::default()
        };
        if position == 0 {
            worker.run.target = Target { uri: target.uri.or_else(|| worker.run.target.uri.clone()), ..target };
            worker.run.is_target_consumed = false;
        } else if !branches::append(worker, target) {
            return Flow::Code(-1);
        }
    }
    worker.run.attributes.xavps.remove_all(Names::Exact, &name);
    Flow::Code(1)
}

/// `pv_var_to_xavp(variable, name)`: `$var(x)` becomes `$xavp(name=>x)`; `*` takes all.
pub(super) fn variables_to_list(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let wanted = text(arguments, 0);
    let fields: Vec<(Text, Value)> =
        worker.run.variables.iter().filter(|(name, _)| &wanted[..] == b"*" || *name == wanted).cloned().collect();
    if fields.is_empty() { Flow::Code(-1) } else { push(worker, text(arguments, 1), fields) }
}

/// `pv_xavp_to_var(name)`: each field becomes a `$var`.
pub(super) fn list_to_variables(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let Some(fields) = worker.run.attributes.xavps.root(Names::Exact, &name, None).map(|root| root.fields().to_vec()) else {
        return Flow::Code(-1);
    };
    for (name, value) in fields {
        let written = super::script_variables::write(worker, &script::exports::Inner::Word(name), None, value);
        if let Err(error) = written {
            worker.log(-1, "pv", &error);
            return Flow::Code(-1);
        }
    }
    Flow::Code(1)
}

fn lines<'a>(roots: impl Iterator<Item = &'a Root>, title: &str) -> Vec<String> {
    let mut out = vec![format!("+++++ start {title} content")];
    for root in roots {
        match &root.content {
            Content::Plain(value) => out.push(format!("{title} {} = {}", root.name, value.to_text())),
            Content::Fields(fields) => {
                out.push(format!("{title} {}", root.name));
                out.extend(fields.iter().rev().map(|(name, value)| format!("    {name} = {}", value.to_text())));
            }
        }
    }
    out.push(format!("----- end {title} content"));
    out
}

/// Level information.
const LEVEL_INFO: i32 = 2;

fn print(worker: &mut Worker, lines: Vec<String>) -> Flow {
    for line in lines {
        worker.log(LEVEL_INFO, "pv", &line);
    }
    Flow::Code(1)
}

pub(super) fn print_xavp(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let lines = lines(worker.run.attributes.xavps.all(), "xavp");
    print(worker, lines)
}

pub(super) fn print_xavi(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let lines = lines(worker.run.attributes.xavis.all(), "xavi");
    print(worker, lines)
}

pub(super) fn print_xavu(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let lines = lines(worker.run.attributes.xavus.all(), "xavu");
    print(worker, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exploding_and_imploding_keeps_the_order() {
        let fields = pairs(b"a=1;b=\"2 3\";c", b';');
        assert_eq!(fields.last(), Some(&(Text::from("a"), Value::text("1"))));
        assert_eq!(joined(&fields, false), b"a=1;b=2 3;c;");
        assert_eq!(joined(&fields, true), b"a=\"1\";b=\"2 3\";c;");
    }
}
