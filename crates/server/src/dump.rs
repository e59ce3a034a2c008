//! Long answers that go into files (`dlg.dump_file`): one JSON line each, appended to a plain file in one folder.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use modules::json_rpc;
use modules::listing::Listing;
use modules::rpc::{Fault, Reply};

/// Bytes gathered before they go to the disk.
const BUFFER_BYTES: usize = 256 * 1024;

/// Appends all items to `folder/name`; the answer to the call that wanted it.
pub fn append(folder: &str, name: &str, lines: &Listing) -> Result<Reply, Fault> {
    let failed = |error: io::Error| Fault::new(500, format!("{folder}/{name} was not written: {error}"));
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, open(&Path::new(folder).join(name)).map_err(failed)?);
    let mut written = 0_u64;
    while let Some(page) = lines.next_page() {
        for item in &page {
            let cut = |error: io::Error| Fault::new(500, format!("{folder}/{name} is cut after about {written} lines: {error}"));
            file.write_all(json_rpc::line(item).as_bytes()).map_err(cut)?;
            written += 1;
        }
    }
    let cut = |error: io::Error| Fault::new(500, format!("{folder}/{name} is cut before its {written} lines: {error}"));
    file.flush().map_err(cut)?;
    Ok(Reply::empty())
}

/// A plain file to append to. Links, devices and pipes are refused: what is written must stay in the folder.
fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().append(true).create(true).mode(0o640).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(io::Error::other("no plain file"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use modules::listing::Pages;
    use modules::rpc::Item;

    use super::*;

    struct Two(u8);

    impl Pages for Two {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.0 += 1;
            (self.0 <= 2).then(|| vec![Item::Structure(vec![("page".into(), Item::Integer(i64::from(self.0)))])])
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("duolog-dump-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn lines_are_appended() {
        let folder = folder("append");
        let text = folder.display().to_string();
        for _ in 0..2 {
            assert_eq!(append(&text, "calls", &Listing::new(Two(0))), Ok(Reply::empty()));
        }
        let written = fs::read_to_string(folder.join("calls")).expect("the file");
        assert_eq!(written, "{\"page\":1}\n{\"page\":2}\n".repeat(2));
        fs::remove_dir_all(folder).expect("the folder");
    }

    #[test]
    fn what_is_no_plain_file_stays_as_it_is_and_the_caller_is_told() {
        let folder = folder("links");
        let text = folder.display().to_string();
        fs::write(folder.join("kept"), "kept").expect("a file");
        std::os::unix::fs::symlink(folder.join("kept"), folder.join("link")).expect("a link");
        fs::hard_link(folder.join("kept"), folder.join("second")).expect("a second name");
        fs::create_dir(folder.join("inner")).expect("a folder");
        for name in ["link", "second", "inner", "nowhere/file"] {
            let fault = append(&text, name, &Listing::new(Two(0))).expect_err(name);
            assert!(fault.code == 500 && fault.text.contains(name), "{fault:?}");
        }
        assert_eq!(fs::read(folder.join("kept")).expect("the file"), b"kept");
        fs::remove_dir_all(folder).expect("the folder");
    }
}
