//! The syntax tree of a configuration file: what the parser makes and the compiler reads (spec cfg-language 3, 6-10, appendix A).

use crate::source::Span;
use crate::value::Text;

/// A whole configuration after preprocessing and inclusion, statements in order.
#[derive(Debug, Default)]
pub struct Configuration {
    /// `name = value` of core parameters, in order.
    pub parameters: Vec<CoreParameter>,
    /// `listen = ...` and `socket = {...}` in order.
    pub listens: Vec<Listen>,
    /// `alias = ...` and `domain = ...`.
    pub aliases: Vec<Alias>,
    /// `loadmodule` in order: base name without `.so`.
    pub modules: Vec<LoadModule>,
    /// `modparam` in order, after matching of the module expression (one entry a module and parameter).
    pub module_parameters: Vec<ModuleParameter>,
    /// Named message flags.
    pub flags: Vec<FlagDeclaration>,
    /// Names that `avpflags` declares, in order.
    pub attribute_flags: Vec<String>,
    /// `group.name = value`.
    pub custom_parameters: Vec<CustomParameter>,
    /// Every route block. `request_route` blocks written twice are already joined.
    pub routes: Vec<RouteBlock>,
    /// Preprocessor defines at the end of the file, for `$def(NAME)` (None: defined without value).
    pub defines: Vec<(String, Option<Text>)>,
}

/// One core parameter assignment.
#[derive(Debug, Clone)]
pub struct CoreParameter {
    pub name: String,
    pub value: Literal,
    pub span: Span,
}

/// A literal of the configuration level.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Integer(i64),
    Text(Text),
}

/// Transport protocol words of `listen` and `proto ==`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Udp,
    Tcp,
    Tls,
    Sctp,
    Ws,
    Wss,
}

/// One address of `listen`, with its attributes.
#[derive(Debug, Clone)]
pub struct Listen {
    /// None: every enabled protocol.
    pub protocol: Option<Protocol>,
    /// Address, host or interface name, without brackets.
    pub host: String,
    pub port: Option<u16>,
    pub advertise: Option<Advertise>,
    pub name: Option<String>,
    pub is_virtual: bool,
    pub workers: Option<u32>,
    pub span: Span,
}

/// `advertise [proto:]host[:port]`.
#[derive(Debug, Clone)]
pub struct Advertise {
    pub protocol: Option<Protocol>,
    pub host: String,
    pub port: Option<u16>,
}

/// `alias = [proto:]host[:port]`.
#[derive(Debug, Clone)]
pub struct Alias {
    pub protocol: Option<Protocol>,
    pub host: String,
    pub port: Option<u16>,
    pub span: Span,
}

/// `loadmodule "name"`.
#[derive(Debug, Clone)]
pub struct LoadModule {
    pub name: String,
    pub span: Span,
}

/// `modparam("module", "name", value)` for one module.
#[derive(Debug, Clone)]
pub struct ModuleParameter {
    pub module: String,
    pub name: String,
    pub value: Literal,
    pub span: Span,
}

/// `flags name:number`.
#[derive(Debug, Clone)]
pub struct FlagDeclaration {
    pub name: String,
    pub number: u32,
    pub span: Span,
}

/// `group.name = value desc "..."`, `group[instance].name = value`.
#[derive(Debug, Clone)]
pub struct CustomParameter {
    pub group: String,
    pub instance: Option<u32>,
    pub name: String,
    pub value: Literal,
    pub description: Option<String>,
    pub span: Span,
}

/// The kinds of route block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// `request_route` (no name) and `route[NAME]`.
    Request,
    /// `reply_route` / `onreply_route` without a name: every reply, before transaction matching.
    CoreReply,
    /// `onreply_route[NAME]`.
    OnReply,
    /// `failure_route[NAME]`.
    Failure,
    /// `branch_route[NAME]`.
    Branch,
    /// `onsend_route`.
    OnSend,
    /// `event_route[module:event]`.
    Event,
}

impl RouteKind {
    /// Number of kinds.
    pub const COUNT: usize = RouteKind::Event as usize + 1;
}

/// One route block. The unnamed main block has an empty name.
#[derive(Debug)]
pub struct RouteBlock {
    pub kind: RouteKind,
    pub name: String,
    pub body: Vec<Statement>,
    pub span: Span,
}

/// One statement with its place.
#[derive(Debug)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Debug)]
pub enum StatementKind {
    /// A call to a core or module function, or `route(...)`.
    Call(Call),
    /// `target = expression`.
    Assign {
        target: VariableText,
        value: Expression,
    },
    If {
        condition: Expression,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    While {
        condition: Expression,
        body: Vec<Statement>,
    },
    Switch {
        subject: Expression,
        cases: Vec<Case>,
    },
    /// `return`, `exit`, `drop` with an optional code; `break`.
    Leave {
        how: Leave,
        code: Option<Expression>,
    },
    /// `;`
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    Return,
    Exit,
    Drop,
    Break,
}

/// One arm of a `switch`, in order; bodies fall through.
#[derive(Debug)]
pub struct Case {
    pub label: CaseLabel,
    pub body: Vec<Statement>,
    pub span: Span,
}

#[derive(Debug)]
pub enum CaseLabel {
    Integer(i64),
    Text(Text),
    Regex(Text),
    Default,
}

/// A call. `route(X)` has the name `route`; bare `NAME` and host words given to core functions are text literals.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    pub arguments: Vec<Expression>,
    pub span: Span,
}

/// The text of a variable as written, for example `$(hdr(X)[1]{s.len})`; parsed by `variable::parse`.
#[derive(Debug, Clone)]
pub struct VariableText {
    pub text: Text,
    pub span: Span,
}

#[derive(Debug)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

#[derive(Debug)]
pub enum ExpressionKind {
    Integer(i64),
    /// A string literal after escape processing; `$` inside is plain text here.
    Text(Text),
    Variable(VariableText),
    /// `@a.b["c"][1]`, as written without the `@`.
    Select(Text),
    Call(Call),
    Unary(UnaryOperator, Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `method == INVITE`, `uri == myself`, `src_ip == 10.0.0.0/8` (spec 8.6).
    Match(CoreMatch),
    /// `($x = expr)`.
    Assign(VariableText, Box<Expression>),
    /// `{ actions }` as a value.
    Block(Vec<Statement>),
    /// `selval(condition, yes, no)`.
    SelectValue(Box<Expression>, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    Not,
    BitNot,
    Negate,
    Defined,
    CastInteger,
    CastText,
    TextLength,
    TextEmpty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    Or,
    And,
    BitOr,
    BitAnd,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Equal,
    NotEqual,
    /// `=~`
    Matches,
    /// `eq`
    TextEqual,
    /// `ne`
    TextNotEqual,
    /// `ieq`
    IntegerEqual,
    /// `ine`
    IntegerNotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// The words with their own comparison grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoreWord {
    Method,
    Uri,
    FromUri,
    ToUri,
    SourceIp,
    DestinationIp,
    SendIp,
    ToIp,
    SourcePort,
    DestinationPort,
    AddressFamily,
    MessageLength,
    SendPort,
    ToPort,
    SendFamily,
    Protocol,
    SendProtocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOperator {
    Equal,
    NotEqual,
    Matches,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
}

#[derive(Debug)]
pub struct CoreMatch {
    pub word: CoreWord,
    pub operator: MatchOperator,
    pub right: MatchOperand,
}

#[derive(Debug)]
pub enum MatchOperand {
    Myself,
    /// Address with prefix length (32 or 128 for a single address).
    Network(std::net::IpAddr, u8),
    /// A host name to resolve at run time.
    Host(String),
    Protocol(Protocol),
    Expression(Box<Expression>),
}
