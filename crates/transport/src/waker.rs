//! Wakes a thread that waits on sockets; many wakes before it looks cost one system call.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The sending end; clones wake the same thread.
#[derive(Clone, Debug)]
pub struct Waker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// True from a wake until the sleeper looked, and while the sleeper is working anyway.
    pending: AtomicBool,
    writer: UnixStream,
}

/// The receiving end, waited on together with sockets.
#[derive(Debug)]
pub struct Wakeups {
    shared: Arc<Shared>,
    reader: UnixStream,
}

/// A connected pair.
pub fn pair() -> io::Result<(Waker, Wakeups)> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    let shared = Arc::new(Shared { pending: AtomicBool::new(false), writer });
    Ok((Waker { shared: shared.clone() }, Wakeups { shared, reader }))
}

impl Waker {
    /// Makes the sleeper look. Put the work where it looks before calling this.
    pub fn wake(&self) {
        if !self.shared.pending.swap(true, Ordering::AcqRel) {
            // A full pipe means that a wake-up is already on its way.
            let _ = (&self.shared.writer).write(&[1]);
        }
    }
}

impl Wakeups {
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Has somebody woken us since the last [`Wakeups::clear`]? Costs no system call.
    pub fn is_pending(&self) -> bool {
        self.shared.pending.load(Ordering::Acquire)
    }

    /// Says "I am awake": wakes cost nothing until [`Wakeups::clear`].
    pub fn stay_awake(&self) {
        self.shared.pending.store(true, Ordering::Release);
    }

    /// Forgets the wakes so far. Look for work after this call, never before: whoever wakes from now on is heard again.
    pub fn clear(&self) {
        let mut bytes = [0u8; 16];
        while matches!((&self.reader).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        self.shared.pending.swap(false, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::PollSet;
    use std::time::Duration;

    #[test]
    fn a_wake_from_another_thread_ends_the_wait() {
        let (waker, wakeups) = pair().unwrap();
        let thread = std::thread::spawn(move || {
            for _ in 0..1000 {
                waker.wake();
            }
        });
        let mut set = PollSet::new();
        let index = set.add(wakeups.descriptor(), false);
        assert_eq!(set.wait(Some(Duration::from_secs(10))).unwrap(), 1);
        assert!(set.is_ready(index));
        thread.join().unwrap();
        assert!(wakeups.is_pending());
        wakeups.clear();
        assert!(!wakeups.is_pending());
    }

    #[test]
    fn a_wake_after_clear_is_heard_again() {
        let (waker, wakeups) = pair().unwrap();
        waker.wake();
        wakeups.clear();
        let mut set = PollSet::new();
        set.add(wakeups.descriptor(), false);
        assert_eq!(set.wait(Some(Duration::ZERO)).unwrap(), 0);
        waker.wake();
        assert_eq!(set.wait(Some(Duration::ZERO)).unwrap(), 1);
    }
}
