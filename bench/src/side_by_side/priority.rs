//! Subjects and generator go before other processes of the machine, where the system allows it: others' work spoils figures.

use std::fs;

use rustix::process::{getpriority_process, setpriority_process};

/// The nice value of a run; everything it starts inherits it.
const NICE: i32 = -15;
/// With automatic groups the kernel divides time among sessions first, and nice values count within one only.
const SESSION: &str = "/proc/self/autogroup";

/// This process and its session go first until this is dropped.
#[must_use]
pub struct First {
    own: Option<i32>,
    session: Option<String>,
}

impl First {
    /// Raises what may be raised.
    pub fn of_all() -> First {
        let own = getpriority_process(None).ok().filter(|_| setpriority_process(None, NICE).is_ok());
        let session = fs::read_to_string(SESSION).ok().and_then(|text| Some(text.trim().rsplit_once("nice ")?.1.to_owned()));
        let session = session.filter(|_| fs::write(SESSION, NICE.to_string()).is_ok());
        First { own, session }
    }

    /// How it is told.
    pub fn told(&self) -> &'static str {
        if self.own.is_some() { "They go before other processes." } else { "They have no priority over other processes." }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // Lowering is always allowed.
        if let Some(own) = self.own {
            let _ = setpriority_process(None, own);
        }
        if let Some(session) = &self.session {
            let _ = fs::write(SESSION, session);
        }
    }
}
