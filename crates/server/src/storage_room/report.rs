//! Tells how storing goes: in the health that commands and statistics show, and in the log.

use std::sync::atomic::Ordering;
use std::time::Duration;

use modules::dialog::Condition;
use storage::keeper::{Event, Health, Keeper, dialog_of};
use storage::{Operation, StorageError};

use super::gate::Gate;
use super::room::StorageRoom;
use crate::logging::level;
use crate::shell::Shell;

const PLACE: &str = "dialog";

/// An attempt is over.
pub(super) fn attempt(shell: &Shell, rows: u64, time: Duration, error: Option<&StorageError>) {
    let health = &shell.proxy.node.states.dialog.storage_health;
    match error {
        None => health.committed(rows, u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        Some(error) => {
            health.failures.fetch_add(1, Ordering::Relaxed);
            health.set_trouble(&error.to_string());
        }
    }
}

/// What the database is doing now.
pub(super) fn condition(shell: &Shell, keeper: &Keeper, room: &StorageRoom) {
    let health = &shell.proxy.node.states.dialog.storage_health;
    let is_open = room.gate.as_ref().is_some_and(Gate::is_open);
    let condition = match keeper.health() {
        Health::Well if !is_open => Condition::Well,
        Health::Away => Condition::Away,
        Health::Well | Health::Draining => Condition::Draining,
    };
    health.enter(condition, shell.clock.now().date.seconds());
    health.in_hand.store(keeper.in_hand() as u64, Ordering::Relaxed);
    health.refused.store(keeper.totals().refused, Ordering::Relaxed);
}

/// How many messages wait now.
pub(super) fn held(shell: &Shell, room: &StorageRoom) {
    let messages = room.gate.as_ref().map_or(0, Gate::messages);
    shell.proxy.node.states.dialog.storage_health.held.store(messages, Ordering::Relaxed);
}

/// What is worth a line.
pub(super) fn event(shell: &Shell, room: &StorageRoom, event: &Event) {
    let (at, text) = match event {
        Event::Committed { .. } => return,
        Event::Recovered { error } => (level::NOTICE, format!("a write to the database failed and the next one succeeded: {error}")),
        Event::WentAway { error } => {
            let consequence = if room.settings().refuses_unstored && room.gate.is_some() {
                "calls whose answer cannot be stored are refused (db_failure_mode 1)"
            } else {
                "calls go on, their changes wait in memory"
            };
            (level::ERROR, format!("the database is away, {consequence}: {error}"))
        }
        Event::StillAway { milliseconds, unsaved, error } => {
            (level::ERROR, format!("the database is away since {} s, {unsaved} changes wait: {error}", milliseconds / 1_000))
        }
        Event::CameBack { milliseconds, .. } => {
            (level::NOTICE, format!("the database is back after {}; what waited is being written", seconds(*milliseconds)))
        }
        Event::CaughtUp { operations, milliseconds } => {
            (level::NOTICE, format!("the database caught up: {operations} rows, all of an outage of {}", seconds(*milliseconds)))
        }
        Event::Trimmed { operation, error } => {
            let name = name(operation);
            (level::WARNING, format!("dialog {name} is stored without the variables and profiles that do not fit their columns: {error}"))
        }
        Event::Refused { operation, error } => {
            let name = name(operation);
            (level::ERROR, format!("the database refuses the row of dialog {name}, it is left out: {error}"))
        }
    };
    shell.logger.write_braked(0, at, PLACE, &text);
}

/// The dialog of an operation, as listings name it.
fn name(operation: &Operation) -> String {
    dialog_of(operation).map_or_else(|| String::from("?"), |(entry, id)| format!("{entry}:{id}"))
}

/// The writer ends.
pub(super) fn end(shell: &Shell, keeper: &Keeper, unsaved: usize) {
    let rows = keeper.totals().operations;
    if unsaved == 0 {
        shell.logger.write(0, level::INFO, PLACE, &format!("all dialogs are stored ({rows} rows were written since the start)"));
    } else {
        let trouble = shell.proxy.node.states.dialog.storage_health.trouble();
        shell.logger.write(0, level::ERROR, PLACE, &format!("changes of {unsaved} dialogs are NOT stored: {trouble}"));
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)
}
