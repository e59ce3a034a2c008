//! What the compiler refuses, with place and advice.

use std::sync::Arc;

use super::compile;
use crate::Program;
use crate::exports::{Catalogue, Flow, Function, InnerKind, Kind, ParameterKind, Routes, Variable};
use crate::load::{LoadOptions, ModuleCatalogue, load};
use crate::source::Files;
use crate::test_host::{TestCatalogue, TestHost};
use crate::value::Value;

struct OneFile<'a>(&'a str);

impl Files for OneFile<'_> {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        if path == "test.cfg" { Ok(self.0.as_bytes().to_vec()) } else { Err("no such file".to_string()) }
    }

    fn environment(&self, _name: &str) -> Option<String> {
        None
    }
}

struct AnyModule;

impl ModuleCatalogue for AnyModule {
    fn module_exists(&self, _name: &str) -> bool {
        true
    }

    fn parameter(&self, _module: &str, _name: &str) -> Option<ParameterKind> {
        Some(ParameterKind::Any)
    }

    fn known_modules(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The program of a whole file, or the messages as they are shown.
pub(crate) fn program(text: &str) -> Result<Program<TestHost>, String> {
    let loaded = load("test.cfg", &mut OneFile(text), &LoadOptions::default(), &AnyModule).map_err(|failure| failure.to_string())?;
    match compile(&loaded.configuration, &loaded.sources, Arc::new(TestCatalogue)) {
        Ok(compiled) => Ok(compiled.program),
        Err(diagnostics) => Err(crate::diagnostic::render_all(&diagnostics, &loaded.sources)),
    }
}

fn warnings(text: &str) -> String {
    let loaded = load("test.cfg", &mut OneFile(text), &LoadOptions::default(), &AnyModule).expect("a configuration");
    let compiled = compile(&loaded.configuration, &loaded.sources, Arc::new(TestCatalogue)).expect("a program");
    crate::diagnostic::render_all(&compiled.warnings, &loaded.sources)
}

fn refused(text: &str) -> String {
    match program(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(message) => message,
    }
}

#[test]
fn a_literal_that_its_module_refuses_is_an_error_at_its_place() {
    let body = |statement: &str| format!("#!KAMAILIO\nrequest_route {{\n  {statement}\n}}\n");
    let message = refused(&body("plain(\"impossible\");"));
    assert!(message.contains("test.cfg:3:9: error: plain(): impossible is no word"), "{message}");
    assert!(program(&body("plain(\"possible\"); plain($var(x));")).is_ok());
}

#[test]
fn names_that_do_not_exist_are_errors_with_advice() {
    let body = |statement: &str| refused(&format!("#!KAMAILIO\nrequest_route {{\n  {statement}\n}}\nroute[RELAY] {{ good(); }}\n"));
    let message = body("prind(\"x\");");
    assert!(message.contains("test.cfg:3:3: error: unknown function prind()") && message.contains("did you mean `print`"), "{message}");
    let message = body("t_relay();");
    assert!(message.contains("of module tm, which is not loaded") && message.contains("loadmodule \"tm.so\""), "{message}");
    let message = body("regex(\"a\");");
    assert!(message.contains("regex() takes 2 argument(s), 1 given"), "{message}");
    let message = body("route(RELAI);");
    assert!(message.contains("there is no route[RELAI]") && message.contains("`RELAY`"), "{message}");
    let text = "#!KAMAILIO\nrequest_route {\n  arm(\"NONE\");\n}\n";
    let warned = warnings(text);
    assert!(warned.contains("test.cfg:3:7: warning: there is no failure_route[NONE]"), "{warned}");
    assert!(body("$nope = 1;").contains("unknown variable $nope"));
    assert!(body("print(\"$nope\");").contains("unknown variable $nope"));
    assert!(body("print(\"$dlg_var(x)\");").contains("module dialog, which is not loaded"));
    assert!(body("flag(\"FLT_X\");").contains("the flag `FLT_X` is not declared"));
}

#[test]
fn assignments_to_what_cannot_be_assigned_are_errors() {
    let body = |statement: &str| refused(&format!("#!KAMAILIO\nrequest_route {{\n  {statement}\n}}\n"));
    assert!(body("$ru = \"x\";").contains("read only"));
    assert!(body("$(avp(x){s.len}) = 1;").contains("transformations"));
}

#[test]
fn literals_are_checked_by_the_kind_of_argument() {
    let body = |statement: &str| refused(&format!("#!KAMAILIO\nrequest_route {{\n  {statement}\n}}\n"));
    assert!(body("regex(\"a\", \"(\");").contains("( without )"));
    assert!(body("if ($var(x) =~ \"[a\") { good(); }").contains("[ without ]"));
    assert!(body("number(\"a\");").contains("expects a number"));
    assert!(body("subst(\"/a/b\", \"$var(x)\");").contains("a substitution is written"));
    assert!(body("subst(\"/a/b/\", \"x\");").contains("expects one variable"));
    assert!(body("subst(\"/a/b/\", \"$(var(x){s.len})\");").contains("without transformations"));
    assert!(body("print(\"100$\");").contains("a lone `$`"));
    assert!(body("setflag(32);").contains("bad flag value"));
    assert!(body("print(good());").contains("inside"));
    assert!(body("switch($var(x)) { case 1: good(); case 1: bad(); }").contains("stands in the switch already"));
    assert!(body("switch($var(x)) { case \"a\": good(); case \"a\": bad(); }").contains("stands in the switch already"));
    assert!(body("switch($var(x)) { case /\"(\": good(); }").contains("( without )"));
}

#[test]
fn functions_are_bound_to_kinds_of_routes() {
    let text = "#!KAMAILIO\nrequest_route { only_request(); }\nroute[A] { only_request(); }\nevent_route[a:b] { only_request(); }\n";
    assert!(program(text).is_ok(), "an event route counts as a request route too");
    let message = refused("#!KAMAILIO\nrequest_route { good(); }\nfailure_route[F] { only_request(); }\n");
    assert!(message.contains("only_request() cannot be used in this kind of route") && message.contains("may be used in: route"));
}

#[test]
fn all_errors_are_collected() {
    let message = refused("#!KAMAILIO\nrequest_route {\n  nope1();\n  nope2();\n  $nope3 = 1;\n}\n");
    for name in ["nope1", "nope2", "nope3"] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn routes_are_found_by_kind_and_name() {
    use crate::syntax::ast::RouteKind;
    let program =
        program("#!KAMAILIO\nrequest_route { good(); }\nroute[A] { good(); }\nfailure_route[A] { good(); }\nreply_route { good(); }\n")
            .expect("good");
    let main = program.route(RouteKind::Request, "").expect("main");
    assert_eq!(program.route(RouteKind::Request, "0"), Some(main));
    assert_ne!(program.route(RouteKind::Request, "A"), program.route(RouteKind::Failure, "A"));
    assert!(program.route(RouteKind::CoreReply, "").is_some());
    assert!(program.route(RouteKind::Branch, "A").is_none());
    assert_eq!(program.routes(RouteKind::Request).count(), 2);
    assert_eq!(program.route_place(main), "test.cfg:2");
}

/// Every function and variable exists: only the language itself is checked.
struct Permissive;

static ANY_FUNCTION: Function<TestHost> = Function {
    name: "any",
    arity: (0, 6),
    arguments: &[Kind::Format],
    routes: Routes::ANY,
    call: |_, _| Flow::Code(1),
    is_needless: None,
    note: "",
};
static ANY_VARIABLE: Variable<TestHost> = Variable {
    name: "any",
    inner: InnerKind::OptionalWord,
    indexed: true,
    read: |_, _, _| Value::Null,
    write: Some(|_, _, _, _| Ok(())),
    fixed: &[],
    note: "",
};

impl Catalogue<TestHost> for Permissive {
    fn function(&self, _name: &str, _arguments: usize) -> Option<&'static Function<TestHost>> {
        Some(&ANY_FUNCTION)
    }

    fn functions_named(&self, _name: &str) -> Vec<(&'static str, &'static Function<TestHost>, bool)> {
        Vec::new()
    }

    fn variable(&self, _name: &str) -> Option<&'static Variable<TestHost>> {
        Some(&ANY_VARIABLE)
    }

    fn home_of(&self, _name: &str) -> Option<&'static str> {
        None
    }

    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

struct Disk;

impl Files for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn environment(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Configurations that Debian's packages bring compile and run to an end; the test passes where they are not installed.
#[test]
fn installed_configurations_compile_and_end() {
    let with =
        |defines: &[&str]| LoadOptions { defines: defines.iter().map(|define| define.to_string()).collect(), ..LoadOptions::default() };
    let everything = ["WITH_MYSQL", "WITH_AUTH", "WITH_USRLOCDB", "WITH_NAT", "WITH_PSTN", "WITH_PRESENCE", "WITH_ANTIFLOOD", "WITH_TLS"];
    for options in [with(&[]), with(&everything)] {
        let path = "/etc/kamailio/kamailio.cfg";
        if !std::path::Path::new(path).exists() {
            eprintln!("{path} is not installed, skipped");
            return;
        }
        let loaded = load(path, &mut Disk, &options, &AnyModule).unwrap_or_else(|failure| panic!("{failure}"));
        let program = match compile(&loaded.configuration, &loaded.sources, Arc::new(Permissive)) {
            Ok(compiled) => compiled.program,
            Err(diagnostics) => panic!("{}", crate::diagnostic::render_all(&diagnostics, &loaded.sources)),
        };
        assert!(program.instructions() > 100);
        for number in 0..program.routes.len() {
            let run = crate::vm::run(&program, &mut TestHost::default(), crate::RouteId(number as u32));
            assert!(matches!(run, crate::vm::Run::Done(_)));
        }
    }
}
