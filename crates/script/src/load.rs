//! The way in: a path and options become a checked syntax tree, or a list of what is wrong.

use std::fmt;
use std::ops::Deref;

use crate::diagnostic::{Diagnostic, Severity, render_all};
use crate::exports::ParameterKind;
use crate::lexer::Lexer;
use crate::preprocess::defines::Version;
use crate::preprocess::{Defines, Effect, Manner};
use crate::source::{FileId, Files, Sources, Span};
use crate::syntax::Parser;
use crate::syntax::ast::{Configuration, Literal};
use crate::value::Text;

/// What the front end asks about modules. `modules::registry` answers in the product.
pub trait ModuleCatalogue {
    /// Is there a module of this name?
    fn module_exists(&self, name: &str) -> bool;
    /// The type of a module's parameter; None when the module has no such parameter.
    fn parameter(&self, module: &str, name: &str) -> Option<ParameterKind>;
    /// All modules, for "did you mean".
    fn known_modules(&self) -> Vec<&str>;
    /// All parameters of a module, for "did you mean".
    fn parameters(&self, _module: &str) -> Vec<&str> {
        Vec::new()
    }
}

/// What the command line adds to the file.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// `-A ID` and `-A ID=value`, the value verbatim.
    pub defines: Vec<String>,
    /// `--subst=`, `--substdef=`, `--substdefs=`.
    pub substs: Vec<(Effect, String)>,
    /// `--loadmodule=`.
    pub modules: Vec<String>,
    /// `--modparam=module:name:type:value`, type `i` or `s`; they win over the file.
    pub module_parameters: Vec<String>,
    /// The release whose `KAMAILIO_*` names are defined.
    pub version: Version,
    /// `OS_NAME`.
    pub system: String,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            defines: Vec::new(),
            substs: Vec::new(),
            modules: Vec::new(),
            module_parameters: Vec::new(),
            version: Version::default(),
            system: "linux".to_string(),
        }
    }
}

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded {
    pub configuration: Configuration,
    pub sources: Sources,
    /// Warnings and notes, in order.
    pub warnings: Vec<Diagnostic>,
}

/// A configuration with errors: its messages, and the sources to show them with. Reads like a slice of messages.
#[derive(Debug)]
pub struct Failure {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: Sources,
}

impl Deref for Failure {
    type Target = [Diagnostic];
    fn deref(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&render_all(&self.diagnostics, &self.sources))?;
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        writeln!(formatter, "bad config file ({errors} errors)")
    }
}

impl std::error::Error for Failure {}

/// The place of everything given on the command line.
const COMMAND_LINE: Span = Span { file: FileId(u32::MAX), line: 0, column: 0, end_line: 0, end_column: 0 };

/// Reads and checks the configuration at `path`, with everything it includes.
pub fn load(path: &str, files: &mut dyn Files, options: &LoadOptions, modules: &dyn ModuleCatalogue) -> Result<Loaded, Failure> {
    let mut lexer = Lexer::new(files, Defines::predefined(options.version, &options.system));
    add_defines(&mut lexer, options);
    if let Err(reason) = lexer.open(path) {
        let message = format!("cannot read the configuration `{path}`: {reason}");
        return Err(Failure { diagnostics: vec![Diagnostic::error(COMMAND_LINE, message)], sources: lexer.sources });
    }
    let mut parser = Parser::new(lexer, modules);
    for module in &options.modules {
        parser.add_module(crate::syntax::module_name(module), false, COMMAND_LINE, COMMAND_LINE);
    }
    parser.parse();
    for text in &options.module_parameters {
        add_module_parameter(&mut parser, text);
    }
    let Parser { lexer, mut configuration, .. } = parser;
    configuration.defines = lexer.defines.into_entries();
    let has_errors = lexer.report.has_errors();
    let (diagnostics, sources) = (lexer.report.into_diagnostics(), lexer.sources);
    if has_errors { Err(Failure { diagnostics, sources }) } else { Ok(Loaded { configuration, sources, warnings: diagnostics }) }
}

fn add_defines(lexer: &mut Lexer<'_>, options: &LoadOptions) {
    for define in &options.defines {
        let (name, text) = match define.split_once('=') {
            Some((name, text)) => (name, Some(Text::from(text))),
            None => (define.as_str(), None),
        };
        let is_name = !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name {
            lexer.add_define(name, text, Manner::New, COMMAND_LINE);
        } else {
            lexer.report.add(Diagnostic::error(COMMAND_LINE, format!("`{name}` cannot be the name of a define")));
        }
    }
    for (effect, text) in &options.substs {
        lexer.add_substitution(text.as_bytes(), *effect, COMMAND_LINE);
    }
}

/// `module:name:type:value`
fn add_module_parameter(parser: &mut Parser<'_>, text: &str) {
    let mut parts = text.splitn(4, ':');
    let parsed = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(module), Some(name), Some("s"), Some(value)) => Some((module, name, Literal::Text(Text::from(value)))),
        (Some(module), Some(name), Some("i"), Some(value)) => {
            value.trim().parse().ok().map(|number| (module, name, Literal::Integer(number)))
        }
        _ => None,
    };
    let Some((module, name, value)) = parsed else {
        let message = format!("bad module parameter `{text}` on the command line");
        parser.report(Diagnostic::error(COMMAND_LINE, message).with_help("the form is module:name:i:number or module:name:s:text"));
        return;
    };
    if !parser.configuration.modules.iter().any(|loaded| loaded.name == module) {
        parser.error(COMMAND_LINE, format!("No module matching {module} found"));
        return;
    }
    parser.add_parameter(module, name, value, [COMMAND_LINE; 3]);
}
