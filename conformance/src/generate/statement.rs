//! Statements: assignments, prints, conditions, loops, switches, routes, lists of attributes.

use super::expression::{self, VARIABLES};
use super::preprocessor;
use super::random::Random;
use super::request;
use super::{MARK, ROUTES, transformation};

/// Loops run so often at most.
const ROUNDS_MAX: i64 = 3;

/// Variables a statement may assign any value to.
const TARGETS: [&str; 9] = ["$var(a)", "$var(b)", "$var(c)", "$avp(a)", "$avp(b)", "$vn(a)", "$shv(a)", "$xavu(u=>a)", "$(avp(b)[*])"];

/// The configuration as it grows.
pub struct Writer {
    pub random: Random,
    pub text: String,
    depth: usize,
    /// Numbers the prints, so a difference names its statement.
    prints: usize,
    /// The route that is being written: 0 is the request route.
    route: usize,
    /// How many loops are open: each has a counter of its own.
    loops: usize,
}

impl Writer {
    pub fn new(random: Random) -> Writer {
        Writer { random, text: String::new(), depth: 0, prints: 0, route: 0, loops: 0 }
    }

    /// One of a list.
    pub fn pick(&mut self, list: &[&'static str]) -> &'static str {
        self.random.pick(list)
    }

    /// One line at the current depth; directives stand at the margin.
    pub fn line(&mut self, text: &str) {
        if !text.starts_with("#!") {
            self.text.push_str(&"\t".repeat(self.depth));
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    pub fn indented(&mut self, write: impl FnOnce(&mut Writer)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    pub fn enter_route(&mut self, number: usize) {
        self.route = number;
    }

    /// Logs a format string in brackets under a number of its own.
    pub fn print(&mut self, format: &str) {
        self.prints += 1;
        self.line(&format!("xlog(\"L_ERR\", \"{MARK}{} [{format}]\\n\");", self.prints));
    }

    fn block(&mut self, head: &str, write: impl FnOnce(&mut Writer)) {
        self.line(&format!("{head} {{"));
        self.indented(write);
        self.line("}");
    }
}

/// Gives every variable a value: `$var()` would keep those of the last message in Kamailio.
pub fn beginning(writer: &mut Writer) {
    for name in ["a", "b", "c"] {
        let value = any_value(writer);
        writer.line(&format!("$var({name}) = {value};"));
    }
    let number = writer.random.between(-9, 30);
    writer.line(&format!("$var(n) = {number};"));
    let value = any_value(writer);
    writer.line(&format!("$avp(a) = {value};"));
    writer.line("$avp(a) = \"top\";");
    let value = any_value(writer);
    writer.line(&format!("$xavp(x=>a) = {value};"));
    writer.line("$xavp(x[0]=>n) = 5;");
}

fn any_value(writer: &mut Writer) -> String {
    if writer.random.once_in(3) {
        writer.random.between(-20, 200).to_string()
    } else {
        format!("\"{}\"", writer.pick(&transformation::TEXTS))
    }
}

/// One statement with everything in it.
pub fn write(writer: &mut Writer, depth: usize) {
    match writer.random.below(if depth == 0 { 11 } else { 18 }) {
        0..=2 => assignment(writer),
        3 | 4 => transformed(writer),
        5 => question(writer),
        6 => attributes(writer),
        7 => xavp(writer),
        8 => words(writer),
        9 => request::edit(writer),
        10 => call(writer),
        11 | 12 => condition(writer, depth),
        13 => repetition(writer, depth),
        14 => selection(writer, depth),
        15 => conditional_text(writer, depth),
        16 => text_selection(writer, depth),
        _ => call(writer),
    }
}

/// The end of a route: with a code, or with whatever its last action yields.
pub fn ending(writer: &mut Writer) {
    match writer.random.below(6) {
        0 => {}
        1 => writer.line("return;"),
        2 => {
            let code = expression::number(&mut writer.random, 1);
            writer.line(&format!("$var(r) = ({code});"));
            writer.line("if ($var(r) == 0) $var(r) = 4;");
            writer.line("return $var(r);");
        }
        _ => {
            let code = writer.pick(&["1", "-1", "2", "-5", "(3)", "NUM_A"]);
            writer.line(&format!("return {code};"));
        }
    }
}

fn assignment(writer: &mut Writer) {
    let target = writer.pick(&TARGETS);
    let value = match writer.random.below(12) {
        0 => "$null".to_owned(),
        // Division by zero: the assignment is skipped.
        1 => format!("$var(n) {} ($var(n) - $var(n))", writer.pick(&["/", "mod"])),
        _ => expression::any(&mut writer.random, 3),
    };
    writer.line(&format!("{target} = {value};"));
    let shown = target.replace("$(avp(b)[*])", "$avp(b)");
    writer.print(&format!("{shown}|$rc"));
}

fn transformed(writer: &mut Writer) {
    let text = writer.pick(&transformation::TEXTS);
    let variable = writer.pick(&["var(t)", "avp(t)", "vn(t)"]);
    writer.line(&format!("${variable} = \"{text}\";"));
    for _ in 0..3 {
        let chain = transformation::chain(&mut writer.random);
        writer.print(&format!("$({variable}{chain})"));
    }
    let chain = transformation::chain(&mut writer.random);
    writer.line(&format!("$vn(u) = $({variable}{chain});"));
    writer.print("$vn(u)");
    let variable = writer.pick(&["ru", "fu", "ci", "hdr(X-List)", "hdr(X-Param)", "ct", "tu", "var(n)", "avp(never)"]);
    let chain = transformation::chain(&mut writer.random);
    writer.print(&format!("$({variable}{chain})"));
}

/// An expression as a condition.
fn question(writer: &mut Writer) {
    let question = expression::number(&mut writer.random, 3);
    writer.line(&format!("if ({question})"));
    writer.indented(|writer| writer.print("yes"));
    writer.line("else");
    writer.indented(|writer| writer.print("no"));
}

fn attributes(writer: &mut Writer) {
    let value = any_value(writer);
    let index = writer.random.between(0, 3);
    let action = match writer.random.below(7) {
        0 => format!("$(avp(a)[{index}]) = {value};"),
        1 => format!("$(avp(a)[*]) = {value};"),
        2 => "$avp(a) = $null;".to_owned(),
        3 => "$(avp(a)[*]) = $null;".to_owned(),
        4 => format!("$avp(a) = $(avp(a)[{index}]);"),
        5 => "$avp(a) = $var(n) + 1;".to_owned(),
        _ => format!("$avp(a) = {value};"),
    };
    writer.line(&action);
    writer.print(&format!("$avp(a)|$(avp(a)[{index}])|$(avp(a)[*])|$cnt($avp(a))"));
}

fn xavp(writer: &mut Writer) {
    let value = any_value(writer);
    let action = match writer.random.below(11) {
        0 => format!("$xavp(x=>a) = {value};"),
        1 => format!("$xavp(x[0]=>a) = {value};"),
        2 => format!("$xavp(x[0]=>b) = {value};"),
        3 => format!("$xavp(x[0]=>a[0]) = {value};"),
        4 => "$xavp(x) = $null;".to_owned(),
        5 => "$xavp(x[0]=>a) = $null;".to_owned(),
        6 => "$xavp(x[0]=>a[*]) = $null;".to_owned(),
        7 => format!("xavp_params_explode(\"a={};b=two;n=3\", \"x\");", writer.random.below(9)),
        8 => format!("$xavu(u=>a) = {value};"),
        9 => format!("$xavu(v) = {value};"),
        _ => format!("$xavp(x[1]=>a) = {value};"),
    };
    writer.line(&action);
    writer.print("$xavp(x=>a)|$xavp(x[0]=>b)|$xavp(x[1]=>a)|$xavp(x[0]=>a[1])|$xavp(x=>n)|$xavu(u=>a)|$xavu(v)");
}

/// Defined words and substituted strings.
fn words(writer: &mut Writer) {
    let number = writer.pick(&preprocessor::NUMBERS);
    let other = writer.pick(&["INC_A", "INC_B", "INC_C", "NUM_A"]);
    let operator = writer.pick(&["+", "-", "*"]);
    writer.line(&format!("$var(w) = {number} {operator} {other};"));
    writer.print("$var(w)");
    let text = writer.pick(&preprocessor::TEXTS);
    writer.line(&format!("$var(w) = {text};"));
    writer.print("$var(w) marker SUB_A NUM_A");
    let name = writer.pick(&["NUM_A", "SUM_C", "TXT_A", "NUM_D", "NEVER", "SUB_A", "SUB_D", "INC_C"]);
    writer.print(&format!("$def({name})|$defn({name})"));
}

/// A call of a route further down.
fn call(writer: &mut Writer) {
    if writer.route >= ROUTES {
        return assignment(writer);
    }
    let first = i64::try_from(writer.route).unwrap_or(0) + 1;
    let number = writer.random.between(first, i64::try_from(ROUTES).unwrap_or(first));
    match writer.random.below(6) {
        0 => writer.line(&format!("route(R{number});")),
        1 => writer.line(&format!("route(\"R{number}\");")),
        2 => writer.line(&format!("$var(d) = {number}; route(\"R\" + $var(d));")),
        3 => writer.line(&format!("$var(d) = route(R{number});")),
        4 => {
            writer.line(&format!("if (!route(R{number}))"));
            writer.indented(|writer| writer.print("false"));
        }
        _ => {
            writer.line(&format!("if (route(R{number}) && $var(n) > 3)"));
            writer.indented(|writer| writer.print("true"));
            writer.line("else");
            writer.indented(|writer| writer.print("not"));
        }
    }
    writer.print("$rc|$retcode");
}

fn condition(writer: &mut Writer, depth: usize) {
    let question = expression::number(&mut writer.random, 2);
    writer.block(&format!("if ({question})"), |writer| inner(writer, depth));
    for _ in 0..writer.random.below(3) {
        let question = expression::number(&mut writer.random, 2);
        writer.block(&format!("else if ({question})"), |writer| inner(writer, depth));
    }
    if writer.random.once_in(2) {
        writer.block("else", |writer| inner(writer, depth));
    }
}

fn inner(writer: &mut Writer, depth: usize) {
    writer.print("$rc");
    for _ in 0..=writer.random.below(2) {
        write(writer, depth - 1);
    }
    if writer.loops > 0 && writer.random.once_in(6) {
        writer.line("break;");
    } else if writer.random.once_in(40) {
        let end = writer.pick(&["exit;", "return 0;", "drop;", "return -3;", "return;"]);
        writer.line(end);
    }
}

fn repetition(writer: &mut Writer, depth: usize) {
    if writer.loops >= 2 {
        return assignment(writer);
    }
    // Routes may be called inside the loop: the counter bears the name of its route and depth.
    let counter = format!("$var(l{}{})", writer.route, writer.loops);
    let rounds = writer.random.between(1, ROUNDS_MAX);
    writer.line(&format!("{counter} = 0;"));
    writer.loops += 1;
    writer.block(&format!("while ({counter} < {rounds})"), |writer| {
        writer.line(&format!("{counter} = {counter} + 1;"));
        writer.print(&counter);
        if writer.random.once_in(3) {
            let question = expression::number(&mut writer.random, 1);
            writer.line(&format!("if ({question}) break;"));
        }
        write(writer, depth - 1);
    });
    writer.loops -= 1;
    writer.print(&format!("{counter}|$rc"));
}

fn selection(writer: &mut Writer, depth: usize) {
    let subject = match writer.random.below(2) {
        0 => "$var(n)".to_owned(),
        _ => writer.pick(&VARIABLES).to_owned(),
    };
    let default = writer.random.below(6);
    writer.block(&format!("switch ({subject})"), |writer| {
        for case in 0..4_i64 {
            if default == usize::try_from(case).unwrap_or(0) {
                branch(writer, "default:", depth);
            }
            let value = writer.random.between(case * 3, case * 3 + 2);
            branch(writer, &format!("case {value}:"), depth);
        }
    });
}

/// Cases of texts and regular expressions.
fn text_selection(writer: &mut Writer, depth: usize) {
    let subject = writer.pick(&["$rU", "$var(a)", "$avp(a)", "$rm", "$avp(never)", "$ru"]);
    let has_default = writer.random.once_in(2);
    writer.block(&format!("switch ({subject})"), |writer| {
        branch(writer, "case \"bob\":", depth);
        let label = writer.pick(&["case /\"^a\":", "case /\"^sip:\":", "case /\"B\":", "case \"\":", "case \"INVITE\":"]);
        branch(writer, label, depth);
        branch(writer, "case /\"[0-9]+\":", depth);
        if has_default {
            branch(writer, "default:", depth);
        }
    });
}

fn branch(writer: &mut Writer, label: &str, depth: usize) {
    writer.line(label);
    writer.indented(|writer| {
        if writer.random.once_in(5) && label != "default:" {
            return;
        }
        writer.print(&label.replace('"', "").replace('/', "~"));
        if writer.random.once_in(3) {
            write(writer, depth - 1);
        }
        if !writer.random.once_in(3) {
            writer.line("break;");
        }
    });
}

fn conditional_text(writer: &mut Writer, depth: usize) {
    let word = writer.pick(&["ifdef", "ifndef"]);
    let name = writer.pick(&["FLAG_A", "FLAG_B", "FLAG_C", "WITH_X", "NUM_A", "NEVER", "MOD_pv", "MOD_absent"]);
    writer.line(&format!("#!{word} {name}"));
    writer.print(&format!("{word} {name}"));
    write(writer, depth - 1);
    if writer.random.once_in(2) {
        writer.line("#!else");
        writer.print(&format!("otherwise {name}"));
        write(writer, depth - 1);
    }
    writer.line("#!endif");
}
