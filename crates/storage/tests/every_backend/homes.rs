//! Databases for tests: a new SQLite file, or a new database on a server that all tests of a run share.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use database_servers::{DatabaseServer, PASSWORD, Product, Trouble, USER};
use storage::backend::ConnectOptions;
use storage::query::QueryBounds;
use storage::{Backend, Column, DialogRow, QueryResult, StorageError, TableNames, Url};
use storage::{Cell, Operation, Selection, VariableRow};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    Mariadb,
}

impl Kind {
    pub fn product(self) -> Option<Product> {
        match self {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Product::Postgres),
            Kind::Mariadb => Some(Product::Mariadb),
        }
    }
}

/// A database of a test; a file is removed with it.
pub struct Home {
    pub url: String,
    file: Option<PathBuf>,
}

/// Long enough for a busy machine, short enough for a test.
pub const OPTIONS: ConnectOptions =
    ConnectOptions { connect_timeout: Duration::from_secs(10), call_timeout: Duration::from_secs(10), may_create: true, fetch_rows: 0 };

impl Home {
    /// A new database without tables; None where the server is not installed.
    pub fn new(kind: Kind) -> Option<Home> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let Some(product) = kind.product() else {
            let directory = std::env::temp_dir().join(format!("duolog-storage-{}-{number}", std::process::id()));
            std::fs::create_dir_all(&directory).unwrap();
            return Some(Home { url: format!("sqlite://{}/calls.sqlite", directory.display()), file: Some(directory) });
        };
        let server = shared(product)?;
        let database = format!("test{number}");
        let statements = match product {
            Product::Postgres => format!("CREATE DATABASE {database} OWNER {USER};"),
            Product::Mariadb => {
                format!("CREATE DATABASE {database} CHARACTER SET utf8mb4; GRANT ALL PRIVILEGES ON {database}.* TO '{USER}'@'%';")
            }
        };
        server.execute(&statements).unwrap();
        Some(Home { url: server.url_of(USER, PASSWORD, &database), file: None })
    }

    pub fn connect(&self) -> Box<dyn Backend> {
        open(&self.url).unwrap()
    }

    /// A connection, with tables made.
    pub fn with_tables(&self) -> Box<dyn Backend> {
        let mut backend = self.connect();
        backend.create(&names()).unwrap();
        backend.check(&names()).unwrap();
        backend
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(directory) = &self.file {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// The server that lives as long as the tests.
pub fn shared(product: Product) -> Option<&'static DatabaseServer> {
    static POSTGRES: OnceLock<Option<DatabaseServer>> = OnceLock::new();
    static MARIADB: OnceLock<Option<DatabaseServer>> = OnceLock::new();
    let server = match product {
        Product::Postgres => &POSTGRES,
        Product::Mariadb => &MARIADB,
    };
    server
        .get_or_init(|| match DatabaseServer::start_with(product, false) {
            Ok(server) => Some(server),
            Err(trouble @ Trouble::NotInstalled(_)) => {
                println!("skipped: {trouble}");
                None
            }
            Err(Trouble::Failed(why)) => panic!("{product} does not start: {why}"),
        })
        .as_ref()
}

pub fn open(url: &str) -> Result<Box<dyn Backend>, StorageError> {
    storage::connect(&Url::parse(url).unwrap(), OPTIONS)
}

/// A connection whose calls take no longer than `limit`.
pub fn open_with(url: &str, limit: Duration) -> Box<dyn Backend> {
    storage::connect(&Url::parse(url).unwrap(), ConnectOptions { call_timeout: limit, ..OPTIONS }).unwrap()
}

pub fn open_within(url: &str, limit: Duration) -> Result<Box<dyn Backend>, StorageError> {
    storage::connect(&Url::parse(url).unwrap(), ConnectOptions { connect_timeout: limit, call_timeout: limit, ..OPTIONS })
}

pub fn names() -> TableNames {
    TableNames::default()
}

/// A row as a confirmed call has it.
pub fn row(entry: u32, id: u32) -> DialogRow {
    let mut row = DialogRow::default();
    let texts = [
        (Column::CallId, format!("call-{entry}-{id}@192.0.2.7")),
        (Column::FromUri, "sip:alice@example.org".to_owned()),
        (Column::FromTag, format!("a{id}")),
        (Column::ToUri, "sip:bob@example.org".to_owned()),
        (Column::ToTag, format!("b{id}")),
        (Column::CallerCseq, "1".to_owned()),
        (Column::CalleeCseq, "0".to_owned()),
        (Column::CallerRouteSet, "<sip:192.0.2.1;lr>".to_owned()),
        (Column::CallerContact, "sip:alice@192.0.2.7:5060".to_owned()),
        (Column::CalleeContact, "sip:bob@192.0.2.9:5060".to_owned()),
        (Column::CallerSocket, "udp:192.0.2.5:5060".to_owned()),
        (Column::CalleeSocket, "udp:192.0.2.5:5060".to_owned()),
        (Column::RequestUri, "sip:bob@example.org".to_owned()),
        (Column::ExtraData, r#"{"profiles":[{"name":"caller","value":"alice","puid":"dlgp-1"}]}"#.to_owned()),
    ];
    for (column, text) in texts {
        *row.cell_mut(column) = Cell::Text(text.into_bytes());
    }
    for (column, number) in [
        (Column::HashEntry, entry),
        (Column::HashId, id),
        (Column::State, 4),
        (Column::StartTime, 1_795_380_406),
        (Column::Timeout, 1_795_381_006),
        (Column::ScriptFlags, 6),
        (Column::InternalFlags, 1),
    ] {
        *row.cell_mut(column) = Cell::Integer(number.into());
    }
    row
}

pub fn put(row: &DialogRow, is_new: bool) -> Operation {
    Operation::Put { row: Box::new(row.clone()), is_new, variables: None }
}

pub fn put_with(row: &DialogRow, is_new: bool, variables: &[(&str, &str)]) -> Operation {
    let variables = variables.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
    Operation::Put { row: Box::new(row.clone()), is_new, variables: Some(variables) }
}

/// All rows in the order of their ids, numbers as 32 bits.
pub fn rows(backend: &mut dyn Backend, which: &Selection) -> Vec<DialogRow> {
    let mut found = Vec::new();
    let load = |row: &DialogRow| {
        let mut row = row.clone();
        for cell in &mut row.cells {
            if let Cell::Integer(_) = cell {
                *cell = Cell::Integer(cell.number().unwrap().into());
            }
        }
        found.push(row);
        std::ops::ControlFlow::Continue(())
    };
    backend.load(&names(), which, &mut { load }).unwrap();
    found.sort_by_key(|row| row.id());
    found
}

/// All variables in the order of the table: slot, number, key, value.
pub fn variables(backend: &mut dyn Backend, which: &Selection) -> Vec<(u32, u32, String, String)> {
    let mut found = Vec::new();
    let text = |cell: &Cell| String::from_utf8(cell.text().unwrap().to_vec()).unwrap();
    let load = |row: &VariableRow| {
        found.push((row.entry.number().unwrap(), row.id.number().unwrap(), text(&row.key), text(&row.value)));
        std::ops::ControlFlow::Continue(())
    };
    backend.load_variables(&names(), which, &mut { load }).unwrap();
    found
}

/// Runs a statement with room for any result of these tests.
pub fn ask(backend: &mut dyn Backend, statement: &str) -> Result<QueryResult, StorageError> {
    backend.query(statement.as_bytes(), QueryBounds { rows_max: 100_000, bytes_max: 100 << 20 })
}
