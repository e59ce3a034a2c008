//! A thread's own connection, made when it is needed and again when it broke.

use storage::{Backend, StorageError};

use crate::storage_room::Database;

/// The database and the connection to it, if there is one.
pub(super) struct Link {
    pub(super) database: Database,
    backend: Option<Box<dyn Backend>>,
}

impl Link {
    /// No connection yet.
    pub(super) fn new(database: Database) -> Link {
        Link { database, backend: None }
    }

    /// Does some reading. A connection that was open before may have been closed meanwhile: then it is done once more.
    pub(super) fn read<T>(
        &mut self,
        mut work: impl FnMut(&Database, &mut dyn Backend) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        loop {
            let was_open = self.backend.is_some();
            let mut backend = match self.backend.take() {
                Some(backend) => backend,
                None => self.database.connect()?,
            };
            match work(&self.database, backend.as_mut()) {
                Ok(done) => {
                    self.backend = Some(backend);
                    return Ok(done);
                }
                Err(error) if was_open && error.is_passing() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes the connection.
    pub(super) fn close(&mut self) {
        self.backend = None;
    }
}
