//! Dialogs in profiles: joining, with and without a limit, leaving, asking, listing (spec dialog 4, 6).

use std::sync::Arc;

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::PendingProfile;
use crate::flags::dialog_flag;
use crate::limits::MEMBERSHIPS_MAX;
use crate::profiles::{Limit, NO_VALUE, PROFILE_SLOTS, Place, ProfileError, ProfileId, Profiles, Reservation, slot_of};
use crate::record::{Field, Membership, Record};
use crate::state::State;

impl Engine {
    /// The dialog joins the profile. Joining twice counts twice, as in Kamailio, unless `profile_join_once` is set.
    pub fn profile_join(&self, now: Now, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<(), ProfileError> {
        let is_once = self.settings.profile_join_once;
        self.step(now, id, |work, index| work.join(index, profile, value, None, is_once)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// Joins only if the limit has a place; check and join are one step, so N calls against K places let exactly K pass
    /// (invariant P6). A dialog that is a member already stays one, and is not counted again.
    pub fn profile_acquire(
        &self,
        now: Now,
        id: DialogId,
        profile: ProfileId,
        value: Option<&[u8]>,
        limit: Limit,
    ) -> Result<(), ProfileError> {
        self.step(now, id, |work, index| work.join(index, profile, value, Some(limit), true)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// Takes a place for a dialog that is not made yet, see [`Engine::profile_adopt`].
    pub fn profile_reserve(&self, profile: ProfileId, value: Option<&[u8]>, limit: Limit) -> Result<Reservation, ProfileError> {
        Profiles::reserve(&self.profiles, profile, value, limit)
    }

    /// A place that was taken before becomes a membership of the dialog. If the dialog cannot take it, it is free again.
    pub fn profile_adopt(&self, now: Now, id: DialogId, reservation: Reservation) -> Result<(), ProfileError> {
        self.step(now, id, |work, index| work.adopt(index, reservation)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// Takes back the newest matching membership; says whether there was one.
    pub fn profile_leave(&self, now: Now, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
        self.step(now, id, |work, index| work.leave(index, profile, value)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// Is the dialog a member (with that value, if the profile has values)?
    pub fn profile_has(&self, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
        self.read(id, |record| is_member(&self.profiles, record, profile, value)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// The members in listing order: slots 0 to 15, in each the order of joining; a dialog that joined twice comes twice.
    /// Remote members are not dialogs here and left out. Walks over all dialogs.
    pub fn profile_members(&self, profile: ProfileId, value: Option<&[u8]>) -> Vec<DialogId> {
        let value = value.filter(|_| self.profiles.has_value(profile) == Some(true));
        if value.is_some_and(|_| !matches!(self.profiles.value_number(profile, value), Ok(Some(_)))) {
            return Vec::new();
        }
        let mut members: Vec<(u32, u64, DialogId)> = Vec::new();
        self.scan(|record| {
            // The number of a value may change between two records, never while one of them that has the value is looked at.
            let mut wanted = None;
            for membership in record.memberships().filter(|membership| membership.profile == profile.0) {
                if value.is_some() {
                    let number = *wanted.get_or_insert_with(|| self.profiles.value_number(profile, value));
                    if number != Ok(Some(membership.value)) {
                        continue;
                    }
                }
                let slot = match membership.value {
                    NO_VALUE => slot_of(record.field(Field::CallId)),
                    number => number % PROFILE_SLOTS,
                };
                members.push((slot, membership.serial, record.id));
            }
        });
        members.sort_unstable();
        members.into_iter().map(|(_, _, id)| id).collect()
    }
}

/// The value's number is looked up under the lock of the record: while a record has a value, its number stays.
fn is_member(profiles: &Arc<Profiles>, record: &Record, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
    let wanted = profiles.value_number(profile, value)?;
    Ok(wanted.is_some_and(|wanted| position(record, profile, wanted).is_some()))
}

/// Where the newest membership with this value number stands.
fn position(record: &Record, profile: ProfileId, value: u32) -> Option<usize> {
    record.memberships().position(|membership| membership.profile == profile.0 && membership.value == value)
}

impl Work<'_> {
    /// Memberships asked for before the dialog existed are joined in reverse order; impossible ones are passed over.
    pub(super) fn join_pending(&mut self, index: u32, pending: &[PendingProfile<'_>]) {
        for one in pending.iter().rev() {
            let limit = (one.place == Place::Priority).then_some(Limit::PRIORITY_BACK);
            let _ = self.join(index, one.profile, one.value, limit, self.engine.settings.profile_join_once);
        }
    }

    /// With `is_once`, a member stays what it is.
    fn join(
        &mut self,
        index: u32,
        profile: ProfileId,
        value: Option<&[u8]>,
        limit: Option<Limit>,
        is_once: bool,
    ) -> Result<(), ProfileError> {
        let profiles = &self.engine.profiles;
        let record = self.shard.records.get(index).ok_or(ProfileError::UnknownDialog)?;
        if record.state == State::Deleted {
            return Err(ProfileError::Refused);
        }
        // Asked before, not given back after: a place taken for a moment could refuse somebody else.
        if is_once && record.membership_count() > 0 && is_member(profiles, record, profile, value)? {
            return Ok(());
        }
        if record.membership_count() >= MEMBERSHIPS_MAX {
            return Err(ProfileError::Refused);
        }
        let seat = profiles.join(profile, value, limit, self.shard.audited)?;
        let serial = profiles.next_serial();
        self.add(index, Membership { profile: profile.0, value: seat.value, serial, place: seat.place });
        Ok(())
    }

    fn adopt(&mut self, index: u32, reservation: Reservation) -> Result<(), ProfileError> {
        let record = self.shard.records.get(index).ok_or(ProfileError::UnknownDialog)?;
        if record.state == State::Deleted || record.membership_count() >= MEMBERSHIPS_MAX {
            return Err(ProfileError::Refused);
        }
        let profile = reservation.profile();
        let seat = reservation.take(self.shard.audited).ok_or(ProfileError::Refused)?;
        let serial = self.engine.profiles.next_serial();
        self.add(index, Membership { profile: profile.0, value: seat.value, serial, place: seat.place });
        Ok(())
    }

    fn add(&mut self, index: u32, membership: Membership) {
        if let Some(record) = self.shard.records.get_mut(index) {
            record.add_membership(membership);
            record.dialog_flags |= dialog_flag::CHANGED_PROFILES;
        }
    }

    fn leave(&mut self, index: u32, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
        let wanted = self.engine.profiles.value_number(profile, value)?;
        let record = self.shard.records.get_mut(index).ok_or(ProfileError::UnknownDialog)?;
        let found = wanted.and_then(|wanted| position(record, profile, wanted));
        let Some((place, membership)) = found.and_then(|place| Some((place, record.memberships().nth(place)?))) else {
            return Ok(false);
        };
        record.remove_membership(place);
        record.dialog_flags |= dialog_flag::CHANGED_PROFILES;
        self.engine.profiles.leave(&membership, self.shard.audited);
        Ok(true)
    }
}
