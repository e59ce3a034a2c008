//! The call of a generated dialog script: how it is set up, what is said in it, how it ends.

use crate::edits::random::Random;

/// Most requests within one call.
const REQUESTS_MAX: usize = 3;

/// What another party sees of profiles, statistics and dialogs at a moment of the call; its MESSAGE runs statements too.
const LOOK: &str = "carol -> MESSAGE sip:proxy@example.com\ncarol <- 200\nrpc dlg.profile_get_size a\n  traced\n\
                    rpc dlg.profile_get_size v\n  traced\nrpc stats.get_statistics dialog:\n  traced\nrpc dlg.list\n  traced\n";

/// How a request that is no INVITE may be wrong, or differ from what the agent makes: it is relayed whatever it finds.
const VARIANTS: [&str; 8] = [
    "",
    "",
    "  To: <sip:someone@example.com>;tag=tag-wrong\n",
    "  Call-ID: of-no-call\n",
    "  -Route\n",
    "  -Route\n  +Route: <sip:@PROXY@;lr>\n",
    "  -Route\n  +Route: <sip:@PROXY@>\n",
    "  -Route\n  +Route: <sip:@PROXY@;lr;did=5.ffff99>\n",
];

pub struct Call {
    pub timeline: String,
    /// The INVITE goes to two callees at once.
    pub is_forked: bool,
    /// The failure route tries another callee.
    pub is_tried_again: bool,
}

pub fn call(random: &mut Random) -> Call {
    let mut timeline = String::from("alice -> INVITE sip:bob@example.com\nbob <- INVITE\n");
    let kind = *random.choose(&[
        &"answered",
        &"answered",
        &"answered",
        &"answered",
        &"busy",
        &"cancelled",
        &"tried again",
        &"crossed",
        &"forked",
        &"forked",
    ]);
    if kind == "forked" {
        return Call { timeline: forked(random), is_forked: true, is_tried_again: false };
    }
    if matches!(kind, "cancelled" | "crossed") || random.below(5) < 3 {
        timeline.push_str("bob -> 180\nalice <- 180\n");
    }
    if random.one_in(3) {
        timeline.push_str("bob -> 183\nalice <- 183\n");
    }
    match kind {
        "busy" => timeline.push_str(&format!("{LOOK}bob -> 486\nbob <- ACK\nalice <- 486\nalice ack\n{LOOK}")),
        "cancelled" => timeline.push_str(&format!(
            "{LOOK}alice cancel\nalice <- 200\nbob <- CANCEL\nbob -> 200\nbob -> 487 [INVITE]\nbob <- ACK\nalice <- 487\nalice ack\n{LOOK}"
        )),
        "tried again" => timeline.push_str(&format!(
            "bob -> 486\nbob <- ACK\ndave <- INVITE\n{LOOK}dave -> 180\nalice <- 180\ndave -> 200\nalice <- 200\nalice => ACK\n\
             dave <- ACK\n{LOOK}alice => BYE\ndave <- BYE\ndave -> 200\nalice <- 200\n{LOOK}"
        )),
        "crossed" => {
            timeline.push_str("alice cancel\nalice <- 200\nbob <- CANCEL\nbob -> 200\nbob -> 200 OK [INVITE]\nalice <- 200\n");
            talk(random, &mut timeline, "bob");
        }
        _ => {
            timeline.push_str("bob -> 200\nalice <- 200\n");
            talk(random, &mut timeline, "bob");
        }
    }
    Call { timeline, is_forked: false, is_tried_again: kind == "tried again" }
}

/// Two callees ring; both refuse, both are cancelled, or one answers.
fn forked(random: &mut Random) -> String {
    let mut timeline = String::from("alice -> INVITE sip:bob@example.com\nbob <- INVITE\ndave <- INVITE\n");
    timeline.push_str("bob -> 180\nalice <- 180\ndave -> 183\nalice <- 183\n");
    let (winner, loser) = if random.one_in(2) { ("bob", "dave") } else { ("dave", "bob") };
    let given_up = |callee: &str| format!("{callee} <- CANCEL\n{callee} -> 200 OK [CANCEL]\n{callee} -> 487 [INVITE]\n{callee} <- ACK\n");
    match random.below(5) {
        0 => timeline.push_str(&format!(
            "{loser} -> 486 [INVITE]\n{loser} <- ACK\n{LOOK}{winner} -> 486 [INVITE]\n{winner} <- ACK\nalice <- 486\nalice ack\n{LOOK}"
        )),
        1 => {
            let both = ["bob", "dave"].map(given_up).concat();
            timeline.push_str(&format!("alice cancel\nalice <- 200\n{both}alice <- 487\nalice ack\n{LOOK}"));
        }
        2 => {
            let busy = format!("{loser} -> 486 [INVITE]\n{loser} <- ACK\n{winner} -> 200 [INVITE]\nalice <- 200\n");
            timeline.push_str(&busy);
            talk(random, &mut timeline, winner);
        }
        _ => {
            timeline.push_str(&format!("{winner} -> 200 [INVITE]\nalice <- 200\n{}", given_up(loser)));
            talk(random, &mut timeline, winner);
        }
    }
    timeline
}

/// An answered call from the ACK to the BYE.
fn talk(random: &mut Random, timeline: &mut String, callee: &str) {
    if random.one_in(5) {
        timeline.push_str(LOOK);
    }
    if random.one_in(6) {
        timeline.push_str(&format!("{callee} -> 200 [INVITE]\nalice again\n"));
    }
    timeline.push_str(&format!("alice => ACK\n{callee} <- ACK\n"));
    if random.one_in(6) {
        timeline.push_str(&format!("alice repeat\n{callee} again\n"));
    }
    for _ in 0..random.below(REQUESTS_MAX + 1) {
        let (from, to) = if random.one_in(2) { ("alice", callee) } else { (callee, "alice") };
        let code = random.choose(&["200", "200", "488", "481"]);
        match random.choose(&["INFO", "OPTIONS", "UPDATE", "NOTIFY", "PRACK", "INVITE"]) {
            "INVITE" => {
                let contact = format!("<sip:new{}@@{}@>", random.below(9), from.to_uppercase());
                let end = match code {
                    "200" => format!("{from} <- 200\n{from} => ACK\n{to} <- ACK\n"),
                    _ => format!("{to} <- ACK\n{from} <- {code}\n{from} ack\n"),
                };
                timeline.push_str(&format!("{from} => INVITE\n  Contact: {contact}\n{to} <- INVITE\n{to} -> {code}\n{end}"));
            }
            method => {
                let variant = random.choose(&VARIANTS);
                timeline.push_str(&format!("{from} => {method}\n{variant}{to} <- {method}\n{to} -> {code}\n{from} <- {code}\n"));
            }
        }
    }
    let (from, to) = if random.one_in(3) { (callee, "alice") } else { ("alice", callee) };
    let code = random.choose(&["200", "200", "481"]);
    timeline.push_str(&format!("{LOOK}{from} => BYE\n{to} <- BYE\n{to} -> {code}\n{from} <- {code}\n{LOOK}"));
    if random.one_in(4) {
        timeline.push_str(&format!("{to} => INFO\n{from} <- INFO\n{from} -> 481\n{to} <- 481\n{LOOK}"));
    }
}
