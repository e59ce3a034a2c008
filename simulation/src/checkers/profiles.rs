//! P1, P2, P6: profile sizes equal a recount, ended dialogs are in none, a limit checked and set in one step holds.

use dialog::State;

use super::{Checker, Promises, Sight, Snapshot, Verdicts};

/// The family P at one proxy.
pub struct Profiles {
    proxy: usize,
    promises: Promises,
}

impl Profiles {
    /// A checker that has seen nothing.
    pub fn new(proxy: usize, promises: Promises) -> Profiles {
        Profiles { proxy, promises }
    }
}

impl Checker for Profiles {
    fn see(&mut self, _: u64, _: &Sight<'_>, _: &mut Verdicts) {}

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for profile in &snapshot.profiles {
            let members = snapshot.dialogs.iter().filter(|dialog| dialog.state != State::Deleted).flat_map(|dialog| &dialog.profiles);
            let counted = members
                .filter(|member| *member.name == *profile.name && (profile.value.is_none() || member.value == profile.value))
                .count() as u64;
            let value = profile.value.as_deref().map(String::from_utf8_lossy);
            if counted != profile.size {
                let text = format!("profile {} {value:?} says {}, the dialogs say {counted}", profile.name, profile.size);
                verdicts.add("P1", snapshot.at, self.proxy, text);
            }
            if let Some(limit) = self.promises.call_limit.filter(|limit| profile.value.is_some() && profile.size > *limit) {
                let text = format!("profile {} {value:?} has {} members, the limit is {limit}", profile.name, profile.size);
                verdicts.add("P6", snapshot.at, self.proxy, text);
            }
        }
        for dialog in snapshot.dialogs.iter().filter(|dialog| dialog.state == State::Deleted && !dialog.profiles.is_empty()) {
            verdicts.add("P2", snapshot.at, self.proxy, format!("ended dialog {} is still in a profile", dialog.id));
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        for profile in snapshot.profiles.iter().filter(|profile| profile.size != 0) {
            verdicts.add("P1", snapshot.at, self.proxy, format!("profile {} keeps {} members after all calls", profile.name, profile.size));
        }
    }
}
