//! Sed expressions on message, URI, header values and texts.

use std::sync::Arc;

use script::exports::{Argument, Evaluate, Flow};
use script::regex::Substitution;
use script::value::{Text, Value};
use script::vm;
use sip::span::Span;
use sip::uri::Uri;

use super::search::{Region, absolute, chosen_headers, text};
use crate::worker::Worker;

/// The substitution of an argument; texts known only now are compiled.
fn substitution(worker: &mut Worker, arguments: &[Argument], index: usize) -> Option<Arc<Substitution>> {
    match arguments.get(index)? {
        Argument::Substitution(substitution) => Some(Arc::clone(substitution)),
        other => match worker.node.program.compile_substitution(&other.text()) {
            Ok(substitution) => Some(Arc::new(substitution)),
            Err(error) => {
                worker.log(-1, "textops", &format!("bad substitution: {error}"));
                None
            }
        },
    }
}

/// Edits what matches within a span. True when something did.
fn edit(worker: &mut Worker, substitution: &Substitution, span: Span) -> bool {
    let subject = worker.run.message.text(span).to_vec();
    let replaced = substitution.replacements(&subject, |reference, out| {
        let value = worker.read(reference);
        if value.is_null() { out.extend_from_slice(b"<null>") } else { value.append_to(out) }
    });
    for one in &replaced {
        worker.run.edits.replace(absolute(span, (one.start, one.end)), &one.text);
    }
    !replaced.is_empty()
}

fn subst_in(worker: &mut Worker, arguments: &[Argument], region: Region) -> Flow {
    let Some(substitution) = substitution(worker, arguments, 0) else { return Flow::Code(-1) };
    let span = region.span(&worker.run.message);
    Flow::from(edit(worker, &substitution, span))
}

/// `subst("/re/replacement/flags")`.
pub(super) fn subst(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    subst_in(worker, arguments, Region::All)
}

/// `subst_body("/re/replacement/flags")`.
pub(super) fn subst_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    subst_in(worker, arguments, Region::Body)
}

/// `subst_uri("/re/replacement/flags")`: on the request URI, at once.
pub(super) fn subst_uri(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(substitution) = substitution(worker, arguments, 0) else { return Flow::Code(-1) };
    let subject = worker.run.request_uri().to_vec();
    match vm::substitute(worker, &substitution, &subject) {
        Some((uri, _)) => {
            worker.run.set_request_uri(&uri);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `subst_user("/re/replacement/flags")`: on the user of the request URI, at once.
pub(super) fn subst_user(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(substitution) = substitution(worker, arguments, 0) else { return Flow::Code(-1) };
    let whole = worker.run.request_uri().to_vec();
    let Ok(uri) = Uri::parse(&whole) else { return Flow::Code(-1) };
    let Some((user, _)) = vm::substitute(worker, &substitution, uri.user) else { return Flow::Code(-1) };
    let userinfo = [uri.scheme, b":", uri.user].concat().len();
    let Some(mut rest) = whole.get(userinfo..) else { return Flow::Code(-1) };
    let mut made = [uri.scheme, b":", &user].concat();
    if !uri.is_tel() {
        if !uri.has_user {
            made.push(b'@');
        } else if user.is_empty() {
            rest = rest.iter().position(|byte| *byte == b'@').and_then(|at| rest.get(at.saturating_add(1)..)).unwrap_or(rest);
        }
    }
    made.extend_from_slice(rest);
    worker.run.set_request_uri(&made);
    Flow::Code(1)
}

/// `subst_hf(name, "/re/replacement/flags", which)`: `a` all headers of the name, `f` the first, `l` the last.
pub(super) fn subst_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(substitution) = substitution(worker, arguments, 1) else { return Flow::Code(-1) };
    let spans = chosen_headers(&worker.run.message, &text(arguments, 0), &text(arguments, 2));
    let mut is_changed = false;
    for span in spans {
        is_changed |= edit(worker, &substitution, span);
    }
    Flow::from(is_changed)
}

/// `subst_v(text, "/re/replacement/flags", $result)`.
pub(super) fn subst_v(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let subject = text(arguments, 0);
    let Some(substitution) = substitution(worker, arguments, 1) else { return Flow::Code(-1) };
    let Some(Argument::Variable(result)) = arguments.get(2) else { return Flow::Code(-1) };
    match vm::substitute(worker, &substitution, &subject) {
        Some((made, _)) => Flow::from(worker.write(result, Value::Text(Text::from(made))).is_ok()),
        None => Flow::Code(-1),
    }
}
