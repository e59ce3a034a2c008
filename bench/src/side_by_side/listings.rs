//! Calls while all calls are listed again and again: do they notice?

use super::Stage;
use super::table::{Section, grouped, ratio};
use crate::listing;

/// New calls a second.
const RATE: u32 = 500;

/// Duolog alone, without and with listings in turn.
pub fn measure(stage: &mut Stage) -> Result<(), String> {
    let (held, seconds) = stage.scale.listed;
    let noticed = listing::listing(held, RATE, seconds)?;
    let mut section = Section::new(
        &format!("Listing {} calls while others are made", grouped(f64::from(held))),
        &["INVITE to 200", "without", "with listings", "ratio"],
    );
    section.note(format!(
        "Duolog only. {RATE} new calls a second; the whole table is read again and again over HTTP and BINRPC by another process, \
         {} times in this run. No call may fail.",
        noticed.listings
    ));
    for (name, [without, with]) in [("p50", noticed.median_milliseconds), ("p99", noticed.p99_milliseconds)] {
        section.row(vec![name.to_owned(), format!("{without:.2} ms"), format!("{with:.2} ms"), ratio(with, without)]);
    }
    stage.tell(section);
    Ok(())
}
