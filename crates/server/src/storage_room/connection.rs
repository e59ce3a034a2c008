//! How this process reaches its database: one connection for each thread, made again when it broke.

use std::time::Duration;

use modules::dialog::StorageSettings;
use storage::backend::ConnectOptions;
use storage::{Backend, Batch, ErrorKind, StorageError, TableNames, Url};

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The database of the dialogs.
#[derive(Clone, Debug)]
pub struct Database {
    pub url: Url,
    pub names: TableNames,
    pub options: ConnectOptions,
}

impl Database {
    /// What the parameters name.
    pub fn of(settings: &StorageSettings, parameters: &modules::settings::Settings) -> Result<Database, StorageError> {
        let url = Url::parse(&settings.url)?;
        let names = TableNames::from_parameters(|name| parameters.text("dialog", name).map(|text| text.to_string()))?;
        let options = ConnectOptions {
            connect_timeout: CONNECT_TIMEOUT.min(settings.call_timeout),
            call_timeout: settings.call_timeout,
            may_create: false,
            fetch_rows: settings.fetch_rows,
        };
        Ok(Database { url, names, options })
    }

    /// A new connection.
    pub fn connect(&self) -> Result<Box<dyn Backend>, StorageError> {
        storage::connect(&self.url, self.options)
    }

    /// The first connection of a start: a SQLite file that is not there is made.
    pub fn connect_or_create(&self) -> Result<Box<dyn Backend>, StorageError> {
        storage::connect(&self.url, ConnectOptions { may_create: true, ..self.options })
    }
}

/// The writer's connection.
pub(super) struct Connection {
    database: Database,
    backend: Option<Box<dyn Backend>>,
}

impl Connection {
    pub fn new(database: Database, backend: Box<dyn Backend>) -> Connection {
        Connection { database, backend: Some(backend) }
    }

    /// Applies a batch; connects first when the connection was lost. The tables of a server that came back are looked at
    /// again: it may be another one.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), StorageError> {
        if self.backend.is_none() {
            let mut backend = self.database.connect()?;
            backend.check(&self.database.names)?;
            self.backend = Some(backend);
        }
        let Some(backend) = &mut self.backend else { return Ok(()) };
        let outcome = backend.apply(&self.database.names, batch);
        if let Err(error) = &outcome
            && !matches!(error.kind, ErrorKind::Refused | ErrorKind::Busy | ErrorKind::Full)
        {
            self.backend = None;
        }
        outcome
    }
}
