//! Reading of included files: as given first, then beside the including file (spec cfg-language 2.9).

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::lexer::Lexer;
use crate::lexer::cursor::{Cursor, Origin};
use crate::limits::{FILES_MAX, INCLUDE_DEPTH_MAX, SOURCE_BYTES_MAX};
use crate::source::{FileId, Source, Span};

impl Lexer<'_> {
    /// Goes on reading in `path`; when `is_optional` a missing file is passed over.
    pub(crate) fn include(&mut self, path: &str, is_optional: bool, place: Span) {
        if let Err(message) = self.try_include(path, is_optional) {
            self.report.add(Diagnostic::error(place, message));
        }
    }

    fn try_include(&mut self, path: &str, is_optional: bool) -> Result<(), String> {
        let open_files = self.cursors.iter().filter(|cursor| cursor.is_file()).count();
        if open_files > INCLUDE_DEPTH_MAX || self.sources.files.len() >= FILES_MAX {
            return Err(format!("too many included files: `{path}` is not read"));
        }
        let mut candidates = vec![path.to_string()];
        if !path.starts_with('/')
            && let Some(directory) = self.current_directory()
        {
            candidates.push(format!("{directory}/{path}"));
        }
        let mut reason = String::new();
        for candidate in candidates {
            if self.is_open(&candidate) {
                return Err(format!("`{candidate}` includes itself"));
            }
            match self.files.read(&candidate) {
                Ok(bytes) => return self.open_source(candidate, bytes),
                Err(failure) => reason = failure,
            }
        }
        if is_optional { Ok(()) } else { Err(format!("cannot open the included file `{path}`: {reason}")) }
    }

    /// Puts the bytes of a file on top of the stack.
    pub(crate) fn open_source(&mut self, path: String, bytes: Vec<u8>) -> Result<(), String> {
        self.source_bytes = self.source_bytes.saturating_add(bytes.len());
        if self.source_bytes > SOURCE_BYTES_MAX {
            return Err(format!("the configuration is larger than {SOURCE_BYTES_MAX} bytes: `{path}` is not read"));
        }
        let bytes: Arc<[u8]> = Arc::from(bytes);
        let file = FileId(u32::try_from(self.sources.files.len()).unwrap_or(u32::MAX));
        self.sources.files.push(Source { path: path.clone(), bytes: Arc::clone(&bytes) });
        self.cursors.push(Cursor::file(file, path, bytes));
        Ok(())
    }

    fn is_open(&self, candidate: &str) -> bool {
        self.cursors.iter().any(|cursor| match &cursor.origin {
            Origin::File { path, .. } => path == candidate,
            Origin::Define { .. } => false,
        })
    }

    fn current_directory(&self) -> Option<String> {
        self.cursors.iter().rev().find_map(|cursor| match &cursor.origin {
            Origin::File { path, .. } => Some(path.rsplit_once('/').map_or(".", |(directory, _)| directory).to_string()),
            Origin::Define { .. } => None,
        })
    }
}

/// The escapes of an include path: `\t`, `\n`, `\r`, and `\x` for any other x.
pub(crate) fn unescape_path(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match (byte, byte == &b'\\') {
            (_, false) => out.push(*byte),
            _ => match bytes.next() {
                Some(b't') => out.push(b'\t'),
                Some(b'n') => out.push(b'\n'),
                Some(b'r') => out.push(b'\r'),
                Some(other) => out.push(*other),
                None => {}
            },
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
