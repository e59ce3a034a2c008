//! From and To: reading their parts and rewriting them for the outgoing message (`$fu`, `$fU`, `$tn` and so on).

use script::value::{Text, Value};
use sip::{HeaderId, NameAddress, Span};

use super::answer::{length, non_empty};
use crate::core::uri_edit::{Change, edit};
use crate::run::Run;
use crate::worker::Worker;

/// Which of the two headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    From,
    To,
}

/// What scripts assigned to one header. It counts as long as the run has edits: applying them starts anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Assigned {
    uri: Option<Text>,
    display: Option<Text>,
}

/// A part that can be assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Uri,
    User,
    Host,
    Display,
}

/// The header's address.
pub(super) fn of(worker: &Worker, side: Side) -> Option<NameAddress<'_>> {
    match side {
        Side::From => worker.run.message.from(),
        Side::To => worker.run.message.to(),
    }
}

/// The header's URI.
pub(super) fn uri(worker: &Worker, side: Side) -> Option<&[u8]> {
    of(worker, side).map(|address| address.uri)
}

/// The display name with its quotes.
pub(super) fn display(worker: &Worker, side: Side) -> Value {
    of(worker, side).map_or(Value::Null, |address| non_empty(address.display))
}

/// The tag.
pub(super) fn tag(worker: &Worker, side: Side) -> Value {
    of(worker, side).map_or(Value::Null, |address| non_empty(address.tag()))
}

/// 1 when there is a tag, else 0.
pub(super) fn tag_state(worker: &Worker, side: Side) -> Value {
    Value::Integer(i64::from(of(worker, side).is_some_and(|address| !address.tag().is_empty())))
}

/// The length of the URI.
pub(super) fn uri_length(worker: &Worker, side: Side) -> Value {
    length(uri(worker, side).map_or(0, <[u8]>::len))
}

fn assigned(run: &mut Run, side: Side) -> &mut Assigned {
    match side {
        Side::From => &mut run.pv.from,
        Side::To => &mut run.pv.to,
    }
}

/// Assigns one part. The change shows in the outgoing message only (spec cfg-language 10.5).
pub(super) fn write(worker: &mut Worker, side: Side, field: Field, value: &Value) -> Result<(), String> {
    let run = &mut worker.run;
    if run.edits.is_empty() {
        *assigned(run, side) = Assigned::default();
    }
    let mut state = assigned(run, side).clone();
    let id = if side == Side::From { HeaderId::From } else { HeaderId::To };
    let header = run.message.value(id).ok_or("the message has no such header")?;
    let address = NameAddress::parse(header).ok_or("the header does not parse")?;
    let old_uri = state.uri.as_deref().unwrap_or(address.uri);
    let text = value.to_text();
    match field {
        Field::Display => state.display = Some(text),
        Field::Uri if text.is_empty() => return Err("the URI cannot be empty".to_owned()),
        Field::Uri => state.uri = Some(text),
        Field::User => state.uri = Some(Text::from(edit(old_uri, Change::User(&text)).map_err(|error| error.to_string())?)),
        Field::Host if text.is_empty() => return Err("the host cannot be empty".to_owned()),
        Field::Host => state.uri = Some(Text::from(edit(old_uri, Change::Host(&text)).map_err(|error| error.to_string())?)),
    }
    let span = run.message.span_of(address.whole).ok_or("the header does not parse")?;
    let end = run.message.span_of(address.uri).ok_or("the header does not parse")?.end;
    let is_bracketed = run.message.text(Span { start: end, end: span.end }).first() == Some(&b'>');
    let new_uri = state.uri.as_deref().unwrap_or(address.uri);
    let new_display = state.display.as_deref().unwrap_or(address.display);
    let mut out = Vec::with_capacity(new_uri.len() + new_display.len() + 3);
    write_address(&mut out, new_display, new_uri, is_bracketed);
    let end = if is_bracketed { end.saturating_add(1) } else { end };
    run.edits.replace_anew(Span { start: span.start, end }, &out);
    *assigned(run, side) = state;
    Ok(())
}

fn write_address(out: &mut Vec<u8>, display: &[u8], uri: &[u8], is_bracketed: bool) {
    if !display.is_empty() {
        out.extend_from_slice(display);
        out.push(b' ');
    }
    // Parameters of a URI need brackets, else they would become those of the header.
    let needs_brackets = is_bracketed || !display.is_empty() || uri.iter().any(|byte| matches!(byte, b';' | b'?' | b','));
    if needs_brackets {
        out.push(b'<');
    }
    out.extend_from_slice(uri);
    if needs_brackets {
        out.push(b'>');
    }
}

#[cfg(test)]
mod tests {
    use super::write_address;

    fn written(display: &str, uri: &str, is_bracketed: bool) -> String {
        let mut out = Vec::new();
        write_address(&mut out, display.as_bytes(), uri.as_bytes(), is_bracketed);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn brackets_appear_when_they_are_needed() {
        assert_eq!(written("", "sip:a@b", false), "sip:a@b");
        assert_eq!(written("", "sip:a@b", true), "<sip:a@b>");
        assert_eq!(written("\"Bob\"", "sip:a@b", false), "\"Bob\" <sip:a@b>");
        assert_eq!(written("", "sip:a@b;x=1", false), "<sip:a@b;x=1>");
    }
}
