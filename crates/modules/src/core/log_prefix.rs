//! The text of `log_prefix` in front of every log line of a message (spec cfg-language 4.3).

use std::sync::{Arc, OnceLock};

use script::exports::Evaluate;
use script::format::Format;
use script::value::Text;

use crate::worker::Worker;

/// Bit of `log_prefix_mode`: the prefix is made anew for each line, else once for a message.
const MODE_ANEW: i64 = 1;

/// The compiled prefix; None inside: it does not compile, which was logged.
pub type Compiled = OnceLock<Option<Format>>;

/// What one run knows of its prefix.
#[derive(Debug, Default)]
pub struct RunPrefix {
    /// Made already for this message.
    text: Option<Text>,
    /// Its variables are being read: what they log has no prefix.
    is_being_made: bool,
}

/// The prefix for a line logged now; None: `log_prefix` is not set or no message is there.
pub fn text(worker: &mut Worker) -> Option<Text> {
    let node = Arc::clone(&worker.node);
    let wanted = node.core.log_prefix.as_ref()?;
    if worker.run.core.prefix.is_being_made || worker.run.message.bytes().is_empty() {
        return None;
    }
    if node.core.log_prefix_mode & MODE_ANEW == 0
        && let Some(text) = &worker.run.core.prefix.text
    {
        return Some(text.clone());
    }
    let format = node.states.core.log_prefix.get_or_init(|| node.program.compile_format(wanted).ok());
    worker.run.core.prefix.is_being_made = true;
    let text = match format {
        Some(format) => worker.format(format),
        None => wanted.clone(),
    };
    worker.run.core.prefix = RunPrefix { text: Some(text.clone()), is_being_made: false };
    Some(text)
}
