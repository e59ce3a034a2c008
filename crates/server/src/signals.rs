//! Signals as plain values: stop, print statistics, and the ones that are only noted.

use std::io;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals as Incoming;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// TERM or INT. The second one in a row should end the process at once.
    Stop,
    /// USR1: write statistics to the log.
    Statistics,
    /// HUP: Kamailio ignores it too when it serves; the caller notes it in the log.
    Hangup,
}

/// The signals of this process, to be waited on by one thread.
#[derive(Debug)]
pub struct Signals {
    incoming: Incoming,
}

impl Signals {
    /// Catches the signals from now on. PIPE, CHLD and USR2 are swallowed. Call before threads that must not see them.
    pub fn catch() -> io::Result<Signals> {
        let incoming = Incoming::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD])?;
        Ok(Signals { incoming })
    }

    /// Blocks until a signal asks for something; None when the handle was closed.
    pub fn wait(&mut self) -> Option<Request> {
        self.incoming.forever().find_map(request)
    }

    /// Ends a [`Signals::wait`] from another thread.
    pub fn closer(&self) -> signal_hook::iterator::Handle {
        self.incoming.handle()
    }
}

fn request(signal: i32) -> Option<Request> {
    match signal {
        SIGTERM | SIGINT => Some(Request::Stop),
        SIGUSR1 => Some(Request::Statistics),
        SIGHUP => Some(Request::Hangup),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_become_requests_in_order_and_closing_ends_the_wait() {
        let mut signals = Signals::catch().unwrap();
        signal_hook::low_level::raise(SIGUSR2).unwrap();
        signal_hook::low_level::raise(SIGUSR1).unwrap();
        assert_eq!(signals.wait(), Some(Request::Statistics));
        signal_hook::low_level::raise(SIGHUP).unwrap();
        assert_eq!(signals.wait(), Some(Request::Hangup));
        signal_hook::low_level::raise(SIGTERM).unwrap();
        assert_eq!(signals.wait(), Some(Request::Stop));
        signals.closer().close();
        assert_eq!(signals.wait(), None);
    }
}
