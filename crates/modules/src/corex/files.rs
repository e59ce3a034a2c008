//! `file_read` and `file_write`: the shell touches the disk, the script waits meanwhile (invariants A1, A5).

use script::exports::{Argument, Evaluate, Flow};
use script::value::{Text, Value};

use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

/// Longest file that a script reads, bytes: as long as a text of the script may be.
pub const FILE_BYTES_MAX: usize = script::vm::TEXT_BYTES_MAX;

fn path_of(worker: &mut Worker, arguments: &[Argument]) -> Option<String> {
    let path = arguments.first().map(Argument::text).unwrap_or_default();
    match std::str::from_utf8(&path) {
        Ok(path) if !path.is_empty() => Some(path.to_owned()),
        _ => {
            worker.log(-1, "corex", "the path of a file is empty or no text");
            None
        }
    }
}

/// `file_read(path, variable)`.
pub(super) fn read(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(path) = path_of(worker, arguments) else { return Flow::Code(-1) };
    let Some(Argument::Variable(variable)) = arguments.get(1) else { return Flow::Code(-1) };
    if !worker.can_wait() {
        worker.log(-1, "corex", "file_read() waits for the disk: it works in a request route only");
        return Flow::Code(-1);
    }
    worker.run.corex.file_variable = Some(variable.clone());
    worker.run.continuation = Some(was_read);
    let ticket = worker.take_ticket();
    worker.outbox.effects.push(Effect::ReadFile { ticket, path, bytes_max: FILE_BYTES_MAX });
    Flow::Wait
}

fn was_read(worker: &mut Worker, answer: Answer) -> Flow {
    let Some(variable) = worker.run.corex.file_variable.take() else { return Flow::Code(-1) };
    match answer {
        Answer::FileRead(Ok(bytes)) => match worker.write(&variable, Value::Text(Text::from(bytes))) {
            Ok(()) => Flow::Code(1),
            Err(error) => failed(worker, "file_read", &error),
        },
        Answer::FileRead(Err(error)) => failed(worker, "file_read", &error),
        _ => failed(worker, "file_read", "too many files wait to be read or written"),
    }
}

/// `file_write(path, content)`: the file has the content afterwards and nothing else. Where a script cannot wait it goes on at
/// once.
pub(super) fn write(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(path) = path_of(worker, arguments) else { return Flow::Code(-1) };
    let content = arguments.get(1).map(Argument::text).unwrap_or_default();
    if content.is_empty() {
        return failed(worker, "file_write", "there is no content");
    }
    let bytes = content.to_vec();
    if !worker.can_wait() {
        worker.outbox.effects.push(Effect::WriteFile { ticket: 0, path, bytes });
        return Flow::Code(1);
    }
    worker.run.continuation = Some(was_written);
    let ticket = worker.take_ticket();
    worker.outbox.effects.push(Effect::WriteFile { ticket, path, bytes });
    Flow::Wait
}

fn was_written(worker: &mut Worker, answer: Answer) -> Flow {
    match answer {
        Answer::FileWritten(Ok(())) => Flow::Code(1),
        Answer::FileWritten(Err(error)) => failed(worker, "file_write", &error),
        _ => failed(worker, "file_write", "too many files wait to be read or written"),
    }
}

fn failed(worker: &mut Worker, function: &str, error: &str) -> Flow {
    let line = format!("{function}: {error}");
    worker.log(-1, "corex", &line);
    Flow::Code(-1)
}
