//! The connection of an asynchronous driver as calls that wait: a runtime of one thread, deadlines, and a connection that
//! counts as lost once it broke or kept a caller waiting too long.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::error::{ErrorKind, StorageError};
use crate::lost_sessions::{self, Session};
use crate::url::Url;

/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_millis(500);

/// What a driver's connection tells about itself.
pub(crate) trait Connection {
    /// Nothing can come through it any more.
    fn is_broken(&self) -> bool;

    /// How the server knows it.
    fn session(&self) -> &Session;

    /// Ends it in good manners.
    fn close(self) -> impl Future<Output = ()>;
}

/// Why a call through the line ended.
pub(crate) enum Failure {
    /// The database or its driver told so.
    Told(StorageError),
    /// The deadline passed.
    Overdue,
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Failure {
        Failure::Told(error)
    }
}

/// One connection and the runtime it lives on; neither is left once the connection is lost.
pub(crate) struct Line<C: Connection> {
    held: Option<(Runtime, C)>,
    pub(crate) url: Url,
    /// Longest time for one call.
    pub(crate) limit: Duration,
}

impl<C: Connection> Line<C> {
    /// Makes the connection that `opening` makes, within `within`.
    pub(crate) fn open(
        url: &Url,
        within: Duration,
        limit: Duration,
        opening: impl AsyncFnOnce() -> Result<C, StorageError>,
    ) -> Result<Line<C>, StorageError> {
        let local = |error: io::Error| StorageError::new(ErrorKind::Away, url.to_string(), format!("cannot wait for the network: {error}"));
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(local)?;
        let opened = runtime.block_on(async { tokio::time::timeout(within, opening()).await });
        match opened {
            Ok(Ok(connection)) => Ok(Line { held: Some((runtime, connection)), url: url.clone(), limit }),
            Ok(Err(error)) => {
                runtime.shutdown_background();
                Err(error)
            }
            Err(_) => {
                runtime.shutdown_background();
                Err(overdue(url, within))
            }
        }
    }

    /// Lets the connection do something, within the limit for one call.
    pub(crate) fn call<T>(&mut self, does: impl AsyncFnOnce(&mut C) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let limit = self.limit;
        self.run(async |connection| match tokio::time::timeout(limit, does(connection)).await {
            Ok(outcome) => outcome.map_err(Failure::Told),
            Err(_) => Err(Failure::Overdue),
        })
    }

    /// Lets the connection do something that keeps its own deadlines with [`within`].
    pub(crate) fn run<T>(&mut self, does: impl AsyncFnOnce(&mut C) -> Result<T, Failure>) -> Result<T, StorageError> {
        let Some((runtime, connection)) = &mut self.held else {
            return Err(StorageError::new(ErrorKind::Away, self.url.to_string(), "the connection was lost before"));
        };
        match runtime.block_on(does(connection)) {
            Ok(value) => Ok(value),
            Err(Failure::Told(error)) => {
                if connection.is_broken() {
                    self.lose();
                }
                Err(error)
            }
            Err(Failure::Overdue) => {
                self.lose();
                Err(overdue(&self.url, self.limit))
            }
        }
    }

    /// Nothing more is asked through this connection, and what the server still does for it is ended by the next one.
    fn lose(&mut self) {
        if let Some((runtime, connection)) = self.held.take() {
            lost_sessions::note(&self.url, connection.session());
            drop(connection);
            runtime.shutdown_background();
        }
    }
}

impl<C: Connection> Drop for Line<C> {
    fn drop(&mut self) {
        if let Some((runtime, connection)) = self.held.take() {
            if !std::thread::panicking() {
                // Nothing hangs on it: a server that is not told sees the socket close.
                let _ = runtime.block_on(async { tokio::time::timeout(GOODBYE, connection.close()).await });
            }
            runtime.shutdown_background();
        }
    }
}

/// The next item of a stream, within the limit for one call.
pub(crate) async fn within<T>(limit: Duration, next: impl Future<Output = Result<T, StorageError>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, next).await {
        Ok(outcome) => outcome.map_err(Failure::Told),
        Err(_) => Err(Failure::Overdue),
    }
}

fn overdue(url: &Url, limit: Duration) -> StorageError {
    StorageError::new(ErrorKind::Away, url.to_string(), format!("no answer within {} ms", limit.as_millis()))
        .remedy("look at the server and the network; db_timeout of the module dialog is the time it gets")
}
