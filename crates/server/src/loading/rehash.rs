//! `db_rehash`: dialogs stored with another `hash_size` are taken and their rows moved, before the first message (extension,
//! spec dialog 13.56).

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use dialog::{DialogId, Storing, hash};
use storage::dialogs::row_of;
use storage::intake::Intake;
use storage::{Backend, Batch, Column, Operation, Selection, StorageError};

use super::reader::Reader;
use crate::logging::level;
use crate::shell::Shell;
use crate::storage_room::Database;

/// Dialogs whose rows move in one transaction: a crash leaves each of them old or new.
const MOVED_AT_A_TIME: usize = 500;

/// Is there a row that does not fit? All are looked at: rows of both kinds are mixed after a crash.
pub(super) fn is_needed(shell: &Shell, database: &Database, backend: &mut dyn Backend) -> Result<bool, StorageError> {
    let slots = shell.proxy.node.dialogs.settings().hash_size;
    let mut is_other = false;
    backend.load(&database.names, &Selection::All, &mut |row| {
        if let (Some((entry, _)), Some(call_id)) = (row.id(), row.cell(Column::CallId).to_text()) {
            is_other = hash::slot(&call_id, slots) != entry;
        }
        if is_other { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(is_other)
}

/// Loads everything and moves rows. Nobody is served meanwhile, because slots say nothing about where a row is.
pub(super) fn load(shell: &Shell, database: &Database, backend: &mut dyn Backend) -> Result<(), String> {
    let begun = Instant::now();
    let reader = Reader { shell, database, is_long: true, gives_up_at_stop: true };
    let failed = |error: StorageError| format!("dialog: dialogs of another hash_size cannot be taken over: {error}");
    let mut variables = reader.variables(backend, &Selection::All, dialog::limits::HASH_SIZE_MAX).map_err(failed)?;
    let mut intake = Intake::rehashing();
    reader.dialogs(backend, &Selection::All, &mut variables, &mut intake).map_err(failed)?;
    let moved = intake.take_moved();
    if shell.proxy.node.dialogs.settings().storing == Storing::AtStop {
        backend.empty(&database.names).map_err(failed)?;
    } else {
        for some in moved.chunks(MOVED_AT_A_TIME) {
            backend.apply(&database.names, &moving(shell, some)).map_err(failed)?;
        }
    }
    let (count, seconds) = (moved.len(), begun.elapsed().as_secs_f64());
    let summary = intake.summary();
    reader.log(level::NOTICE, &format!("loaded {summary} in {seconds:.2} s, {count} of them moved to the slots of this hash_size"));
    shell.proxy.node.states.dialog.storage_health.is_loading.store(false, Ordering::Release);
    Ok(())
}

/// Each dialog gets its new row and loses the old one. New numbers lie above all stored ones, so no row is met twice.
fn moving(shell: &Shell, moved: &[(DialogId, DialogId)]) -> Batch {
    let now = shell.clock.now();
    let mut operations = Vec::with_capacity(moved.len() * 2);
    for (from, to) in moved {
        let Some(dialog) = shell.proxy.node.dialogs.view(now, *to) else { continue };
        operations.push(Operation::Remove { entry: from.entry, id: from.id });
        operations.push(Operation::Put { row: Box::new(row_of(&dialog)), is_new: true, variables: Some(dialog.variables) });
    }
    Batch { operations, is_retry: false }
}
