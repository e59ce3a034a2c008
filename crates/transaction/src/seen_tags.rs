//! To-tags of the 2xx replies relayed for an INVITE, and which of them were acknowledged.

use crate::limits::{TO_TAG_BYTES_MAX, TO_TAGS_MAX};

/// The tags, one behind the other: whether its ACK was seen, two bytes of length, text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenTags {
    bytes: Vec<u8>,
    count: usize,
}

/// What stands before the text of a tag.
const HEAD_BYTES: usize = 3;

impl SeenTags {
    /// Remembers a tag, once. One that is too long, or one too many, is left out.
    pub(crate) fn add(&mut self, tag: &[u8]) {
        if self.count >= TO_TAGS_MAX || tag.len() > TO_TAG_BYTES_MAX || self.place_of(tag).is_some() {
            return;
        }
        let [low, high] = (tag.len() as u16).to_le_bytes();
        self.bytes.extend_from_slice(&[0, low, high]);
        self.bytes.extend_from_slice(tag);
        self.count += 1;
    }

    /// Notes the ACK to the reply with this tag. Whether it was the first one; `None`: no such tag.
    pub(crate) fn acknowledge(&mut self, tag: &[u8]) -> Option<bool> {
        let seen = self.place_of(tag).and_then(|place| self.bytes.get_mut(place))?;
        Some(std::mem::replace(seen, 1) == 0)
    }

    /// Makes room for tags of so many bytes together.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve_exact(bytes);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    fn place_of(&self, tag: &[u8]) -> Option<usize> {
        let mut place = 0;
        while let Some([_, low, high]) = self.bytes.get(place..place + HEAD_BYTES) {
            let start = place + HEAD_BYTES;
            let end = start + usize::from(u16::from_le_bytes([*low, *high]));
            if self.bytes.get(start..end) == Some(tag) {
                return Some(place);
            }
            place = end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tag_is_acknowledged_for_itself_and_first_only_once() {
        let mut tags = SeenTags::default();
        for tag in [&b"one"[..], b"", b"two", b"one"] {
            tags.add(tag);
        }
        assert_eq!(tags.count, 3);
        assert_eq!((tags.acknowledge(b"two"), tags.acknowledge(b"two")), (Some(true), Some(false)));
        assert_eq!((tags.acknowledge(b""), tags.acknowledge(b"one"), tags.acknowledge(b"three")), (Some(true), Some(true), None));
        tags.clear();
        assert_eq!((tags.acknowledge(b"one"), &tags), (None, &SeenTags::default()));
    }

    #[test]
    fn long_tags_and_tags_beyond_the_bound_are_left_out() {
        let mut tags = SeenTags::default();
        tags.add(&[b'x'; TO_TAG_BYTES_MAX + 1]);
        assert_eq!(tags, SeenTags::default());
        for number in 0..=TO_TAGS_MAX as u8 {
            tags.add(&[number; TO_TAG_BYTES_MAX]);
        }
        assert_eq!(tags.acknowledge(&[TO_TAGS_MAX as u8 - 1; TO_TAG_BYTES_MAX]), Some(true));
        assert_eq!(tags.acknowledge(&[TO_TAGS_MAX as u8; TO_TAG_BYTES_MAX]), None);
    }
}
