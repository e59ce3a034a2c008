//! Throw-away PostgreSQL and MariaDB servers for tests and measurements: own data directory, own socket, a free port of
//! loopback, never the system's own cluster. A server runs as the user who starts it, or as an unprivileged one when that is
//! root, and its directory is removed when it is dropped, even when the process that started it was killed.
//!
//! ```no_run
//! let Some(mut server) = database_servers::start_or_skip(database_servers::Product::Postgres) else { return };
//! let url = server.url(); // postgres://kamailio:kamailiorw@127.0.0.1:20417/kamailio
//! server.stop().unwrap(); // an outage
//! server.start_again().unwrap(); // the same data on the same port
//! ```

mod caretaker;
mod mariadb;
mod place;
mod postgres;
mod server;

pub use server::{DatabaseServer, Product, Trouble, start_or_skip};

/// The account and the database that every server has; the account owns the database.
pub const USER: &str = "kamailio";
/// Its password.
pub const PASSWORD: &str = "kamailiorw";
/// The database.
pub const DATABASE: &str = "kamailio";
/// The account that may do everything, with the same password.
pub const ADMINISTRATOR: &str = "administrator";
