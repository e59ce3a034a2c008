//! Which mistakes in a route stop the start: a table with the verdicts of Kamailio 5.6.3.

use script::load::LoadOptions;
use script::source::Files;

/// Statements with their verdicts.
const TABLE: &str = include_str!("start_errors.txt");

/// What the statements need: modules with their profiles, tables, counters and shared variables.
const HEAD: &str = r#"#!KAMAILIO
flags MYFLAG:5
loadmodule "tm"
loadmodule "tmx"
loadmodule "sl"
loadmodule "rr"
loadmodule "maxfwd"
loadmodule "pv"
loadmodule "textops"
loadmodule "textopsx"
loadmodule "siputils"
loadmodule "sanity"
loadmodule "xlog"
loadmodule "kex"
loadmodule "corex"
loadmodule "cfgutils"
loadmodule "statistics"
loadmodule "counters"
loadmodule "htable"
loadmodule "jsonrpcs"
loadmodule "dialog"
modparam("htable", "htable", "a=>size=4;")
modparam("dialog", "profiles_with_value", "caller")
modparam("dialog", "profiles_no_value", "all")
modparam("statistics", "variable", "mystat")
modparam("counters", "script_counter", "mygroup.c")
modparam("cfgutils", "lock_set_size", 4)
modparam("pv", "shvset", "x=i:0")
request_route {
	$var(x) = 0;
	route(PROBE);
}
route[A] { exit; }
failure_route[F] { exit; }
onreply_route[R] { exit; }
branch_route[B] { exit; }
"#;

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// The error of a configuration with this statement; None: it starts.
fn error_of(statement: &str) -> Option<String> {
    let end = if statement.ends_with('}') { "" } else { ";" };
    let mut file = OneFile(format!("{HEAD}route[PROBE] {{\n\t{statement}{end}\n}}\n"));
    proxy::check("test.cfg", &mut file, &LoadOptions::default()).err().map(|error| error.to_string())
}

#[test]
fn mistakes_stop_the_start_where_kamailio_stops() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let (verdict, statement) = line.split_once(' ').expect("a verdict and a statement");
        let is_refused = matches!(verdict, "refused" | "stricter");
        assert!(is_refused || matches!(verdict, "starts" | "laxer"), "{line}");
        let error = error_of(statement.trim_start());
        if error.is_some() != is_refused {
            wrong.push(format!("{line}: {}", error.as_deref().unwrap_or("starts")));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 700, "only {seen} statements");
}

#[test]
fn the_error_names_file_line_column_and_remedy() {
    let line = HEAD.lines().count() + 2;
    for (statement, column, text) in [
        (
            "set_dlg_profile(\"nosuch\")",
            18,
            "set_dlg_profile(): profile <nosuch> is not defined by profiles_with_value or profiles_no_value",
        ),
        ("dlg_bye(\"both\")", 10, "dlg_bye(): the side is caller or callee or all, not \"both\""),
        ("subst_hf(\"\", \"/a/b/\", \"a\")", 11, "subst_hf(): \"\" is not the name of a header"),
        ("in_list(\"a\", \"b\", \"\")", 20, "in_list(): the separator is one character"),
    ] {
        let error = error_of(statement).expect("an error");
        assert!(error.contains(&format!("test.cfg:{line}:{column}: error: {text}")), "{error}");
    }
}
