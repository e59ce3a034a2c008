//! What operators ask of profiles: the limits in use and the fullest values.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;

use super::slot::Listed;
use super::{Profile, ProfileId, Profiles, slot_of};
use crate::limits::PROFILE_TOP_MAX;

/// A limit as it was last used, with the counts of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitView {
    /// Empty for a profile without values.
    pub value: Vec<u8>,
    pub members: u32,
    pub places: u32,
    pub headroom: u32,
    /// Members in the headroom.
    pub priority: u32,
    /// Most members since the limit was first used, or since the counts were reset.
    pub peak: u32,
    /// Refusals since then.
    pub refused: u64,
}

impl Profiles {
    /// The limits used in a profile, or on one value of it, ordered by value; at most `most` of those met first.
    pub fn limits(&self, id: ProfileId, value: Option<&[u8]>, most: usize) -> Vec<LimitView> {
        let mut limits = Vec::new();
        self.each_value(id, value, |listed| {
            if let Some(limited) = listed.limited.filter(|_| limits.len() < most) {
                limits.push(LimitView {
                    value: listed.text.to_vec(),
                    members: listed.members,
                    places: limited.places,
                    headroom: limited.headroom,
                    priority: limited.priority,
                    peak: limited.peak,
                    refused: limited.refused,
                });
            }
        });
        limits.sort_unstable_by(|one, other| one.value.cmp(&other.value));
        limits
    }

    /// Begins peaks and refusals anew; gives how many limits that are.
    pub fn reset_limits(&self, id: ProfileId, value: Option<&[u8]>) -> usize {
        let mut reset = 0;
        self.each_value(id, value, |listed| {
            if let Some(limited) = listed.limited {
                limited.peak = listed.members;
                limited.refused = 0;
                reset += 1;
            }
        });
        reset
    }

    /// The values with most members, those first, equal ones by their text; at most `most` and [`PROFILE_TOP_MAX`].
    pub fn top(&self, id: ProfileId, most: usize) -> Vec<(Vec<u8>, u32)> {
        let most = most.min(PROFILE_TOP_MAX);
        let mut best: BinaryHeap<Reverse<(u32, Reverse<Vec<u8>>)>> = BinaryHeap::with_capacity(most + 1);
        self.each_value(id, None, |listed| {
            let worst = best.peek().filter(|_| best.len() >= most);
            let is_better = worst.is_none_or(|Reverse((members, Reverse(text)))| {
                listed.members > *members || (listed.members == *members && listed.text < &text[..])
            });
            if listed.members > 0 && is_better && most > 0 {
                best.push(Reverse((listed.members, Reverse(listed.text.to_vec()))));
                if best.len() > most {
                    best.pop();
                }
            }
        });
        best.into_sorted_vec().into_iter().map(|Reverse((members, Reverse(text)))| (text, members)).collect()
    }

    /// Looks at every value in use or at one, a page of them under one lock. Values that come or go meanwhile may be missed.
    fn each_value(&self, id: ProfileId, value: Option<&[u8]>, mut look: impl FnMut(Listed<'_>)) {
        let Some(profile) = self.profile(id) else {
            return;
        };
        match value.filter(|_| profile.has_value) {
            Some(value) => {
                let slot = profile.slot(slot_of(value));
                if let Some(mut slot) = slot
                    && let Some(number) = slot.find(&self.hasher, value)
                {
                    slot.look_at(number, &mut look);
                }
            }
            None => profile.each_page(&mut look),
        }
    }
}

impl Profile {
    fn each_page(&self, look: &mut impl FnMut(Listed<'_>)) {
        for slot in &self.slots {
            let mut from = Some(0);
            while let Some(number) = from {
                from = slot.lock().unwrap_or_else(PoisonError::into_inner).page(number, look);
            }
        }
    }
}
