//! Files that are damaged, moved, out of reach, or on a disk that is full.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::process::Command;

use super::*;
use crate::error::ErrorKind;

fn error_of(url: &Url) -> StorageError {
    let tried = open(url, options()).and_then(|mut open| open.check(&names()));
    tried.unwrap_err()
}

#[test]
fn what_is_no_database_is_told_from_what_is_no_file() {
    let directory = Directory::new();
    fs::write(directory.file(), "Dear diary, ".repeat(200)).unwrap();
    let error = error_of(&directory.url());
    assert_eq!(error.kind, ErrorKind::Corrupt);
    assert!(error.to_string().contains("not a database") && error.remedy.contains(".recover"), "{error}");
    let error = error_of(&url_of(&directory.0));
    assert_eq!((error.kind, error.reason.as_str()), (ErrorKind::Configuration, "is a directory"));
    let error = error_of(&url_of(&directory.0.join("missing/calls.sqlite")));
    assert_eq!(error.kind, ErrorKind::Away);
    assert!(error.to_string().contains("/missing (make it with `mkdir -p"), "{error}");
}

#[test]
fn a_damaged_header_and_a_truncated_file_are_errors_with_a_remedy() {
    let directory = Directory::new();
    let mut whole = directory.ready();
    apply(&mut whole, (1..200).map(|id| new(row(id, id))).collect()).unwrap();
    drop(whole);
    let bytes = fs::read(directory.file()).unwrap();
    for (offset, damage) in [(0, &b"Sqlite"[..]), (16, &[0, 3]), (100, &[255])] {
        fs::write(directory.file(), &bytes).unwrap();
        OpenOptions::new().write(true).open(directory.file()).unwrap().write_at(damage, offset).unwrap();
        let error = error_of(&directory.url());
        assert_eq!(error.kind, ErrorKind::Corrupt, "at {offset}: {error}");
    }
    for length in (1..bytes.len()).step_by(2_000) {
        fs::write(directory.file(), bytes.get(..length).unwrap()).unwrap();
        let tried = open(&directory.url(), options()).and_then(|mut open| {
            open.check(&names())?;
            open.highest(&names(), 0, 1)?;
            open.load(&names(), &Selection::All, &mut |_| ControlFlow::Continue(()))
        });
        let Err(error) = tried else { panic!("{length} of {} bytes are good enough", bytes.len()) };
        assert!(matches!(error.kind, ErrorKind::Corrupt | ErrorKind::Away), "{length} bytes: {error}");
        assert!(!error.remedy.is_empty(), "{length} bytes: {error}");
    }
}

#[test]
fn random_damage_never_ends_in_more_than_an_error() {
    let directory = Directory::new();
    let mut whole = directory.ready();
    let put = |id| Operation::Put { row: row(id % 9, id), is_new: true, variables: pairs(&[("a", "1")]) };
    apply(&mut whole, (1..60).map(put).collect()).unwrap();
    drop(whole);
    let bytes = fs::read(directory.file()).unwrap();
    let mut state = 42_u32;
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..8 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = state as usize % damaged.len();
            *damaged.get_mut(place).unwrap() = (state >> 24) as u8;
        }
        let _ = fs::remove_file(directory.0.join("calls.sqlite-wal"));
        fs::write(directory.file(), damaged).unwrap();
        let _ = open(&directory.url(), options()).and_then(|mut open| {
            open.check(&names())?;
            open.highest(&names(), 0, 1)?;
            open.load(&names(), &Selection::All, &mut |_| ControlFlow::Continue(()))?;
            open.load_variables(&names(), &Selection::All, &mut |_| ControlFlow::Continue(()))?;
            apply(&mut open, vec![known(row(3, 3)), new(row(5, 500)), Operation::Remove { entry: 4, id: 4 }])
        });
    }
}

#[test]
fn a_journal_torn_anywhere_gives_whole_batches_up_to_one_of_them() {
    let directory = Directory::new();
    let mut open_file = directory.ready();
    // The state after each batch.
    let mut states = vec![contents(&mut open_file)];
    for number in 1..=6_u32 {
        let mut operations: Vec<_> = (0..3).map(|place| new(row(place, number))).collect();
        operations.push(Operation::Remove { entry: 1, id: number.saturating_sub(1) });
        apply(&mut open_file, operations).unwrap();
        states.push(contents(&mut open_file));
    }
    // As after `kill -9`: the files as they are while the connection is open.
    let copy = Directory::new();
    let journal = fs::read(directory.0.join("calls.sqlite-wal")).unwrap();
    let whole = fs::read(directory.file()).unwrap();
    let mut reached = vec![false; states.len()];
    let mut lengths: Vec<usize> = (0..=journal.len()).step_by(509).collect();
    lengths.push(journal.len());
    for length in lengths {
        for name in ["calls.sqlite-wal", "calls.sqlite-shm"] {
            let _ = fs::remove_file(copy.0.join(name));
        }
        fs::write(copy.file(), &whole).unwrap();
        fs::write(copy.0.join("calls.sqlite-wal"), journal.get(..length).unwrap()).unwrap();
        let mut torn = open(&copy.url(), options()).unwrap();
        // The tables themselves may stand in what was torn off.
        let Ok(()) = torn.load(&names(), &Selection::All, &mut |_| ControlFlow::Continue(())) else { continue };
        let found = contents(&mut torn);
        let place = states.iter().position(|state| *state == found);
        *reached.get_mut(place.unwrap_or_else(|| panic!("torn at {length}: {} rows", found.0.len()))).unwrap() = true;
    }
    assert!(reached.iter().all(|was| *was), "{reached:?}");
}

#[test]
fn a_file_moved_away_while_it_is_open_is_noticed_before_anything_is_lost_in_it() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    let elsewhere = directory.0.join("elsewhere.sqlite");
    fs::rename(directory.file(), &elsewhere).unwrap();
    let error = apply(&mut open, vec![new(row(1, 2))]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Away);
    assert!(error.to_string().contains("moved, removed or replaced while it was open (do not move"), "{error}");
    fs::write(directory.file(), "another file").unwrap();
    assert_eq!(apply(&mut open, vec![new(row(1, 2))]).unwrap_err().kind, ErrorKind::Away);
    fs::rename(&elsewhere, directory.file()).unwrap();
    apply(&mut open, vec![new(row(1, 2))]).unwrap();
    assert_eq!(rows(&mut open, &Selection::All).len(), 2);
}

#[test]
fn names_that_sqlite_reads_as_something_else_are_files() {
    let path = super::super::file::path_of(&Url::parse("sqlite://:memory:").unwrap());
    assert_eq!(path, Path::new("./:memory:"));
    let path = super::super::file::path_of(&Url::parse("sqlite://file:x?journal=wal").unwrap());
    assert_eq!(path, Path::new("./file:x"));
    assert_eq!(super::super::file::path_of(&Url::parse("sqlite:////var/calls").unwrap()), Path::new("/var/calls"));
}

#[test]
fn what_this_user_may_not_write_is_named_with_the_remedy() {
    let directory = Directory::new();
    drop(directory.ready());
    if fs::metadata(directory.file()).unwrap().uid() == 0 {
        eprintln!("skipped: root may write everything");
        return;
    }
    fs::set_permissions(directory.file(), fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(error_of(&directory.url()).kind, ErrorKind::ReadOnly);
    fs::set_permissions(directory.file(), fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(error_of(&directory.url()).kind, ErrorKind::ReadOnly);
}

/// A small disk of its own; None where this user may not have one.
struct Disk(Directory);

impl Disk {
    fn new(size: &str) -> Option<Disk> {
        let directory = Directory::new();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "duolog-test"]).arg(&directory.0).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Disk(directory));
        }
        eprintln!("skipped: no right to mount a small disk");
        None
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0.0).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).output();
    }
}

#[test]
fn a_full_disk_stops_writing_and_goes_on_when_there_is_space() {
    let Some(disk) = Disk::new("size=512k") else { return };
    let mut open = disk.0.ready();
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    let mut written = 1;
    let error = loop {
        match apply(&mut open, (0..20).map(|place| new(row(place, written + 1))).collect()) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::Full, "{error}");
    let whole = 1 + (written - 1) as usize * 20;
    assert_eq!(rows(&mut open, &Selection::All).len(), whole);
    // Removals need room in the journal, too.
    let _ = apply(&mut open, vec![Operation::Remove { entry: 1, id: 1 }]);
    disk.remount("size=8m");
    let retry = batch((0..20).map(|place| new(row(place, written + 1))).collect());
    open.apply(&names(), &again(&retry)).unwrap();
    assert!(rows(&mut open, &Selection::All).len() >= whole + 19);
    // A start on a full disk.
    drop(open);
    disk.remount("size=8m");
    fs::write(disk.0.0.join("filler"), vec![0; 16 << 20]).unwrap_err();
    let tried = super::open(&disk.0.url(), options()).and_then(|mut open| {
        open.check(&names())?;
        apply(&mut open, vec![new(row(3, 3_000))])
    });
    assert_eq!(tried.unwrap_err().kind, ErrorKind::Full);
}

#[test]
fn a_disk_that_may_only_be_read_is_told_at_the_start_and_while_running() {
    let Some(disk) = Disk::new("size=4m") else { return };
    let mut open = disk.0.ready();
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    drop(open);
    disk.remount("ro");
    let error = error_of(&disk.0.url());
    assert_eq!(error.kind, ErrorKind::ReadOnly, "{error}");
    assert!(error.remedy.contains("let the user that runs duolog write"), "{error}");
    disk.remount("rw");
    let mut open = disk.0.ready();
    assert_eq!(rows(&mut open, &Selection::All).len(), 1);
}
