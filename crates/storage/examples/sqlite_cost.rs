//! What rows cost in SQLite: `sqlite_cost write FILE [LIVE] [PRAGMA...]`, `sqlite_cost paced FILE [LIVE] [MILLISECONDS]
//! [SECONDS] [PRAGMA...]`, `sqlite_cost load FILE [ROWS]`.
//!
//! `write` keeps LIVE dialogs in the table and takes the time and the CPU time of inserts, updates and removals in batches
//! of 1, 4, 16 and 64. `paced` commits what 800 calls a second write, so many milliseconds apart, and tells how long a
//! commit takes. `load` fills the file when it is not there, and takes the time of reading it all.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use storage::backend::ConnectOptions;
use storage::columns::DECLARATIONS;
use storage::query::QueryBounds;
use storage::{Backend, Batch, Cell, Column, ColumnType, DialogRow, Operation, Selection, TableNames, Url};

/// As many as the module dialog has by default.
const SLOTS: u32 = 4_096;
/// Rows of each measurement.
const ROWS: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    match (words.next(), words.next(), words.next()) {
        (Some("write"), Some(file), live) => write(file, live.unwrap_or("10000").parse()?, words),
        (Some("paced"), Some(file), live) => {
            let mut number = |usual: u32| words.next().map_or(Ok(usual), str::parse);
            let (interval, seconds) = (number(10)?, number(20)?);
            paced(file, live.unwrap_or("10000").parse()?, interval.max(1), seconds, words)
        }
        (Some("load"), Some(file), rows) => load(file, rows.unwrap_or("1000000").parse()?),
        _ => Err(
            "usage: sqlite_cost write FILE [LIVE] [PRAGMA...] | paced FILE [LIVE] [MILLISECONDS] [SECONDS] [PRAGMA...] | load FILE [ROWS]"
                .into(),
        ),
    }
}

fn connect(file: &str) -> Result<Box<dyn Backend>, Box<dyn Error>> {
    let timeout = Duration::from_secs(5);
    let options = ConnectOptions { connect_timeout: timeout, call_timeout: timeout, may_create: true, fetch_rows: 200 };
    Ok(storage::connect(&Url::parse(&format!("sqlite://{file}"))?, options)?)
}

/// The n-th dialog: its slot is spread as a hash spreads it, its row is as long as one of a call between two phones.
fn row(number: u32) -> Box<DialogRow> {
    let mut row = Box::new(DialogRow::default());
    let (entry, id) = id_of(number);
    for (cell, declared) in row.cells.iter_mut().zip(&DECLARATIONS) {
        *cell = match (declared.column, declared.kind) {
            (Column::HashEntry, _) => Cell::Integer(i64::from(entry)),
            (Column::HashId, _) => Cell::Integer(i64::from(id)),
            (_, ColumnType::Integer) => Cell::Integer(1_795_380_406),
            (Column::TimeoutRouteName, _) => Cell::Null,
            (Column::CallerCseq | Column::CalleeCseq, _) => Cell::Text(b"1".to_vec()),
            (Column::CallerSocket | Column::CalleeSocket, _) => Cell::Text(b"udp:192.168.100.1:5060".to_vec()),
            (Column::ExtraData, _) => {
                Cell::Text(br#"{"profiles":[{"name":"caller","value":"alice","puid":"dlgp-6b0354b6-57be-3"}]}"#.to_vec())
            }
            _ => Cell::Text(format!("sip:{number:08x}-someone@example-{number}.org;lr").into_bytes()),
        };
    }
    row
}

fn id_of(number: u32) -> (u32, u32) {
    (number.wrapping_mul(2_654_435_761) >> 20, number / SLOTS + 1)
}

fn empty_file<'a>(file: &str, names: &TableNames, pragmas: impl Iterator<Item = &'a str>) -> Result<Box<dyn Backend>, Box<dyn Error>> {
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{file}{ending}"));
    }
    let mut backend = connect(file)?;
    for pragma in pragmas {
        backend.query(format!("PRAGMA {pragma}").as_bytes(), QueryBounds { rows_max: 10, bytes_max: 10_000 })?;
    }
    backend.check(names)?;
    Ok(backend)
}

fn write<'a>(file: &str, live: u32, pragmas: impl Iterator<Item = &'a str>) -> Result<(), Box<dyn Error>> {
    let names = TableNames::default();
    let mut backend = empty_file(file, &names, pragmas)?;
    let mut next = 0;
    apply(&mut *backend, &names, 1_000, (next..live).map(|number| put(number, true)))?;
    next += live;
    println!("{live} live dialogs; microseconds a row: wall (CPU), longest batch in milliseconds");
    println!("{:>6} {:>24} {:>24} {:>24} {:>24}", "batch", "insert", "update newest", "update any, variable", "remove");
    for size in [1, 4, 16, 64] {
        let inserted = apply(&mut *backend, &names, size, (next..next + ROWS).map(|number| put(number, true)))?;
        let updated = apply(&mut *backend, &names, size, (next..next + ROWS).map(|number| put(number, false)))?;
        let all = next + ROWS;
        let any = (0..ROWS).map(|step| all - 1 - (step.wrapping_mul(2_654_435_761) >> 4) % live.max(ROWS));
        let variables = || Some(vec![(b"caller".to_vec(), b"alice".to_vec())]);
        let any = any.map(|number| Operation::Put { row: row(number), is_new: false, variables: variables() });
        let scattered = apply(&mut *backend, &names, size, any)?;
        let gone = next - live..next - live + ROWS;
        let removed = apply(&mut *backend, &names, size, gone.map(id_of).map(|(entry, id)| Operation::Remove { entry, id }))?;
        next = all;
        println!("{size:>6} {inserted:>24} {updated:>24} {scattered:>24} {removed:>24}");
    }
    Ok(())
}

/// Each call is three rows: a commit holds those of the calls that began since the last one.
fn paced<'a>(file: &str, live: u32, interval: u32, seconds: u32, pragmas: impl Iterator<Item = &'a str>) -> Result<(), Box<dyn Error>> {
    let names = TableNames::default();
    let mut backend = empty_file(file, &names, pragmas)?;
    apply(&mut *backend, &names, 1_000, (0..live).map(with_variable))?;
    let (mut times, mut late, mut longest_log) = (Vec::new(), 0, 0);
    let (began, cpu_before) = (Instant::now(), cpu_time());
    let mut number = live;
    for tick in 1..=seconds * 1_000 / interval {
        let until = live + 800 * interval * tick / 1_000;
        let operations = (number..until).flat_map(|number| {
            let (entry, id) = id_of(number - live);
            [with_variable(number), put(number - 10, false), Operation::Remove { entry, id }]
        });
        let batch = Batch { operations: operations.collect(), is_retry: false };
        number = until;
        match (Duration::from_millis(u64::from(interval)) * tick).checked_sub(began.elapsed()) {
            Some(rest) => std::thread::sleep(rest),
            None => late += 1,
        }
        let from = Instant::now();
        backend.apply(&names, &batch)?;
        times.push(from.elapsed());
        longest_log = longest_log.max(fs::metadata(format!("{file}-wal")).map_or(0, |log| log.len()));
    }
    let cpu = cpu_time().saturating_sub(cpu_before).as_secs_f64() * 1e6 / f64::from(number - live);
    times.sort();
    let part = |share: f64| times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or_default();
    println!("a commit: p50 {:?} p95 {:?} p99 {:?} p99.9 {:?} max {:?}", part(0.5), part(0.95), part(0.99), part(0.999), part(1.0));
    println!("{late} commits began late; the log grew to {} MB; CPU {cpu:.1} microseconds a call", longest_log >> 20);
    Ok(())
}

fn with_variable(number: u32) -> Operation {
    Operation::Put { row: row(number), is_new: true, variables: Some(vec![(b"step".to_vec(), b"1".to_vec())]) }
}

fn put(number: u32, is_new: bool) -> Operation {
    Operation::Put { row: row(number), is_new, variables: None }
}

/// Applies the operations in batches of a size; wall and CPU time of the calls alone, microseconds an operation.
fn apply(
    backend: &mut dyn Backend,
    names: &TableNames,
    size: usize,
    operations: impl Iterator<Item = Operation>,
) -> Result<String, Box<dyn Error>> {
    let mut operations = operations.peekable();
    let mut batches = Vec::new();
    while operations.peek().is_some() {
        batches.push(Batch { operations: operations.by_ref().take(size).collect(), is_retry: false });
    }
    let count = batches.iter().map(|batch| batch.operations.len()).sum::<usize>();
    let (mut longest, all_began, cpu_before) = (Duration::ZERO, Instant::now(), cpu_time());
    for batch in &batches {
        let began = Instant::now();
        backend.apply(names, batch)?;
        longest = longest.max(began.elapsed());
    }
    let (wall, cpu) = (all_began.elapsed(), cpu_time().saturating_sub(cpu_before));
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX));
    Ok(format!("{:.1} ({:.1}) {:.1}", each(wall), each(cpu), longest.as_secs_f64() * 1e3))
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default())
}

fn load(file: &str, rows: u32) -> Result<(), Box<dyn Error>> {
    let names = TableNames::default();
    let is_there = fs::exists(file)?;
    let mut backend = connect(file)?;
    backend.check(&names)?;
    if !is_there {
        for from in (0..rows).step_by(50_000) {
            let until = (from + 50_000).min(rows);
            println!("filling to {until}: {}", apply(&mut *backend, &names, 2_000, (from..until).map(|number| put(number, true)))?);
        }
    }
    let began = Instant::now();
    let slots = backend.highest(&names, 0, 1)?.len();
    println!("highest numbers of {slots} slots in {:?}", began.elapsed());
    for _ in 0..3 {
        let (mut seen, mut bytes) = (0_u32, 0);
        let (began, cpu_before) = (Instant::now(), cpu_time());
        backend.load(&names, &Selection::All, &mut |row| {
            seen += 1;
            bytes += row.cells.iter().filter_map(Cell::text).map(<[u8]>::len).sum::<usize>();
            ControlFlow::Continue(())
        })?;
        println!("{seen} rows, {} MB of text in {:?}, CPU {:?}", bytes >> 20, began.elapsed(), cpu_time().saturating_sub(cpu_before));
    }
    let began = Instant::now();
    let mut seen = 0;
    for slot in (0..SLOTS).step_by(41) {
        backend.load(&names, &Selection::Slot(slot), &mut |_| {
            seen += 1;
            ControlFlow::Continue(())
        })?;
    }
    println!("100 slots of {seen} rows in {:?}", began.elapsed());
    Ok(())
}
