//! From the syntax tree to a program: names are resolved, literals compiled, and everything wrong is reported with its place.

mod arguments;
mod call;
mod core_match;
mod expression;
mod statement;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytecode::{Instruction, Program, Route, RouteId};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::exports::{Catalogue, Host, Routes};
use crate::source::{Sources, Span};
use crate::syntax::ast::{Configuration, RouteKind, VariableText};
use crate::value::Value;
use crate::variable::{self, Known, Reference};

/// Nesting of expressions and blocks the compiler follows.
const NESTING_MAX: usize = 512;

/// A program and what was noticed on the way.
pub struct Compiled<H: Host> {
    pub program: Program<H>,
    pub warnings: Vec<Diagnostic>,
}

/// Compiles every route of a configuration. All errors are collected; with any of them there is no program.
pub fn compile<H: Host>(
    configuration: &Configuration,
    sources: &Sources,
    catalogue: Arc<dyn Catalogue<H> + Send + Sync>,
) -> Result<Compiled<H>, Vec<Diagnostic>> {
    let program = Program {
        code: Vec::new(),
        spans: Vec::new(),
        constants: Vec::new(),
        references: Vec::new(),
        patterns: Vec::new(),
        calls: Vec::new(),
        switches: Vec::new(),
        matchers: Vec::new(),
        routes: Vec::new(),
        names: Default::default(),
        catalogue,
        paths: sources.files.iter().map(|source| source.path.clone()).collect(),
    };
    let flags = configuration.flags.iter().map(|flag| (flag.name.clone(), flag.number)).collect();
    let mut compiler = Compiler {
        program,
        flags,
        attribute_flags: configuration.attribute_flags.clone(),
        diagnostics: Vec::new(),
        known_references: BTreeMap::new(),
        scopes: Vec::new(),
        blocks: 0,
        nesting: 0,
        span: Span::default(),
        allowed: Routes::ANY,
    };
    compiler.declare_routes(configuration);
    for (number, block) in configuration.routes.iter().enumerate() {
        let start = compiler.here();
        if let Some(route) = compiler.program.routes.get_mut(number) {
            route.start = start;
        }
        compiler.span = block.span;
        compiler.allowed = routes_of(block.kind);
        compiler.statements(&block.body);
        compiler.span = block.span;
        compiler.emit(Instruction::EndRoute);
    }
    if compiler.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(compiler.diagnostics);
    }
    Ok(Compiled { program: compiler.program, warnings: compiler.diagnostics })
}

/// The route types a function must share with to be written in a block of this kind (spec cfg-language 6.2).
fn routes_of(kind: RouteKind) -> Routes {
    match kind {
        RouteKind::Request => Routes::REQUEST,
        RouteKind::CoreReply => Routes::CORE_ONREPLY,
        RouteKind::OnReply => Routes::TM_ONREPLY,
        RouteKind::Failure => Routes::FAILURE,
        RouteKind::Branch => Routes::BRANCH,
        RouteKind::OnSend => Routes::ONSEND,
        RouteKind::Event => Routes::EVENT_ROUTE,
    }
}

/// How a kind of block is written.
pub(crate) fn kind_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Request => "route",
        RouteKind::CoreReply => "reply_route",
        RouteKind::OnReply => "onreply_route",
        RouteKind::Failure => "failure_route",
        RouteKind::Branch => "branch_route",
        RouteKind::OnSend => "onsend_route",
        RouteKind::Event => "event_route",
    }
}

/// What `break` leaves.
struct Scope {
    breaks: Vec<usize>,
}

struct Compiler<H: Host> {
    program: Program<H>,
    flags: BTreeMap<String, u32>,
    attribute_flags: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    known_references: BTreeMap<Vec<u8>, u32>,
    scopes: Vec<Scope>,
    /// Blocks around the current statement, inside its route.
    blocks: u16,
    nesting: usize,
    /// Where the instructions being emitted come from.
    span: Span,
    allowed: Routes,
}

impl<H: Host> Compiler<H> {
    fn declare_routes(&mut self, configuration: &Configuration) {
        for block in &configuration.routes {
            let id = RouteId(index(self.program.routes.len()));
            self.program.routes.push(Route { kind: block.kind, name: block.name.clone(), start: 0, span: block.span });
            let names = self.program.names.get_mut(block.kind as usize);
            if names.is_some_and(|names| names.insert(block.name.clone().into_bytes(), id).is_some()) {
                let name = format!("{}[{}]", kind_name(block.kind), block.name);
                self.error(block.span, format!("{name} is written twice"));
            }
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    fn error_with_help(&mut self, span: Span, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(Diagnostic::error(span, message).with_help_if(help));
    }

    fn warning(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warning(span, message));
    }

    fn here(&self) -> u32 {
        index(self.program.code.len())
    }

    /// Appends an instruction and says where it is, for [`Compiler::patch`].
    fn emit(&mut self, instruction: Instruction) -> usize {
        self.program.code.push(instruction);
        self.program.spans.push(self.span);
        self.program.code.len() - 1
    }

    /// Lets the jump at `at` go to the next instruction.
    fn patch(&mut self, at: usize) {
        let here = self.here();
        if let Some(
            Instruction::AndJump(address)
            | Instruction::OrJump(address)
            | Instruction::Jump(address)
            | Instruction::JumpUnless(address)
            | Instruction::JumpUnlessInteger(address)
            | Instruction::Branch(address)
            | Instruction::BranchOnCode(address)
            | Instruction::LoopRound(address)
            | Instruction::Guard(address),
        ) = self.program.code.get_mut(at)
        {
            *address = here;
        }
    }

    fn constant(&mut self, value: Value) -> u32 {
        if let Some(known) = self.program.constants.iter().rev().take(64).position(|known| *known == value) {
            return index(self.program.constants.len() - 1 - known);
        }
        self.program.constants.push(value);
        index(self.program.constants.len() - 1)
    }

    /// Resolves a variable; what is wrong is reported and `None` returned.
    fn resolve(&mut self, variable: &VariableText) -> Option<Arc<Reference>> {
        let at = self.reference(variable)?;
        self.program.references.get(at as usize).cloned()
    }

    /// The same, as an index of the program's table. Equal texts share one entry.
    fn reference(&mut self, variable: &VariableText) -> Option<u32> {
        if let Some(known) = self.known_references.get(&*variable.text) {
            return Some(*known);
        }
        match variable::parse(&variable.text, &Known(&*self.program.catalogue)) {
            Ok(reference) => {
                let at = index(self.program.references.len());
                self.known_references.insert(variable.text.to_vec(), at);
                self.program.references.push(Arc::new(reference));
                Some(at)
            }
            Err(error) => {
                self.error(variable.span, error);
                None
            }
        }
    }

    /// Reports when a named route does not exist.
    /// What to say of a route that does not exist.
    fn missing_route(&self, kind: RouteKind, name: &str, span: Span) -> Option<Diagnostic> {
        if self.program.route(kind, name).is_some() {
            return None;
        }
        // `t_on_branch_failure("X")` runs event_route[tm:branch-failure:X].
        let is_event_of = |route: &Route| route.name.rsplit_once(':').is_some_and(|(_, last)| last == name);
        if kind == RouteKind::Event && self.program.routes.iter().any(|route| route.kind == kind && is_event_of(route)) {
            return None;
        }
        let names: Vec<&str> = self.program.routes.iter().filter(|route| route.kind == kind).map(|route| route.name.as_str()).collect();
        let help = did_you_mean(name, names);
        Some(Diagnostic::error(span, format!("there is no {}[{name}]", kind_name(kind))).with_help_if(help))
    }

    /// Guards against trees deeper than the compiler's own stack allows.
    fn nested<T>(&mut self, span: Span, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.nesting >= NESTING_MAX {
            self.error(span, "nested too deeply");
            return None;
        }
        self.nesting += 1;
        let result = work(self);
        self.nesting -= 1;
        Some(result)
    }
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
