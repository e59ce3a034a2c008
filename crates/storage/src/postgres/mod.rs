//! The postgres back end.

use crate::backend::{Backend, ConnectOptions};
use crate::error::{ErrorKind, StorageError};
use crate::url::Url;

/// Opens a connection.
pub fn connect(url: &Url, options: ConnectOptions) -> Result<Box<dyn Backend>, StorageError> {
    let _ = options;
    Err(StorageError::new(ErrorKind::Configuration, url.to_string(), "not built yet"))
}
