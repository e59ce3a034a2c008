//! The `talk-minutes` binary: duolog plus the books.

use std::process::ExitCode;
use std::sync::Arc;

use server::Extension;
use talk_minutes::{books::Books, module};

fn main() -> ExitCode {
    let extension = Extension { observers: vec![Arc::new(Books::default())], modules: vec![&module::MODULE] };
    server::run(std::env::args_os().skip(1), extension)
}
