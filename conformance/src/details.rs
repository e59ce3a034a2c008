//! The details of a step: how they change what is sent, and whether they hold of what came.

use crate::message::Message;

/// The detail of an expected message that keeps it out of the trace: subjects may build it differently on purpose.
pub const UNTRACED: &str = "untraced";
/// The detail of a sent message that names another address than the proxy's first.
pub const DESTINATION: &str = "destination: ";
/// The detail of an answer that puts it whole into the trace.
pub const TRACED: &str = "traced";
/// The detail of a start that must fail.
pub const REFUSED: &str = "refused";

/// `= text` is in the answer, `! text` is not.
pub fn check_text(text: &str, details: &[String]) -> Result<(), String> {
    for detail in details {
        match detail.split_at_checked(2) {
            Some(("= ", part)) if !text.contains(part) => return Err(format!("`{part}` is not in:\n{text}")),
            Some(("! ", part)) if text.contains(part) => return Err(format!("`{part}` is in:\n{text}")),
            Some(("= " | "! ", _)) => {}
            _ if detail == TRACED || detail == REFUSED => {}
            _ => return Err(format!("no such check: `{detail}`")),
        }
    }
    Ok(())
}

/// `Name: value` replaces or adds, `^Name: value` puts in front, `-Name` removes, `first: text` replaces the first line, `body: text` sets the body.
pub fn changed(mut message: Message, details: &[String]) -> Message {
    for detail in details {
        if let Some(name) = detail.strip_prefix('-') {
            message.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        } else if let Some((name, value)) = detail.strip_prefix('^').and_then(|header| header.split_once(": ")) {
            message.headers.insert(0, (name.to_owned(), value.to_owned()));
        } else if let Some(first) = detail.strip_prefix("first: ") {
            message.first = first.to_owned();
        } else if detail.starts_with(DESTINATION) {
            continue;
        } else if let Some(body) = detail.strip_prefix("body: ") {
            message.body = body.replace("\\r\\n", "\r\n");
            let length = message.body.len().to_string();
            message.headers.retain(|(own, _)| !own.eq_ignore_ascii_case("Content-Length"));
            message.headers.push(("Content-Length".to_owned(), length));
        } else if let Some((name, value)) = detail.strip_prefix("+").unwrap_or(detail).split_once(": ") {
            let place = message.headers.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name));
            match place {
                Some(header) if !detail.starts_with('+') => header.1 = value.to_owned(),
                _ => {
                    let at = message.headers.len().saturating_sub(1);
                    message.headers.insert(at, (name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    message
}

/// `= Name: value` a header has exactly this value, `~ text` is somewhere, `! Name` no such header,
/// `! ;text=` no such text (anything with a space, `;`, `=` or `<`), `first: text`, `body: text`.
/// The error names every detail that does not hold.
pub fn check_message(message: &Message, details: &[String]) -> Result<(), String> {
    let text = String::from_utf8_lossy(&message.to_bytes()).into_owned();
    let faults: Vec<String> = details.iter().filter_map(|detail| fault(message, &text, detail)).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn fault(message: &Message, text: &str, detail: &str) -> Option<String> {
    if let Some(first) = detail.strip_prefix("first: ") {
        (message.first != first).then(|| format!("first line is not `{first}`"))
    } else if let Some(body) = detail.strip_prefix("body: ") {
        (message.body != body.replace("\\r\\n", "\r\n")).then(|| format!("body is not `{body}`"))
    } else if let Some(rest) = detail.strip_prefix("= ") {
        let (name, value) = rest.split_once(": ").unwrap_or((rest.trim_end_matches(':'), ""));
        (!message.values(name).contains(&value.trim())).then(|| format!("no header `{rest}`"))
    } else if let Some(part) = detail.strip_prefix("~ ") {
        (!text.contains(part)).then(|| format!("nowhere: `{part}`"))
    } else if let Some(name) = detail.strip_prefix("! ") {
        let is_there = message.value(name).is_some() || (name.contains([' ', ';', '=', '<']) && text.contains(name));
        is_there.then(|| format!("should not be there: `{name}`"))
    } else if detail == UNTRACED {
        None
    } else {
        Some(format!("no such check: `{detail}`"))
    }
}
