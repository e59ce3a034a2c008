//! Runs one case: starts the subject, plays the timeline, compares what the agents received with the recorded trace.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Options;
use crate::agent::{Agent, PATIENCE};
use crate::case::Case;
use crate::database::{Database, URL_MARK, normalise_rows};
use crate::details::{DESTINATION, REFUSED, TRACED, UNTRACED, changed, check_message, check_text};
use crate::http_door;
use crate::json_door;
use crate::normalise::{normalise, normalise_answer};
use crate::sipp::{Player, Script, Transport};
use crate::subject::{self, ENDED_AT_START, Subject};
use crate::template::fill;
use crate::timeline::{self, Kind, Step};

/// How many lines of a difference are shown.
const DIFFERENCE_LINES: usize = 8;

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
    let proxy = format!("127.0.0.1:{}", loopback_ports::free_port()?);
    let mut marks = BTreeMap::from([("PROXY".to_owned(), proxy.clone())]);
    if case.configuration.contains("@SECOND@") {
        marks.insert("SECOND".to_owned(), format!("127.0.0.1:{}", loopback_ports::free_port()?));
    }
    if case.configuration.contains("@PROXY6@") {
        marks.insert("PROXY6".to_owned(), format!("{}:{}", Transport::Udp6.host(), loopback_ports::free_port()?));
    }
    let mut agents: BTreeMap<String, Agent> = BTreeMap::new();
    for agent_name in agent_names(case, &steps) {
        if let Some(script) = script_of(&agent_name, &steps)? {
            marks.insert(agent_name.to_uppercase(), format!("{}:{}", script.transport.host(), loopback_ports::free_port()?));
            continue;
        }
        let agent = Agent::new(&agent_name, &proxy, &format!("call-{}", name.replace('/', "-")))?;
        marks.insert(agent_name.to_uppercase(), agent.address.clone());
        agents.insert(agent_name, agent);
    }
    let database = if wants_database(case) {
        Some(Database::make(&options.database, &subject::folder(name), &case.statements, &mut marks)?)
    } else {
        None
    };
    let started = Subject::start(options, name, &fill(&case.configuration, &marks), &proxy);
    if let Some(step) = steps.iter().find(|step| matches!(step.kind, Kind::Refused)) {
        return match started.and_then(|mut subject| subject.wait_refused().map(|()| subject)) {
            Err(reason) => refused(&reason, &step.details).map(|()| String::new()),
            Ok(subject) => Err(format!("the configuration was accepted\nlog:\n{}", subject.log_tail())),
        };
    }
    let mut subject = started?;
    let mut players: BTreeMap<String, Player> = BTreeMap::new();
    let mut trace = String::new();
    for step in &steps {
        let mut aside = String::new();
        let trace = match &step.on {
            Some(product) if *product != subject.product => continue,
            Some(_) => &mut aside,
            None => &mut trace,
        };
        match &step.kind {
            Kind::Stop { is_killed: false } => subject.stop(),
            Kind::Stop { is_killed: true } => subject.kill(),
            Kind::Start { is_other } => start(&mut subject, *is_other, &step.details, options),
            Kind::Sql { statement } => {
                let database = database.as_ref().ok_or("no @DATABASE@ in the configuration")?;
                ask(database, &fill(statement, &marks), &step.details, &marks, trace)
            }
            Kind::Sipp { agent, scenario } => start_player(agent, scenario, step, path, &subject, &marks).map(|player| {
                players.insert(agent.clone(), player);
            }),
            Kind::Ends { agent } => end_player(players.get_mut(agent), step, &marks, trace),
            _ => play(step, &mut agents, &subject, &marks, trace),
        }
        .map_err(|reason| format!("line {}: {reason}\nlog:\n{}", step.line, subject.log_tail()))?;
    }
    if !subject.is_alive() {
        return Err(format!("the subject died:\n{}", subject.log_tail()));
    }
    Ok(trace)
}

/// The subject must have ended by itself, with every text of the details in its log.
fn refused(reason: &str, details: &[String]) -> Result<(), String> {
    if !reason.starts_with(ENDED_AT_START) {
        return Err(reason.to_owned());
    }
    check_text(reason, details)
}

/// Starts a stopped subject again, or the other product in its place.
fn start(subject: &mut Subject, is_other: bool, details: &[String], options: &Options) -> Result<(), String> {
    let product = if is_other { options.other_than(&subject.product) } else { subject.product.clone() };
    let is_refused = details.iter().any(|detail| detail == REFUSED);
    let mut started = subject.launch(&options.with_subject(&product));
    if is_refused && started.is_ok() {
        started = subject.wait_refused();
    }
    match started {
        Err(reason) if is_refused => refused(&reason, details),
        Ok(()) if is_refused => Err("the configuration was accepted".to_owned()),
        other => other,
    }
}

/// Asks the database until the details hold of the marked rows.
fn ask(
    database: &Database,
    statement: &str,
    details: &[String],
    marks: &BTreeMap<String, String>,
    trace: &mut String,
) -> Result<(), String> {
    let mut rows = String::new();
    until(|| {
        rows = normalise_rows(&database.run(statement)?, marks);
        check_text(&rows, details)
    })?;
    if details.iter().any(|detail| detail == TRACED) {
        trace.push_str(&format!("--- sql {statement}\n{rows}"));
    }
    Ok(())
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

/// Does the configuration have a place for a database?
pub fn wants_database(case: &Case) -> bool {
    case.configuration.contains(&format!("@{URL_MARK}@"))
}

/// Does any step start the other product?
pub fn needs_both(case: &Case) -> bool {
    timeline::read(&case.timeline).is_ok_and(|steps| steps.iter().any(|step| matches!(step.kind, Kind::Start { is_other: true })))
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
        | Kind::Sql { .. }
        | Kind::Stop { .. }
        | Kind::Start { .. }
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
