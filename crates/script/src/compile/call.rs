//! Calls: the function by name and number of arguments, where it may be written, and `route(...)`.

use super::{Compiler, index, kind_name};
use crate::bytecode::{ArgumentPlan, CallSite, CodeAs, Instruction};
use crate::diagnostic::did_you_mean;
use crate::exports::{Argument, Function, Host, Routes};
use crate::source::Span;
use crate::syntax::ast::{Call, Expression, ExpressionKind, RouteKind};

/// Functions that are part of the language: they leave `$rc` alone (spec cfg-language 9.1, 16.1).
const CORE_FUNCTIONS: &[&str] = &[
    "forward",
    "forward_udp",
    "forward_tcp",
    "forward_tls",
    "forward_sctp",
    "log",
    "error",
    "exec",
    "force_rport",
    "add_rport",
    "add_local_rport",
    "force_tcp_alias",
    "add_tcp_alias",
    "udp_mtu_try_proto",
    "setflag",
    "resetflag",
    "isflagset",
    "rewritehost",
    "sethost",
    "seth",
    "rewritehostport",
    "sethostport",
    "sethp",
    "rewritehostporttrans",
    "sethostporttrans",
    "sethpt",
    "rewriteuser",
    "setuser",
    "setu",
    "rewriteuserpass",
    "setuserpass",
    "setup",
    "rewriteport",
    "setport",
    "setp",
    "rewriteuri",
    "seturi",
    "revert_uri",
    "prefix",
    "strip",
    "strip_tail",
    "userphone",
    "remove_branch",
    "clear_branches",
    "set_advertised_address",
    "set_advertised_port",
    "force_send_socket",
    "set_forward_no_connect",
    "set_reply_no_connect",
    "set_forward_close",
    "set_reply_close",
    "cfg_select",
    "cfg_reset",
    "setavpflag",
    "resetavpflag",
    "isavpflagset",
];

impl<H: Host> Compiler<H> {
    /// Emits the call; afterwards the code of the last action is the function's.
    pub(super) fn call(&mut self, call: &Call, is_statement: bool) {
        if call.span.line != 0 {
            self.span = call.span;
        }
        if call.name == "route" {
            self.route_call(call, is_statement);
            return;
        }
        let Some(function) = self.function(call) else { return };
        if !function.routes.meets(self.allowed) {
            let message = format!("{}() cannot be used in this kind of route", call.name);
            let help = format!("it may be used in: {}", routes_text(function.routes));
            self.error_with_help(call.span, message, Some(help));
        }
        if call.arguments.iter().any(contains_call) {
            self.error(call.span, format!("a function cannot be called inside the arguments of {}()", call.name));
            return;
        }
        let reported = self.diagnostics.len();
        let plans = self.arguments(call, function);
        if self.diagnostics.len() == reported {
            self.check_arguments(call, function, &plans);
        }
        let computed = plans.iter().filter(|plan| matches!(plan, ArgumentPlan::Computed(_))).count();
        let constants = plans.iter().map(|plan| plan.constant().cloned()).collect::<Option<Vec<_>>>();
        let is_core = CORE_FUNCTIONS.contains(&function.name);
        let at = index(self.program.calls.len());
        self.program.calls.push(CallSite { function, constants, plans, computed, is_core });
        self.clear_return_code(is_statement);
        self.emit(Instruction::Call(at));
    }

    /// The function's module examines what is known of the arguments already, as its Kamailio namesake does at start.
    fn check_arguments(&mut self, call: &Call, function: &'static Function<H>, plans: &[ArgumentPlan]) {
        let known: Vec<Option<&Argument>> = plans.iter().map(ArgumentPlan::constant).collect();
        let Err(refusal) = self.program.catalogue.check(function, &known) else { return };
        let span = call.arguments.get(refusal.argument).map_or(call.span, |argument| argument_span(argument, call));
        self.error(span, format!("{}(): {}", call.name, refusal.text));
    }

    fn function(&mut self, call: &Call) -> Option<&'static Function<H>> {
        let count = call.arguments.len();
        let catalogue = std::sync::Arc::clone(&self.program.catalogue);
        if let Some(function) = catalogue.function(&call.name, count) {
            return Some(function);
        }
        let named = catalogue.functions_named(&call.name);
        let (message, help) = if named.is_empty() {
            let home = catalogue.home_of(&call.name);
            let help = home
                .map(|module| format!("it is of module {module}: loadmodule \"{module}.so\""))
                .or_else(|| did_you_mean(&call.name, catalogue.names()));
            (format!("unknown function {}()", call.name), help)
        } else if named.iter().any(|(_, _, is_loaded)| *is_loaded) {
            let counts: Vec<String> =
                named.iter().filter(|(_, _, is_loaded)| *is_loaded).map(|(_, function, _)| arity_text(function.arity)).collect();
            let message = format!("{}() takes {} argument(s), {count} given", call.name, counts.join(" or "));
            (message, None)
        } else {
            let module = named.first().map_or("", |(module, _, _)| *module);
            let message = format!("{}() is of module {module}, which is not loaded", call.name);
            (message, Some(format!("add loadmodule \"{module}.so\"")))
        };
        self.error_with_help(call.span, message, help);
        None
    }

    fn route_call(&mut self, call: &Call, is_statement: bool) {
        let [argument] = call.arguments.as_slice() else {
            self.error(call.span, "route() takes the name of one route");
            return;
        };
        let blocks = self.blocks;
        match literal(argument) {
            Some(name) => {
                let missing = self.missing_route(RouteKind::Request, &name, argument_span(argument, call));
                self.diagnostics.extend(missing);
                if let Some(route) = self.program.route(RouteKind::Request, name.as_bytes()) {
                    self.clear_return_code(is_statement);
                    self.emit(Instruction::Route(route.0, blocks));
                }
            }
            None => {
                self.value(argument, CodeAs::Truth);
                self.clear_return_code(is_statement);
                self.emit(Instruction::RouteByName(blocks));
            }
        }
    }

    fn clear_return_code(&mut self, is_statement: bool) {
        if !is_statement {
            self.emit(Instruction::ClearReturnCode);
        }
    }
}

/// The place of an argument, or of the call when the tree does not know it.
pub(super) fn argument_span(argument: &Expression, call: &Call) -> Span {
    if argument.span.line == 0 { call.span } else { argument.span }
}

/// The text of a literal text or number.
pub(super) fn literal(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Text(text) => Some(text.to_string()),
        ExpressionKind::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn contains_call(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Call(_) | ExpressionKind::Block(_) => true,
        ExpressionKind::Unary(_, inner) | ExpressionKind::Assign(_, inner) => contains_call(inner),
        ExpressionKind::Binary(_, left, right) => contains_call(left) || contains_call(right),
        ExpressionKind::SelectValue(condition, yes, no) => contains_call(condition) || contains_call(yes) || contains_call(no),
        _ => false,
    }
}

fn arity_text((fewest, most): (u8, u8)) -> String {
    if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") }
}

fn routes_text(routes: Routes) -> String {
    let kinds = [
        (Routes::REQUEST, kind_name(RouteKind::Request)),
        (Routes::FAILURE, kind_name(RouteKind::Failure)),
        (Routes::TM_ONREPLY, kind_name(RouteKind::OnReply)),
        (Routes::CORE_ONREPLY, kind_name(RouteKind::CoreReply)),
        (Routes::BRANCH, kind_name(RouteKind::Branch)),
        (Routes::ONSEND, kind_name(RouteKind::OnSend)),
        (Routes::EVENT, kind_name(RouteKind::Event)),
    ];
    let allowed: Vec<&str> = kinds.iter().filter(|(kind, _)| routes.has(*kind)).map(|(_, name)| *name).collect();
    allowed.join(", ")
}
