//! The list variables `$avp`, `$xavp`, `$xavu`, `$xavi`, and `$cnt`.

use script::exports::{Index, Inner};
use script::value::{Text, Value};

use super::answer::length;
use crate::attributes::Names;
use crate::worker::Worker;

/// Reads `alias=name` pairs separated by semicolons.
pub(super) fn aliases(values: &[Text]) -> Result<Vec<(Text, Text)>, String> {
    let mut out = Vec::new();
    for value in values {
        for definition in value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|text| !text.is_empty()) {
            let at = definition.iter().position(|byte| *byte == b'=').ok_or_else(|| format!("pv: avp_aliases: no = in {value}"))?;
            let (alias, name) = (definition.get(..at).unwrap_or(b"").trim_ascii(), definition.get(at + 1..).unwrap_or(b"").trim_ascii());
            let name = name.strip_prefix(b"$avp(").and_then(|name| name.strip_suffix(b")")).unwrap_or(name);
            out.push((Text::from(alias), Text::from(plain_name(name))));
        }
    }
    Ok(out)
}

/// `s:name` is `name`; `i:10` stays, a name of its own.
fn plain_name(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"s:").or_else(|| name.strip_prefix(b"S:")).unwrap_or(name)
}

/// The name under which an avp is kept.
pub(super) fn avp_name(worker: &Worker, written: &[u8]) -> Text {
    let alias = worker.node.states.pv.aliases.iter().find(|(alias, _)| alias[..] == *written);
    match alias {
        Some((_, name)) => name.clone(),
        None => Text::from(plain_name(written)),
    }
}

pub(super) fn avp(worker: &mut Worker, inner: &Inner, index: Option<Index>) -> Value {
    let name = avp_name(worker, inner.word());
    worker.run.attributes.avps.read(&name, index)
}

pub(super) fn write_avp(worker: &mut Worker, inner: &Inner, index: Option<Index>, value: Value) -> Result<(), String> {
    let name = avp_name(worker, inner.word());
    worker.run.attributes.avps.write(&name, index, value.kept())
}

pub(super) fn xavp(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Xavp(path) = inner else { return Value::Null };
    worker.run.attributes.xavps.read(Names::Exact, path)
}

pub(super) fn write_xavp(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let Inner::Xavp(path) = inner else { return Err("bad name".to_owned()) };
    worker.run.attributes.xavps.write(Names::Exact, path, value.kept())
}

pub(super) fn xavi(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Xavp(path) = inner else { return Value::Null };
    worker.run.attributes.xavis.read(Names::IgnoreCase, path)
}

pub(super) fn write_xavi(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let Inner::Xavp(path) = inner else { return Err("bad name".to_owned()) };
    worker.run.attributes.xavis.write(Names::IgnoreCase, path, value.kept())
}

pub(super) fn xavu(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Xavp(path) = inner else { return Value::Null };
    worker.run.attributes.xavus.read(path)
}

pub(super) fn write_xavu(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let Inner::Xavp(path) = inner else { return Err("bad name".to_owned()) };
    worker.run.attributes.xavus.write(path, value.kept())
}

/// `$cnt($avp(x))`, `$cnt($xavp(x))`, `$cnt($xavp(x=>y))`: how many values there are.
pub(super) fn count(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let text = inner.word();
    let text = text.strip_prefix(b"$").unwrap_or(text);
    let Some((class, name)) =
        text.iter().position(|byte| *byte == b'(').and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?.strip_suffix(b")")?)))
    else {
        return Value::Null;
    };
    let attributes = &worker.run.attributes;
    let nested = |list: &crate::attributes::Nested, names: Names| match name.windows(2).position(|pair| pair == b"=>") {
        Some(at) => {
            let key = name.get(at + 2..).unwrap_or(b"");
            let fields = list.root(names, name.get(..at).unwrap_or(b""), None).map_or(&[][..], |root| root.fields());
            fields.iter().filter(|(own, _)| own[..] == *key).count()
        }
        None => list.count(names, name),
    };
    match class {
        b"avp" => length(attributes.avps.count(&avp_name(worker, name))),
        b"xavp" => length(nested(&attributes.xavps, Names::Exact)),
        b"xavi" => length(nested(&attributes.xavis, Names::IgnoreCase)),
        b"xavu" => length(usize::from(attributes.xavus.root(name).is_some())),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_pairs_and_prefixes_vanish() {
        let read = aliases(&[Text::from("a=s:x; b = $avp(i:10);")]).unwrap();
        assert_eq!(read, [(Text::from("a"), Text::from("x")), (Text::from("b"), Text::from("i:10"))]);
        assert!(aliases(&[Text::from("nothing")]).is_err());
    }
}
