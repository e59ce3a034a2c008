//! One dialog in memory: a fixed part and one block of bytes that holds every text, membership and variable.

use sip::time::Date;

use crate::end_reason::Ending;
use crate::engine::DialogId;
use crate::flags::{dialog_flag, internal_flag, mark};
use crate::history::{History, Moment, PastMoment};
use crate::leg::Leg;
use crate::limits::FIELDS_BYTES_MAX;
use crate::profiles::Place;
use crate::state::{Facts, State};
use crate::statistics::Mark;
use crate::wheel::Link;

/// The texts of a dialog, in the order in which they lie in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    CallId,
    FromUri,
    ToUri,
    RequestUri,
    CallerTag,
    CalleeTag,
    CallerContact,
    CalleeContact,
    CallerRouteSet,
    CalleeRouteSet,
    TimeoutRoute,
    /// The Reason text of what ends the call.
    EndText,
    /// To-tags of the early dialogs that the caller hung up, joined by commas.
    EarlyByes,
}

const FIELDS: usize = 13;
/// A local socket that is not known.
pub(crate) const NO_SOCKET: u16 = u16::MAX;
/// Bytes of one membership in the block: profile, value, serial.
pub(crate) const MEMBERSHIP_BYTES: usize = 14;

/// The texts would need more than [`FIELDS_BYTES_MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// One membership of a profile (spec dialog 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) profile: u16,
    /// The interned value, see `profiles`.
    pub(crate) value: u32,
    /// Unique in this engine; also the order of joining. Below [`PRIORITY_PLACE`].
    pub(crate) serial: u64,
    pub(crate) place: Place,
}

/// The bit of a stored serial that tells the place.
const PRIORITY_PLACE: u64 = 1 << 63;

impl Membership {
    /// Its [`MEMBERSHIP_BYTES`] in the block.
    fn write(&self, block: &mut Vec<u8>) {
        let place = if self.place == Place::Priority { PRIORITY_PLACE } else { 0 };
        block.extend_from_slice(&self.profile.to_le_bytes());
        block.extend_from_slice(&self.value.to_le_bytes());
        block.extend_from_slice(&(self.serial | place).to_le_bytes());
    }
}

/// The record. Times of the wall clock are unix seconds, as RPC and the database show them.
#[derive(Debug)]
pub(crate) struct Record {
    /// Texts, then memberships (newest first), then variables (newest first).
    block: Box<[u8]>,
    /// Where each text ends.
    ends: [u16; FIELDS],
    memberships: u16,
    /// Bytes behind the texts that mean nothing any more: memberships that were left at the end of the call.
    left: u16,
    pub(crate) id: DialogId,
    /// Order of creation within the lock group.
    pub(crate) serial: u32,
    pub(crate) timer: Link,
    /// Monotonic milliseconds: end of the lifetime in states 3 and 4.
    pub(crate) deadline: u64,
    pub(crate) created: u32,
    pub(crate) answered: u32,
    pub(crate) ended: u32,
    pub(crate) modified: u32,
    pub(crate) lifetime: u32,
    pub(crate) sequence: [u32; 2],
    pub(crate) script_flags: u32,
    pub(crate) timeout_route: i32,
    pub(crate) dialog_flags: u16,
    pub(crate) marks: u16,
    /// Transactions and running steps that keep the record.
    pub(crate) holds: u16,
    pub(crate) sockets: [u16; 2],
    pub(crate) internal_flags: u8,
    pub(crate) route_entries: u8,
    pub(crate) state: State,
    pub(crate) counted: Mark,
    /// Milliseconds of the second in `created`.
    pub(crate) created_milliseconds: u16,
    pub(crate) ending: Ending,
    pub(crate) history: History,
}

impl Record {
    /// A record without texts, in state 1.
    pub(crate) fn empty() -> Record {
        Record {
            block: Box::default(),
            ends: [0; FIELDS],
            memberships: 0,
            left: 0,
            id: DialogId { entry: 0, id: 0 },
            serial: 0,
            timer: Link::UNARMED,
            deadline: 0,
            created: 0,
            answered: 0,
            ended: 0,
            modified: 0,
            lifetime: 0,
            sequence: [0; 2],
            script_flags: 0,
            timeout_route: 0,
            dialog_flags: 0,
            marks: mark::LINKED,
            holds: 0,
            sockets: [NO_SOCKET; 2],
            internal_flags: 0,
            route_entries: 0,
            state: State::Unconfirmed,
            counted: Mark::None,
            created_milliseconds: 0,
            ending: Ending::default(),
            history: History::beginning_with(Moment::Created),
        }
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        let number = field as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(number).copied().unwrap_or(start);
        self.block.get(usize::from(start)..usize::from(end)).unwrap_or_default()
    }

    /// Replaces some texts in one rebuild of the block; on error nothing changes.
    pub(crate) fn set_fields(&mut self, changes: &[(Field, &[u8])]) -> Result<(), TooLarge> {
        const ALL: [Field; FIELDS] = [
            Field::CallId,
            Field::FromUri,
            Field::ToUri,
            Field::RequestUri,
            Field::CallerTag,
            Field::CalleeTag,
            Field::CallerContact,
            Field::CalleeContact,
            Field::CallerRouteSet,
            Field::CalleeRouteSet,
            Field::TimeoutRoute,
            Field::EndText,
            Field::EarlyByes,
        ];
        let chosen = |field: Field| {
            let change = changes.iter().find(|(changed, _)| *changed == field);
            change.map_or_else(|| self.field(field), |(_, text)| *text)
        };
        let texts = ALL.map(chosen);
        let length: usize = texts.iter().map(|text| text.len()).sum();
        if length > FIELDS_BYTES_MAX {
            return Err(TooLarge);
        }
        let tail = self.tail();
        let mut block = Vec::with_capacity(length + tail.len());
        let mut ends = [0u16; FIELDS];
        for (text, end) in texts.iter().zip(&mut ends) {
            block.extend_from_slice(text);
            *end = u16::try_from(block.len()).map_err(|_| TooLarge)?;
        }
        block.extend_from_slice(tail);
        self.block = block.into_boxed_slice();
        self.ends = ends;
        self.left = 0;
        Ok(())
    }

    fn tail_start(&self) -> usize {
        self.ends.last().copied().map_or(0, usize::from) + usize::from(self.left)
    }

    fn tail(&self) -> &[u8] {
        self.block.get(self.tail_start()..).unwrap_or_default()
    }

    fn memberships_end(&self) -> usize {
        usize::from(self.memberships) * MEMBERSHIP_BYTES
    }

    /// Variables as they are stored, see `variables`.
    pub(crate) fn variables(&self) -> &[u8] {
        self.tail().get(self.memberships_end()..).unwrap_or_default()
    }

    pub(crate) fn set_variables(&mut self, variables: &[u8]) {
        let keep = self.tail_start() + self.memberships_end();
        let mut block = Vec::with_capacity(keep + variables.len());
        block.extend_from_slice(self.block.get(..keep).unwrap_or_default());
        block.extend_from_slice(variables);
        self.block = block.into_boxed_slice();
    }

    /// Memberships, newest first.
    pub(crate) fn memberships(&self) -> impl Iterator<Item = Membership> + '_ {
        self.tail().get(..self.memberships_end()).unwrap_or_default().chunks_exact(MEMBERSHIP_BYTES).map(|bytes| {
            let number = |from: usize, to: usize| {
                bytes.get(from..to).unwrap_or_default().iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
            };
            let serial = number(6, 14);
            let place = if serial & PRIORITY_PLACE == 0 { Place::Ordinary } else { Place::Priority };
            Membership { profile: number(0, 2) as u16, value: number(2, 6) as u32, serial: serial & !PRIORITY_PLACE, place }
        })
    }

    pub(crate) fn membership_count(&self) -> usize {
        usize::from(self.memberships)
    }

    pub(crate) fn set_memberships(&mut self, list: &[Membership]) {
        let start = self.tail_start();
        let variables = self.variables();
        let mut block = Vec::with_capacity(start + list.len() * MEMBERSHIP_BYTES + variables.len());
        block.extend_from_slice(self.block.get(..start).unwrap_or_default());
        for membership in list {
            membership.write(&mut block);
        }
        block.extend_from_slice(variables);
        self.memberships = u16::try_from(list.len()).unwrap_or(u16::MAX);
        self.block = block.into_boxed_slice();
    }

    /// Takes all memberships out where they lie: at the end of a call its block is not built anew.
    pub(crate) fn leave_memberships(&mut self) {
        match u16::try_from(usize::from(self.left) + self.memberships_end()) {
            Ok(left) => (self.left, self.memberships) = (left, 0),
            Err(_) => self.set_memberships(&[]),
        }
    }

    /// Adds a membership in front.
    pub(crate) fn add_membership(&mut self, membership: Membership) {
        let (head, tail) = self.block.split_at_checked(self.tail_start()).unwrap_or_default();
        let mut block = Vec::with_capacity(self.block.len() + MEMBERSHIP_BYTES);
        block.extend_from_slice(head);
        membership.write(&mut block);
        block.extend_from_slice(tail);
        self.memberships = self.memberships.saturating_add(1);
        self.block = block.into_boxed_slice();
    }

    /// Takes the membership at this place out.
    pub(crate) fn remove_membership(&mut self, place: usize) {
        if place >= self.membership_count() {
            return;
        }
        let start = self.tail_start() + place * MEMBERSHIP_BYTES;
        let mut block = Vec::with_capacity(self.block.len().saturating_sub(MEMBERSHIP_BYTES));
        block.extend_from_slice(self.block.get(..start).unwrap_or_default());
        block.extend_from_slice(self.block.get(start + MEMBERSHIP_BYTES..).unwrap_or_default());
        self.memberships = self.memberships.saturating_sub(1);
        self.block = block.into_boxed_slice();
    }

    pub(crate) fn tag(&self, leg: Leg) -> &[u8] {
        self.field(match leg {
            Leg::Caller => Field::CallerTag,
            Leg::Callee => Field::CalleeTag,
        })
    }

    pub(crate) fn contact(&self, leg: Leg) -> &[u8] {
        self.field(match leg {
            Leg::Caller => Field::CallerContact,
            Leg::Callee => Field::CalleeContact,
        })
    }

    pub(crate) fn route_set(&self, leg: Leg) -> &[u8] {
        self.field(match leg {
            Leg::Caller => Field::CallerRouteSet,
            Leg::Callee => Field::CalleeRouteSet,
        })
    }

    /// The last CSeq seen from the leg; the callee's is unknown before the 2xx.
    pub(crate) fn sequence(&self, leg: Leg) -> Option<u32> {
        match leg {
            Leg::Caller => Some(self.sequence[0]),
            Leg::Callee => self.is_marked(mark::CALLEE_CSEQ).then_some(self.sequence[1]),
        }
    }

    pub(crate) fn socket(&self, leg: Leg) -> u16 {
        match leg {
            Leg::Caller => self.sockets[0],
            Leg::Callee => self.sockets[1],
        }
    }

    pub(crate) fn is_marked(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }

    pub(crate) fn set_mark(&mut self, mark: u16, on: bool) {
        if on {
            self.marks |= mark;
        } else {
            self.marks &= !mark;
        }
    }

    pub(crate) fn has_flag(&self, flag: u16) -> bool {
        self.dialog_flags & flag != 0
    }

    pub(crate) fn has_internal(&self, flag: u8) -> bool {
        self.internal_flags & flag != 0
    }

    /// What the transition table asks about this record.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            bye_seen: self.has_flag(dialog_flag::HAS_BYE),
            ended_by_peer: self.has_flag(dialog_flag::DELETED_BY_PEER),
            replicated: self.has_internal(internal_flag::REPLICATED) && !self.has_flag(dialog_flag::TRANSACTION),
        }
    }

    /// The reference count Kamailio would show: the table, the running lifetime, the transactions (spec dialog 2.10).
    pub(crate) fn references(&self) -> u32 {
        u32::from(self.is_marked(mark::LINKED)) + u32::from(self.is_marked(mark::LIFETIME)) + u32::from(self.holds)
    }

    /// Nothing refers to the record any more.
    pub(crate) fn is_free(&self) -> bool {
        self.references() == 0
    }

    /// Adds a moment to the history.
    pub(crate) fn remember(&mut self, now: Date, moment: Moment) {
        let after = now.0.saturating_sub(self.began().0);
        self.history.remember(u32::try_from(after).unwrap_or(u32::MAX), moment);
    }

    /// The history in order.
    pub(crate) fn moments(&self) -> Vec<PastMoment> {
        self.history.moments(self.began())
    }

    fn began(&self) -> Date {
        Date(u64::from(self.created) * 1000 + u64::from(self.created_milliseconds))
    }

    /// Sets the moment from which the history counts.
    pub(crate) fn begin_at(&mut self, now: Date) {
        self.created = u32::try_from(now.seconds()).unwrap_or(u32::MAX);
        self.created_milliseconds = u16::try_from(now.0 % 1000).unwrap_or(0);
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Record>() + self.block.len()
    }

    /// Bytes outside the fixed part.
    #[cfg(test)]
    pub(crate) fn block_bytes(&self) -> usize {
        self.block.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_stays_small() {
        assert!(std::mem::size_of::<Option<Record>>() <= 184, "{}", std::mem::size_of::<Option<Record>>());
        assert_eq!(std::mem::size_of::<Option<Record>>(), std::mem::size_of::<Record>());
    }

    #[test]
    fn texts_memberships_and_variables_do_not_disturb_each_other() {
        let mut record = Record::empty();
        record.set_fields(&[(Field::CallId, b"a@b"), (Field::CallerTag, b"t1"), (Field::CallerContact, b"sip:c@d")]).unwrap();
        record.set_variables(b"variables");
        let first = Membership { profile: 7, value: 0x0102_0304, serial: 0x1122_3344_5566_7788, place: Place::Ordinary };
        let second = Membership { profile: 65_535, value: u32::MAX, serial: 1, place: Place::Priority };
        record.set_memberships(&[first, second]);
        record.set_fields(&[(Field::CalleeTag, b"t2"), (Field::CallerContact, b"")]).unwrap();
        assert_eq!(record.field(Field::CallId), b"a@b");
        assert_eq!((record.tag(Leg::Caller), record.tag(Leg::Callee)), (&b"t1"[..], &b"t2"[..]));
        assert_eq!(record.contact(Leg::Caller), b"");
        assert_eq!(record.memberships().collect::<Vec<_>>(), [first, second]);
        assert_eq!(record.variables(), b"variables");
        let third = Membership { profile: 9, value: 3, serial: 5, place: Place::Ordinary };
        record.add_membership(third);
        assert_eq!(record.memberships().collect::<Vec<_>>(), [third, first, second]);
        for (place, left) in [(3, 3), (1, 2), (1, 1)] {
            record.remove_membership(place);
            assert_eq!((record.membership_count(), record.variables()), (left, &b"variables"[..]));
        }
        assert_eq!(record.memberships().collect::<Vec<_>>(), [third]);
        record.set_memberships(&[]);
        assert_eq!((record.membership_count(), record.variables()), (0, &b"variables"[..]));
        assert_eq!(record.block_bytes(), 3 + 4 + 9);
    }

    #[test]
    fn memberships_that_are_left_disturb_nothing_that_comes_later() {
        let mut record = Record::empty();
        record.set_fields(&[(Field::CallId, b"a@b")]).unwrap();
        record.set_variables(b"variables");
        let membership = |serial| Membership { profile: 1, value: 2, serial, place: Place::Ordinary };
        record.set_memberships(&[membership(1), membership(2)]);
        let block = record.block.as_ptr();
        record.leave_memberships();
        assert_eq!((record.membership_count(), record.memberships().count(), record.variables()), (0, 0, &b"variables"[..]));
        assert_eq!(record.block.as_ptr(), block, "nothing is built anew");
        record.add_membership(membership(3));
        record.add_membership(membership(4));
        record.set_variables(b"others");
        record.remove_membership(0);
        assert_eq!(record.memberships().collect::<Vec<_>>(), [membership(3)]);
        record.leave_memberships();
        record.set_memberships(&[membership(5)]);
        record.set_fields(&[(Field::CalleeTag, b"t")]).unwrap();
        assert_eq!(record.memberships().collect::<Vec<_>>(), [membership(5)]);
        assert_eq!((record.field(Field::CallId), record.tag(Leg::Callee), record.variables()), (&b"a@b"[..], &b"t"[..], &b"others"[..]));
        assert_eq!(record.block_bytes(), 3 + 1 + MEMBERSHIP_BYTES + 6);
    }

    #[test]
    fn texts_beyond_the_bound_change_nothing() {
        let mut record = Record::empty();
        record.set_fields(&[(Field::CallId, b"a@b")]).unwrap();
        let long = vec![b'x'; FIELDS_BYTES_MAX];
        assert_eq!(record.set_fields(&[(Field::CalleeContact, &long)]), Err(TooLarge));
        assert_eq!((record.field(Field::CallId), record.contact(Leg::Callee)), (&b"a@b"[..], &b""[..]));
    }
}
