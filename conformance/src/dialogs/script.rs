//! The configuration of a generated dialog script: statements by chance in every route that a call meets.
//!
//! Left out is what 5.6.3 has otherwise on purpose: joining profiles and setting the timeout of a call that is over, the timeout
//! in the start route, and fields of `$dlg_ctx` that stay behind when an event route has run.

use super::call::Call;
use crate::edits::random::Random;

const MODULES: [&str; 10] = ["tm", "sl", "rr", "pv", "siputils", "textops", "xlog", "corex", "kex", "dialog"];

const PARAMETERS: &str = r#"modparam("dialog", "profiles_with_value", "v;w")
modparam("dialog", "profiles_no_value", "a;b")
modparam("dialog", "default_timeout", 700)
modparam("dialog", "timeout_avp", "$avp(life)")
modparam("pv", "shvset", "entry=i:0")
modparam("pv", "shvset", "id=i:0")
"#;

/// What is logged behind each statement.
const SEEN: &str = "n=$var(n) to_tag=$dlg(to_tag) contacts=$dlg(from_contact) $dlg(to_contact) routes=$dlg(from_rs) $dlg(to_rs) \
                    from=$dlg(from_uri) count=$DLG_count socket=$dlg(to_bindaddr) route=$dlg(toroute) state=$dlg(state) flags=$dlg(sflags) \
                    life=$dlg(lifetime) k=$dlg_var(k) m=$dlg_var(m) set=$dlg_ctx(set) status=$DLG_status";

/// Where a statement stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Initial,
    Within,
    /// A request of another party outside the call.
    Message,
    Branch,
    Reply,
    Failure,
    Start,
    /// The end and the failed route.
    Over,
}

/// The configuration for the call: where it goes, and what happens on the way.
pub fn configuration(random: &mut Random, call: &Call, call_id: &str) -> String {
    let mut out: String = MODULES.iter().map(|module| format!("loadmodule \"{module}\"\n")).collect();
    out.push_str(PARAMETERS);
    out.push_str(&format!("modparam(\"dialog\", \"dlg_match_mode\", {})\n", random.choose(&["0", "0", "1", "2"])));
    out.push_str(&format!("modparam(\"dialog\", \"timeout_noreset\", {})\n", random.below(2)));
    let mut block = |place, most| statements(random, place, most, call_id);
    let (message, before, after, within) =
        (block(Place::Message, 4), block(Place::Initial, 3), block(Place::Initial, 4), block(Place::Within, 4));
    let (branch, reply, failure) = (block(Place::Branch, 3), block(Place::Reply, 3), block(Place::Failure, 4));
    let (start, end, failed) = (block(Place::Start, 3), block(Place::Over, 3), block(Place::Over, 3));
    let find = random.choose(&["loose_route();", "dlg_manage();\nloose_route();"]);
    let again = if call.is_tried_again { "t_on_failure(\"LAST\");\n$du = \"sip:@DAVE@\";\nt_relay();\n" } else { "" };
    let fork = if call.is_forked { "append_branch(\"sip:dave@@DAVE@\");\n" } else { "" };
    out.push_str(&format!(
        r#"request_route {{
if (is_method("MESSAGE")) {{
{message}sl_send_reply("200", "OK");
exit;
}}
if (is_method("CANCEL")) {{
t_relay();
exit;
}}
if (has_totag()) {{
{find}
if (is_method("INFO|OPTIONS|BYE|UPDATE|INVITE|NOTIFY|PRACK")) {{
{within}t_on_reply("REPLY");
}}
t_relay();
exit;
}}
{before}dlg_manage(); xlog("P manage $rc\n");
$shv(entry) = $dlg(h_entry); $shv(id) = $dlg(h_id);
{after}t_on_branch("BRANCH");
t_on_reply("REPLY");
t_on_failure("FAILURE");
record_route();
{fork}$du = "sip:@BOB@";
t_relay();
}}
route[TIMEOUT] {{
exit;
}}
branch_route[BRANCH] {{
{branch}}}
onreply_route[REPLY] {{
{reply}}}
failure_route[FAILURE] {{
{failure}{again}}}
failure_route[LAST] {{
exit;
}}
event_route[dialog:start] {{
{start}}}
event_route[dialog:end] {{
{end}}}
event_route[dialog:failed] {{
{failed}}}
"#
    ));
    out
}

/// One to `most` statements, each with a line that shows its result and what there is to see behind it.
fn statements(random: &mut Random, place: Place, most: usize, call_id: &str) -> String {
    let mut out = String::from("$var(n) = 9; $var(t) = \"tt\";\n");
    for _ in 0..=random.below(most) {
        let statement = statement(random, place, call_id);
        let shown = statement.replace('"', "'").replace('$', "$$");
        let result = if statement.starts_with('$') { "" } else { "$rm $rs $rc " };
        let line = format!("{statement}; xlog(\"P {shown} {result}{SEEN}\\n\");\n");
        let changes_a_call_that_is_over = statement.starts_with("set_dlg_profile") || statement.starts_with("dlg_set_timeout");
        if changes_a_call_that_is_over && matches!(place, Place::Message | Place::Within | Place::Reply) {
            out.push_str(&format!("if ($dlg(state) != 5) {{\n{line}}}\n"));
        } else {
            out.push_str(&line);
        }
    }
    out
}

fn statement(random: &mut Random, place: Place, call_id: &str) -> String {
    loop {
        let statement = anywhere(random, call_id);
        let is_left_out = match place {
            Place::Start => statement.starts_with("dlg_set_timeout"),
            Place::Over => statement.starts_with("dlg_set_timeout") || statement.starts_with("set_dlg_profile"),
            Place::Message => statement.contains("$shv"),
            _ => false,
        };
        let is_right = match statement.split('(').next() {
            Some("unset_dlg_profile") => !matches!(place, Place::Initial | Place::Within | Place::Message),
            Some("dlg_set_ruri") => matches!(place, Place::Initial | Place::Within),
            Some("dlg_manage") => place == Place::Initial,
            _ => true,
        };
        if is_right && !is_left_out {
            return statement;
        }
    }
}

fn anywhere(random: &mut Random, call_id: &str) -> String {
    let plain = random.choose(&["a", "b"]);
    let valued = random.choose(&["v", "w"]);
    let value = random.choose(&["\"x\"", "\"y\"", "\"$fU\"", "\"$var(t)\"", "\"$dlg_var(k)\""]);
    let flag = random.choose(&["0", "1", "5", "31", "32"]);
    match random.below(26) {
        0 | 1 => format!("set_dlg_profile(\"{plain}\")"),
        2 | 3 => format!("set_dlg_profile(\"{valued}\", {value})"),
        4 => format!("is_in_profile(\"{plain}\")"),
        5 => format!("is_in_profile(\"{valued}\", {value})"),
        6 => format!("get_profile_size(\"{plain}\", \"$var(n)\")"),
        7 => format!("get_profile_size(\"{valued}\", {value}, \"$var(n)\")"),
        8 => format!("unset_dlg_profile(\"{plain}\")"),
        9 => format!("unset_dlg_profile(\"{valued}\", {value})"),
        10 => format!("dlg_setflag(\"{flag}\")"),
        11 => format!("dlg_resetflag(\"{flag}\")"),
        12 => format!("dlg_isflagset(\"{flag}\")"),
        13 => String::from("is_known_dlg()"),
        14 => format!("dlg_set_timeout(\"{}\")", random.choose(&["50", "60", "0", "-3"])),
        15 => format!("dlg_set_timeout(\"{}\", \"$shv(entry)\", \"$shv(id)\")", random.choose(&["51", "61"])),
        16 => format!("dlg_set_property(\"{}\")", random.choose(&["timeout-noreset", "nosuch"])),
        17 => String::from("dlg_reset_property(\"timeout-noreset\")"),
        18 => String::from("dlg_set_ruri()"),
        19 => {
            let tags = random.choose(&["\"tag-alice\", \"tag-bob\"", "\"tag-bob\", \"tag-alice\"", "\"tag-alice\", \"tag-none\""]);
            format!("dlg_get(\"{call_id}\", {tags})")
        }
        20 => format!("dlg_remote_profile(\"{}\", \"{plain}\", \"\", \"u\", \"0\")", random.choose(&["add", "rm"])),
        21 => format!("dlg_remote_profile(\"{}\", \"{valued}\", \"x\", \"u\", \"0\")", random.choose(&["add", "rm"])),
        22 => format!("$dlg_var(k) = {}", random.choose(&["\"x\"", "$null", "\"\"", "$fU", "$dlg_var(m)"])),
        23 => String::from("$dlg_var(m) = \"m$rm\""),
        24 => format!("$avp(life) = {}", random.choose(&["88", "$null"])),
        _ => String::from(*random.choose(&[
            &"dlg_manage()",
            &"$dlg_ctx(timeout_bye) = 1",
            &"$dlg_ctx(timeout_route) = \"TIMEOUT\"",
            &"$dlg_ctx(timeout_route) = \"NOSUCH\"",
        ])),
    }
}
