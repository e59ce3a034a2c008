//! Runs one case: starts the subject, plays the timeline, compares what the agents received with the recorded trace.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Options;
use crate::agent::{Agent, PATIENCE};
use crate::case::Case;
use crate::http_door;
use crate::json_door;
use crate::message::Message;
use crate::normalise::{normalise, normalise_answer};
use crate::sipp::{Player, Script, Transport};
use crate::subject::{ENDED_AT_START, Subject, free_port};
use crate::template::fill;
use crate::timeline::{self, Kind, Step};

/// The detail of an expected message that keeps it out of the trace: subjects may build it differently on purpose.
const UNTRACED: &str = "untraced";

/// How many lines of a difference are shown.
const DIFFERENCE_LINES: usize = 8;
/// The detail of a sent message that names another address than the proxy's first.
const DESTINATION: &str = "destination: ";
/// The detail of an RPC that puts its whole answer into the trace.
const TRACED: &str = "traced";

/// Plays a case and compares its trace. The error says which line failed and what was there instead.
pub fn run(name: &str, path: &Path, case: &Case, options: &Options) -> Result<(), String> {
    if is_refusal(case)? { trace(name, path, case, options).map(drop) } else { compare(path, &trace(name, path, case, options)?, options) }
}

/// Must the subject not start with the configuration?
fn is_refusal(case: &Case) -> Result<bool, String> {
    Ok(timeline::read(&case.timeline)?.iter().any(|step| matches!(step.kind, Kind::Refused)))
}

/// Plays a case; gives what the agents received and what else belongs into its trace.
pub fn trace(name: &str, path: &Path, case: &Case, options: &Options) -> Result<String, String> {
    let steps = timeline::read(&case.timeline)?;
    let proxy = format!("127.0.0.1:{}", free_port()?);
    let mut marks = BTreeMap::from([("PROXY".to_owned(), proxy.clone())]);
    if case.configuration.contains("@SECOND@") {
        marks.insert("SECOND".to_owned(), format!("127.0.0.1:{}", free_port()?));
    }
    if case.configuration.contains("@PROXY6@") {
        marks.insert("PROXY6".to_owned(), format!("{}:{}", Transport::Udp6.host(), free_port()?));
    }
    let mut agents: BTreeMap<String, Agent> = BTreeMap::new();
    for agent_name in agent_names(case, &steps) {
        if let Some(script) = script_of(&agent_name, &steps)? {
            marks.insert(agent_name.to_uppercase(), format!("{}:{}", script.transport.host(), free_port()?));
            continue;
        }
        let agent = Agent::new(&agent_name, &proxy, &format!("call-{}", name.replace('/', "-")))?;
        marks.insert(agent_name.to_uppercase(), agent.address.clone());
        agents.insert(agent_name, agent);
    }
    let started = Subject::start(options, name, &fill(&case.configuration, &marks), &proxy);
    if is_refusal(case)? {
        return match started {
            Err(reason) if reason.starts_with(ENDED_AT_START) => Ok(String::new()),
            Err(reason) => Err(reason),
            Ok(subject) => Err(format!("the configuration was accepted\nlog:\n{}", subject.log_tail())),
        };
    }
    let mut subject = started?;
    let mut players: BTreeMap<String, Player> = BTreeMap::new();
    let mut trace = String::new();
    for step in &steps {
        match &step.kind {
            Kind::Sipp { agent, scenario } => start_player(agent, scenario, step, path, &subject, &marks).map(|player| {
                players.insert(agent.clone(), player);
            }),
            Kind::Ends { agent } => end_player(players.get_mut(agent), step, &marks, &mut trace),
            _ => play(step, &mut agents, &subject, &marks, &mut trace),
        }
        .map_err(|reason| format!("line {}: {reason}\nlog:\n{}", step.line, subject.log_tail()))?;
    }
    if !subject.is_alive() {
        return Err(format!("the subject died:\n{}", subject.log_tail()));
    }
    Ok(trace)
}

fn agent_names(case: &Case, steps: &[Step]) -> Vec<String> {
    let mut names: Vec<String> = steps.iter().filter_map(|step| agent_of(&step.kind)).map(str::to_owned).collect();
    for name in ["alice", "bob", "carol", "dave"] {
        let marks = [format!("@{}@", name.to_uppercase()), format!("@{}_PORT@", name.to_uppercase())];
        let is_named = |text: &str| marks.iter().any(|mark| text.contains(mark.as_str()));
        if is_named(&case.configuration) || case.timeline.iter().any(|(_, line)| is_named(line)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Does any step need SIPp?
pub fn needs_sipp(case: &Case) -> bool {
    timeline::read(&case.timeline).is_ok_and(|steps| steps.iter().any(|step| matches!(step.kind, Kind::Sipp { .. })))
}

/// What SIPp plays for this agent, when it is not one of the runner's own.
fn script_of(name: &str, steps: &[Step]) -> Result<Option<Script>, String> {
    steps
        .iter()
        .find_map(|step| match &step.kind {
            Kind::Sipp { agent, scenario } if agent == name => Some(Script::read(scenario, &step.details)),
            _ => None,
        })
        .transpose()
}

fn start_player(
    name: &str,
    scenario: &str,
    step: &Step,
    case: &Path,
    subject: &Subject,
    marks: &BTreeMap<String, String>,
) -> Result<Player, String> {
    let script = Script::read(scenario, &step.details)?;
    let mark = if script.transport == Transport::Udp6 { "PROXY6" } else { "PROXY" };
    let proxy = marks.get(mark).ok_or("over: udp6 needs a listen on @PROXY6@")?;
    Player::start(name, case, &script, &subject.folder, proxy, marks)
}

fn end_player(player: Option<&mut Player>, step: &Step, marks: &BTreeMap<String, String>, trace: &mut String) -> Result<(), String> {
    let player = player.ok_or("SIPp does not play this agent")?;
    let received = player.finish(&step.details, marks)?;
    if !step.details.iter().any(|detail| detail == UNTRACED) {
        trace.push_str(&received);
    }
    Ok(())
}

fn agent_of(kind: &Kind) -> Option<&str> {
    match kind {
        Kind::SendRequest { agent, .. }
        | Kind::SendReply { agent, .. }
        | Kind::HopRequest { agent, .. }
        | Kind::Repeat { agent }
        | Kind::Raw { agent }
        | Kind::Expect { agent, .. }
        | Kind::Again { agent }
        | Kind::Sipp { agent, .. }
        | Kind::Ends { agent }
        | Kind::Silent { agent, .. } => Some(agent),
        Kind::Rpc { .. }
        | Kind::Json { .. }
        | Kind::Http { .. }
        | Kind::Log { .. }
        | Kind::Logged { .. }
        | Kind::Wait { .. }
        | Kind::Refused => None,
    }
}

fn play(
    step: &Step,
    agents: &mut BTreeMap<String, Agent>,
    subject: &Subject,
    marks: &BTreeMap<String, String>,
    trace: &mut String,
) -> Result<(), String> {
    let details: Vec<String> = step.details.iter().map(|detail| fill(detail, marks)).collect();
    if let Some(name) = agent_of(&step.kind) {
        let agent = agents.get_mut(name).ok_or("no such agent")?;
        return play_agent(step, &details, agent, marks, trace);
    }
    match &step.kind {
        Kind::Rpc { words } => call("rpc", words, &details, marks, trace, |words| subject.rpc(words)),
        Kind::Json { words } => call("json", words, &details, marks, trace, |words| json_door::call(&subject.folder, words)),
        Kind::Http { words } => {
            let address = marks.get("SECOND").ok_or("no second address")?;
            call("http", words, &details, marks, trace, |words| http_door::call(address, words))
        }
        Kind::Log { text, is_absent: true } => {
            if subject.log().contains(&fill(text, marks)) {
                Err(format!("the log has: {text}"))
            } else {
                Ok(())
            }
        }
        Kind::Log { text, .. } => {
            let text = fill(text, marks);
            until(|| if subject.log().contains(&text) { Ok(()) } else { Err(format!("the log lacks: {text}")) })
        }
        Kind::Logged { prefix } => {
            trace.push_str(&format!("--- logged {prefix}\n"));
            for line in script_lines(&subject.log(), prefix) {
                trace.push_str(&normalise(&line, marks));
            }
            Ok(())
        }
        Kind::Wait { milliseconds } => {
            std::thread::sleep(Duration::from_millis(*milliseconds));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Calls a command until the details hold, and writes the answer into the trace when that is wanted.
fn call(
    door: &str,
    words: &[String],
    details: &[String],
    marks: &BTreeMap<String, String>,
    trace: &mut String,
    run: impl Fn(&[&str]) -> Result<String, String>,
) -> Result<(), String> {
    let words: Vec<String> = words.iter().map(|word| fill(word, marks)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut answer = String::new();
    until(|| {
        answer = run(&words)?;
        check_text(&answer, details)
    })?;
    if details.iter().any(|detail| detail == TRACED) {
        trace.push_str(&format!("--- {door} {}\n{}", words.join(" "), normalise_answer(&answer, marks)));
    }
    Ok(())
}

/// What the script itself logged, line by line, without what the subject puts in front.
fn script_lines(log: &str, prefix: &str) -> Vec<String> {
    let of_script = log.lines().filter_map(|line| line.split_once("<script>: ").map(|(_, text)| text));
    of_script.filter(|text| text.starts_with(prefix)).map(str::to_owned).collect()
}

fn until(mut check: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        match check() {
            Ok(()) => return Ok(()),
            Err(reason) if Instant::now() > end => return Err(reason),
            Err(_) => std::thread::sleep(Duration::from_millis(25)),
        }
    }
}

fn check_text(text: &str, details: &[String]) -> Result<(), String> {
    for detail in details {
        match detail.split_at_checked(2) {
            Some(("= ", part)) if !text.contains(part) => return Err(format!("`{part}` is not in:\n{text}")),
            Some(("! ", part)) if text.contains(part) => return Err(format!("`{part}` is in:\n{text}")),
            Some(("= " | "! ", _)) => {}
            _ if detail == TRACED => {}
            _ => return Err(format!("no such check: `{detail}`")),
        }
    }
    Ok(())
}

fn play_agent(
    step: &Step,
    details: &[String],
    agent: &mut Agent,
    marks: &BTreeMap<String, String>,
    trace: &mut String,
) -> Result<(), String> {
    match &step.kind {
        Kind::SendRequest { method, uri, is_within, .. } => {
            let message = if *is_within {
                agent.request_within(method)?
            } else {
                let uri = uri.as_ref().map_or_else(|| "sip:bob@example.com".to_owned(), |uri| fill(uri, marks));
                agent.new_request(method, &uri)
            };
            agent.send_to(&changed(message, details), destination(details))
        }
        Kind::SendReply { code, reason, method, .. } => {
            let message = agent.reply(*code, reason, method.as_deref())?;
            agent.send_to(&changed(message, details), destination(details))
        }
        Kind::HopRequest { method, .. } => {
            let message = agent.hop_request(method)?;
            let invite = agent.last_invite_sent.clone();
            agent.send(&changed(message, details))?;
            agent.last_invite_sent = invite;
            Ok(())
        }
        Kind::Repeat { .. } => {
            let message = agent.last_request_sent.clone().ok_or("nothing was sent yet")?;
            agent.send_raw(&message.to_bytes())
        }
        Kind::Raw { .. } => {
            let mut text = details.join("\r\n");
            text.push_str("\r\n");
            if !text.contains("\r\n\r\n") {
                text.push_str("\r\n");
            }
            agent.send_raw(text.as_bytes())
        }
        Kind::Expect { what, .. } => {
            let message = agent.receive(what, PATIENCE)?.ok_or_else(|| format!("{} received nothing, expected {what}", agent.name))?;
            let text = String::from_utf8_lossy(&message.to_bytes()).into_owned();
            let is_right = message.status().map_or_else(|| message.method() == *what, |code| code.to_string() == *what);
            if !is_right {
                return Err(format!("{} received, instead of {what}:\n{text}", agent.name));
            }
            if !details.iter().any(|detail| detail == UNTRACED) {
                trace.push_str(&format!("--- {} <- {what}\n{}", agent.name, normalise(&text, marks)));
            }
            check_message(&message, details).map_err(|reason| format!("{reason}\nin:\n{text}"))
        }
        Kind::Again { .. } => agent.receive_again(PATIENCE)?.map(|_| ()).ok_or_else(|| format!("{} got no retransmission", agent.name)),
        Kind::Silent { milliseconds, .. } => match agent.receive("", Duration::from_millis(*milliseconds))? {
            None => Ok(()),
            Some(message) => Err(format!("{} should hear nothing, but:\n{}", agent.name, String::from_utf8_lossy(&message.to_bytes()))),
        },
        _ => Ok(()),
    }
}

fn destination(details: &[String]) -> Option<&str> {
    details.iter().find_map(|detail| detail.strip_prefix(DESTINATION))
}

/// `Name: value` replaces or adds, `^Name: value` puts in front, `-Name` removes, `first: text` replaces the first line, `body: text` sets the body.
fn changed(mut message: Message, details: &[String]) -> Message {
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
fn check_message(message: &Message, details: &[String]) -> Result<(), String> {
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

/// The trace recorded from Kamailio stands beside the case and holds for every subject.
fn compare(path: &Path, trace: &str, options: &Options) -> Result<(), String> {
    let recorded_path = path.with_extension("trace");
    if options.record && trace.is_empty() {
        return Ok(());
    }
    if options.record {
        return std::fs::write(&recorded_path, trace).map_err(|error| error.to_string());
    }
    let Ok(recorded) = std::fs::read_to_string(&recorded_path) else { return Ok(()) };
    difference(&recorded, trace).map_or(Ok(()), Err)
}

/// Where two traces part, with the lines of either; None when they are the same.
pub fn difference(recorded: &str, found: &str) -> Option<String> {
    if recorded == found {
        return None;
    }
    let recorded: Vec<&str> = recorded.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    let same = recorded.iter().zip(&found).take_while(|(expected, own)| expected == own).count();
    let part =
        |lines: &[&str]| lines.iter().skip(same).take(DIFFERENCE_LINES).fold(String::new(), |text, line| format!("{text}\n  {line}"));
    let heading = recorded.iter().take(same).rev().find(|line| line.starts_with("--- ")).copied().unwrap_or_default();
    Some(format!(
        "the wire differs from the recorded trace at its line {}, in {heading}\nrecorded:{}\nfound:{}",
        same + 1,
        part(&recorded),
        part(&found)
    ))
}
