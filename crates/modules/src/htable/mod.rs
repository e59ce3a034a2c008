//! The `htable` module: named in-memory tables with expiry (spec proxy-core 11.18).

mod database;
mod definition;
mod expiry;
mod exports;
mod functions;
mod item_match;
mod iterators;
mod literals;
mod locks;
mod rpc;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod variables;

pub use database::Database;
pub(crate) use database::url as database_url;
pub use expiry::on_timer;
pub use exports::MODULE;
pub use stored::answered;
pub use table::{Item, Table};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use script::syntax::ast::RouteKind;
use script::value::{Text, Value};

use crate::settings::Settings;
use crate::worker::Worker;

/// Most tables of a configuration.
pub const TABLES_MAX: usize = 1024;
/// Most items of one table; a new key beyond is refused.
pub const TABLE_ITEMS_MAX: usize = 4 << 20;
/// Most locked parts of one table, whatever `size` says.
pub const SLOTS_MAX: usize = 1 << 16;
/// Longest key, bytes.
pub const KEY_BYTES_MAX: usize = 4096;
/// Most iterators of one run.
pub const ITERATORS_MAX: usize = 8;
/// Most expired items handled in one second; the rest follow in the next.
pub const EXPIRIES_PER_TICK_MAX: usize = 10_000;

/// Most commands that wait for the database at one time.
pub const WAITING_MAX: usize = 16;

/// What this module keeps for the whole node: the tables.
#[derive(Debug, Default)]
pub struct State {
    pub tables: Vec<Arc<Table>>,
    /// None: no table is stored anywhere.
    pub database: Option<Database>,
    waiting: stored::Waiting,
    /// Seconds between two looks for expired items.
    interval: u64,
    /// Monotonic milliseconds of the last look.
    last_look: AtomicU64,
    started_routes: Vec<script::RouteId>,
    is_started: AtomicBool,
}

impl State {
    /// Reads the table definitions.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let mut tables: Vec<Arc<Table>> = Vec::new();
        for text in settings.texts("htable", "htable") {
            let definition = definition::parse(&text).map_err(|reason| format!("htable: {text}: {reason}"))?;
            if tables.iter().any(|table| table.name == definition.name) {
                return Err(format!("htable: the table {} is defined twice", definition.name));
            }
            if tables.len() >= TABLES_MAX {
                return Err(format!("htable: more than {TABLES_MAX} tables"));
            }
            let event = [b"htable:expired:", &definition.name[..]].concat();
            let expired_route = program.route(RouteKind::Event, &event);
            let event = [b"htable:reloaded:", &definition.name[..]].concat();
            let reloaded_route = program.route(RouteKind::Event, &event);
            let mut table = Table::new(definition, expired_route);
            table.reloaded_route = reloaded_route;
            tables.push(Arc::new(table));
        }
        let database = Database::read(settings, &tables)?;
        let started_routes =
            [&b"htable:mod-init"[..], b"htable:init"].into_iter().filter_map(|event| program.route(RouteKind::Event, event)).collect();
        let started_routes = if settings.is_loaded("htable") { started_routes } else { Vec::new() };
        Ok(State {
            tables,
            database,
            waiting: stored::Waiting::default(),
            interval: u64::try_from(settings.integer("htable", "timer_interval")).unwrap_or(20).max(1),
            last_look: AtomicU64::new(0),
            started_routes,
            is_started: AtomicBool::new(false),
        })
    }

    /// The table with this name.
    pub fn table(&self, name: &[u8]) -> Option<&Arc<Table>> {
        self.tables.iter().find(|table| &*table.name == name)
    }
}

/// Runs `event_route[htable:mod-init]` once in the life of the node, however often it is called. The first second does it
/// at the latest; who starts the proxy may call it before any message is handled.
pub fn started(worker: &mut Worker) {
    let node = Arc::clone(&worker.node);
    if node.states.htable.is_started.swap(true, Ordering::Relaxed) {
        return;
    }
    for route in &node.states.htable.started_routes {
        expiry::run_event(worker, *route, None);
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    iterators: Vec<iterators::Iterator>,
    held: Vec<locks::Held>,
    /// The item that expired, in its event route.
    record: Option<(Text, Value)>,
}

impl RunState {
    /// Makes the state as new for the next message; locks that a script forgot are given back.
    pub fn clear(&mut self) {
        self.iterators.clear();
        self.held.clear();
        self.record = None;
    }
}
