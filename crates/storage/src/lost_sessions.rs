//! Sessions of a server whose end was not seen. A server that hung may do what such a session sent after the same batch went
//! through another connection: rows would come twice, or old ones over new. So the next connection to the same database ends
//! these sessions first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::url::Url;

/// How a server knows a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its number, given again after a while.
    pub(crate) number: i64,
    /// What tells it from a later one of the same number: when it began, or where it comes from.
    pub(crate) mark: String,
    /// On our clock.
    pub(crate) began: Instant,
}

/// Remembered at most; beyond, the oldest are forgotten.
const LOST_SESSIONS_MAX: usize = 64;

static LOST: Mutex<Vec<(Url, Session)>> = Mutex::new(Vec::new());

fn lost() -> MutexGuard<'static, Vec<(Url, Session)>> {
    LOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection is gone, but the server may still work for it.
pub(crate) fn note(url: &Url, session: &Session) {
    let mut lost = lost();
    if lost.len() >= LOST_SESSIONS_MAX {
        lost.remove(0);
    }
    lost.push((url.clone(), session.clone()));
}

/// One that is to be ended; it stays noted until [`forget`].
pub(crate) fn of(url: &Url) -> Option<Session> {
    lost().iter().find(|(place, _)| place == url).map(|(_, session)| session.clone())
}

/// It was ended.
pub(crate) fn forget(url: &Url, session: &Session) {
    lost().retain(|(place, known)| !(place == url && known == session));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_session_is_known_until_it_was_ended() {
        let (url, other) = (Url::parse("mysql://u@own/d").unwrap(), Url::parse("mysql://u@other/d").unwrap());
        let began = Instant::now();
        let session = |number| Session { number, mark: "10.0.0.1:5".to_owned(), began };
        note(&url, &session(1));
        note(&url, &session(2));
        assert_eq!(of(&other), None);
        assert_eq!(of(&url), Some(session(1)));
        forget(&url, &session(1));
        assert_eq!(of(&url), Some(session(2)));
        forget(&url, &session(2));
        assert_eq!(of(&url), None);
    }
}
