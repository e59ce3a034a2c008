//! Conformance: cases that run against `duolog` or the real `kamailio`, on the wire.
//!
//! A case is a Markdown file: prose, a `cfg` block, a `timeline` block (README.md of this folder has the language).
//! This crate knows nothing of the product's crates: a subject is a process with ports.

mod agent;
mod case;
mod message;
mod normalise;
mod runner;
mod subject;
mod template;
mod timeline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line asks for.
pub struct Options {
    pub subject: String,
    pub program: Option<PathBuf>,
    pub filter: Option<String>,
    pub record: bool,
    pub verbose: bool,
}

fn main() -> ExitCode {
    let mut options = Options { subject: "duolog".to_owned(), program: None, filter: None, record: false, verbose: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--subject" => options.subject = arguments.next().unwrap_or_default(),
            "--program" => options.program = arguments.next().map(PathBuf::from),
            "--record" => options.record = true,
            "--verbose" => options.verbose = true,
            other => options.filter = Some(other.to_owned()),
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for path in paths {
        let name = path.strip_prefix(&folder).unwrap_or(&path).with_extension("").display().to_string();
        if options.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
            continue;
        }
        match case::read(&path).and_then(|case| {
            if case.only.as_ref().is_some_and(|only| *only != options.subject) {
                return Ok(None);
            }
            runner::run(&name, &path, &case, &options).map(Some)
        }) {
            Ok(Some(())) => {
                passed += 1;
                if options.verbose {
                    println!("ok   {name}");
                }
            }
            Ok(None) => skipped += 1,
            Err(reason) => {
                failed += 1;
                println!("FAIL {name}\n     {}", reason.replace('\n', "\n     "));
            }
        }
    }
    println!("conformance on {}:", options.subject);
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}
