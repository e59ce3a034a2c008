//! What a count depends on beside our code: compiler, C library, the processor valgrind shows, valgrind itself.

use std::process::Command;

/// One line of text each; "unknown" where the machine does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Release and commit, and the target it compiles for.
    pub rustc: String,
    /// memcpy and malloc are its.
    pub libc: String,
    /// Copying and searching choose their form by what the processor can do.
    pub processor: String,
    pub valgrind: String,
}

impl Surroundings {
    /// Those of this machine.
    pub fn here() -> Surroundings {
        Surroundings {
            rustc: format!("{}, {}-{}", said_by("rustc", &["--version"]), std::env::consts::ARCH, std::env::consts::OS),
            libc: said_by("getconf", &["GNU_LIBC_VERSION"]),
            processor: processor().to_owned(),
            valgrind: said_by("valgrind", &["--version"]),
        }
    }

    /// Name and value of each, as the baseline's comments have them.
    pub fn facts(&self) -> [(&'static str, &str); 4] {
        [("rustc", &self.rustc), ("libc", &self.libc), ("processor", &self.processor), ("valgrind", &self.valgrind)]
    }
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    output.map_or_else(|| "unknown".to_owned(), |output| String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned())
}

#[cfg(target_arch = "x86_64")]
fn processor() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") { "x86_64 with AVX2" } else { "x86_64 without AVX2" }
}

#[cfg(not(target_arch = "x86_64"))]
fn processor() -> &'static str {
    std::env::consts::ARCH
}
