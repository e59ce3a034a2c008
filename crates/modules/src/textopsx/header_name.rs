//! How a script names a value of a header: `Name`, `Name[2]`, `Name[*]`, `Name.parameter`, `Name[-1].parameter`.

/// Which values of a header are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// No index was written.
    Unsaid,
    /// From 1, and 0 is the first, too; negative counts from the last.
    At(i64),
    All,
}

/// A parsed name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub header: &'a [u8],
    pub which: Which,
    pub parameter: Option<&'a [u8]>,
}

impl<'a> Name<'a> {
    /// Reads a name. None: empty, a bad index, or something behind the bracket.
    pub(super) fn parse(text: &'a [u8]) -> Option<Name<'a>> {
        let text = text.trim_ascii();
        let end = text.iter().position(|byte| matches!(byte, b'[' | b'.')).unwrap_or(text.len());
        let (header, mut rest) = text.split_at(end);
        if header.is_empty() {
            return None;
        }
        let mut which = Which::Unsaid;
        if let Some(inner) = rest.strip_prefix(b"[") {
            let close = inner.iter().position(|byte| *byte == b']')?;
            which = match inner.get(..close)? {
                b"*" => Which::All,
                number => Which::At(std::str::from_utf8(number).ok()?.trim().parse().ok()?),
            };
            rest = inner.get(close.saturating_add(1)..)?;
        }
        let parameter = match rest.strip_prefix(b".") {
            Some(b"") => return None,
            Some(parameter) => Some(parameter),
            None if rest.is_empty() => None,
            None => return None,
        };
        Some(Name { header: header.trim_ascii(), which, parameter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_indexes_and_parameters_are_read() {
        let name = |text: &'static str| Name::parse(text.as_bytes());
        assert_eq!(name("foo"), Some(Name { header: b"foo", which: Which::Unsaid, parameter: None }));
        assert_eq!(name("foo[2]"), Some(Name { header: b"foo", which: Which::At(2), parameter: None }));
        assert_eq!(name("foo[*]"), Some(Name { header: b"foo", which: Which::All, parameter: None }));
        assert_eq!(name("foo[-1].p"), Some(Name { header: b"foo", which: Which::At(-1), parameter: Some(b"p") }));
        assert_eq!(name("foo.p"), Some(Name { header: b"foo", which: Which::Unsaid, parameter: Some(b"p") }));
        for bad in ["", "[1]", "foo[", "foo[x]", "foo.", "foo[1]x"] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
