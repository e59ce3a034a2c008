//! `line.` transformations: texts of several lines.

use super::text_parts::field;
use super::{Entry, Shape, input, length, number_parameter, output, text_parameter};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("line.count", 0, &[], |value, _| length(lines(&input(value)?).count())),
    Entry::new("line.at", 1, &[Shape::Number], |value, parameters| {
        let text = input(value)?;
        output(field(lines(&text), number_parameter(parameters, 0)?))
    }),
    Entry::new("line.sw", 1, &[Shape::Text], |value, parameters| {
        let text = input(value)?;
        let start = text_parameter(parameters, 0)?;
        let found = lines(&text).find(|line| line.starts_with(&start));
        output(found.unwrap_or_default())
    }),
];

/// The lines without their ends; a last line end does not start another line.
fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let is_empty = text.is_empty();
    body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(move |_| !is_empty)
}
