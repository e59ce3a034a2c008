//! On what a run was made: machine, versions, commit, day.

use std::fmt;
use std::fs;
use std::process::Command;

use crate::subject::workspace;

/// What must be known of a run's figures.
#[derive(Clone, Debug)]
pub struct Machine {
    /// `YYYY-MM-DD`.
    pub date: String,
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub compiler: String,
    pub kamailio: String,
    /// With `+` behind it: the tree held changes.
    pub commit: String,
    /// Of the minute before the run: others' work spoils figures.
    pub load: String,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Result<Machine, String> {
        let first_line = |text: String| text.lines().next().unwrap_or_default().trim().to_owned();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
        Ok(Machine {
            date: first_line(said("date", &["+%F"])?),
            processor: processor(&read("/proc/cpuinfo")),
            cores,
            kernel: first_line(read("/proc/sys/kernel/osrelease")),
            compiler: first_line(said("rustc", &["--version"])?),
            kamailio: first_line(said("kamailio", &["-v"])?).trim_start_matches("version: ").to_owned(),
            commit: first_line(said("git", &["rev-parse", "--short", "HEAD"])?) + if changed { "+" } else { "" },
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {}, {} cores, Linux {}; {}, {} with `-x fm -X fm`; duolog at commit {}; load average before the run {}",
            self.date, self.processor, self.cores, self.kernel, self.compiler, self.kamailio, self.commit, self.load
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What a command writes.
fn said(program: &str, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).current_dir(workspace()).output().map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The name of the first core.
fn processor(text: &str) -> String {
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_has_the_name_the_kernel_gives_it() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Fast One 3\nmodel name\t: other\n"), "Fast One 3");
        assert_eq!(processor(""), std::env::consts::ARCH);
    }
}
