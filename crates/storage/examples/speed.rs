//! How long a row takes: `cargo run --profile fast -p storage --example speed -- [URL]`. Without a URL: on a new SQLite file, and
//! on throw-away PostgreSQL and MariaDB servers that write durably.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use database_servers::{DatabaseServer, Product};
use storage::backend::ConnectOptions;
use storage::{Backend, Batch, Cell, Column, DialogRow, Operation, Selection, TableNames, Url};

/// Rows in the table while changes are measured.
const STANDING: u32 = 50_000;
/// Rows of one measurement; fewer when each has a transaction of its own.
const ROWS: u32 = 5_000;
const SINGLE_ROWS: u32 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(url) = std::env::args().nth(1) {
        return measure("the given database", &url);
    }
    let file = std::env::temp_dir().join(format!("duolog-speed-{}.sqlite", std::process::id()));
    let measured = measure("SQLite", &format!("sqlite://{}", file.display()));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }
    measured?;
    for product in [Product::Postgres, Product::Mariadb] {
        match DatabaseServer::start(product) {
            Ok(server) => measure(&product.to_string(), &server.url())?,
            Err(trouble) => println!("skipped: {trouble}"),
        }
    }
    Ok(())
}

fn measure(name: &str, url: &str) -> Result<(), Box<dyn Error>> {
    let limit = Duration::from_secs(60);
    let options = ConnectOptions { connect_timeout: limit, call_timeout: limit, may_create: true, fetch_rows: 0 };
    let mut backend = storage::connect(&Url::parse(url)?, options)?;
    let names = TableNames::default();
    backend.create(&names)?;
    backend.check(&names)?;
    let standing: Vec<u32> = (1..=STANDING).collect();
    time(&mut *backend, &standing, 1_000, |id| put(id, true))?;
    println!("{name}: microseconds a row, {STANDING} rows in the table");
    println!("  batch   insert   update   remove");
    for size in [1, 10, 100, 1_000] {
        let ids: Vec<u32> = (STANDING + 1..=STANDING + if size == 1 { SINGLE_ROWS } else { ROWS }).collect();
        // The first round finds nothing prepared.
        for is_counted in [false, true] {
            let insert = time(&mut *backend, &ids, size, |id| put(id, true))?;
            let update = time(&mut *backend, &ids, size, |id| put(id, false))?;
            let remove = time(&mut *backend, &ids, size, |id| Operation::Remove { entry: id % 4096, id })?;
            if is_counted {
                println!("  {size:>5} {insert:>8.1} {update:>8.1} {remove:>8.1}");
            }
        }
    }
    let began = Instant::now();
    let (mut rows, mut bytes) = (0_u32, 0);
    backend.load(&names, &Selection::All, &mut |row| {
        rows += 1;
        bytes += row.cells.iter().filter_map(Cell::text).map(<[u8]>::len).sum::<usize>();
        ControlFlow::Continue(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    println!("  load: {rows} rows, {:.0} rows a second, {} bytes of text a row", f64::from(rows) / seconds, bytes / rows as usize);
    Ok(())
}

/// Microseconds a row, in batches of `size`.
fn time(backend: &mut dyn Backend, ids: &[u32], size: usize, operation: impl Fn(u32) -> Operation) -> Result<f64, Box<dyn Error>> {
    let names = TableNames::default();
    let batches: Vec<Batch> =
        ids.chunks(size).map(|ids| Batch { operations: ids.iter().copied().map(&operation).collect(), is_retry: false }).collect();
    let began = Instant::now();
    for batch in &batches {
        backend.apply(&names, batch)?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / ids.len() as f64)
}

/// A row as a confirmed call with a profile has it.
fn put(id: u32, is_new: bool) -> Operation {
    let mut row = DialogRow::default();
    let mut text = |column: Column, text: String| *row.cell_mut(column) = Cell::Text(text.into_bytes());
    text(Column::CallId, format!("5f2a{id:08x}-7d1b@192.0.2.7"));
    text(Column::FromUri, "sip:alice@example.org".to_owned());
    text(Column::FromTag, format!("a{id:08x}"));
    text(Column::ToUri, "sip:+4930123456@example.org".to_owned());
    text(Column::ToTag, format!("b{id:08x}"));
    text(Column::CallerCseq, "1".to_owned());
    text(Column::CalleeCseq, "0".to_owned());
    text(Column::CallerRouteSet, "<sip:192.0.2.1;lr>".to_owned());
    text(Column::CallerContact, "sip:alice@192.0.2.7:5060".to_owned());
    text(Column::CalleeContact, "sip:+4930123456@192.0.2.9:5060".to_owned());
    text(Column::CallerSocket, "udp:192.0.2.5:5060".to_owned());
    text(Column::CalleeSocket, "udp:192.0.2.5:5060".to_owned());
    text(Column::RequestUri, "sip:+4930123456@example.org".to_owned());
    text(Column::ExtraData, r#"{"profiles":[{"name":"caller","value":"alice","puid":"dlgp-6b0354b6-57be-1"}]}"#.to_owned());
    let state = if is_new { 3 } else { 4 };
    let numbers = [(Column::HashEntry, id % 4096), (Column::HashId, id), (Column::State, state), (Column::StartTime, 1_795_380_406)];
    for (column, number) in
        numbers.into_iter().chain([(Column::Timeout, 1_795_381_006), (Column::ScriptFlags, 0), (Column::InternalFlags, 1)])
    {
        *row.cell_mut(column) = Cell::Integer(number.into());
    }
    Operation::Put { row: Box::new(row), is_new, variables: None }
}
