//! Control sockets: one thread for each, calls answered in order.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use modules::connections::ControlConnection;
use modules::rpc::{Fault, Parameters, Reply, Wire};

use crate::address::ControlAddress;
use crate::binrpc::{self, Decoded, Packet, Request};
use crate::connections::OpenConnections;
use crate::limits::{
    BINRPC_REQUEST_BYTES_MAX, CONNECTION_IDLE_SECONDS, CONNECTIONS_MAX, DATAGRAM_WORKERS_MAX, DOOR_REST_MILLISECONDS,
    JSON_REQUEST_BYTES_MAX,
};
use crate::{Caller, Outcome, datagrams, json};

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// Answers of at most so many bytes; longer ones become a fault.
    Binrpc { body_bytes_max: usize },
    /// JSON, pretty or compact. On a TCP address one request a connection (spec proxy-core 13.5).
    Json { is_pretty: bool },
}

/// Permissions and owner of a unix socket or FIFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub mode: u32,
    /// None: who runs the proxy.
    pub user: Option<u32>,
    pub group: Option<u32>,
}

/// How a datagram socket is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatagramService {
    /// Threads.
    pub workers: usize,
    /// How long an answer may wait for room at its receiver.
    pub timeout: Duration,
}

impl Default for DatagramService {
    fn default() -> DatagramService {
        DatagramService { workers: 1, timeout: Duration::from_secs(2) }
    }
}

/// Sockets that were opened; unix paths are removed when this is dropped.
#[derive(Default)]
pub struct Listeners {
    pub(crate) paths: Vec<PathBuf>,
    connections: OpenConnections,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
    }
}

impl Listeners {
    /// No sockets yet. `connections`: where those of stream sockets are listed.
    pub fn new(connections: OpenConnections) -> Listeners {
        Listeners { paths: Vec::new(), connections }
    }

    /// Opens one control socket and starts its threads.
    pub fn open(
        &mut self,
        address: &ControlAddress,
        speech: Speech,
        access: Access,
        service: DatagramService,
        caller: &Arc<dyn Caller>,
    ) -> io::Result<()> {
        match address {
            ControlAddress::UnixStream(path) => {
                make_room(path)?;
                let listener = UnixListener::bind(path)?;
                self.keep(path, access)?;
                let local = (path.display().to_string(), String::new());
                let streams = Streams { speech, connections: self.connections.clone(), caller: Arc::clone(caller) };
                spawn("ctl", move || {
                    for stream in listener.incoming().filter_map(accepted) {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let _ = stream.set_write_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let peer = ("<anonymous unix socket>".to_owned(), String::new());
                        streams.accept(stream, ControlConnection { transport: "unix_stream", peer, local: local.clone() });
                    }
                })
            }
            ControlAddress::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                let streams = Streams { speech, connections: self.connections.clone(), caller: Arc::clone(caller) };
                spawn("ctl-tcp", move || {
                    for stream in listener.incoming().filter_map(accepted) {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let _ = stream.set_write_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let _ = stream.set_nodelay(true);
                        let connection = tcp_connection(&stream);
                        streams.accept(stream, connection);
                    }
                })
            }
            ControlAddress::UnixDatagram(path) => {
                make_room(path)?;
                let socket = UnixDatagram::bind(path)?;
                socket.set_write_timeout(Some(service.timeout))?;
                self.keep(path, access)?;
                let socket = Arc::new(socket);
                for _ in 0..service.workers.clamp(1, DATAGRAM_WORKERS_MAX) {
                    let (socket, caller) = (Arc::clone(&socket), Arc::clone(caller));
                    spawn("ctl-dgram", move || datagrams::serve(&socket, speech, &caller))?;
                }
                Ok(())
            }
            ControlAddress::Udp(address) => {
                let socket = Arc::new(UdpSocket::bind(address)?);
                socket.set_write_timeout(Some(service.timeout))?;
                for _ in 0..service.workers.clamp(1, DATAGRAM_WORKERS_MAX) {
                    let (socket, caller) = (Arc::clone(&socket), Arc::clone(caller));
                    spawn("ctl-udp", move || datagrams::serve(&socket, speech, &caller))?;
                }
                Ok(())
            }
        }
    }

    /// Remembers a path for removal and gives it its owner and permissions.
    pub(crate) fn keep(&mut self, path: &Path, access: Access) -> io::Result<()> {
        self.paths.push(path.to_path_buf());
        if access.user.is_some() || access.group.is_some() {
            chown(path, access.user, access.group)?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(access.mode))
    }
}

fn tcp_connection(stream: &TcpStream) -> ControlConnection {
    let shown = |address: io::Result<std::net::SocketAddr>| {
        address.map_or_else(|_| (String::new(), String::new()), |address| (address.ip().to_string(), address.port().to_string()))
    };
    ControlConnection { transport: "tcp", peer: shown(stream.peer_addr()), local: shown(stream.local_addr()) }
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(|_| ())
}

/// The connection that came. An error, mostly of a process without free file descriptors, would come again at once.
pub(crate) fn accepted<S>(outcome: io::Result<S>) -> Option<S> {
    outcome.map_err(|_| thread::sleep(Duration::from_millis(DOOR_REST_MILLISECONDS))).ok()
}

/// Removes a socket a former run left behind; anything that is no socket stays.
pub(crate) fn make_room(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() || found.file_type().is_fifo() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists and is no socket", path.display()))),
        Err(_) => Ok(()),
    }
}

/// What the connections of a stream socket share.
#[derive(Clone)]
struct Streams {
    speech: Speech,
    connections: OpenConnections,
    caller: Arc<dyn Caller>,
}

impl Streams {
    /// Serves a connection on a thread of its own.
    fn accept<S: Read + Write + Send + 'static>(&self, stream: S, connection: ControlConnection) {
        let Some(presence) = self.connections.enter(connection, CONNECTIONS_MAX) else {
            self.caller.log(0, "too many control connections; one was closed");
            return;
        };
        let (speech, caller) = (self.speech, Arc::clone(&self.caller));
        let _ = spawn("ctl-conn", move || {
            match speech {
                Speech::Binrpc { body_bytes_max } => serve_binrpc(stream, body_bytes_max, &caller),
                Speech::Json { is_pretty } => serve_json(stream, is_pretty, caller.as_ref()),
            }
            drop(presence);
        });
    }
}

/// Requests of one connection, answered in order, until it closes or speaks nonsense.
fn serve_binrpc<S: Read + Write>(mut stream: S, body_bytes_max: usize, caller: &Arc<dyn Caller>) {
    let mut buffer = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        match binrpc::decode(&buffer) {
            Decoded::Request(request, used) => {
                buffer.drain(..used);
                let is_understood = request.method.is_ok();
                let packet = run(caller, request, body_bytes_max).wait();
                let is_answered = packet.into_parts().try_for_each(|part| stream.write_all(&part)).is_ok();
                if !is_answered || !is_understood {
                    return;
                }
                continue;
            }
            Decoded::Broken(reason, cookie) => {
                caller.log(0, &format!("control connection closed: {reason}"));
                let _ = stream.write_all(&binrpc::corrupted(cookie));
                return;
            }
            Decoded::Incomplete if buffer.len() > BINRPC_REQUEST_BYTES_MAX + 16 => return,
            Decoded::Incomplete => {}
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(length) => buffer.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// One read, one request, one answer, and the connection closes.
fn serve_json<S: Read + Write>(mut stream: S, is_pretty: bool, caller: &dyn Caller) {
    let mut buffer = vec![0_u8; JSON_REQUEST_BYTES_MAX];
    let Ok(length) = stream.read(&mut buffer) else { return };
    if length > 0 {
        let answer = json::answer(caller, buffer.get(..length).unwrap_or_default(), is_pretty).wait();
        let _ = answer.body.pour(|piece| stream.write_all(piece));
    }
}

/// Runs a BINRPC request.
pub(crate) fn run(caller: &Arc<dyn Caller>, request: Request, body_bytes_max: usize) -> Outcome<Packet> {
    let outcome: Outcome<Result<Reply, Fault>> = match request.method {
        Ok(method) => caller.call(&method, &mut Parameters::new(Wire::Binrpc, request.parameters)),
        Err(reason) => Outcome::Done(Err(Fault::new(400, format!("bad request method: {reason}")))),
    };
    let cookie = request.cookie;
    outcome.with_listings_apart().map(move |answer| binrpc::encode(cookie, answer, body_bytes_max))
}
