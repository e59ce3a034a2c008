//! The observer: who talks since when, and what each account has talked.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dialog::{AttributeValue, DialogId, DialogView, Kinds, Notice, Observer, OccurrenceKind};
use sip::time::{Now, Time};
use sip::uri::Uri;

/// Accounts with an entry of their own; the calls of further ones are booked under [`OTHERS`].
pub const ACCOUNTS_MAX: usize = 100_000;
/// Whoever has no entry of his own.
pub const OTHERS: &[u8] = b"(others)";

/// The `$dlg_var` that names the account; without it the user of the caller pays.
const ACCOUNT_VARIABLE: &[u8] = b"account";

/// What one account has talked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Calls that are over.
    pub calls: u64,
    /// What they took in all.
    pub milliseconds: u64,
    /// The same in minutes, each that was begun counted whole, one at least for a call.
    pub minutes: u64,
    /// Calls that go on.
    pub talking: u64,
}

/// A call that goes on.
struct Talk {
    account: Vec<u8>,
    since: Time,
    /// Milliseconds talked before this process knew the call.
    before: u64,
}

#[derive(Default)]
struct Pages {
    talks: HashMap<DialogId, Talk>,
    accounts: BTreeMap<Vec<u8>, Account>,
}

/// All accounts. A call is charged from its answer to its end by the monotonic clock, once, whatever ends it: its entry
/// among the talks is taken out when it is charged.
#[derive(Default)]
pub struct Books(Mutex<Pages>);

impl Books {
    /// The account with this name.
    pub fn account(&self, name: &[u8]) -> Option<Account> {
        self.pages().accounts.get(name).copied()
    }

    /// All accounts by name.
    pub fn accounts(&self) -> Vec<(Vec<u8>, Account)> {
        self.pages().accounts.iter().map(|(name, account)| (name.clone(), *account)).collect()
    }

    /// The calls of an account that go on.
    pub fn talks_of(&self, account: &[u8]) -> Vec<DialogId> {
        self.pages().talks.iter().filter(|(_, talk)| talk.account == account).map(|(dialog, _)| *dialog).collect()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begins(&self, dialog: &DialogView, now: Now, before: u64) {
        let mut pages = self.pages();
        let mut account = account_of(dialog);
        if pages.accounts.len() >= ACCOUNTS_MAX && !pages.accounts.contains_key(&account) {
            account = OTHERS.to_vec();
        }
        let talk = Talk { account: account.clone(), since: now.time, before };
        if pages.talks.insert(dialog.id, talk).is_none() {
            pages.accounts.entry(account).or_default().talking += 1;
        }
    }

    fn ends(&self, dialog: DialogId, now: Now) {
        let mut pages = self.pages();
        let Some(talk) = pages.talks.remove(&dialog) else { return };
        let account = pages.accounts.entry(talk.account).or_default();
        account.talking = account.talking.saturating_sub(1);
        account.calls += 1;
        let milliseconds = talk.before + now.time.0.saturating_sub(talk.since.0);
        account.milliseconds += milliseconds;
        account.minutes += milliseconds.div_ceil(60_000).max(1);
    }
}

impl Observer for Books {
    fn wants(&self) -> Kinds {
        Kinds::of(&[
            OccurrenceKind::Answered,
            OccurrenceKind::Loaded,
            OccurrenceKind::Terminated,
            OccurrenceKind::Expired,
            OccurrenceKind::Destroyed,
        ])
    }

    fn on(&self, notice: &Notice<'_>) {
        let Notice { dialog, now, .. } = *notice;
        match notice.occurrence.kind {
            OccurrenceKind::Answered => self.begins(dialog, now, 0),
            // A restart does not end a call: it talks since its answer, which the wall clock of the former process told.
            OccurrenceKind::Loaded if dialog.state.is_answered() => {
                let before = now.date.0.saturating_sub(u64::from(dialog.start_time) * 1000);
                self.begins(dialog, now, before);
            }
            OccurrenceKind::Terminated | OccurrenceKind::Expired | OccurrenceKind::Destroyed => self.ends(dialog.id, now),
            _ => {}
        }
    }

    fn listing_context(&self, dialog: &DialogView) -> Vec<(Cow<'static, str>, AttributeValue)> {
        let pages = self.pages();
        let talk = pages.talks.get(&dialog.id);
        talk.map(|talk| (Cow::Borrowed("talk_account"), AttributeValue::Text(talk.account.clone()))).into_iter().collect()
    }
}

fn account_of(dialog: &DialogView) -> Vec<u8> {
    let named = dialog.variable(ACCOUNT_VARIABLE).filter(|name| !name.is_empty());
    let caller = || Uri::parse(&dialog.from_uri).map_or(&b""[..], |uri| uri.user);
    named.unwrap_or_else(caller).to_vec()
}

#[cfg(test)]
mod tests;
