//! Expressions of every type, built so that the static types agree (spec cfg-language 8.3).

use super::random::Random;
use super::transformation;

/// What the compiler of the language knows of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Text,
    /// A variable: known when it runs.
    Dynamic,
}

struct Expression {
    text: String,
    kind: Kind,
}

/// Variables that hold a value of any type, or none.
pub const VARIABLES: [&str; 14] = [
    "$var(a)",
    "$var(b)",
    "$var(c)",
    "$var(n)",
    "$avp(a)",
    "$avp(b)",
    "$vn(a)",
    "$shv(a)",
    "$xavp(x=>a)",
    "$xavu(u=>a)",
    "$(avp(a)[1])",
    "$avp(never)",
    "$rU",
    "$hdr(X-List)",
];

const PATTERNS: [&str; 12] =
    ["^a", "b+c?", "[0-9]+$", "o w", "(l+)o", "x|y|bc", "^$", ".", "^sip:.*@", "[[:space:]]", "[^a-z]", "^(abc|10)$"];

const SELECTS: [&str; 10] = [
    "@ruri.user",
    "@ruri.host",
    "@from.uri.user",
    "@from.tag",
    "@to.uri.host",
    "@cseq.method",
    "@cseq.num",
    "@call_id",
    "@hf_value[\"X-List\"]",
    "@to.tag",
];

const MATCHES: [&str; 18] = [
    "method == \"invite\"",
    "method == INVITE",
    "method =~ \"^I\"",
    "method != BYE",
    "uri == myself",
    "uri =~ \"^sip:BOB\"",
    "uri == \"sip:bob@EXAMPLE.com\"",
    "from_uri =~ \"alice\"",
    "to_uri == \"sip:bob@example.com\"",
    "src_ip == 127.0.0.1",
    "src_ip == 127.0.0.0/8",
    "src_ip == 10.0.0.0/8",
    "dst_ip == myself",
    "proto == UDP",
    "proto == TCP",
    "src_port > 1000",
    "af == INET",
    "msg:len > 100",
];

/// An expression any consumer takes.
pub fn any(random: &mut Random, depth: usize) -> String {
    expression(random, depth).text
}

/// An expression that is not statically a text: a condition, a return code.
pub fn number(random: &mut Random, depth: usize) -> String {
    not_text(random, depth)
}

fn expression(random: &mut Random, depth: usize) -> Expression {
    if depth == 0 {
        return atom(random);
    }
    match random.below(20) {
        0 | 1 => atom(random),
        2 => {
            let inner = expression(random, depth - 1);
            Expression { text: format!("({})", inner.text), kind: inner.kind }
        }
        3..=5 => plus(random, depth),
        6 => integer(format!("{} {} {}", operand(random, depth), random.pick(&["-", "|", "&", "^"]), operand(random, depth))),
        7 => integer(format!("{} * {}", operand(random, depth), random.between(2, 9))),
        8 => integer(format!("({} {} {})", random.pick(&VARIABLES), random.pick(&["/", "mod"]), random.between(1, 9))),
        9 => integer(format!("({} {} {})", operand(random, depth), random.pick(&["<<", ">>"]), random.between(0, 4))),
        10 => integer(format!("{} {} {}", operand(random, depth), random.pick(&["<", ">", "<=", ">="]), operand(random, depth))),
        11 | 12 => equality(random, depth),
        13 => integer(format!("{} {} {}", condition(random, depth), random.pick(&["&&", "||", "and", "or"]), condition(random, depth))),
        14 => integer(format!("{}{}", random.pick(&["!", "~", "-", "not "]), operand(random, depth))),
        15 => integer(format!("(int){}", parenthesised(random, depth))),
        16 => Expression { text: format!("(str){}", parenthesised(random, depth)), kind: Kind::Text },
        17 => integer(format!("{}({})", random.pick(&["strlen", "strempty"]), not_integer(random, depth - 1))),
        18 => integer(format!("defined {}", random.pick(&VARIABLES))),
        _ => integer(format!("({} =~ \"{}\")", text_operand(random), random.pick(&PATTERNS))),
    }
}

fn integer(text: String) -> Expression {
    Expression { text, kind: Kind::Integer }
}

fn atom(random: &mut Random) -> Expression {
    match random.below(12) {
        0..=2 => integer(literal(random)),
        3 | 4 => Expression { text: format!("\"{}\"", random.pick(&transformation::TEXTS)), kind: Kind::Text },
        5 => Expression {
            // What fails in an expression fails in its own way in each subject: only transformations that cannot.
            text: format!("$({}{{{}}})", random.pick(&["var(a)", "var(b)", "var(n)", "ru"]), random.pick(&transformation::SAFE)),
            kind: Kind::Dynamic,
        },
        6 => Expression { text: random.pick(&SELECTS).to_owned(), kind: Kind::Text },
        7 => integer(format!("({})", random.pick(&MATCHES))),
        _ => Expression { text: random.pick(&VARIABLES).to_owned(), kind: Kind::Dynamic },
    }
}

/// A literal in one of its spellings.
fn literal(random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("0x{:X}", random.below(40)),
        1 => format!("0{}", random.below(8)),
        2 => random.pick(&["yes", "no", "on", "off", "enable", "disable"]).to_owned(),
        _ => random.between(0, 30).to_string(),
    }
}

/// An operand of an integer operator: whatever is not statically text, in parentheses.
fn operand(random: &mut Random, depth: usize) -> String {
    format!("({})", not_text(random, depth - 1))
}

fn not_text(random: &mut Random, depth: usize) -> String {
    let found = expression(random, depth);
    match found.kind {
        Kind::Text => format!("(int)({})", found.text),
        Kind::Integer | Kind::Dynamic => found.text,
    }
}

fn not_integer(random: &mut Random, depth: usize) -> String {
    let found = expression(random, depth);
    match found.kind {
        Kind::Integer => format!("(str)({})", found.text),
        Kind::Text | Kind::Dynamic => found.text,
    }
}

fn parenthesised(random: &mut Random, depth: usize) -> String {
    format!("({})", expression(random, depth - 1).text)
}

/// An operand of `&&`: constants are left out, the startup of Kamailio folds them with another result (8.5).
fn condition(random: &mut Random, depth: usize) -> String {
    if depth > 1 && random.once_in(2) {
        format!("({} {} {})", random.pick(&VARIABLES), random.pick(&["==", "!="]), random.between(0, 12))
    } else {
        random.pick(&VARIABLES).to_owned()
    }
}

fn plus(random: &mut Random, depth: usize) -> Expression {
    let left = expression(random, depth - 1);
    let right = match left.kind {
        Kind::Integer => not_text(random, depth - 1),
        Kind::Text | Kind::Dynamic => expression(random, depth - 1).text,
    };
    Expression { text: format!("({}) + ({right})", left.text), kind: left.kind }
}

fn equality(random: &mut Random, depth: usize) -> Expression {
    match random.below(5) {
        0 => integer(format!("({} {} $null)", random.pick(&VARIABLES), random.pick(&["==", "!="]))),
        1 => integer(format!("({} {} {})", text_operand(random), random.pick(&["eq", "ne"]), text_operand(random))),
        2 => integer(format!("({} {} {})", operand(random, depth), random.pick(&["ieq", "ine"]), operand(random, depth))),
        _ => {
            let left = expression(random, depth - 1);
            let right = match left.kind {
                Kind::Integer => not_text(random, depth - 1),
                Kind::Text | Kind::Dynamic => expression(random, depth - 1).text,
            };
            integer(format!("(({}) {} ({right}))", left.text, random.pick(&["==", "!="])))
        }
    }
}

fn text_operand(random: &mut Random) -> String {
    if random.once_in(3) { format!("\"{}\"", random.pick(&transformation::TEXTS)) } else { random.pick(&VARIABLES).to_owned() }
}
