//! `dlg.db_status`: how storing goes (extension).

use std::borrow::Cow;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

pub(super) const DB_STATUS: Command = Command::new("dlg.db_status", "Tells how storing dialogs goes. (extension)", status);

fn status(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let node = &worker.node;
    let health = &node.states.dialog.storage_health;
    let number = |name: &'static str, value: u64| (Cow::Borrowed(name), Item::Integer(i64::try_from(value).unwrap_or(i64::MAX)));
    let counter = |name: &'static str, value: &AtomicU64| number(name, value.load(Ordering::Relaxed));
    let text = |name: &'static str, value: &str| (Cow::Borrowed(name), if value.is_empty() { Item::Null } else { Item::text(value) });
    let unsaved = u64::try_from(node.dialogs.unsaved()).unwrap_or(u64::MAX);
    Ok(Reply::one(Item::Structure(vec![
        number("db_mode", u64::try_from(node.settings.integer("dialog", "db_mode")).unwrap_or(0)),
        text("database", &health.place.lock().unwrap_or_else(PoisonError::into_inner)),
        text("condition", health.condition().word()),
        number("since", health.since()),
        text("trouble", &health.trouble()),
        number("unsaved", unsaved.saturating_add(health.in_hand.load(Ordering::Relaxed))),
        counter("written", &health.written),
        counter("commits", &health.commits),
        counter("failures", &health.failures),
        counter("refused", &health.refused),
        counter("last_commit_us", &health.last_commit),
        counter("longest_commit_us", &health.longest_commit),
        counter("held", &health.held),
        counter("unheld", &health.unheld),
        number("loading", u64::from(health.is_loading.load(Ordering::Relaxed))),
        counter("loaded", &health.loaded),
        counter("skipped", &health.skipped),
    ])))
}
