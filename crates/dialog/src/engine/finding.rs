//! Finding the dialog of a message: by number, by identifiers, by the cookie (spec dialog 1.6, 1.7).

use super::{DialogId, Engine};
use crate::hash;
use crate::leg::Direction;
use crate::matching::{CookieMatch, Identity, MatchTrouble, Tags, direction};
use crate::record::Field;
use crate::settings::MatchMode;

impl Engine {
    /// Does the dialog exist, in any state?
    pub fn contains(&self, id: DialogId) -> bool {
        self.lock(id.entry).is_some_and(|shard| shard.index_of(id).is_some())
    }

    /// The dialog with these identifiers (spec dialog 1.6) and which way the message travels in it. `Direction::None`
    /// accepts both ways.
    pub fn find_by_identifiers(
        &self,
        call_id: &[u8],
        from_tag: &[u8],
        to_tag: &[u8],
        direction: Direction,
    ) -> Option<(DialogId, Direction)> {
        let shard = self.lock(hash::slot(call_id, self.settings.hash_size))?;
        let (index, direction) = shard.search(call_id, Tags { from: from_tag, to: to_tag }, direction).found?;
        shard.records.get(index).map(|record| (record.id, direction))
    }

    /// All dialogs with this Call-ID, oldest first.
    pub fn of_call_id(&self, call_id: &[u8]) -> Vec<DialogId> {
        let shard = self.lock(hash::slot(call_id, self.settings.hash_size));
        shard.map(|shard| shard.of_call_id(call_id)).unwrap_or_default()
    }

    /// Matches a request within a dialog after its Route was removed (spec dialog 1.7, steps 3 to 5). `cookie` is the value
    /// of the cookie parameter. A malformed cookie falls back to the identifiers in mode 1 (F4).
    pub fn match_request(&self, mode: MatchMode, cookie: Option<&[u8]>, call_id: &[u8], from_tag: &[u8], to_tag: &[u8]) -> CookieMatch {
        let by_identifiers = || self.find_by_identifiers(call_id, from_tag, to_tag, Direction::None);
        if mode == MatchMode::IdentifiersOnly || (self.settings.finds_moved && self.is_of_other_size(cookie, call_id)) {
            return CookieMatch { found: by_identifiers(), trouble: None };
        }
        match self.match_cookie(cookie, call_id, Tags { from: from_tag, to: to_tag }) {
            Ok(found) => CookieMatch { found: Some(found), trouble: None },
            Err(trouble) => {
                let found = if mode == MatchMode::CookieThenIdentifiers { by_identifiers() } else { None };
                CookieMatch { found, trouble: Some(trouble) }
            }
        }
    }

    /// Does the cookie name a slot where this Call-ID cannot be?
    fn is_of_other_size(&self, cookie: Option<&[u8]>, call_id: &[u8]) -> bool {
        cookie.and_then(crate::cookie::read).is_some_and(|id| id.entry != self.slot_of(call_id))
    }

    fn match_cookie(&self, cookie: Option<&[u8]>, call_id: &[u8], tags: Tags<'_>) -> Result<(DialogId, Direction), MatchTrouble> {
        let cookie = cookie.ok_or(MatchTrouble::NoCookie)?;
        let id = crate::cookie::read(cookie).ok_or(MatchTrouble::MalformedCookie)?;
        let shard = self.lock(id.entry).ok_or(MatchTrouble::UnknownCookie(id))?;
        let record = shard.index_of(id).and_then(|index| shard.records.get(index)).ok_or(MatchTrouble::UnknownCookie(id))?;
        let identity =
            Identity { caller_tag: record.field(Field::CallerTag), callee_tag: record.field(Field::CalleeTag), state: record.state };
        let same_call = record.field(Field::CallId) == call_id;
        let way = direction(identity, tags, Direction::None).filter(|_| same_call);
        way.map(|way| (id, way)).ok_or(MatchTrouble::OtherIdentifiers(id))
    }

    /// The slot a Call-ID belongs to in this engine.
    pub fn slot_of(&self, call_id: &[u8]) -> u32 {
        hash::slot(call_id, self.settings.hash_size)
    }

    /// The dialog with these numbers, in any state (`dlg_set_timeout` with numbers, `dlg.end_dlg`).
    pub fn find(&self, entry: u32, id: u32) -> Option<DialogId> {
        let id = DialogId { entry, id };
        (id.id != 0 && self.contains(id)).then_some(id)
    }
}
