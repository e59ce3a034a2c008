//! The clock of the process: monotonic milliseconds since the start, and the date.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sip::time::{Date, Now, Time};

/// Reads both clocks. Copies agree with each other.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Clock {
        Clock { began: Instant::now() }
    }

    /// The time and the date of this moment. Time starts at one second, so that zero means never.
    pub fn now(&self) -> Now {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1_000);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_millis());
        Now { time: Time(milliseconds), date: Date(u64::try_from(since_epoch).unwrap_or(u64::MAX)) }
    }
}
