//! Reading dialogs: copies, single fields, walks over all in listing order, recounts (spec dialog 5.2, 7.2 to 7.6).

use std::sync::PoisonError;

use sip::time::Now;

use super::copying::view;
use super::{Cell, DialogId, Engine};
use crate::leg::Leg;
use crate::limits::{LISTING_CHUNKS, LISTING_PAGE};
use crate::record::{Field, NO_SOCKET, Record};
use crate::state::State;
use crate::view::{Attribute, AttributeValue, DialogView};

/// Dialogs by state, counted by walking (`dlg.stats_active`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCounts {
    pub unconfirmed: u64,
    pub early: u64,
    pub confirmed_no_ack: u64,
    pub confirmed: u64,
    pub deleted: u64,
}

/// Where a walk over all dialogs stands.
#[derive(Debug)]
pub struct Walk {
    after: Option<DialogId>,
    /// The next lock group.
    group: usize,
    /// What is left of the group before it.
    ids: std::vec::IntoIter<DialogId>,
}

/// The dialogs of a lock group behind `after`, sorted. The lock is given back every [`LISTING_CHUNKS`] chunks; records do not
/// move, so each that lives meanwhile is met once.
fn numbers_of(cell: &Cell, after: Option<DialogId>) -> Vec<DialogId> {
    let mut ids = Vec::new();
    for first in (0..).step_by(LISTING_CHUNKS) {
        let shard = cell.shard.lock().unwrap_or_else(PoisonError::into_inner);
        if first >= shard.records.chunks() {
            break;
        }
        let numbers = shard.records.iter_chunks(first, LISTING_CHUNKS).map(|record| record.id);
        ids.extend(numbers.filter(|id| after.is_none_or(|after| *id > after)));
    }
    ids.sort_unstable();
    ids
}

impl Engine {
    /// A copy of the dialog.
    pub fn view(&self, now: Now, id: DialogId) -> Option<DialogView> {
        self.read(id, |record| view(self, record, now))
    }

    pub fn state(&self, id: DialogId) -> Option<State> {
        self.read(id, |record| record.state)
    }

    /// One field, for `$dlg(...)`. Outer `None`: no such dialog; inner: the field is empty.
    pub fn attribute(&self, id: DialogId, attribute: Attribute) -> Option<Option<AttributeValue>> {
        self.read(id, |record| self.attribute_of(record, attribute))
    }

    /// A walk over all dialogs in the order of their numbers: by slot, in a slot by age. With `after` it begins behind that
    /// dialog, whether it still exists or not. Every dialog that lives during the whole walk is met exactly once.
    pub fn walk(&self, after: Option<DialogId>) -> Walk {
        let group = after.map_or(0, |after| (after.entry >> self.slots_shift) as usize);
        Walk { after, group, ids: Vec::new().into_iter() }
    }

    /// Copies of the next dialogs, at most [`LISTING_PAGE`], made under one short lock; none when the walk is over.
    pub fn next_page(&self, now: Now, walk: &mut Walk) -> Vec<DialogView> {
        loop {
            let page: Vec<DialogId> = walk.ids.by_ref().take(LISTING_PAGE).collect();
            let Some(first) = page.first() else {
                let Some(cell) = self.cells.get(walk.group) else { return Vec::new() };
                walk.group += 1;
                walk.ids = numbers_of(cell, walk.after).into_iter();
                continue;
            };
            // One page lies in one lock group.
            let Some(shard) = self.lock(first.entry) else { return Vec::new() };
            let records = page.iter().filter_map(|id| shard.index_of(*id).and_then(|index| shard.records.get(index)));
            let views: Vec<DialogView> = records.map(|record| view(self, record, now)).collect();
            if !views.is_empty() {
                return views;
            }
        }
    }

    /// Calls `each` with a copy of every dialog, as [`Engine::walk`] meets them. No lock is held during the call. `each`
    /// returns false to stop.
    pub fn for_each(&self, now: Now, mut each: impl FnMut(&DialogView) -> bool) {
        let mut walk = self.walk(None);
        loop {
            let page = self.next_page(now, &mut walk);
            if page.is_empty() || !page.iter().all(&mut each) {
                return;
            }
        }
    }

    /// The dialogs of one slot, oldest first.
    pub fn list_slot(&self, entry: u32) -> Vec<DialogId> {
        let ids = self.cell(entry).map(|cell| numbers_of(cell, None)).unwrap_or_default();
        ids.into_iter().filter(|id| id.entry == entry).collect()
    }

    /// Counts by walking over all records; with `local_only` those with a caller socket.
    pub fn state_counts(&self, local_only: bool) -> StateCounts {
        let mut counts = StateCounts::default();
        self.scan(|record| {
            if local_only && record.socket(Leg::Caller) == NO_SOCKET {
                return;
            }
            match record.state {
                State::Unconfirmed => counts.unconfirmed += 1,
                State::Early => counts.early += 1,
                State::ConfirmedNoAck => counts.confirmed_no_ack += 1,
                State::Confirmed => counts.confirmed += 1,
                State::Deleted => counts.deleted += 1,
            }
        });
        counts
    }

    /// Looks at every record, one lock group at a time.
    pub(super) fn scan(&self, mut look: impl FnMut(&Record)) {
        for cell in &self.cells {
            let shard = cell.shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.records.iter().for_each(&mut look);
        }
    }

    pub(super) fn read<R>(&self, id: DialogId, look: impl FnOnce(&Record) -> R) -> Option<R> {
        let shard = self.lock(id.entry)?;
        let index = shard.index_of(id)?;
        shard.records.get(index).map(look)
    }

    fn attribute_of(&self, record: &Record, attribute: Attribute) -> Option<AttributeValue> {
        let number = |number: u32| Some(AttributeValue::Number(i64::from(number)));
        let text = |text: &[u8]| (!text.is_empty()).then(|| AttributeValue::Text(text.to_vec()));
        match attribute {
            // The reading itself refers to the record, as in the original.
            Attribute::References => number(record.references() + 1),
            Attribute::HashId => number(record.id.id),
            Attribute::HashEntry => number(record.id.entry),
            Attribute::State => number(record.state.number()),
            Attribute::DialogFlags => number(u32::from(record.dialog_flags)),
            Attribute::ScriptFlags => number(record.script_flags),
            Attribute::InternalFlags => number(u32::from(record.internal_flags)),
            Attribute::TimeoutRoute => Some(AttributeValue::Number(i64::from(record.timeout_route))),
            Attribute::TimeoutRouteName => text(record.field(Field::TimeoutRoute)),
            Attribute::Lifetime => number(record.lifetime),
            Attribute::InitTime => number(record.created),
            Attribute::StartTime => number(record.answered),
            Attribute::EndTime => number(record.ended),
            Attribute::CallId => text(record.field(Field::CallId)),
            Attribute::FromUri => text(record.field(Field::FromUri)),
            Attribute::ToUri => text(record.field(Field::ToUri)),
            Attribute::RequestUri => text(record.field(Field::RequestUri)),
            Attribute::Tag(leg) => text(record.tag(leg)),
            Attribute::CSeq(leg) => record.sequence(leg).and_then(|cseq| text(cseq.to_string().as_bytes())),
            Attribute::RouteSet(leg) => text(record.route_set(leg)),
            Attribute::Contact(leg) => text(record.contact(leg)),
            Attribute::EndReason => record.ending.reason.map(|reason| AttributeValue::Text(reason.token().into())),
            Attribute::EndCode => {
                record.ending.reason.filter(|_| record.ending.code > 0).and_then(|_| number(u32::from(record.ending.code)))
            }
            Attribute::EndText => record.ending.reason.and_then(|_| text(record.field(Field::EndText))),
            Attribute::Socket(leg) => text(&self.socket_name(record.socket(leg))),
        }
    }
}
