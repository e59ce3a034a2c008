//! Control sockets: one thread for each, calls answered in order.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use modules::rpc::{Fault, Parameters, Reply, Wire};

use crate::address::ControlAddress;
use crate::binrpc::{self, Decoded, Request};
use crate::limits::{BINRPC_REQUEST_BYTES_MAX, CONNECTION_IDLE_SECONDS, CONNECTIONS_MAX, DATAGRAM_BYTES_MAX};
use crate::{Caller, Outcome, json};

/// What is spoken on a datagram socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    Binrpc,
    /// JSON, pretty or compact.
    Json {
        is_pretty: bool,
    },
}

/// Sockets that were opened; unix paths are removed when this is dropped.
#[derive(Default)]
pub struct Listeners {
    pub(crate) paths: Vec<PathBuf>,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
    }
}

impl Listeners {
    /// Opens one control socket and starts its thread. `mode`: permissions of a unix socket.
    pub fn open(&mut self, address: &ControlAddress, speech: Speech, mode: u32, caller: &Arc<dyn Caller>) -> io::Result<()> {
        let caller = Arc::clone(caller);
        match address {
            ControlAddress::UnixStream(path) => {
                make_room(path)?;
                let listener = UnixListener::bind(path)?;
                self.keep(path, mode)?;
                spawn("ctl", move || {
                    let open = Arc::new(AtomicUsize::new(0));
                    for stream in listener.incoming().flatten() {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let _ = stream.set_write_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        accept(stream, &open, &caller);
                    }
                })
            }
            ControlAddress::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                spawn("ctl-tcp", move || {
                    let open = Arc::new(AtomicUsize::new(0));
                    for stream in listener.incoming().flatten() {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        let _ = stream.set_write_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                        accept(stream, &open, &caller);
                    }
                })
            }
            ControlAddress::UnixDatagram(path) => {
                make_room(path)?;
                let socket = Arc::new(UnixDatagram::bind(path)?);
                self.keep(path, mode)?;
                spawn("ctl-dgram", move || {
                    let mut buffer = vec![0_u8; DATAGRAM_BYTES_MAX];
                    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                        let answer = answer(&caller, buffer.get(..length).unwrap_or_default(), speech);
                        if let (Some(answer), Some(path)) = (answer, from.as_pathname().map(Path::to_path_buf)) {
                            let socket = Arc::clone(&socket);
                            answer.hand_over(move |answer| drop(socket.send_to(&answer, path)));
                        }
                    }
                })
            }
            ControlAddress::Udp(address) => {
                let socket = Arc::new(UdpSocket::bind(address)?);
                spawn("ctl-udp", move || {
                    let mut buffer = vec![0_u8; DATAGRAM_BYTES_MAX];
                    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                        if let Some(answer) = answer(&caller, buffer.get(..length).unwrap_or_default(), speech) {
                            let socket = Arc::clone(&socket);
                            answer.hand_over(move |answer| drop(socket.send_to(&answer, from)));
                        }
                    }
                })
            }
        }
    }

    pub(crate) fn keep(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.paths.push(path.to_path_buf());
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(|_| ())
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

fn accept<S: Read + Write + Send + 'static>(stream: S, open: &Arc<AtomicUsize>, caller: &Arc<dyn Caller>) {
    if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS_MAX {
        open.fetch_sub(1, Ordering::AcqRel);
        caller.log(0, "too many control connections; one was closed");
        return;
    }
    let (caller, counter) = (Arc::clone(caller), Arc::clone(open));
    let served = spawn("ctl-conn", move || {
        serve(stream, &caller);
        counter.fetch_sub(1, Ordering::AcqRel);
    });
    if served.is_err() {
        open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Requests of one connection, answered in order, until it closes or speaks nonsense.
fn serve<S: Read + Write>(mut stream: S, caller: &Arc<dyn Caller>) {
    let mut buffer = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        match binrpc::decode(&buffer) {
            Decoded::Request(request, used) => {
                buffer.drain(..used);
                if stream.write_all(&run(caller, request).wait()).is_err() {
                    return;
                }
                continue;
            }
            Decoded::Broken(reason) => {
                caller.log(0, &format!("control connection closed: {reason}"));
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

fn run(caller: &Arc<dyn Caller>, request: Request) -> Outcome<Vec<u8>> {
    let outcome: Outcome<Result<Reply, Fault>> = match request.method {
        Ok(method) => caller.call(&method, &mut Parameters::new(Wire::Binrpc, request.parameters)),
        Err(reason) => Outcome::Done(Err(Fault::new(400, format!("bad request method: {reason}")))),
    };
    let cookie = request.cookie;
    outcome.map(move |answer| binrpc::encode(cookie, &answer))
}

/// The answer to one datagram; None: it was nonsense.
fn answer(caller: &Arc<dyn Caller>, bytes: &[u8], speech: Speech) -> Option<Outcome<Vec<u8>>> {
    match speech {
        Speech::Binrpc => match binrpc::decode(bytes) {
            Decoded::Request(request, _) => Some(run(caller, request)),
            Decoded::Incomplete | Decoded::Broken(_) => None,
        },
        Speech::Json { is_pretty } => Some(json::answer(caller.as_ref(), bytes, is_pretty).map(|answer| answer.text.into_bytes())),
    }
}
