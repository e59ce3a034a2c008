//! Debian packages the tests use: installed when apt is there and the user is root, otherwise named.

use std::path::Path;
use std::process::{Command, Stdio};

/// Which outside programs are there after [`install`].
pub struct Found {
    pub kamailio: bool,
    pub sipp: bool,
}

/// The programs and the packages that bring them.
const WANTED: [(&str, &str); 2] = [("kamailio", "kamailio"), ("sipp", "sip-tester")];

/// Installs what is missing, if it can.
pub fn install() -> Found {
    let missing: Vec<&str> = WANTED.iter().filter(|(program, _)| !is_on_path(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        if is_on_path("apt-get") && is_root() {
            println!("installing {}", missing.join(" "));
            run("apt-get", &["update", "-qq"]);
            let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
            arguments.extend(&missing);
            run("apt-get", &arguments);
        } else {
            println!("not installed: {} (needs apt and root)", missing.join(" "));
        }
    }
    Found { kamailio: is_on_path("kamailio"), sipp: is_on_path("sipp") }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        println!("{program} {} failed; the suites that need it are skipped", arguments.join(" "));
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn is_on_path(program: &str) -> bool {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&directories)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|directory| Path::new(&directory).join(program).is_file())
}
