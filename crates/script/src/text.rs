//! Immutable bytes that are cheap to clone: short ones lie in the value itself.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that need no memory of their own: most URIs, names and numbers. With its length and mark a text fills 48 bytes.
const INLINE_BYTES: usize = 46;

/// Immutable bytes that are cheap to clone. Not necessarily UTF-8.
#[derive(Clone)]
pub struct Text(Form);

/// Texts of up to [`INLINE_BYTES`] are inline, longer ones shared.
#[derive(Clone)]
enum Form {
    Inline { length: u8, bytes: [u8; INLINE_BYTES] },
    Shared(Arc<[u8]>),
}

impl Text {
    /// The empty text.
    pub const fn empty() -> Text {
        Text(Form::Inline { length: 0, bytes: [0; INLINE_BYTES] })
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::empty()
    }
}

impl Deref for Text {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Form::Shared(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        (**self).cmp(&**other)
    }
}

/// As the bytes themselves, which it can be looked up by.
impl Hash for Text {
    fn hash<S: Hasher>(&self, state: &mut S) {
        (**self).hash(state);
    }
}

impl From<&[u8]> for Text {
    fn from(text: &[u8]) -> Text {
        let mut bytes = [0; INLINE_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text);
                Text(Form::Inline { length, bytes })
            }
            _ => Text(Form::Shared(Arc::from(text))),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::from(text.as_bytes())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::from(text.as_bytes())
    }
}

impl From<Vec<u8>> for Text {
    fn from(text: Vec<u8>) -> Text {
        Text::from(text.as_slice())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(self))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_text_is_its_bytes_whatever_its_length() {
        for length in [0, 1, INLINE_BYTES - 1, INLINE_BYTES, INLINE_BYTES + 1, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let text = Text::from(bytes.as_slice());
            assert_eq!(*text, *bytes);
            assert_eq!((&text.clone(), text.len()), (&Text::from(bytes.clone()), length));
            assert_eq!(matches!(text.0, Form::Inline { .. }), length <= INLINE_BYTES);
        }
    }

    #[test]
    fn texts_are_ordered_and_found_as_their_bytes() {
        let long = "sip:a-user-with-a-long-name@a-host-with-a-long-name.example.com";
        assert!(Text::from("sip:a") < Text::from(long) && Text::from(long) < Text::from("sip:b"));
        let map = HashMap::from([(Text::from("a"), 1), (Text::from(long), 2)]);
        assert_eq!((map.get(&b"a"[..]), map.get(long.as_bytes()), map.get(&b"b"[..])), (Some(&1), Some(&2), None));
    }

    #[test]
    fn a_text_fills_48_bytes_also_when_it_may_be_missing() {
        assert_eq!((size_of::<Text>(), size_of::<Option<Text>>()), (48, 48));
    }
}
