//! What a module declares once: functions, variables, parameters, events. Checking, help and COMPAT.md derive from it (invariant A10).

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::format::Format;
use crate::regex::Pattern;
use crate::syntax::ast::CoreWord;
use crate::value::{Text, Value};
use crate::variable::Reference;
use crate::vm::Stacks;

/// The program's host: the worker that scripts run on. One type in the product (`modules::Worker`), small ones in tests.
pub trait Host: Sized + 'static {
    /// The level above which log lines are dropped, see [`Host::log`].
    fn log_level(&self) -> i32;
    /// A log line of the interpreter itself: level -5 alert .. 3 debug, place `file:line`.
    fn log(&mut self, level: i32, place: &str, text: &str);
    /// The machine is about to carry out the instruction at this position ([`crate::Program::source_at`]).
    fn reached(&mut self, _position: u32) {}
    /// `$rc`.
    fn return_code(&self) -> i64;
    /// Sets `$rc`.
    fn set_return_code(&mut self, code: i64);
    /// The value of a core word (spec 8.6); null when the message has none.
    fn core_word(&mut self, word: CoreWord) -> Value;
    /// Is the word's value this proxy (spec proxy-core 2.5)?
    fn is_myself(&mut self, word: CoreWord) -> bool;
    /// A select (`@cfg_get.group.name`), null when unknown.
    fn select(&mut self, name: &[u8]) -> Value;
    /// Bounds and modes that come from core parameters.
    fn limits(&self) -> RunLimits;
    /// Seconds east of UTC of local time at this Unix time, for `{s.ftime}`.
    fn utc_offset(&self, _unix_seconds: i64) -> i32 {
        0
    }
    /// Stacks of a run that has ended, if some were kept.
    fn spare_stacks(&mut self) -> Option<Stacks> {
        None
    }
    /// Takes the stacks of a run that has ended, to be used again.
    fn keep_stacks(&mut self, _stacks: Stacks) {}
    /// An empty buffer to put a text together in.
    fn spare_buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }
    /// Takes that buffer back, to be used again.
    fn keep_buffer(&mut self, _buffer: Vec<u8>) {}
}

/// `max_while_loops`, `max_recursive_level`, `return_mode`, and our own bound on steps.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    pub while_loops_max: u32,
    pub depth_max: u32,
    pub return_mode: i32,
    pub steps_max: u64,
}

impl std::default::Default for RunLimits {
    fn default() -> RunLimits {
        RunLimits { while_loops_max: 100, depth_max: 256, return_mode: 0, steps_max: 1_000_000 }
    }
}

/// A set of route types in which a function may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routes(pub u16);

impl Routes {
    pub const REQUEST: Routes = Routes(1);
    pub const FAILURE: Routes = Routes(2);
    pub const TM_ONREPLY: Routes = Routes(4);
    pub const BRANCH: Routes = Routes(8);
    pub const ONSEND: Routes = Routes(16);
    pub const ERROR: Routes = Routes(32);
    pub const LOCAL: Routes = Routes(64);
    pub const CORE_ONREPLY: Routes = Routes(128);
    pub const BRANCH_FAILURE: Routes = Routes(256);
    pub const EVENT: Routes = Routes(512);
    pub const ANY: Routes = Routes(0x3ff);
    pub const ONREPLY: Routes = Routes(4 | 128);
    /// REQUEST | EVENT
    pub const EVENT_ROUTE: Routes = Routes(1 | 512);

    /// Both sets.
    pub const fn or(self, other: Routes) -> Routes {
        Routes(self.0 | other.0)
    }

    /// Is every route of `other` in this set?
    pub const fn has(self, other: Routes) -> bool {
        self.0 & other.0 == other.0
    }

    /// Does this set share a route with `other`?
    pub const fn meets(self, other: Routes) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a function does with one argument (spec cfg-language 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A literal is a format string, interpolated per call; a computed value is taken as it is.
    Format,
    /// An integer literal, a variable holding one, or an expression.
    Integer,
    /// Plain text, `$` has no meaning.
    Plain,
    /// A constant regular expression (extended, ignoring case), compiled at load; a dynamic one per call.
    Regex,
    /// Exactly one variable, to be written or inspected; given quoted (`"$var(x)"`) or bare.
    Variable,
    /// A route name of the given kind, checked at load ("0" and "" mean none where the function allows it).
    Route(crate::syntax::ast::RouteKind),
    /// A flag: number or declared name.
    Flag,
    /// A flag of attributes that `avpflags` declared, by name; given as its number in order of declaration.
    AttributeFlag,
    /// A sed expression `/re/replacement/flags`, compiled at load; replacement interpolated.
    Substitution,
}

/// One evaluated argument, in the order of the call.
#[derive(Clone, Debug)]
pub enum Argument {
    Text(Text),
    Integer(i64),
    Variable(Arc<Reference>),
    Regex(Arc<Pattern>),
    Substitution(Arc<crate::regex::Substitution>),
}

impl Argument {
    /// The text of a `Format`, `Plain` or `Route` argument; other kinds give their nearest text.
    pub fn text(&self) -> Text {
        match self {
            Argument::Text(text) => text.clone(),
            Argument::Integer(number) => Text::from(number.to_string()),
            _ => Text::empty(),
        }
    }

    /// The number of an `Integer` or `Flag` argument; malformed text gives 0.
    pub fn integer(&self) -> i64 {
        match self {
            Argument::Integer(number) => *number,
            Argument::Text(text) => crate::value::parse_integer(text).unwrap_or(0),
            _ => 0,
        }
    }

    /// The number of an `Integer` argument; None when a variable held none, as Kamailio's functions fail then.
    pub fn number(&self) -> Option<i64> {
        match self {
            Argument::Integer(number) => Some(*number),
            Argument::Text(text) if !text.is_empty() => crate::value::parse_integer(text),
            _ => None,
        }
    }
}

/// What a function answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// >0 true, <0 false, 0 ends the script.
    Code(i32),
    /// The function has started something that will be answered later; the frame parks (invariant A5).
    /// The code to go on with is given to `vm::resume`.
    Wait,
}

impl From<bool> for Flow {
    fn from(is_true: bool) -> Flow {
        Flow::Code(if is_true { 1 } else { -1 })
    }
}

/// What runs when the script calls a function.
pub type Call<H> = fn(&mut H, &[Argument]) -> Flow;

/// A script function.
pub struct Function<H: Host> {
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arity: (u8, u8),
    /// Kinds of the arguments; the last one repeats when there are more.
    pub arguments: &'static [Kind],
    pub routes: Routes,
    pub call: Call<H>,
    /// Tells that a call would do nothing, before its arguments are computed.
    pub is_needless: Option<IsNeedless<H>>,
    /// A difference to Kamailio, for COMPAT.md; empty when there is none.
    pub note: &'static str,
}

/// Would a call with these arguments do nothing and answer 1? None: an argument that is not known yet.
pub type IsNeedless<H> = fn(&H, &mut dyn Iterator<Item = Option<&Argument>>) -> bool;

impl<H: Host> Function<H> {
    /// A function of any route, with how many arguments it takes and their kinds.
    pub const fn new(name: &'static str, arity: RangeInclusive<u8>, arguments: &'static [Kind], call: Call<H>) -> Function<H> {
        Function { name, arity: (*arity.start(), *arity.end()), arguments, routes: Routes::ANY, call, is_needless: None, note: "" }
    }

    /// The same, not called when this says that it would do nothing.
    pub const fn unless(self, is_needless: IsNeedless<H>) -> Function<H> {
        Function { is_needless: Some(is_needless), ..self }
    }

    /// The same in these routes only.
    pub const fn routes(self, routes: Routes) -> Function<H> {
        Function { routes, ..self }
    }

    /// The same with a difference to Kamailio.
    pub const fn note(self, note: &'static str) -> Function<H> {
        Function { note, ..self }
    }
}

/// Why a call cannot be right, found while the configuration is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The argument it is about, from 0.
    pub argument: usize,
    /// The reason and what would be right.
    pub text: String,
}

/// How the text in parentheses after a variable's name is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerKind {
    /// `$ru`: no parentheses allowed.
    None,
    /// A plain word, may be absent if `Optional`.
    Word,
    /// Parentheses may be absent.
    OptionalWord,
    /// A format string with variables inside (`$sht(t=>$ci)`, `$hdr($var(h))`).
    Format,
    /// `name[index]=>key[index]`.
    Xavp,
    /// One variable, with or without its `$` (`$T_req(rU)`, `$cnt($avp(x))`).
    Variable,
    /// One of these words only (checked at load).
    OneOf(&'static [&'static str]),
}

/// The inner name as handed to a reader or writer.
#[derive(Clone, Debug, PartialEq)]
pub enum Inner {
    None,
    Word(Text),
    /// Index into the `OneOf` list.
    Choice(u16),
    /// Evaluated inner path.
    Xavp(XavpPath),
    /// The variable named inside; read it with [`Evaluate::read`].
    Variable(Arc<Reference>),
}

impl Inner {
    /// The word, or empty.
    pub fn word(&self) -> &[u8] {
        match self {
            Inner::Word(text) => text,
            _ => b"",
        }
    }
}

/// `$xavp(root[index]=>key[index])`, indexes evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct XavpPath {
    pub root: Text,
    pub root_index: Option<Index>,
    pub key: Option<(Text, Option<Index>)>,
}

/// An index as evaluated: `[N]`, `[-N]`, `[*]`, `[+]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    At(i64),
    All,
    Append,
}

/// How a variable is read.
pub type Read<H> = fn(&mut H, &Inner, Option<Index>) -> Value;

/// How a variable is written; `Err` says why it was not.
pub type Write<H> = fn(&mut H, &Inner, Option<Index>, Value) -> Result<(), String>;

/// A pseudo-variable.
pub struct Variable<H: Host> {
    pub name: &'static str,
    pub inner: InnerKind,
    /// May an index follow (`$(name(x)[1])`)?
    pub indexed: bool,
    pub read: Read<H>,
    /// None: read only. `Err` is logged and makes the assignment's result code -1.
    pub write: Option<Write<H>>,
    /// Inner names of an `OneOf` list that are read only although others are not.
    pub fixed: &'static [&'static str],
    pub note: &'static str,
}

impl<H: Host> Variable<H> {
    /// A variable without parentheses and index that can only be read.
    pub const fn new(name: &'static str, read: Read<H>) -> Variable<H> {
        Variable { name, inner: InnerKind::None, indexed: false, read, write: None, fixed: &[], note: "" }
    }

    /// The same with an inner name in parentheses.
    pub const fn inner(self, inner: InnerKind) -> Variable<H> {
        Variable { inner, ..self }
    }

    /// The same with an index that may follow.
    pub const fn indexed(self) -> Variable<H> {
        Variable { indexed: true, ..self }
    }

    /// The same, and it can be assigned to.
    pub const fn writable(self, write: Write<H>) -> Variable<H> {
        Variable { write: Some(write), ..self }
    }

    /// The same, and these inner names cannot: a configuration that tries does not start.
    pub const fn fixed(self, names: &'static [&'static str]) -> Variable<H> {
        Variable { fixed: names, ..self }
    }

    /// The same with a difference to Kamailio.
    pub const fn note(self, note: &'static str) -> Variable<H> {
        Variable { note, ..self }
    }
}

/// Type of a module parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    Integer,
    Text,
    /// May be given several times; every value is kept in order. Text.
    Texts,
    /// Integer or text.
    Any,
    /// A flag number or name (declares the name).
    Flag,
}

/// A module parameter with its default.
pub struct Parameter {
    pub name: &'static str,
    pub kind: ParameterKind,
    pub default: Default,
    /// Used, or accepted without effect; why. Empty: used as in Kamailio.
    pub note: &'static str,
}

impl Parameter {
    /// A parameter of this kind without default.
    pub const fn unset(name: &'static str, kind: ParameterKind) -> Parameter {
        Parameter { name, kind, default: Default::Unset, note: "" }
    }

    /// An integer.
    pub const fn integer(name: &'static str, default: i64) -> Parameter {
        Parameter { name, kind: ParameterKind::Integer, default: Default::Integer(default), note: "" }
    }

    /// A text.
    pub const fn text(name: &'static str, default: &'static str) -> Parameter {
        Parameter { name, kind: ParameterKind::Text, default: Default::Text(default), note: "" }
    }

    /// The same with a difference to Kamailio.
    pub const fn note(self, note: &'static str) -> Parameter {
        Parameter { note, ..self }
    }
}

/// Default of a module parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Unset,
    Integer(i64),
    Text(&'static str),
}

/// Where the compiler looks names up: the modules loaded so far. Built by `modules::registry`.
pub trait Catalogue<H: Host> {
    /// The function with this name that accepts this many arguments.
    fn function(&self, name: &str, arguments: usize) -> Option<&'static Function<H>>;
    /// Every function with this name, whatever its arity and whether its module is loaded: for error messages.
    fn functions_named(&self, name: &str) -> Vec<(&'static str, &'static Function<H>, bool)>;
    /// The variable with this name, if its module is loaded.
    fn variable(&self, name: &str) -> Option<&'static Variable<H>>;
    /// The module a variable or function of this name would come from, if known, for suggestions.
    fn home_of(&self, name: &str) -> Option<&'static str>;
    /// All names that may be called, for "did you mean".
    fn names(&self) -> Vec<&'static str>;
    /// What the function's module has against arguments that are known already; `None` stands for the others.
    fn check(&self, _function: &'static Function<H>, _arguments: &[Option<&Argument>]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Reading, writing and formatting from module code: the reference is compiled once and used many times.
pub trait Evaluate: Host {
    /// The value of a compiled variable reference.
    fn read(&mut self, reference: &Reference) -> Value;
    /// Writes through a compiled reference.
    fn write(&mut self, reference: &Reference, value: Value) -> Result<(), String>;
    /// The text of a compiled format; null values print `<null>`.
    fn format(&mut self, format: &Format) -> Text;
}
