//! Where a piece of configuration came from: files, includes, lines and columns.

use std::sync::Arc;

/// Index of a source file in [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place in a source file; lines and columns count from 1, columns are bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub line: u32,
    pub column: u32,
    /// Column after the last byte, on `end_line`.
    pub end_line: u32,
    pub end_column: u32,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as it was opened.
    pub path: String,
    pub bytes: Arc<[u8]>,
}

/// Every file read for one configuration, in order of first reading.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub files: Vec<Source>,
}

impl Sources {
    /// The path of the file a span points into.
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("<command line>", |source| source.path.as_str())
    }

    /// The text of one line (from 1), without its end.
    pub fn line(&self, file: FileId, line: u32) -> &[u8] {
        let Some(source) = self.files.get(file.0 as usize) else { return b"" };
        source
            .bytes
            .split(|byte| *byte == b'\n')
            .nth(line.saturating_sub(1) as usize)
            .map_or(b"", |text| text.strip_suffix(b"\r").unwrap_or(text))
    }
}

/// How the front end reads files: the server gives it the disk, tests a map.
pub trait Files {
    /// The bytes of `path`, or why not.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;
    /// An environment variable, for `#!defenv` and `$env()`.
    fn environment(&self, name: &str) -> Option<String>;
}
