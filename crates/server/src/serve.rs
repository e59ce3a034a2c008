//! The life of the process: command line, configuration, sockets, threads, and the clean stop.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use control::Caller;
use control::connections::OpenConnections;
use modules::node::{Process, Thread};
use modules::sockets::Sockets;
use proxy::{Checked, Prepared, Proxy};
use script::load::LoadOptions;
use script::preprocess::Effect as Substitution;
use transaction::Protocol;
use transport::crew::Crew;
use transport::resolver::Resolver;
use transport::tcp::stream_worker;
use transport::udp::{UdpOptions, workers};

use crate::clock::Clock;
use crate::command_line::{Action, Background, CommandLine, HELP};
use crate::control_room::{self, ControlRoom};
use crate::disk::Disk;
use crate::extension::Extension;
use crate::facts::{self, Facts};
use crate::file_room::FileRoom;
use crate::listen::{self, Bound};
use crate::loading::{self, Loading};
use crate::logging::{Destination, Logger, level};
use crate::pid_file::PidFile;
use crate::query_room::{self, QueryRoom};
use crate::shell::Shell;
use crate::signals::{Request, Signals};
use crate::storage_room::{self, StorageRoom};
use crate::tcp_driver::TcpDriver;
use crate::udp_driver::UdpDriver;
use crate::{daemon, file_room, names, privileges, rpc_client};

/// Exit status of a start that failed, as Kamailio's.
const FAILED: u8 = 255;
/// How long a clean stop may take before the process ends anyway.
const STOP_MAX: Duration = Duration::from_secs(4);

/// Runs what the command line asks for.
pub fn run(arguments: impl IntoIterator<Item = OsString>, extension: &Extension) -> ExitCode {
    let line = match CommandLine::parse(arguments) {
        Ok(line) => line,
        Err(error) => {
            eprintln!("duolog: {error}\ntry `duolog -h`");
            return ExitCode::from(FAILED);
        }
    };
    for note in &line.notes {
        eprintln!("duolog: {note}");
    }
    let done = match &line.action {
        Action::Help => {
            print!("{HELP}");
            Ok(())
        }
        Action::Version => {
            println!("version: duolog {} ({}/{})", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
            Ok(())
        }
        Action::Rpc { method, arguments } => return rpc_client::run(&line, method, arguments),
        Action::CreateTables { url } => storage_room::create::run(&line, url.as_deref(), extension),
        Action::Check => check(&line, extension),
        Action::PrintConfiguration => print_configuration(&line, extension),
        Action::Run => serve(&line, extension),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{}", text.trim_end());
            ExitCode::from(FAILED)
        }
    }
}

/// What the command line adds to the file.
fn load_options(line: &CommandLine) -> LoadOptions {
    let defines =
        line.defines.iter().map(|(name, value)| value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}={value}"))).collect();
    let substs = line
        .substitutions
        .iter()
        .map(|(kind, text)| {
            let effect = match kind.as_str() {
                "substdef" => Substitution::Define,
                "substdefs" => Substitution::DefineQuoted,
                _ => Substitution::Substitute,
            };
            (effect, text.clone())
        })
        .collect();
    let module_parameters = line
        .module_parameters
        .iter()
        .map(|given| format!("{}:{}:{}:{}", given.module, given.name, if given.is_number { 'i' } else { 's' }, given.value))
        .collect();
    LoadOptions { defines, substs, modules: line.load_modules.clone(), module_parameters, ..LoadOptions::default() }
}

pub(crate) fn load(line: &CommandLine, extension: &Extension) -> Result<Checked, String> {
    let path = line.configuration_path();
    let checked = proxy::check_with(&path.display().to_string(), &mut Disk, &load_options(line), &extension.modules);
    let mut checked = checked.map_err(|error| error.to_string())?;
    if let Some(children) = line.children {
        checked.core.children = children.max(1);
    }
    if line.disable_tcp {
        checked.core.disable_tcp = true;
    }
    if let Some(level) = line.debug {
        checked.core.set_debug(level);
    }
    if let Some(number) = line.server_id {
        checked.core.server_id = number;
    }
    checked.core.check_via |= line.check_via;
    if let Some(is_on) = line.automatic_aliases {
        checked.core.auto_aliases = is_on;
    }
    Ok(checked)
}

fn check(line: &CommandLine, extension: &Extension) -> Result<(), String> {
    let checked = load(line, extension)?;
    eprint!("{}", checked.warnings);
    // Modules look at their parameters too: what would stop the start is told now.
    let states = modules::node::States::start(&checked.settings, &checked.program).map_err(|error| format!("ERROR: {error}"))?;
    if let Some(settings) = &states.dialog.storage {
        storage_room::named(settings, &checked.settings).map_err(|error| format!("ERROR: {error}"))?;
    }
    println!("config file ok, exiting...");
    Ok(())
}

fn print_configuration(line: &CommandLine, extension: &Extension) -> Result<(), String> {
    let checked = load(line, extension)?;
    for source in &checked.sources.files {
        println!("# {}", source.path);
        print!("{}", String::from_utf8_lossy(&source.bytes));
    }
    Ok(())
}

fn logger(line: &CommandLine, checked: &Checked) -> Logger {
    let destination = if checked.core.log_stderror {
        Destination::StandardError { colours: line.log_colours }
    } else {
        Destination::System {
            facility: checked.core.log_facility.load(Ordering::Relaxed),
            name: checked.core.log_name.clone().unwrap_or_else(|| "duolog".to_owned()),
        }
    };
    Logger::new(destination, checked.core.debug())
}

fn secret() -> Result<[u8; 32], String> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(|error| format!("no randomness from the system: {error}"))?;
    Ok(secret)
}

fn seed(secret: &[u8; 32], number: u32) -> u64 {
    let bytes = secret.get(16..24).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).unwrap_or_default();
    u64::from_le_bytes(bytes) ^ (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn serve(line: &CommandLine, extension: &Extension) -> Result<(), String> {
    let mut checked = load(line, extension)?;
    checked.core.log_stderror |= line.log_to_stderr;
    eprint!("{}", checked.warnings);
    if line.background == Background::Detached && daemon::detach().map_err(|error| error.to_string())? {
        eprintln!("duolog goes on in the background (-DD keeps it in the foreground, -P FILE writes its process id)");
        return Ok(());
    }
    let mut signals = Signals::catch().map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let logger = logger(line, &checked);
    let bound = listen::bind(&checked.configuration, line, &checked.core).map_err(|error| format!("ERROR: {error}"))?;
    if let Some(folder) = line.working_directory.as_deref().or(checked.core.workdir.as_deref().map(Path::new)) {
        std::env::set_current_dir(folder).map_err(|error| format!("cannot enter {}: {error}", folder.display()))?;
    }
    let write_number = |path: &Option<PathBuf>| path.as_deref().map(PidFile::write).transpose().map_err(|error| error.to_string());
    // There is one process, so the number of its group is its own.
    let pid_files = (write_number(&line.pid_file)?, write_number(&line.group_pid_file)?);
    if let Some(folder) = &line.root_directory {
        privileges::change_root(folder).map_err(|error| format!("cannot change root to {}: {error}", folder.display()))?;
    }
    let identity = privileges::identity(
        line.user.as_deref().or(checked.core.user.as_deref()),
        line.group.as_deref().or(checked.core.group.as_deref()),
    )?;
    let children = checked.core.children;
    let Bound { sockets, udp, tcp, udp_places, tcp_places } = bound;
    let listening: Vec<String> = sockets.list.iter().map(|socket| socket.text.to_string()).collect();
    let secret = secret()?;
    let process = Process {
        pid: std::process::id(),
        started: clock.now().date,
        arguments: std::env::args().collect(),
        working_directory: std::env::current_dir().map(|path| path.display().to_string()).unwrap_or_default(),
        configuration_path: line.configuration_path().display().to_string(),
        secret,
        utc_offset_seconds: utc_offset_seconds(),
        threads: threads(&checked, &sockets),
    };
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let node = proxy::start(Prepared { checked, sockets, process, environment }, clock.now()).map_err(|error| format!("ERROR: {error}"))?;
    extension.join(&node)?;
    logger.set_colours(node.states.xlog.colors.clone());
    let shell = Arc::new(Shell::new(Proxy::new(node), clock, logger, udp_places, tcp_places));
    loading::announce(&shell);
    let has_tcp = !tcp.is_empty();
    let gather_max = shell.proxy.node.core.udp_gather_time;
    let options = UdpOptions { workers: worker_count(children), gather_max, ..UdpOptions::default() };
    let udp = workers(udp, options).map_err(|error| error.to_string())?;
    let crew = Arc::clone(&udp.crew);
    let _ = shell.crew.set(Arc::clone(&crew));
    let waking = Arc::clone(&crew);
    let resolver = Resolver::start(names::options(&shell.proxy.node.core.dns), move || waking.wake()).map_err(|error| error.to_string())?;
    let _ = shell.resolver.set(resolver);
    let waking = Arc::clone(&crew);
    read_hashed_file(&shell)?;
    let _ = shell.files.set(FileRoom::start(move || waking.wake())?);
    let caller: Arc<dyn Caller> = Arc::new(ControlRoom::new(Arc::clone(&shell), 1_000, seed(&secret, 1_000)));
    let run = control_room::run_directory(line.runtime_directory.as_deref(), &shell);
    // Before a socket is open: the first call may ask for connections.
    let connections = OpenConnections::default();
    Facts::tell(&shell, connections.clone());
    let listeners = control_room::open(&shell, &caller, &run, connections).map_err(|error| format!("ERROR: {error}"))?;
    identity.assume().map_err(|error| format!("cannot change user or group: {error}"))?;
    // As the user that will write: files it makes are its own.
    if let Some(mut opened) = storage_room::open(&shell.proxy.node).map_err(|error| format!("ERROR: {error}"))? {
        loading::prepare(&shell, &opened.database, opened.backend.as_mut()).map_err(|error| format!("ERROR: {error}"))?;
        let database = opened.database.clone();
        StorageRoom::start(&shell, opened)?;
        let _ = shell.loading.set(Loading::start(&shell, &database)?);
    }
    start_queries(&shell, &crew).map_err(|error| format!("ERROR: {error}"))?;
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    if has_tcp {
        let (worker, streams) =
            stream_worker(tcp, Arc::clone(&crew), facts::stream_limits(&shell.proxy.node), None).map_err(|error| error.to_string())?;
        let _ = shell.streams.set(streams);
        let caller = control_room::speaks_http(&shell.proxy.node.settings).then(|| Arc::clone(&caller));
        let driver = TcpDriver::new(Arc::clone(&shell), 999, seed(&secret, 999), caller);
        threads.push(spawn("tcp", move || drop(worker.run(driver)))?);
    }
    for seat in udp.seats {
        let number = u32::try_from(seat.index()).unwrap_or(0);
        let driver = UdpDriver::new(Arc::clone(&shell), number, seed(&secret, number));
        threads.push(spawn(&format!("udp-{number}"), move || drop(seat.run(driver)))?);
    }
    shell.log(0, level::INFO, format!("<core>: duolog {} listens on {}", env!("CARGO_PKG_VERSION"), listening.join(" ")).as_bytes());
    let _ = daemon::notify(&daemon::State::Ready);
    let _ = daemon::notify(&daemon::State::Status(&format!("listens on {}", listening.join(" "))));
    wait_for_stop(&shell, &mut signals);
    let _ = daemon::notify(&daemon::State::Stopping);
    shell.log(0, level::INFO, b"<core>: stopping");
    crew.stop();
    if let Some(streams) = shell.streams.get() {
        streams.stop();
    }
    if let Some(resolver) = shell.resolver.get() {
        resolver.stop();
    }
    join(threads);
    if let Some(loading) = shell.loading.get() {
        loading.end(&shell);
    }
    if let Some(queries) = shell.queries.get() {
        queries.stop();
    }
    if let Some(storage) = shell.storage.get() {
        storage.stop();
    }
    drop(listeners);
    drop(pid_files);
    Ok(())
}

/// Connects to the databases of `sqlops` and `htable` and loads the tables of the latter.
fn start_queries(shell: &Arc<Shell>, crew: &Arc<Crew>) -> Result<(), String> {
    let opened = query_room::open(&shell.proxy.node, shell.clock)?;
    let (logging, waking) = (Arc::clone(shell), Arc::clone(crew));
    let surroundings = query_room::Surroundings {
        node: Arc::clone(&shell.proxy.node),
        clock: shell.clock,
        notify: Arc::new(move || waking.wake()),
        log: Arc::new(move |text| logging.log(0, level::ERROR, format!("sqlops: {text}").as_bytes())),
    };
    let _ = shell.queries.set(QueryRoom::start(opened, surroundings)?);
    Ok(())
}

/// The file whose digest `cfgutils.check_config_hash` compares with later (`hash_file`).
fn read_hashed_file(shell: &Shell) -> Result<(), String> {
    let cfgutils = &shell.proxy.node.states.cfgutils;
    let Some(path) = cfgutils.hashed_file.path() else { return Ok(()) };
    let bytes = file_room::read(path, modules::cfgutils::HASHED_FILE_BYTES_MAX)
        .map_err(|error| format!("ERROR: cfgutils: hash_file {path} cannot be read: {error}"))?;
    cfgutils.hashed_file.started_with(&bytes);
    Ok(())
}

/// Local time minus UTC now; 0 when the system does not tell.
fn utc_offset_seconds() -> i32 {
    time::UtcOffset::current_local_offset().map_or(0, |offset| offset.whole_seconds())
}

/// Ranks of threads that receive nothing, as process lists show them.
const RANK_CONTROL: i32 = -2;
const RANK_STREAMS: i32 = -4;

/// The threads to come, for `core.ps`: all of one process. Each UDP worker serves every UDP socket.
fn threads(checked: &Checked, sockets: &Sockets) -> Vec<Thread> {
    let thread = |name: String, rank: i32| Thread { name, id: std::process::id(), rank };
    let of = |protocol: Protocol| sockets.list.iter().filter(move |socket| socket.protocol == protocol);
    let udp = of(Protocol::Udp).map(|socket| socket.address.to_string()).collect::<Vec<String>>().join(",");
    let mut threads = vec![thread("main process - attendant".to_owned(), 0)];
    threads.extend(
        (1..)
            .zip(0..worker_count(checked.core.children))
            .map(|(rank, number)| thread(format!("udp receiver child={number} sock={udp}"), rank)),
    );
    if checked.settings.is_loaded("jsonrpcs") {
        let transports = checked.settings.integer("jsonrpcs", "transport");
        let doors = [(control_room::TRANSPORT_FIFO, "JSONRPCS FIFO"), (control_room::TRANSPORT_DATAGRAM, "JSONRPCS DATAGRAM")];
        for (_, name) in doors.into_iter().filter(|(bit, _)| transports == 0 || transports & bit != 0) {
            threads.push(thread(name.to_owned(), RANK_CONTROL));
        }
    }
    if checked.settings.is_loaded("ctl") {
        threads.push(thread("ctl handler".to_owned(), RANK_CONTROL));
    }
    if of(Protocol::Tcp).next().is_some() {
        threads.push(thread("tcp main process".to_owned(), RANK_STREAMS));
    }
    threads
}

/// More threads than cores bring nothing: `children` is an upper bound.
fn worker_count(children: u32) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    usize::try_from(children).unwrap_or(1).clamp(1, cores.max(1))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, String> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|error| format!("cannot start thread {name}: {error}"))
}

fn wait_for_stop(shell: &Arc<Shell>, signals: &mut Signals) {
    // `core.kill` stops through a flag; its watcher turns it into the signal this thread waits for.
    let watcher = Arc::clone(shell);
    let closer = signals.closer();
    let _ = spawn("stop", move || {
        while !watcher.is_stopping.load(Ordering::Acquire) {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        closer.close();
    });
    loop {
        match signals.wait() {
            Some(Request::Stop) | None => break,
            Some(Request::Hangup) => shell.log(0, level::NOTICE, b"<core>: HUP has no effect; restart to read the configuration again"),
            Some(Request::Statistics) => {
                let transactions = shell.proxy.node.transactions.len();
                let (parked, awaiting) = (shell.proxy.parked(), shell.proxy.awaiting_dialogs());
                let text = format!(
                    "<core>: {transactions} transactions, {parked} waiting scripts, {awaiting} requests waiting for stored dialogs"
                );
                shell.log(0, level::NOTICE, text.as_bytes());
            }
        }
    }
    shell.is_stopping.store(true, Ordering::Release);
}

fn join(threads: Vec<JoinHandle<()>>) {
    let end = Instant::now() + STOP_MAX;
    for thread in threads {
        while !thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}
