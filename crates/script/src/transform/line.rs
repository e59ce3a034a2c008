//! `line.` transformations: texts of several lines.

use super::text_parts::field;
use super::{Entry, Shape, input, length, number_parameter, output, text_parameter};
use crate::value::{Text, Value};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("line.count", 0, &[], |value, _| length(lines(&text_of(value)?).count())),
    Entry::new("line.at", 1, &[Shape::Number], |value, parameters| {
        let text = text_of(value)?;
        output(field(lines(&text), number_parameter(parameters, 0)?))
    }),
    Entry::new("line.sw", 1, &[Shape::Text], |value, parameters| {
        let text = text_of(value)?;
        let start = text_parameter(parameters, 0)?;
        let found = lines(&text).find(|line| line.starts_with(&start));
        output(found.unwrap_or_default())
    }),
];

/// The empty text has no lines: the transformation fails.
fn text_of(value: &Value) -> Option<Text> {
    input(value).filter(|text| !text.is_empty())
}

/// The lines without their ends; a last line end does not start another line.
fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
