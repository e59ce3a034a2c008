//! What differs between two runs or two subjects by nature: ports, branches, local tags, cookies, product names.

use std::collections::BTreeMap;

/// A message's text with ports, branches, generated tags, cookies and product names replaced by marks.
pub fn normalise(text: &str, marks: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for line in text.split("\r\n") {
        let line = addresses(line, marks);
        let lower = line.to_ascii_lowercase();
        let line = if lower.starts_with("server:") || lower.starts_with("user-agent: kamailio") || lower.starts_with("user-agent: duolog") {
            format!("{}: (product)", line.split(':').next().unwrap_or_default())
        } else if lower.starts_with("date:") {
            "Date: (date)".to_owned()
        } else {
            line
        };
        let line = value_after(&line, "branch=z9hG4bK", |value| if value.starts_with('-') { None } else { Some("(branch)") });
        let line = value_after(&line, ";did=", |_| Some("(did)"));
        let line = value_after(&line, ";tag=", |value| if value.starts_with("tag-") { None } else { Some("(tag)") });
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Keys of RPC answers whose values differ between any two runs; `dflags` has bits that moved between Kamailio 5.6 and 6.
const VOLATILE_KEYS: [&str; 9] = ["dflags", "h_id", "ref", "ref_count", "start_ts", "init_ts", "end_ts", "timestart", "timeout"];

/// An RPC answer with addresses, identifiers and times replaced by marks.
pub fn normalise_answer(text: &str, marks: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = addresses(line, marks);
        let line = match line.split_once(": ").or_else(|| line.split_once(":\t")) {
            // JSON: the key in quotes, the value with a comma behind it.
            Some((key, value)) if key.trim().starts_with('"') => {
                let (name, number) = (key.trim().trim_matches('"'), value.trim_end_matches(','));
                let comma = if value.ends_with(',') { "," } else { "" };
                let is_volatile = VOLATILE_KEYS.contains(&name) && number.parse::<u64>().is_ok_and(|number| number > 0);
                match name {
                    "duration" => format!("{key}: (seconds){comma}"),
                    _ if is_volatile => format!("{key}: (number){comma}"),
                    _ => line,
                }
            }
            Some((key, _)) if key.trim() == "duration" => format!("{key}: (seconds)"),
            Some((key, value)) if VOLATILE_KEYS.contains(&key.trim()) && value.parse::<u64>().is_ok_and(|number| number > 0) => {
                format!("{key}: (number)")
            }
            _ => line,
        };
        let line = value_after(&line, ";did=", |_| Some("(did)"));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Addresses become the names of their marks.
pub fn addresses(line: &str, marks: &BTreeMap<String, String>) -> String {
    let mut line = line.to_owned();
    for (name, address) in marks {
        line = line.replace(address, name);
        if let Some((_, port)) = address.rsplit_once(':') {
            line = line.replace(&format!("rport={port}"), &format!("rport=({name})"));
            line = line.replace(&format!("~{port}~"), &format!("~({name})~"));
        }
    }
    line
}

/// The value behind each `mark`, up to the next separator, replaced where `replacement` answers something.
pub fn value_after(line: &str, mark: &str, replacement: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at + mark.len());
        let end = after.find([';', ',', '>', ' ', '"', '\r']).unwrap_or(after.len());
        let (value, tail) = after.split_at(end);
        out.push_str(before);
        out.push_str(replacement(value).unwrap_or(value));
        rest = tail;
    }
    out.push_str(rest);
    out
}
