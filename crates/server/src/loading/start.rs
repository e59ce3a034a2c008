//! Before the first message: numbers in use, and whether the rows fit `hash_size`.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use dialog::{DialogId, hash};
use storage::{Backend, Column, Selection, StorageError};

use super::rehash;
use crate::shell::Shell;
use crate::storage_room::Database;

/// Rows whose slots are looked at.
const ROWS_EXAMINED: usize = 200;
/// Among so many rows that nearly all fit, one that does not is damaged: at most half would fit another size by chance.
const ROWS_CLEAR: usize = 32;

/// From the first remote call on, the health tells that stored dialogs are not all there yet.
pub fn announce(shell: &Shell) {
    let state = &shell.proxy.node.states.dialog;
    let is_wanted = state.storage.as_ref().is_some_and(|settings| !settings.skips_load);
    state.storage_health.is_loading.store(is_wanted, Ordering::Release);
}

/// Numbers of stored dialogs are not given again, and loading begins unless `db_skip_load` says otherwise: requests for
/// dialogs wait for their slots from now on. The error stops the start.
pub fn prepare(shell: &Shell, database: &Database, backend: &mut dyn Backend) -> Result<(), String> {
    let node = &shell.proxy.node;
    let Some(settings) = &node.states.dialog.storage else { return Ok(()) };
    let failed = |error: StorageError| format!("dialog: stored dialogs cannot be read: {error}");
    let dialogs = &node.dialogs;
    let (start, step) = (dialogs.settings().h_id_start, dialogs.settings().h_id_step);
    for (entry, id) in backend.highest(&database.names, start, step).map_err(failed)? {
        dialogs.raise_number(DialogId { entry, id });
    }
    if settings.skips_load {
        return Ok(());
    }
    if settings.rehashes {
        if rehash::is_needed(shell, database, backend).map_err(failed)? {
            return rehash::load(shell, database, backend);
        }
    } else if let Some(found) = other_hash_size(shell, database, backend).map_err(failed)? {
        let own = dialogs.settings().hash_size;
        let with = found.map_or_else(String::new, |size| format!(" {size}"));
        let set = found.map_or_else(|| String::from("set the hash_size they were stored with"), |size| format!("set hash_size {size}"));
        return Err(format!(
            "dialog: the dialogs in {} were stored with another hash_size{with}, this configuration has {own}: {set}, or db_rehash 1 to \
             take them over",
            database.url
        ));
    }
    dialogs.begin_loading();
    Ok(())
}

/// Were the first rows stored with another number of slots? `Some(None)`: yes, with one that is not clear.
fn other_hash_size(shell: &Shell, database: &Database, backend: &mut dyn Backend) -> Result<Option<Option<u32>>, StorageError> {
    let own = shell.proxy.node.dialogs.settings().hash_size;
    let mut seen: Vec<(u32, u32)> = Vec::new();
    backend.load(&database.names, &Selection::All, &mut |row| {
        if let (Some((entry, _)), Some(call_id)) = (row.id(), row.cell(Column::CallId).to_text()) {
            seen.push((entry, hash::core_hash(&call_id)));
        }
        if seen.len() < ROWS_EXAMINED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let fitting = |size: u32| seen.iter().filter(|(entry, hash)| hash & (size - 1) == *entry).count();
    let fits = |size: u32| fitting(size) == seen.len();
    if fits(own) || (seen.len() >= ROWS_CLEAR && fitting(own) * 4 >= seen.len() * 3) {
        return Ok(None);
    }
    Ok(Some((1..=dialog::limits::HASH_SIZE_MAX.ilog2()).map(|bits| 1 << bits).find(|size| fits(*size))))
}
