//! Editing single values and parameters of headers that hold lists.

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::message::Message;
use sip::params::{Param, Params};
use sip::scan::Elements;
use sip::span::Span;

use super::header_name::{Name, Which};
use crate::run::Run;
use crate::textops;
use crate::worker::Worker;

/// Most values of one header name a call looks at.
const VALUES_MAX: usize = 1024;

/// One element of a header's list.
#[derive(Debug, Clone, Copy)]
struct Element {
    span: Span,
    /// The header's line.
    line: Span,
}

/// Are commas inside a value separators? Not in credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    List,
    Credentials,
}

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn elements(message: &Message, name: &[u8], style: Style) -> Vec<Element> {
    let mut found = Vec::new();
    for header in message.headers_named(name) {
        if style == Style::Credentials {
            found.push(Element { span: header.value, line: header.line });
            continue;
        }
        for element in Elements::new(message.text(header.value)) {
            if let Some(span) = message.span_of(element.trim_ascii()).filter(|span| !span.is_empty()) {
                found.push(Element { span, line: header.line });
            }
        }
    }
    found.truncate(VALUES_MAX);
    found
}

/// The position of an index that counts from 1 (0 is the first, too), or from the last when negative.
fn position(index: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    let position = if index >= 0 { index.saturating_sub(1).max(0) } else { count.checked_add(index)? };
    usize::try_from(position).ok().filter(|position| i64::try_from(*position).is_ok_and(|position| position < count))
}

fn parse_name<'a>(worker: &mut Worker, name: &'a [u8]) -> Option<Name<'a>> {
    let parsed = Name::parse(name);
    if parsed.is_none() {
        worker.log(-1, "textopsx", &format!("bad header name {}", String::from_utf8_lossy(name)));
    }
    parsed
}

/// Where a value starts: behind the comma of the one before, blanks included; the first one of a line without them.
fn start_with_blanks(message: &Message, element: &Element) -> u32 {
    let before = message.text(Span { start: element.line.start, end: element.span.start });
    let kept = before.trim_ascii_end();
    let blanks = if kept.ends_with(b",") { before.len().saturating_sub(kept.len()) } else { 0 };
    element.span.start.saturating_sub(u32::try_from(blanks).unwrap_or(0))
}

/// Where a value ends, blanks behind it included.
fn end_with_blanks(message: &Message, element: &Element) -> u32 {
    let rest = message.text(Span { start: element.span.end, end: element.line.end });
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    element.span.end.saturating_add(u32::try_from(blanks).unwrap_or(0))
}

fn new_line(name: &Name<'_>, value: &[u8]) -> Vec<u8> {
    [name.header, b": ", value, b"\r\n"].concat()
}

/// `append_hf_value(name, value)`: a new header at the end; with an index behind that value.
pub(super) fn append_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    let Some(name) = parse_name(worker, &name).filter(|name| name.parameter.is_none() && name.which != Which::All) else {
        return Flow::Code(-1);
    };
    let run = &mut worker.run;
    let found = elements(&run.message, name.header, Style::List);
    let anchor = match name.which {
        Which::At(index) => position(index, found.len()).and_then(|position| found.get(position)),
        _ => None,
    };
    match anchor {
        Some(element) => {
            let at = end_with_blanks(&run.message, element);
            run.edits.insert_after(at, &[b",", &value[..]].concat());
        }
        None => textops::append_header_line(run, &new_line(&name, &value)),
    }
    Flow::Code(1)
}

/// `insert_hf_value(name, value)`: a new header before the first of its name; with an index before that value.
pub(super) fn insert_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    let Some(name) = parse_name(worker, &name).filter(|name| name.parameter.is_none() && name.which != Which::All) else {
        return Flow::Code(-1);
    };
    let run = &mut worker.run;
    let found = elements(&run.message, name.header, Style::List);
    let line = new_line(&name, &value);
    let Some(first) = found.first() else {
        if matches!(name.which, Which::At(index) if !(0..2).contains(&index)) {
            return Flow::Code(-1);
        }
        let present = run.message.headers_named(name.header).next().map(|header| header.line.start);
        match present {
            Some(start) => run.edits.insert_before(start, &line),
            None => textops::append_header_line(run, &line),
        }
        return Flow::Code(1);
    };
    let Which::At(index) = name.which else {
        run.edits.insert_before(first.line.start, &line);
        return Flow::Code(1);
    };
    let Some(element) = position(index, found.len()).and_then(|position| found.get(position)) else { return Flow::Code(-1) };
    let at = start_with_blanks(&run.message, element);
    run.edits.insert_before(at, &[&value[..], b","].concat());
    Flow::Code(1)
}

/// Queues the removal of the chosen elements; whole lines where nothing is left. Earlier removals are taken into account,
/// so that no comma stays behind.
fn remove(run: &mut Run, found: &[Element], is_chosen: impl Fn(usize) -> bool) {
    let gone: Vec<bool> = found.iter().enumerate().map(|(index, element)| is_chosen(index) || run.edits.deletes(element.span)).collect();
    let is_kept =
        |index: usize, line: Span| !gone.get(index).copied().unwrap_or(true) && found.get(index).is_some_and(|other| other.line == line);
    for (index, element) in found.iter().enumerate().filter(|(index, _)| is_chosen(*index)) {
        let kept_before = (0..index).rev().any(|other| is_kept(other, element.line));
        let kept_after = (index..found.len()).find(|other| is_kept(*other, element.line)).and_then(|other| found.get(other));
        let previous = index.checked_sub(1).and_then(|previous| found.get(previous));
        let span = match (previous, kept_after) {
            (Some(previous), _) if kept_before => Span { start: previous.span.end, end: element.span.end },
            (_, Some(next)) => Span { start: start_with_blanks(&run.message, element), end: start_with_blanks(&run.message, next) },
            _ => element.line,
        };
        run.edits.remove(span);
    }
}

/// The parameters of an element: behind its URI's bracket, or behind its first semicolon; all of a credentials value.
fn parameters<'a>(element: &'a [u8], style: Style) -> (Params<'a>, u8) {
    match style {
        Style::Credentials => {
            let start = element.iter().position(u8::is_ascii_whitespace).unwrap_or(0);
            (Params::separated(element.get(start..).unwrap_or(b""), b','), b',')
        }
        Style::List => {
            let from = element.iter().rposition(|byte| *byte == b'>').unwrap_or(0);
            let tail = element.get(from..).unwrap_or(b"");
            let start = tail.iter().position(|byte| *byte == b';').unwrap_or(tail.len());
            (Params::new(tail.get(start..).unwrap_or(b"")), b';')
        }
    }
}

fn find_parameter<'a>(element: &'a [u8], name: &[u8], style: Style) -> Option<Param<'a>> {
    parameters(element, style).0.find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

/// A parameter's span with the separator that joins it.
fn joined(message: &Message, element: Span, parameter: Span, separator: u8) -> Span {
    let before = message.text(Span { start: element.start, end: parameter.start });
    let after = message.text(Span { start: parameter.end, end: element.end });
    let offset = |length: usize| u32::try_from(length).unwrap_or(0);
    match before.iter().rposition(|byte| *byte == separator) {
        Some(at) => Span { start: element.start.saturating_add(offset(at)), end: parameter.end },
        None => {
            let to = after.iter().position(|byte| *byte == separator).map_or(0, |at| at.saturating_add(1));
            Span { start: parameter.start, end: parameter.end.saturating_add(offset(to)) }
        }
    }
}

fn chosen(which: Which, count: usize) -> Option<std::ops::Range<usize>> {
    match which {
        Which::All => (count > 0).then_some(0..count),
        Which::Unsaid => (count > 0).then_some(0..1),
        Which::At(index) => position(index, count).map(|position| position..position.saturating_add(1)),
    }
}

fn remove_value(worker: &mut Worker, arguments: &[Argument], style: Style) -> Flow {
    let name = text(arguments, 0);
    let Some(name) = parse_name(worker, &name) else { return Flow::Code(-1) };
    let run = &mut worker.run;
    let found = elements(&run.message, name.header, style);
    let Some(range) = chosen(name.which, found.len()) else { return Flow::Code(-1) };
    let Some(parameter) = name.parameter else {
        remove(run, &found, |index| range.contains(&index));
        return Flow::Code(1);
    };
    let separator = if style == Style::List { b';' } else { b',' };
    let spans: Vec<Span> = found
        .get(range)
        .unwrap_or(&[])
        .iter()
        .filter_map(|element| {
            let found = find_parameter(run.message.text(element.span), parameter, style)?;
            Some(joined(&run.message, element.span, run.message.span_of(found.whole)?, separator))
        })
        .collect();
    for span in &spans {
        run.edits.remove(*span);
    }
    Flow::from(!spans.is_empty())
}

/// `remove_hf_value(name)`.
pub(super) fn remove_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    remove_value(worker, arguments, Style::List)
}

/// `remove_hf_value2(name)`: for headers like Authorization.
pub(super) fn remove_hf_value2(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    remove_value(worker, arguments, Style::Credentials)
}

fn assign_value(worker: &mut Worker, arguments: &[Argument], style: Style) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    let Some(name) = parse_name(worker, &name) else { return Flow::Code(-1) };
    let run = &mut worker.run;
    let found = elements(&run.message, name.header, style);
    let Some(range) = chosen(name.which, found.len()) else { return Flow::Code(-1) };
    for element in found.get(range).unwrap_or(&[]) {
        let Some(parameter) = name.parameter else {
            run.edits.replace_anew(element.span, &value);
            continue;
        };
        let present = find_parameter(run.message.text(element.span), parameter, style).and_then(|found| run.message.span_of(found.whole));
        let made = if value.is_empty() { parameter.to_vec() } else { [parameter, b"=", &value].concat() };
        match present {
            Some(span) => run.edits.replace_anew(span, &made),
            None => {
                let joint: &[u8] = if style == Style::List { b";" } else { b"," };
                run.edits.insert_after(element.span.end, &[joint, &made].concat());
            }
        }
    }
    Flow::Code(1)
}

/// `assign_hf_value(name, value)`.
pub(super) fn assign_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    assign_value(worker, arguments, Style::List)
}

/// `assign_hf_value2(name, value)`: for headers like Authorization.
pub(super) fn assign_hf_value2(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    assign_value(worker, arguments, Style::Credentials)
}

/// Positions of the elements that equal a value, in any case.
fn equal(message: &Message, found: &[Element], value: &[u8]) -> Vec<usize> {
    let is_equal = |element: &Element| message.text(element.span).eq_ignore_ascii_case(value);
    found.iter().enumerate().filter(|(_, element)| is_equal(element)).map(|(index, _)| index).collect()
}

/// `hf_value_exists(name, value)`.
pub(super) fn hf_value_exists(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    let message = &worker.run.message;
    let found = elements(message, &name, Style::List);
    Flow::from(!equal(message, &found, &value).is_empty())
}

/// `include_hf_value(name, value)`: exactly once in the list; a new value goes to the end of the first header.
pub(super) fn include_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    if value.is_empty() {
        return Flow::Code(-1);
    }
    let run = &mut worker.run;
    let found = elements(&run.message, &name, Style::List);
    let equal = equal(&run.message, &found, &value);
    if !equal.is_empty() {
        remove(run, &found, |index| equal.iter().skip(1).any(|double| *double == index));
        return Flow::Code(1);
    }
    let last_of_first = found.first().and_then(|first| found.iter().rfind(|element| element.line == first.line));
    match last_of_first {
        Some(last) => run.edits.insert_after(last.span.end, &[b",", &value[..]].concat()),
        None => textops::append_header_line(run, &[&name[..], b": ", &value, b"\r\n"].concat()),
    }
    Flow::Code(1)
}

/// `exclude_hf_value(name, value)`: not in the list.
pub(super) fn exclude_hf_value(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, value) = (text(arguments, 0), text(arguments, 1));
    if value.is_empty() {
        return Flow::Code(-1);
    }
    let run = &mut worker.run;
    let found = elements(&run.message, &name, Style::List);
    let equal = equal(&run.message, &found, &value);
    remove(run, &found, |index| equal.contains(&index));
    Flow::Code(1)
}
