//! The configuration that holds a batch of sequences, each in routes of its own.

use super::Sequence;
use super::statements::Route;

const HEAD: &str = r#"
loadmodule "tm"
loadmodule "sl"
loadmodule "rr"
loadmodule "pv"
loadmodule "kex"
loadmodule "xlog"
loadmodule "textops"
loadmodule "textopsx"
loadmodule "siputils"
modparam("rr", "append_fromtag", 1)
request_route {
	if ($hdr(X-Case) == "ping") {
		sl_send_reply("200", "pong");
		exit;
	}
	if (is_method("ACK")) exit;
	route("E" + $hdr(X-Case));
	exit;
}
"#;

/// Every sequence begins alike: variables and iterators live longer than a message.
const START: &str = "$var(out) = 0; $var(uri) = \"sip:u@h.example\"; hf_iterator_start(\"h\"); bl_iterator_start(\"b\");\n";

/// What is printed when a sequence is through: what scripts see of the message.
const SEEN: &str = "xlog(\"L_ERR\", \"@@end ru=$ru du=$du a=$hdr(X-A) n=$hdrc(X-A) m=$hdr(Contact) fu=$fu tu=$tu body=$(rb{s.len}) type=$cT out=$(var(out){s.encode.hexa}) uri=$var(uri) h=$hfitname(h):$hfitbody(h) b=$(blitval(b){s.encode.hexa})\\n\");";

/// The configuration of a batch.
pub fn configuration(sequences: &[Sequence]) -> String {
    let mut text = HEAD.to_owned();
    let mut onsend = String::new();
    for (index, sequence) in sequences.iter().enumerate() {
        let body = body(sequence);
        let entry = match sequence.route {
            Route::Request => format!("{body}{SEEN}\n$du = \"sip:@BOB@\";\n{}", sequence.ending),
            Route::Reply => format!("t_on_reply(\"R{index}\"); $du = \"sip:@BOB@\"; t_relay();"),
            Route::Failure => format!("t_on_failure(\"F{index}\"); $du = \"sip:@BOB@\"; t_relay();"),
            Route::Branch => format!("t_on_branch(\"B{index}\"); $du = \"sip:@BOB@\"; t_relay();"),
            Route::Onsend => {
                onsend.push_str(&format!("if ($hdr(X-Case) == \"{index}\") {{\n{body}{SEEN}\n}}\n"));
                "$du = \"sip:@BOB@\"; t_relay();".to_owned()
            }
        };
        text.push_str(&format!("route[E{index}] {{\n{entry}\n}}\n"));
        match sequence.route {
            Route::Reply => text.push_str(&format!("onreply_route[R{index}] {{\n{body}{SEEN}\n}}\n")),
            Route::Branch => text.push_str(&format!("branch_route[B{index}] {{\n{body}{SEEN}\n}}\n")),
            Route::Failure => {
                text.push_str(&format!("failure_route[F{index}] {{\n{body}{SEEN}\n$du = \"sip:@CAROL@\";\nt_relay();\n}}\n"));
            }
            Route::Request | Route::Onsend => {}
        }
    }
    text.push_str(&format!("onsend_route {{\n$var(none) = $null;\n{onsend}\n}}\n"));
    text
}

/// The statements, each followed by its return code.
fn body(sequence: &Sequence) -> String {
    let mut text = START.to_owned();
    for (index, statement) in sequence.statements.iter().enumerate() {
        text.push_str(&format!("{statement};\n"));
        if !statement.starts_with('$') {
            text.push_str(&format!("xlog(\"L_ERR\", \"@@{index} $rc\\n\");\n"));
        }
    }
    text
}
