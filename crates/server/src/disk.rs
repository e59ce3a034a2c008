//! Configuration files and environment variables for the language's front end.

use script::source::Files;

/// The real disk and environment.
pub struct Disk;

/// Longest configuration file read, bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

impl Files for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
        if size > FILE_BYTES_MAX {
            return Err(format!("the file has {size} bytes; at most {FILE_BYTES_MAX} are read"));
        }
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
