//! `kill -9` while batches are committed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Where the process to be killed finds its file, and the first number it is to write.
const FILE_TO_FILL: &str = "DUOLOG_TEST_FILE_TO_FILL";
const FIRST_NUMBER: &str = "DUOLOG_TEST_FIRST_NUMBER";

const ROWS_A_BATCH: u32 = 50;

#[test]
fn what_was_committed_before_a_kill_is_there_and_no_batch_is_there_in_part() {
    let directory = Directory::new();
    let mut first = 1;
    for round in 0..8 {
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["sqlite::tests::killing::the_process_that_is_killed_commits", "--exact", "--nocapture"])
            .env(FILE_TO_FILL, directory.file())
            .env(FIRST_NUMBER, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(other.stdout.take().unwrap()).lines();
        let mut told = lines.filter_map(|line| line.unwrap().strip_prefix("committed ")?.parse::<u32>().ok());
        // Long enough for the work beside the commits in later rounds.
        let last = told.nth(3 + round * round * 2).unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        // It may have come further before the signal reached it.
        let last = told.last().unwrap_or(last);
        let mut open = directory.ready();
        let found = rows(&mut open, &Selection::All).len() as u32;
        assert_eq!(found % ROWS_A_BATCH, 0);
        assert!(found >= last * ROWS_A_BATCH, "{found} rows, but {last} batches were committed");
        assert!(found <= (last + 1) * ROWS_A_BATCH, "{found} rows after {last} batches");
        assert_eq!(variables(&mut open, &Selection::All).len() as u32, found);
        first = found / ROWS_A_BATCH + 1;
    }
}

/// Not a test of its own: the other side of the one above.
#[test]
fn the_process_that_is_killed_commits() {
    let Some(path) = std::env::var_os(FILE_TO_FILL) else { return };
    let first = std::env::var(FIRST_NUMBER).unwrap().parse::<u32>().unwrap();
    let mut open = open(&url_of(Path::new(&path)), options()).unwrap();
    open.check(&names()).unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out).unwrap();
    for number in first.. {
        let put = |place| Operation::Put { row: row(place * 37 % 4096, number), is_new: true, variables: pairs(&[("a", "1")]) };
        apply(&mut open, (0..ROWS_A_BATCH).map(put).collect()).unwrap();
        writeln!(out, "committed {number}").unwrap();
        out.flush().unwrap();
    }
}
