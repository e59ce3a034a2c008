//! COMPAT.md: written from the export tables, or compared with them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default().join("COMPAT.md")
}

fn generate() -> Result<Vec<u8>, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "modules", "--example", "compat"])
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Writes the file.
pub fn write() -> ExitCode {
    match generate().and_then(|text| std::fs::write(path(), text).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Fails when the file differs from the tables.
pub fn check() -> ExitCode {
    match generate() {
        Ok(text) if std::fs::read(path()).is_ok_and(|found| found == text) => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("COMPAT.md differs from the export tables: run `cargo xtask compat`");
            ExitCode::FAILURE
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
