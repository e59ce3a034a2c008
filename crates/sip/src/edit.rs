//! An ordered list of insertions and deletions against an unchanged message (spec proxy-core section 4).

use crate::limits::{EDIT_LISTS_MAX, EDIT_TEXT_BYTES_MAX, EDITS_MAX};
use crate::span::Span;

/// What a text at an offset is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It stands between what ends and what starts at the offset.
    Between,
    /// It stands for bytes deleted from the offset on.
    Instead,
}

#[derive(Clone, Copy, Debug)]
struct Insertion {
    at: u32,
    place: Place,
    text: Span,
}

/// Edits of one message. Offsets are those of the unchanged message; nothing shows until it is serialised.
/// Texts at the same offset leave in the order of the calls. Deletions merge; texts inserted inside deleted bytes survive.
#[derive(Debug, Default)]
pub struct Edits {
    texts: Vec<u8>,
    /// Sorted by offset, then by the order of the calls.
    insertions: Vec<Insertion>,
    /// Sorted, apart from each other.
    deletions: Vec<Span>,
    wants_content_length: bool,
    overflowed: bool,
}

/// `clone_from` reuses memory.
impl Clone for Edits {
    fn clone(&self) -> Edits {
        let Edits { texts, insertions, deletions, wants_content_length, overflowed } = self;
        Edits {
            texts: texts.clone(),
            insertions: insertions.clone(),
            deletions: deletions.clone(),
            wants_content_length: *wants_content_length,
            overflowed: *overflowed,
        }
    }

    fn clone_from(&mut self, source: &Edits) {
        let Edits { texts, insertions, deletions, wants_content_length, overflowed } = source;
        self.texts.clone_from(texts);
        self.insertions.clone_from(insertions);
        self.deletions.clone_from(deletions);
        self.wants_content_length = *wants_content_length;
        self.overflowed = *overflowed;
    }
}

impl Edits {
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Deletes a range. Ranges that overlap or touch become one.
    pub fn remove(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        let start = self.deletions.partition_point(|other| other.end < span.start);
        let end = self.deletions.partition_point(|other| other.start <= span.end);
        let mut whole = span;
        for other in self.deletions.get(start..end).unwrap_or(&[]) {
            whole.start = whole.start.min(other.start);
            whole.end = whole.end.max(other.end);
        }
        if start >= end && self.deletions.len() >= EDITS_MAX {
            self.overflowed = true;
            return;
        }
        self.deletions.splice(start..end.max(start), [whole]);
    }

    /// Inserts before what starts at `at`.
    pub fn insert_before(&mut self, at: u32, text: &[u8]) {
        self.insert(at, Place::Between, text);
    }

    /// Inserts behind what ends at `at`.
    pub fn insert_after(&mut self, at: u32, text: &[u8]) {
        self.insert(at, Place::Between, text);
    }

    /// Deletes a range and puts `text` in its place.
    pub fn replace(&mut self, span: Span, text: &[u8]) {
        self.remove(span);
        self.insert(span.start, Place::Instead, text);
    }

    /// As [`Edits::replace`], but takes back what earlier replacements put at the same start.
    pub fn replace_anew(&mut self, span: Span, text: &[u8]) {
        self.insertions.retain(|insertion| insertion.at != span.start || insertion.place != Place::Instead);
        self.replace(span, text);
    }

    /// Forgets all edits at `at` and behind it: a new body takes the place of what was done to the old one.
    pub fn forget_from(&mut self, at: u32) {
        self.insertions.retain(|insertion| insertion.at < at);
        self.deletions.retain(|deletion| deletion.start < at);
        if let Some(last) = self.deletions.last_mut() {
            last.end = last.end.min(at);
        }
    }

    fn insert(&mut self, at: u32, place: Place, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if self.insertions.len() >= EDITS_MAX || self.texts.len().saturating_add(text.len()) > EDIT_TEXT_BYTES_MAX {
            self.overflowed = true;
            return;
        }
        let start = self.texts.len();
        self.texts.extend_from_slice(text);
        let insertion = Insertion { at, place, text: Span::new(start, self.texts.len()) };
        let position = self.insertions.partition_point(|other| other.at <= at);
        self.insertions.insert(position, insertion);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.insertions.clear();
        self.deletions.clear();
        self.wants_content_length = false;
        self.overflowed = false;
    }

    /// Makes room for so many ranges to delete.
    pub fn reserve_deletions(&mut self, count: usize) {
        self.deletions.reserve_exact(count);
    }

    /// Heap bytes held, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        let insertions = self.insertions.capacity().saturating_mul(size_of::<Insertion>());
        let deletions = self.deletions.capacity().saturating_mul(size_of::<Span>());
        self.texts.capacity().saturating_add(insertions).saturating_add(deletions)
    }

    pub fn is_empty(&self) -> bool {
        self.insertions.is_empty() && self.deletions.is_empty()
    }

    /// Asks for a Content-Length where the message has none: on a datagram it is not added otherwise.
    pub fn want_content_length(&mut self) {
        self.wants_content_length = true;
    }

    pub(crate) fn wants_content_length(&self) -> bool {
        self.wants_content_length
    }

    /// Whether an edit was dropped at its bound (`limits::EDITS_MAX`, `limits::EDIT_TEXT_BYTES_MAX`).
    pub fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// Whether anything changes behind the headers; `headers_end` is `Message::headers_end`.
    pub fn touches_body(&self, headers_end: u32) -> bool {
        self.insertions.last().is_some_and(|insertion| insertion.at > headers_end)
            || self.deletions.last().is_some_and(|deletion| deletion.end > headers_end.saturating_add(1))
    }

    /// Whether every byte of `span` is deleted.
    pub fn deletes(&self, span: Span) -> bool {
        self.deletions.iter().any(|deletion| deletion.start <= span.start && deletion.end >= span.end)
    }

    /// Adds all edits of `later` behind these.
    pub fn append(&mut self, later: &Edits) {
        for deletion in &later.deletions {
            self.remove(*deletion);
        }
        for insertion in &later.insertions {
            self.insert(insertion.at, insertion.place, insertion.text.of(&later.texts));
        }
        self.wants_content_length |= later.wants_content_length;
        self.overflowed |= later.overflowed;
    }
}

/// Receives the bytes of an edited message in order.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts what would be written.
pub(crate) struct Counter(pub usize);

impl Sink for Counter {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

/// Walks a message once from start to end, applying several edit lists as if their calls stood one after the other.
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    lists: [Option<&'a Edits>; EDIT_LISTS_MAX],
    list_count: usize,
    next_insertion: [usize; EDIT_LISTS_MAX],
    next_deletion: [usize; EDIT_LISTS_MAX],
}

impl<'a> Walk<'a> {
    /// At most `EDIT_LISTS_MAX` lists; the caller joins more (see `with_lists`).
    fn new(bytes: &'a [u8], edits: &[&'a Edits]) -> Walk<'a> {
        let mut lists = [None; EDIT_LISTS_MAX];
        let mut list_count = 0usize;
        for (slot, list) in lists.iter_mut().zip(edits.iter().filter(|list| !list.is_empty())) {
            *slot = Some(*list);
            list_count = list_count.saturating_add(1);
        }
        Walk { bytes, lists, list_count, next_insertion: [0; EDIT_LISTS_MAX], next_deletion: [0; EDIT_LISTS_MAX] }
    }

    /// Writes everything from `from` to `to`: texts at offsets in `from..to`, and kept bytes.
    /// With `texts_at_end` also the texts at `to`.
    pub(crate) fn write(&mut self, out: &mut impl Sink, from: u32, to: u32, texts_at_end: bool) {
        let mut at = from;
        loop {
            let next = self.peek_insertion().map_or(u32::MAX, |(offset, _)| offset).max(at);
            let has_text = next < to || (texts_at_end && next == to);
            let stop = if has_text { next } else { to };
            self.copy(out, at, stop);
            at = stop;
            if !has_text {
                return;
            }
            self.emit_insertion(out);
        }
    }

    /// Writes the texts at offsets up to `at` that have not left yet, with no bytes.
    pub(crate) fn write_texts_at(&mut self, out: &mut impl Sink, at: u32) {
        while self.peek_insertion().is_some_and(|(offset, place)| offset <= at && place != Place::Instead) {
            self.emit_insertion(out);
        }
    }

    /// Leaves out all texts before `at`.
    pub(crate) fn skip_to(&mut self, at: u32) {
        for (list, next) in self.lists.iter().take(self.list_count).zip(self.next_insertion.iter_mut()) {
            if let Some(list) = list {
                *next = list.insertions.partition_point(|insertion| insertion.at < at).max(*next);
            }
        }
    }

    /// The list that holds the next text, and that text's place.
    fn next_list(&self) -> Option<(usize, Insertion)> {
        let mut best: Option<(usize, Insertion)> = None;
        for (index, (list, next)) in self.lists.iter().take(self.list_count).zip(self.next_insertion.iter()).enumerate() {
            let Some(insertion) = list.and_then(|list| list.insertions.get(*next)) else {
                continue;
            };
            if best.is_none_or(|(_, known)| insertion.at < known.at) {
                best = Some((index, *insertion));
            }
        }
        best
    }

    fn peek_insertion(&self) -> Option<(u32, Place)> {
        self.next_list().map(|(_, insertion)| (insertion.at, insertion.place))
    }

    fn emit_insertion(&mut self, out: &mut impl Sink) {
        let Some((index, insertion)) = self.next_list() else {
            return;
        };
        if let Some(next) = self.next_insertion.get_mut(index) {
            *next = next.saturating_add(1);
        }
        if let Some(Some(list)) = self.lists.get(index) {
            out.put(insertion.text.of(&list.texts));
        }
    }

    /// Copies the bytes of `from..to` that no list deletes.
    fn copy(&mut self, out: &mut impl Sink, from: u32, to: u32) {
        let mut at = from;
        while at < to {
            let (kept_until, deleted_until) = self.next_deletion_from(at, to);
            out.put(Span { start: at, end: kept_until }.of(self.bytes));
            at = deleted_until;
        }
    }

    /// The first deleted range at or behind `at`: where it starts and ends, both at most `to`.
    fn next_deletion_from(&mut self, at: u32, to: u32) -> (u32, u32) {
        let (mut start, mut end) = (to, to);
        for (list, next) in self.lists.iter().take(self.list_count).zip(self.next_deletion.iter_mut()) {
            let Some(list) = list else { continue };
            while list.deletions.get(*next).is_some_and(|deletion| deletion.end <= at) {
                *next = next.saturating_add(1);
            }
            if let Some(deletion) = list.deletions.get(*next)
                && deletion.start.max(at) < start
            {
                start = deletion.start.max(at);
                end = deletion.end.min(to);
            }
        }
        (start, end)
    }
}

/// Runs `write` with a walk over `bytes` under all `edits`, joining lists when there are more than a walk holds.
pub(crate) fn with_lists<R>(bytes: &[u8], edits: &[&Edits], write: impl FnOnce(&mut Walk<'_>) -> R) -> R {
    if edits.len() <= EDIT_LISTS_MAX {
        return write(&mut Walk::new(bytes, edits));
    }
    let mut joined = Edits::new();
    for list in edits {
        joined.append(list);
    }
    write(&mut Walk::new(bytes, &[&joined]))
}

#[cfg(test)]
mod tests;
