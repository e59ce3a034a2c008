//! For tests: every function and variable of the modules that read and edit messages, called on every hostile message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use script::exports::{InnerKind, Kind, Routes};
use script::syntax::ast::RouteKind;
use sip::Message;

use crate::registry::{Function, Module};
use crate::trial;
use crate::worker::Worker;

/// Modules whose names are all called.
const CALLED: [&Module; 8] = [
    &crate::textops::MODULE,
    &crate::textopsx::MODULE,
    &crate::siputils::MODULE,
    &crate::sanity::MODULE,
    &crate::maxfwd::MODULE,
    &crate::htable::MODULE,
    &crate::cfgutils::MODULE,
    &crate::pv::MODULE,
];

/// These end a run, wait, or take the process down on purpose.
const NOT_CALLED: [&str; 4] = ["abort", "sleep", "usleep", "msg_changed_route"];

const TOP: &str = "loadmodule \"sl\"\nloadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"textops\"\nloadmodule \"textopsx\"\nloadmodule \"siputils\"\nloadmodule \"sanity\"\n\
    loadmodule \"maxfwd\"\nloadmodule \"htable\"\nmodparam(\"htable\", \"htable\", \"t=>size=4;\")\nmodparam(\"htable\", \"htable\", \"u=>size=4;autoexpire=10;initval=0;\")\n\
    route[X] {\n\treturn 1;\n}\n";

/// Texts for a format argument, by the name of the function: the message's own bytes and oddities.
fn texts(function: &str) -> &'static [&'static str] {
    match function {
        name if name.starts_with("sht_") => &["t", "u", "t=>$fU", "it", "eq", "$rU", "re", "none"],
        name if name.starts_with("hf_iterator") || name.starts_with("bl_iterator") => &["it", "X-New: $fU\\r\\n"],
        _ => &["$ru", "$hdr(Via)", "", "X-A: $fn\\r\\n", "Contact[1].expires", "$rb", "application/sdp", "a", "$(hdr(Contact)[-1])"],
    }
}

/// One way to write an argument of this kind.
fn argument(kind: Kind, function: &str, turn: usize) -> String {
    let of = |list: &[&str]| list.get(turn % list.len()).copied().unwrap_or_default().to_owned();
    match kind {
        Kind::Format => format!("\"{}\"", of(texts(function))),
        Kind::Plain => format!("\"{}\"", of(&["Contact", "f", "application/sdp", "id", "OPTIONS"])),
        Kind::Integer => of(&["0", "1", "-1", "2147483647", "-2147483648"]),
        Kind::Regex => format!("\"{}\"", of(&["a", ".*", "[^:]+", "(sip|sips):[^@]*@"])),
        Kind::Substitution => format!("\"{}\"", of(&["/a/$fn/g", "/(.*)/\\1\\1/", "/[^ ]/x/g"])),
        Kind::Variable => "\"$var(v)\"".to_owned(),
        Kind::Route(_) => "\"X\"".to_owned(),
        Kind::Flag | Kind::AttributeFlag => "1".to_owned(),
    }
}

/// The calls of one function: each number of arguments, with several texts.
fn calls(function: &Function) -> Vec<String> {
    let mut made = Vec::new();
    for count in function.arity.0..=function.arity.1 {
        for turn in 0..5 {
            let arguments: Vec<String> = (0..usize::from(count))
                .map(|index| {
                    let kind = function.arguments.get(index).or(function.arguments.last()).copied().unwrap_or(Kind::Format);
                    argument(kind, function.name, turn + 3 * index)
                })
                .collect();
            let call = format!("{}({})", function.name, arguments.join(", "));
            if !made.contains(&call) {
                made.push(call);
            }
        }
    }
    made
}

/// Does a configuration with this route text load? Some functions refuse some literals.
fn loads(text: &str) -> bool {
    std::panic::catch_unwind(|| trial::worker(&format!("{TOP}{text}"), "exit;")).is_ok()
}

/// One route for each call, so that one that ends the script ends only itself.
fn routes() -> Vec<(RouteKind, String, String)> {
    let mut made = Vec::new();
    let functions = CALLED.iter().flat_map(|module| module.functions).filter(|function| !NOT_CALLED.contains(&function.name));
    for function in functions {
        for call in calls(function) {
            let (kind, word) =
                if function.routes.has(Routes::REQUEST) { (RouteKind::Request, "route") } else { (RouteKind::OnReply, "onreply_route") };
            let name = format!("C{}", made.len());
            let text = format!("{word}[{name}] {{\n\t{call};\n}}\n");
            if loads(&text) {
                made.push((kind, name, text));
            }
        }
    }
    for variable in CALLED.iter().flat_map(|module| module.variables) {
        let inner = match variable.inner {
            InnerKind::None | InnerKind::OptionalWord => String::new(),
            InnerKind::Word => "(it)".to_owned(),
            InnerKind::Format if variable.name.starts_with("sht") => "(t=>$fU)".to_owned(),
            InnerKind::Format => "(Contact)".to_owned(),
            InnerKind::Xavp => "(a=>b)".to_owned(),
            InnerKind::Variable => "(fU)".to_owned(),
            InnerKind::OneOf(words) => format!("({})", words.first().copied().unwrap_or_default()),
        };
        let name = format!("C{}", made.len());
        let text = format!("route[{name}] {{\n\t$var(v) = ${}{inner};\n}}\n", variable.name);
        if loads(&text) {
            made.push((RouteKind::Request, name, text));
        }
    }
    made
}

/// Name and bytes of every input: those of the repository, and the shared ones where they are.
fn inputs() -> BTreeMap<String, Vec<u8>> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../sip/tests/hostile", "../../../shared/corpora/rfc4475", "../../../shared/corpora/rfc5118"];
    let files = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    folders
        .iter()
        .flat_map(|folder| files(base.join(folder)))
        .filter(|path| path.extension().is_none_or(|extension| extension == "dat"))
        .filter_map(|path| Some((path.display().to_string(), std::fs::read(&path).ok()?)))
        .collect()
}

/// Everything the edits of a run would write.
fn written(worker: &Worker) -> usize {
    let mut out = Vec::new();
    let head = sip::serialise::RequestHead { uri: worker.run.request_uri(), ..Default::default() };
    sip::serialise::write_request(&mut out, &worker.run.message, &[&worker.run.edits], &head, false);
    out.len()
}

#[test]
fn no_function_or_variable_falls_over_a_hostile_message() {
    /// A message at its bound, edited up to the bound of edits.
    const BYTES_MAX: usize = 65_536 + 2 * sip::limits::EDIT_TEXT_BYTES_MAX;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let routes = routes();
    std::panic::set_hook(hook);
    assert!(routes.len() > 500, "only {} calls load", routes.len());
    let text: String = routes.iter().map(|(_, _, text)| text.as_str()).collect();
    let mut worker = trial::worker(&format!("{TOP}{text}"), "exit;");
    let mut accepted = 0;
    for (name, bytes) in inputs() {
        let Some(message) = Message::from_bytes(&bytes).ok().filter(|message| message.check_required().is_ok()) else { continue };
        accepted += 1;
        worker.run.clear();
        worker.run.message = message.clone();
        for (kind, route, text) in &routes {
            if *kind == RouteKind::OnReply && worker.run.message.is_request() {
                continue;
            }
            worker.run_route(*kind, route).expect("the route exists");
            if worker.run.message.is_request() {
                let bytes = written(&worker);
                assert!(bytes <= BYTES_MAX, "{name}: {bytes} bytes after {text}");
            }
            assert!(worker.outbox.effects.len() < 64, "{name}: {} effects of {text}", worker.outbox.effects.len());
            worker.outbox.clear();
            // Edits of one call are committed or dropped, so that the next one meets them at times and a fresh message at others.
            if worker.run.edits.has_overflowed() || route.ends_with('7') {
                worker.run.clear();
                worker.run.message = message.clone();
            }
        }
    }
    assert!(accepted > 20, "only {accepted} messages were accepted");
}
