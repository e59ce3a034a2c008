//! Dialogs in profiles: joining, leaving, asking, listing (spec dialog 4, 6).

use sip::time::Now;

use super::work::Work;
use super::{DialogId, Engine};
use crate::effect::PendingProfile;
use crate::flags::dialog_flag;
use crate::limits::MEMBERSHIPS_MAX;
use crate::profiles::{NO_VALUE, ProfileError, ProfileId, slot_of};
use crate::record::{Field, Membership};
use crate::state::State;

impl Engine {
    /// The dialog joins the profile. Joining twice counts twice, as in Kamailio, unless `profile_join_once` is set.
    pub fn profile_join(&self, now: Now, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<(), ProfileError> {
        self.profile_join_below(now, id, profile, value, None)
    }

    /// Joins only while fewer than `limit` members exist (with that value, if the profile has values); check and join are
    /// one step, so N calls against a limit of K let exactly K pass (invariant P6).
    pub fn profile_join_below(
        &self,
        now: Now,
        id: DialogId,
        profile: ProfileId,
        value: Option<&[u8]>,
        limit: Option<u64>,
    ) -> Result<(), ProfileError> {
        self.step(now, id, |work, index| work.join(index, profile, value, limit)).unwrap_or(Err(ProfileError::UnknownDialog))
    }

    /// Takes back the newest matching membership; says whether there was one.
    pub fn profile_leave(&self, now: Now, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
        let wanted = self.wanted(profile, value)?;
        self.step(now, id, |work, index| work.leave(index, profile, wanted)).ok_or(ProfileError::UnknownDialog)
    }

    /// Is the dialog a member (with that value, if the profile has values)?
    pub fn profile_has(&self, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> Result<bool, ProfileError> {
        let Some(wanted) = self.wanted(profile, value)? else {
            return Ok(false);
        };
        let has =
            self.read(id, |record| record.memberships().any(|membership| membership.profile == profile.0 && membership.value == wanted));
        has.ok_or(ProfileError::UnknownDialog)
    }

    /// The members in listing order: slots 0 to 15, in each the order of joining; a dialog that joined twice comes twice.
    /// Walks over all dialogs.
    pub fn profile_members(&self, profile: ProfileId, value: Option<&[u8]>) -> Vec<DialogId> {
        let value = value.filter(|_| self.profiles.has_value(profile) == Some(true));
        let wanted = match value.map(|value| self.profiles.value_number(profile, value)) {
            Some(None) => return Vec::new(),
            Some(Some(number)) => Some(number),
            None => None,
        };
        let mut members: Vec<(u32, u64, DialogId)> = Vec::new();
        self.scan(|record| {
            for membership in record.memberships().filter(|membership| membership.profile == profile.0) {
                if wanted.is_some_and(|wanted| wanted != membership.value) {
                    continue;
                }
                let slot = if membership.value == NO_VALUE {
                    slot_of(record.field(Field::CallId))
                } else {
                    membership.value % crate::profiles::PROFILE_SLOTS
                };
                members.push((slot, membership.serial, record.id));
            }
        });
        members.sort_unstable();
        members.into_iter().map(|(_, _, id)| id).collect()
    }

    /// The value number a membership must have; `None` when nobody has it.
    fn wanted(&self, profile: ProfileId, value: Option<&[u8]>) -> Result<Option<u32>, ProfileError> {
        match (self.profiles.has_value(profile), value) {
            (None, _) => Err(ProfileError::UnknownProfile),
            (Some(false), _) => Ok(Some(NO_VALUE)),
            (Some(true), None | Some([])) => Err(ProfileError::ValueMissing),
            (Some(true), Some(value)) => Ok(self.profiles.value_number(profile, value)),
        }
    }
}

impl Work<'_> {
    /// Memberships asked for before the dialog existed are joined in reverse order; impossible ones are passed over.
    pub(super) fn join_pending(&mut self, index: u32, pending: &[PendingProfile<'_>]) {
        for one in pending.iter().rev() {
            let _ = self.join(index, one.profile, one.value, None);
        }
    }

    fn join(&mut self, index: u32, profile: ProfileId, value: Option<&[u8]>, limit: Option<u64>) -> Result<(), ProfileError> {
        let profiles = &self.engine.profiles;
        let record = self.shard.records.get_mut(index).ok_or(ProfileError::UnknownDialog)?;
        if record.state == State::Deleted || record.membership_count() >= MEMBERSHIPS_MAX {
            return Err(ProfileError::Refused);
        }
        let number = profiles.join(profile, value, limit)?;
        let mut list: Vec<Membership> = record.memberships().collect();
        if self.engine.settings.profile_join_once
            && list.iter().any(|membership| membership.profile == profile.0 && membership.value == number)
        {
            profiles.leave(profile, number);
            return Ok(());
        }
        list.insert(0, Membership { profile: profile.0, value: number, serial: profiles.next_serial() });
        record.set_memberships(&list);
        record.dialog_flags |= dialog_flag::CHANGED_PROFILES;
        Ok(())
    }

    fn leave(&mut self, index: u32, profile: ProfileId, wanted: Option<u32>) -> bool {
        let Some(wanted) = wanted else { return false };
        let Some(record) = self.shard.records.get_mut(index) else {
            return false;
        };
        let mut list: Vec<Membership> = record.memberships().collect();
        let Some(place) = list.iter().position(|membership| membership.profile == profile.0 && membership.value == wanted) else {
            return false;
        };
        list.remove(place);
        record.set_memberships(&list);
        record.dialog_flags |= dialog_flag::CHANGED_PROFILES;
        self.engine.profiles.leave(profile, wanted);
        true
    }
}
