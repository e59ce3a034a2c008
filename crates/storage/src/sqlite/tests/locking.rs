use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::error::ErrorKind;
use crate::sqlite::Lock;

/// Where the other process finds the file to hold.
const FILE_TO_HOLD: &str = "DUOLOG_TEST_FILE_TO_HOLD";

#[test]
fn a_second_process_is_told_who_has_the_file_until_that_one_is_killed() {
    let directory = Directory::new();
    drop(directory.ready());
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["sqlite::tests::locking::the_other_process_holds_the_file", "--exact", "--nocapture"])
        .env(FILE_TO_HOLD, directory.file())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holds it")));
    let error = Lock::take(&directory.url()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
    let told = format!("the process {} keeps its dialogs in this file (stop that duolog, or give", other.id());
    assert!(error.to_string().contains(&told), "{error}");
    // By another name it is still the same file.
    let link = directory.0.join("link.sqlite");
    std::os::unix::fs::symlink(directory.file(), &link).unwrap();
    assert_eq!(Lock::take(&url_of(&link)).unwrap_err().kind, ErrorKind::Busy);
    other.kill().unwrap();
    other.wait().unwrap();
    let own = Lock::take(&directory.url()).unwrap();
    assert_eq!(Lock::take(&directory.url()).unwrap_err().kind, ErrorKind::Busy);
    drop(own);
    Lock::take(&directory.url()).unwrap();
}

/// Not a test of its own: the other side of the one above.
#[test]
fn the_other_process_holds_the_file() {
    let Some(path) = std::env::var_os(FILE_TO_HOLD) else { return };
    let _held = Lock::take(&url_of(Path::new(&path))).unwrap();
    println!("\nholds it");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_file_that_does_not_exist_yet_can_be_held() {
    let directory = Directory::new();
    let held = Lock::take(&directory.url()).unwrap();
    drop(directory.ready());
    assert_eq!(Lock::take(&directory.url()).unwrap_err().kind, ErrorKind::Busy);
    drop(held);
}

#[test]
fn where_nothing_can_be_written_the_error_says_so() {
    let url = Url::parse("sqlite:///proc/nowhere/calls.sqlite").unwrap();
    let error = Lock::take(&url).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly);
    assert!(error.to_string().contains("let the user that runs duolog write"), "{error}");
}
