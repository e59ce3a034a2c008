//! One step of a command: a program, run to its end, with its time shown.

use std::process::{Command, ExitCode};
use std::time::Instant;

/// A named program run.
pub struct Step {
    name: &'static str,
    program: String,
    arguments: Vec<String>,
}

impl Step {
    /// A cargo run with the toolchain that runs us.
    pub fn cargo(name: &'static str, arguments: &[&str]) -> Step {
        Step {
            name,
            program: std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        }
    }
}

impl Step {
    /// A step that says why and fails.
    pub fn failed(name: &'static str, reason: &str) -> Step {
        Step { name, program: "sh".to_owned(), arguments: vec!["-c".to_owned(), format!("echo '{reason}' >&2; exit 1")] }
    }
}

/// Runs steps in order and stops at the first that fails.
pub fn run_all(steps: &[Step]) -> ExitCode {
    for step in steps {
        println!("== {}", step.name);
        let began = Instant::now();
        match Command::new(&step.program).args(&step.arguments).status() {
            Ok(status) if status.success() => println!("== {}: {:.0} s", step.name, began.elapsed().as_secs_f64()),
            Ok(status) => {
                eprintln!("== {} failed: {status}", step.name);
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("== {} could not be started: {error}", step.name);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
