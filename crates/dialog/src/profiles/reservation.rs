//! A place in a profile that is taken before its dialog exists.

use std::sync::Arc;

use super::admission::Limit;
use super::slot::Account;
use super::{ProfileError, ProfileId, Profiles, Seat, parts};

/// A place that is counted already. It becomes a membership by `Engine::profile_adopt`; dropped before that, it is free again.
pub struct Reservation {
    profiles: Arc<Profiles>,
    profile: ProfileId,
    seat: Option<Seat>,
}

impl Reservation {
    /// Is it a place for this profile and value?
    pub fn is_for(&self, profile: ProfileId, value: Option<&[u8]>) -> bool {
        let number = self.profiles.value_number(profile, value);
        self.profile == profile && self.seat.is_some_and(|seat| number == Ok(Some(seat.value)))
    }

    pub fn profile(&self) -> ProfileId {
        self.profile
    }

    /// The seat, for the record that takes it over.
    pub(crate) fn take(mut self, audited: u32) -> Option<Seat> {
        let seat = self.seat.take()?;
        let (slot, number) = parts(seat.value);
        if let Some(mut slot) = self.profiles.profile(self.profile).and_then(|profile| profile.slot(slot)) {
            slot.adopt(number, audited);
        }
        Some(seat)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.profiles.give_up(self.profile, seat, Account::Reserved);
        }
    }
}

impl std::fmt::Debug for Reservation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reservation").field("profile", &self.profile).field("seat", &self.seat).finish_non_exhaustive()
    }
}

impl Profiles {
    /// Takes a place for a dialog to come, if the limit has one.
    pub fn reserve(self: &Arc<Self>, profile: ProfileId, value: Option<&[u8]>, limit: Limit) -> Result<Reservation, ProfileError> {
        let seat = self.take_seat(profile, value, Some(limit), Account::Reserved)?;
        Ok(Reservation { profiles: Arc::clone(self), profile, seat: Some(seat) })
    }
}
