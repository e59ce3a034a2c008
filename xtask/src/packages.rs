//! Debian packages the tests use: installed when apt is there and the user is root, otherwise named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Which outside programs are there after [`install`].
pub struct Found {
    pub kamailio: bool,
    pub sipp: bool,
    pub valgrind: bool,
}

/// What of a package is looked for: a program on the path, or a file below a directory, whatever stands for `*`.
enum Sign {
    Program(&'static str),
    File(&'static str),
}

use Sign::{File, Program};

/// The packages, and what shows that they are there.
const WANTED: [(&str, Sign); 9] = [
    ("kamailio", Program("kamailio")),
    ("kamailio-sqlite-modules", File("/usr/lib/*/kamailio/modules/db_sqlite.so")),
    ("kamailio-postgres-modules", File("/usr/lib/*/kamailio/modules/db_postgres.so")),
    ("kamailio-mysql-modules", File("/usr/lib/*/kamailio/modules/db_mysql.so")),
    ("sip-tester", Program("sipp")),
    ("sqlite3", Program("sqlite3")),
    ("postgresql", File("/usr/lib/postgresql/*/bin/postgres")),
    ("mariadb-server", Program("mariadbd")),
    ("valgrind", Program("valgrind")),
];

/// Packages whose tests skip themselves, and which those are.
const SKIPPING: [(&str, &str); 3] = [
    ("sqlite3", "the tests that run Kamailio's scripts for SQLite"),
    ("postgresql", "the tests on a PostgreSQL server"),
    ("mariadb-server", "the tests on a MariaDB server"),
];

/// Installs what is missing, if it can.
pub fn install() -> Found {
    let missing: Vec<&str> = WANTED.iter().filter(|(_, sign)| !is_there(sign)).map(|(package, _)| *package).collect();
    if !missing.is_empty() {
        if is_on_path("apt-get") && is_root() {
            println!("installing {}", missing.join(" "));
            let _quiet = NoServices::begin();
            run("apt-get", &["update", "-qq"]);
            let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
            arguments.extend(&missing);
            run("apt-get", &arguments);
        } else {
            println!("not installed: {} (needs apt and root)", missing.join(" "));
        }
    }
    for (package, _) in WANTED.iter().filter(|(_, sign)| !is_there(sign)) {
        if let Some((_, tests)) = SKIPPING.iter().find(|(skipping, _)| skipping == package) {
            println!("skipped: {tests} ({package} is not installed and cannot be)");
        }
    }
    Found { kamailio: is_on_path("kamailio"), sipp: is_on_path("sipp"), valgrind: is_on_path("valgrind") }
}

/// While it lives, packages that are installed start no service: the tests run servers of their own, on directories of their own.
struct NoServices {
    is_ours: bool,
}

/// What Debian's package scripts ask whether they may start a service; 101 is no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Known again when a run that was killed left it behind: no service would ever start after an installation.
const POLICY_TEXT: &str = "#!/bin/sh\n# Of the tests of duolog, while they install packages.\nexit 101\n";

impl NoServices {
    fn begin() -> NoServices {
        let is_free = fs::read(POLICY).map_or(!Path::new(POLICY).exists(), |found| found == POLICY_TEXT.as_bytes());
        let is_ours = is_free && fs::write(POLICY, POLICY_TEXT).is_ok();
        if is_ours {
            let _ = fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755));
        }
        NoServices { is_ours }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        println!("{program} {} failed; the suites that need it are skipped", arguments.join(" "));
    }
}

fn is_there(sign: &Sign) -> bool {
    match sign {
        Program(name) => is_on_path(name),
        File(pattern) => {
            let (before, after) = pattern.split_once("/*/").unwrap_or((pattern, ""));
            let directories = fs::read_dir(before).into_iter().flatten().filter_map(Result::ok);
            directories.map(|directory| directory.path().join(after)).any(|file| file.is_file())
        }
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
