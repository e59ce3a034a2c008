//! A compiled configuration: instructions, constants and tables, shared read-only by all workers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::exports::{Argument, Catalogue, Function, Host};
use crate::format::Format;
use crate::regex::{Pattern, Substitution};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, CoreWord, MatchOperator, RouteKind, UnaryOperator};
use crate::value::{Text, Value};
use crate::variable::{Known, Reference};

/// A compiled route block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteId(pub u32);

/// How an integer reading of "the code of the last action" is made (spec cfg-language 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeAs {
    /// The code itself: right side of an assignment.
    Raw,
    /// 1 when it is > 0, else 0 (the code itself unless `return_mode` is 0): inside an expression.
    Truth,
}

/// What leaves a route or the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaveBy {
    Return,
    Exit,
    Drop,
}

/// One step of the machine. Addresses are indexes of `Program::code`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instruction {
    /// Pushes a constant.
    Constant(u32),
    Integer(i64),
    Null,
    /// Pushes a variable's value.
    Read(u32),
    Select(u32),
    /// Pushes the code of the last action.
    Code(CodeAs),
    Pop,
    Unary(UnaryOperator),
    Binary(BinaryOperator),
    /// Compares the top with a constant.
    BinaryConstant(BinaryOperator, u32),
    /// Top matches a compiled pattern.
    Matches(u32),
    /// A core word comparison; takes its right side from the stack when that is dynamic.
    CoreMatch(u32),
    /// Is this variable not null?
    Defined(u32),
    /// Is the top not null?
    DefinedTop,
    /// Top zero: leaves 0 and jumps; else drops it.
    AndJump(u32),
    /// Top not zero: leaves 1 and jumps; else drops it.
    OrJump(u32),
    Boolean,
    /// Jumps when the top, which stays, is no integer.
    JumpUnlessInteger(u32),
    Jump(u32),
    /// Takes a condition and jumps when it does not hold.
    JumpUnless(u32),
    /// Takes the condition of an `if`: the last code becomes 1; jumps when it does not hold.
    Branch(u32),
    /// The same, the condition being the code of the last call.
    BranchOnCode(u32),
    SetCode(i64),
    /// Takes a value and assigns it.
    Write(u32),
    Call(u32),
    /// An action inside an expression begins with `$rc` 0 (seen on Kamailio 5.6.3).
    ClearReturnCode,
    /// Static route call: route, blocks around the call.
    Route(u32, u16),
    /// Takes the route's name.
    RouteByName(u16),
    /// Takes the code.
    Leave(LeaveBy),
    /// The end of a route block, or a `break` outside of loops.
    EndRoute,
    LoopBegin,
    /// Counts a round; jumps when there were too many.
    LoopRound(u32),
    LoopEnd,
    /// Takes the subject.
    Switch(u32),
    /// From here to `Unguard` a failing expression jumps to the address.
    Guard(u32),
    Unguard,
}

/// How a computed argument is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    Text,
    Integer,
    Regex,
    Substitution,
}

/// Where one argument comes from.
#[derive(Clone, Debug)]
pub(crate) enum ArgumentPlan {
    Constant(Argument),
    Format(Format, As),
    Read(Arc<Reference>, As),
    /// On the stack.
    Computed(As),
}

impl ArgumentPlan {
    /// The argument, when it is the same in every run.
    pub(crate) fn constant(&self) -> Option<&Argument> {
        match self {
            ArgumentPlan::Constant(argument) => Some(argument),
            _ => None,
        }
    }
}

pub(crate) struct CallSite<H: Host> {
    pub function: &'static Function<H>,
    /// Set when every argument is constant.
    pub constants: Option<Vec<Argument>>,
    pub plans: Vec<ArgumentPlan>,
    /// How many are on the stack.
    pub computed: usize,
    /// Core functions leave `$rc` alone (spec cfg-language 9.1).
    pub is_core: bool,
}

pub(crate) enum SwitchLabel {
    Integer(i64),
    Text(Text),
    Pattern(Pattern),
}

pub(crate) struct SwitchTable {
    pub cases: Vec<(SwitchLabel, u32)>,
    /// Where to go when nothing matches.
    pub otherwise: u32,
    /// Integer labels: the subject is read as an integer.
    pub is_integer: bool,
}

pub(crate) struct CoreMatcher {
    pub word: CoreWord,
    pub operator: MatchOperator,
    pub right: MatchRight,
}

pub(crate) enum MatchRight {
    Myself,
    Network(std::net::IpAddr, u8),
    Text(Text),
    Pattern(Pattern),
    /// On the stack.
    Computed,
}

pub(crate) struct Route {
    pub kind: RouteKind,
    pub name: String,
    pub start: u32,
    pub span: Span,
}

/// A compiled configuration for one type of host.
pub struct Program<H: Host> {
    pub(crate) code: Vec<Instruction>,
    /// Where each instruction comes from.
    pub(crate) spans: Vec<Span>,
    pub(crate) constants: Vec<Value>,
    pub(crate) references: Vec<Arc<Reference>>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) calls: Vec<CallSite<H>>,
    pub(crate) switches: Vec<SwitchTable>,
    pub(crate) matchers: Vec<CoreMatcher>,
    pub(crate) routes: Vec<Route>,
    /// The routes of each kind by name.
    pub(crate) names: [BTreeMap<Vec<u8>, RouteId>; RouteKind::COUNT],
    pub(crate) catalogue: Arc<dyn Catalogue<H> + Send + Sync>,
    pub(crate) paths: Vec<String>,
}

impl<H: Host> Program<H> {
    /// The block of this kind and name; `""` and `"0"` are the unnamed block.
    pub fn route(&self, kind: RouteKind, name: impl AsRef<[u8]>) -> Option<RouteId> {
        let names = self.names.get(kind as usize)?;
        let name = name.as_ref();
        names.get(name).or_else(|| if name == b"0" { names.get(&b""[..]) } else { None }).copied()
    }

    /// Kind and name of a route.
    pub fn route_name(&self, route: RouteId) -> Option<(RouteKind, &str)> {
        self.routes.get(route.0 as usize).map(|route| (route.kind, route.name.as_str()))
    }

    /// Every block of a kind, in order.
    pub fn routes(&self, kind: RouteKind) -> impl Iterator<Item = (RouteId, &str)> {
        self.routes
            .iter()
            .enumerate()
            .filter(move |(_, route)| route.kind == kind)
            .map(|(number, route)| (RouteId(number as u32), route.name.as_str()))
    }

    /// Where a route block begins, `file:line`.
    pub fn route_place(&self, route: RouteId) -> String {
        self.routes.get(route.0 as usize).map(|route| self.place(route.span)).unwrap_or_default()
    }

    /// Where an instruction comes from, as [`crate::exports::Host::reached`] tells it: the file and the line (from 1).
    pub fn source_at(&self, position: u32) -> Option<(&str, u32)> {
        let span = self.spans.get(position as usize)?;
        Some((self.paths.get(span.file.0 as usize)?, span.line))
    }

    /// The route block an instruction belongs to.
    pub fn route_at(&self, position: u32) -> Option<RouteId> {
        let found = self.routes.iter().enumerate().filter(|(_, route)| route.start <= position).max_by_key(|(_, route)| route.start);
        found.map(|(number, _)| RouteId(number as u32))
    }

    /// Compiles a variable at run time; the error is a sentence.
    pub fn compile_reference(&self, text: &[u8]) -> Result<Reference, String> {
        crate::variable::parse(text, &Known(&*self.catalogue))
    }

    /// Compiles a format string at run time.
    pub fn compile_format(&self, text: &[u8]) -> Result<Format, String> {
        Format::parse(text, &Known(&*self.catalogue))
    }

    /// Compiles a substitution at run time.
    pub fn compile_substitution(&self, text: &[u8]) -> Result<Substitution, String> {
        Substitution::parse(text, &Known(&*self.catalogue))
    }

    /// How many instructions there are.
    pub fn instructions(&self) -> usize {
        self.code.len()
    }

    pub(crate) fn place(&self, span: Span) -> String {
        let path = self.paths.get(span.file.0 as usize).map_or("<command line>", String::as_str);
        format!("{path}:{}", span.line)
    }

    pub(crate) fn place_of(&self, position: usize) -> String {
        self.place(self.spans.get(position).copied().unwrap_or_default())
    }
}
