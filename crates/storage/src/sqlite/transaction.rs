//! All or nothing.

use rusqlite::Connection;

/// Does the work in one transaction. Whatever fails, and at whichever step, no transaction is open any more. An error of
/// the work means that nothing was done; one of the commit may come after it took effect.
pub(super) fn in_transaction<E: From<rusqlite::Error>>(connection: &Connection, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    leave(connection)?;
    let run = || {
        // The lock is taken at the beginning, where waiting for it is safe.
        connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        work()?;
        connection.prepare_cached("COMMIT")?.raw_execute()?;
        Ok(())
    };
    run().inspect_err(|_| {
        // If this fails, too, the transaction ends at the beginning of the next one.
        let _ = leave(connection);
    })
}

/// Rolls back what is open. Many errors have done so already.
pub(super) fn leave(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}
