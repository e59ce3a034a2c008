//! System calls the standard library does not offer: datagram batches, waiting on sockets, interfaces, process identity.
//!
//! The only file of the product with `unsafe` (invariant A7). Every function here is safe to call: pointers given to the
//! kernel point into buffers that this file owns and that outlive the call.

use std::ffi::CStr;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use crate::limits::{DATAGRAM_BYTES_MAX, SEND_SLOTS};

/// Distance between two receive slots. 17 cache lines more than a power of two: with slots exactly 64 KiB apart the
/// heads of all datagrams would share the same few sets of the first and second level cache.
const SLOT_STRIDE: usize = DATAGRAM_BYTES_MAX + 17 * 64;

/// Receives up to N datagrams with one `recvmmsg`; slots and headers are made once and reused.
pub struct ReceiveBatch {
    buffers: Box<[u8]>,
    addresses: Box<[libc::sockaddr_storage]>,
    /// Never read by us: the headers point into it.
    _vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    filled: usize,
}

// SAFETY: the raw pointers in `headers` and `_vectors` point into the boxed slices of the same struct, whose heap memory
// does not move with the struct and is touched only through `&self` or `&mut self`.
unsafe impl Send for ReceiveBatch {}

impl ReceiveBatch {
    /// A batch of `slots` slots of 64 KiB; only pages that datagrams touch cost memory.
    pub fn new(slots: usize) -> ReceiveBatch {
        let slots = slots.max(1);
        let mut buffers = vec![0u8; slots * SLOT_STRIDE].into_boxed_slice();
        // SAFETY: all-zero bytes are a valid value of these plain C structs.
        let mut addresses = vec![unsafe { mem::zeroed::<libc::sockaddr_storage>() }; slots].into_boxed_slice();
        let base = buffers.as_mut_ptr();
        let mut vectors: Box<[libc::iovec]> = (0..slots)
            .map(|slot| libc::iovec {
                // SAFETY: slot * SLOT_STRIDE + DATAGRAM_BYTES_MAX is within `buffers`.
                iov_base: unsafe { base.add(slot * SLOT_STRIDE) }.cast(),
                iov_len: DATAGRAM_BYTES_MAX,
            })
            .collect();
        let headers = (0..slots)
            .map(|slot| {
                // SAFETY: as above, zero is a valid header.
                let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
                header.msg_hdr.msg_name = ptr::from_mut(&mut addresses[slot]).cast();
                header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
                header.msg_hdr.msg_iov = ptr::from_mut(&mut vectors[slot]);
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();
        ReceiveBatch { buffers, addresses, _vectors: vectors, headers, filled: 0 }
    }

    /// How many datagrams one call can take.
    pub fn slots(&self) -> usize {
        self.headers.len()
    }

    /// Takes what waits on `socket`, without blocking. Returns the number of datagrams, 0 when none waits.
    /// An error that belongs to an earlier send (ICMP) is reported by the kernel once; the caller simply calls again.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        for header in &mut self.headers[..self.filled] {
            header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_flags = 0;
        }
        self.filled = 0;
        loop {
            // SAFETY: `headers` holds `headers.len()` valid headers whose pointers are valid for writes.
            let received = unsafe {
                libc::recvmmsg(
                    socket.as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    self.headers.len() as libc::c_uint,
                    libc::MSG_DONTWAIT | libc::MSG_WAITFORONE,
                    ptr::null_mut(),
                )
            };
            if received >= 0 {
                self.filled = (received as usize).min(self.headers.len());
                return Ok(self.filled);
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::Interrupted => continue,
                io::ErrorKind::WouldBlock => return Ok(0),
                _ => return Err(error),
            }
        }
    }

    /// Datagram number `slot` of the last call: its bytes and who sent it. None when out of range, cut off, or from an
    /// address that is neither IPv4 nor IPv6.
    pub fn datagram(&self, slot: usize) -> Option<(&[u8], SocketAddr)> {
        if slot >= self.filled {
            return None;
        }
        let header = &self.headers[slot];
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let length = (header.msg_len as usize).min(DATAGRAM_BYTES_MAX);
        let start = slot * SLOT_STRIDE;
        let address = address_from_storage(&self.addresses[slot])?;
        Some((&self.buffers[start..start + length], address))
    }
}

/// How full the receive queue of `socket` is, in percent of what it may hold; 0 when the kernel does not tell.
pub fn receive_queue_percent(socket: BorrowedFd<'_>) -> u8 {
    // The first two values of the answer: SK_MEMINFO_RMEM_ALLOC and SK_MEMINFO_RCVBUF.
    let mut values = [0_u32; 2];
    let mut length = mem::size_of_val(&values) as libc::socklen_t;
    // SAFETY: the pointers describe `values`, to which the kernel writes at most `length` bytes.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, values.as_mut_ptr().cast(), &mut length) };
    let [allocated, allowed] = values.map(u64::from);
    if result < 0 || allowed == 0 { 0 } else { (allocated * 100 / allowed).min(100) as u8 }
}

/// One datagram to send: where its bytes lie in the caller's arena and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    pub start: u32,
    pub end: u32,
    pub destination: SocketAddr,
}

/// Headers for `sendmmsg`, made once and reused.
pub struct SendBatch {
    addresses: Box<[libc::sockaddr_storage]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

// SAFETY: the pointers are rewritten before every call and not read outside it.
unsafe impl Send for SendBatch {}

impl Default for SendBatch {
    fn default() -> SendBatch {
        SendBatch::new()
    }
}

impl SendBatch {
    pub fn new() -> SendBatch {
        // SAFETY: zero is a valid value of these plain C structs; null pointers in them are replaced before use.
        unsafe {
            SendBatch {
                addresses: vec![mem::zeroed(); SEND_SLOTS].into_boxed_slice(),
                vectors: (0..SEND_SLOTS).map(|_| mem::zeroed()).collect(),
                headers: (0..SEND_SLOTS).map(|_| mem::zeroed()).collect(),
            }
        }
    }

    /// Sends the first (at most [`SEND_SLOTS`]) messages on `socket` without blocking. Returns how many the kernel took;
    /// an error speaks about the first message only, the others were not tried. Ranges outside `arena` send nothing.
    pub fn send(&mut self, socket: BorrowedFd<'_>, arena: &[u8], messages: &[Outgoing]) -> io::Result<usize> {
        let count = messages.len().min(SEND_SLOTS);
        for (slot, message) in messages[..count].iter().enumerate() {
            let bytes = arena.get(message.start as usize..message.end as usize).unwrap_or(&[]);
            let length = storage_from_address(&mut self.addresses[slot], message.destination);
            self.vectors[slot] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            let header = &mut self.headers[slot].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.addresses[slot]).cast();
            header.msg_namelen = length;
            header.msg_iov = ptr::from_mut(&mut self.vectors[slot]);
            header.msg_iovlen = 1;
        }
        loop {
            // SAFETY: the first `count` headers were just filled with pointers into `self` and `arena`, both borrowed
            // for the whole call; the kernel only reads the payload.
            let sent = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    count as libc::c_uint,
                    libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                )
            };
            if sent >= 0 {
                return Ok((sent as usize).min(count));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

fn address_from_storage(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which of the overlaid structs it is, and storage is larger and stricter aligned.
            let raw = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(raw.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(raw.sin_port))))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let raw = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
            Some(SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(raw.sin6_port), 0, raw.sin6_scope_id)))
        }
        _ => None,
    }
}

fn storage_from_address(storage: &mut libc::sockaddr_storage, address: SocketAddr) -> libc::socklen_t {
    match address {
        SocketAddr::V4(address) => {
            // SAFETY: sockaddr_storage is at least as large and aligned as sockaddr_in; all its bytes are initialised.
            let raw = unsafe { &mut *ptr::from_mut(storage).cast::<libc::sockaddr_in>() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = address.port().to_be();
            raw.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(address) => {
            // SAFETY: as above for sockaddr_in6.
            let raw = unsafe { &mut *ptr::from_mut(storage).cast::<libc::sockaddr_in6>() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = address.port().to_be();
            raw.sin6_flowinfo = 0;
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_scope_id = address.scope_id();
            mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// A set of descriptors to wait on with `ppoll`; the timeout has nanosecond resolution.
pub struct PollSet {
    entries: Vec<libc::pollfd>,
}

impl Default for PollSet {
    fn default() -> PollSet {
        PollSet::new()
    }
}

impl PollSet {
    pub fn new() -> PollSet {
        PollSet { entries: Vec::new() }
    }

    /// Adds a descriptor and returns its index. The caller keeps it open as long as the set is used; a closed one is
    /// reported as ready, never a memory error.
    pub fn add(&mut self, descriptor: BorrowedFd<'_>, for_writing: bool) -> usize {
        let events = if for_writing { libc::POLLOUT } else { libc::POLLIN };
        self.entries.push(libc::pollfd { fd: descriptor.as_raw_fd(), events, revents: 0 });
        self.entries.len() - 1
    }

    /// Waits until something is ready or `timeout` is over (None: for ever). Returns how many are ready; a signal counts
    /// as "none ready".
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let time = timeout.map(timespec);
        let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the pointer and length describe `entries`; `time` is null or lives until the end of the function.
        let ready = unsafe { libc::ppoll(self.entries.as_mut_ptr(), self.entries.len() as libc::nfds_t, time, ptr::null()) };
        if ready >= 0 {
            return Ok(ready as usize);
        }
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::Interrupted {
            for entry in &mut self.entries {
                entry.revents = 0;
            }
            return Ok(0);
        }
        Err(error)
    }

    /// Was descriptor `index` ready (or in error) at the last wait?
    pub fn is_ready(&self, index: usize) -> bool {
        self.entries.get(index).is_some_and(|entry| entry.revents != 0)
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    // SAFETY: zero is a valid timespec; going through zeroed() keeps us independent of padding fields on some targets.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    time.tv_sec = libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX);
    time.tv_nsec = duration.subsec_nanos() as _;
    time
}

/// What happened on a descriptor of an [`Epoll`].
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    pub token: u64,
    pub readable: bool,
    pub writable: bool,
    pub failed: bool,
}

/// A level-triggered epoll instance for the many descriptors of the stream thread.
pub struct Epoll {
    instance: OwnedFd,
    events: Vec<libc::epoll_event>,
    ready: usize,
}

impl Epoll {
    pub fn new(events_max: usize) -> io::Result<Epoll> {
        // SAFETY: no pointers; the result is checked before it becomes an owned descriptor.
        let raw = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `raw` is a fresh descriptor that nobody else owns.
        let instance = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Epoll { instance, events: vec![libc::epoll_event { events: 0, u64: 0 }; events_max.max(1)], ready: 0 })
    }

    fn control(&self, operation: libc::c_int, descriptor: RawFd, token: u64, interest: u32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest, u64: token };
        // SAFETY: `event` lives through the call.
        if unsafe { libc::epoll_ctl(self.instance.as_raw_fd(), operation, descriptor, &mut event) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    pub fn add(&self, descriptor: BorrowedFd<'_>, token: u64, read: bool, write: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, descriptor.as_raw_fd(), token, interest(read, write))
    }

    pub fn modify(&self, descriptor: BorrowedFd<'_>, token: u64, read: bool, write: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, descriptor.as_raw_fd(), token, interest(read, write))
    }

    pub fn remove(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, descriptor.as_raw_fd(), 0, 0)
    }

    /// Waits until something is ready or `timeout` is over, rounded up to milliseconds. Returns how many are ready.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<usize> {
        self.ready = 0;
        let milliseconds = i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        // SAFETY: the pointer and length describe `events`.
        let ready = unsafe {
            libc::epoll_wait(self.instance.as_raw_fd(), self.events.as_mut_ptr(), self.events.len() as libc::c_int, milliseconds)
        };
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(0) } else { Err(error) };
        }
        self.ready = (ready as usize).min(self.events.len());
        Ok(self.ready)
    }

    /// Entry `index` of the last wait.
    pub fn readiness(&self, index: usize) -> Option<Readiness> {
        let event = self.events[..self.ready].get(index)?;
        let bits = event.events;
        Some(Readiness {
            token: event.u64,
            readable: bits & (libc::EPOLLIN | libc::EPOLLHUP | libc::EPOLLERR | libc::EPOLLRDHUP) as u32 != 0,
            writable: bits & (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0,
            failed: bits & libc::EPOLLERR as u32 != 0,
        })
    }
}

fn interest(read: bool, write: bool) -> u32 {
    let mut bits = 0;
    if read {
        bits |= libc::EPOLLIN as u32;
    }
    if write {
        bits |= libc::EPOLLOUT as u32;
    }
    bits
}

/// One address of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// `eth0`.
    pub name: String,
    pub address: IpAddr,
    /// Zone of a link-local IPv6 address, else 0.
    pub scope: u32,
    pub is_up: bool,
    pub is_loopback: bool,
}

/// Every IPv4 and IPv6 address of every interface, in the kernel's order.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let mut head: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `head` is a valid place for the result; it is freed below exactly once.
    if unsafe { libc::getifaddrs(&mut head) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = head;
    while !next.is_null() {
        // SAFETY: the C library promises a null-terminated list of valid entries until freeifaddrs.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_addr.is_null() || entry.ifa_name.is_null() {
            continue;
        }
        // SAFETY: ifa_addr points to a sockaddr of the size its family demands; zeroed storage is valid.
        let address = unsafe {
            let mut storage: libc::sockaddr_storage = mem::zeroed();
            let size = match i32::from((*entry.ifa_addr).sa_family) {
                libc::AF_INET => mem::size_of::<libc::sockaddr_in>(),
                libc::AF_INET6 => mem::size_of::<libc::sockaddr_in6>(),
                _ => continue,
            };
            ptr::copy_nonoverlapping(entry.ifa_addr.cast::<u8>(), ptr::from_mut(&mut storage).cast::<u8>(), size);
            address_from_storage(&storage)
        };
        let Some(address) = address else { continue };
        // SAFETY: ifa_name is a null-terminated string of the list.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        found.push(InterfaceAddress {
            name,
            address: address.ip(),
            scope: if let SocketAddr::V6(six) = address { six.scope_id() } else { 0 },
            is_up: entry.ifa_flags & libc::IFF_UP as u32 != 0,
            is_loopback: entry.ifa_flags & libc::IFF_LOOPBACK as u32 != 0,
        });
    }
    // SAFETY: `head` came from getifaddrs and nothing above keeps a pointer into the list.
    unsafe { libc::freeifaddrs(head) };
    Ok(found)
}

/// Starts a new session without a controlling terminal (a daemon's first step). Fails in a process group leader.
pub fn start_session() -> io::Result<()> {
    // SAFETY: no arguments.
    if unsafe { libc::setsid() } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The user the process acts as; 0 is root.
pub fn effective_user() -> u32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::geteuid() }
}

/// Gives up privileges for good: supplementary groups, then group, then user. Call before other threads start.
pub fn become_user(user: Option<u32>, group: Option<u32>, supplementary: &[u32]) -> io::Result<()> {
    if (user.is_some() || group.is_some()) && effective_user() == 0 {
        // SAFETY: pointer and length describe `supplementary`; gid_t is u32 on this target.
        if unsafe { libc::setgroups(supplementary.len(), supplementary.as_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    if let Some(group) = group {
        // SAFETY: no pointers.
        if unsafe { libc::setgid(group) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    if let Some(user) = user {
        // SAFETY: no pointers.
        if unsafe { libc::setuid(user) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
