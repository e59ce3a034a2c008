//! Arguments by kind: what can be prepared is prepared here (spec cfg-language 14).

use std::sync::Arc;

use super::Compiler;
use super::call::{argument_span, literal};
use crate::bytecode::{ArgumentPlan, As, CodeAs};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::exports::{Argument, Function, Host, Kind};
use crate::format::Format;
use crate::regex::{Flags, Pattern, Substitution};
use crate::source::Span;
use crate::syntax::ast::{Call, Expression, ExpressionKind, RouteKind, VariableText};
use crate::value::{Text, parse_integer};
use crate::variable::Known;

/// The highest message flag (spec cfg-language 15).
const MESSAGE_FLAG_MAX: i64 = 31;

impl<H: Host> Compiler<H> {
    pub(super) fn arguments(&mut self, call: &Call, function: &Function<H>) -> Vec<ArgumentPlan> {
        let mut plans = Vec::with_capacity(call.arguments.len());
        for (number, argument) in call.arguments.iter().enumerate() {
            let kind = function.arguments.get(number).or_else(|| function.arguments.last()).copied().unwrap_or(Kind::Plain);
            let span = argument_span(argument, call);
            let plan = self.argument(argument, kind, span, &call.name);
            // An argument that was reported still holds its place.
            plans.push(plan.unwrap_or(ArgumentPlan::Constant(Argument::Text(Text::empty()))));
        }
        plans
    }

    fn argument(&mut self, argument: &Expression, kind: Kind, span: Span, function: &str) -> Option<ArgumentPlan> {
        match (&argument.kind, literal(argument)) {
            (ExpressionKind::Variable(variable), _) => self.variable_argument(variable, kind, span, function),
            (ExpressionKind::Text(text), _) => self.literal_argument(text, kind, span, function),
            (ExpressionKind::Integer(number), _) => match kind {
                Kind::Integer => Some(ArgumentPlan::Constant(Argument::Integer(*number))),
                _ => self.literal_argument(number.to_string().as_bytes(), kind, span, function),
            },
            _ => {
                if kind == Kind::Variable {
                    self.error(span, format!("{function}() expects one variable here"));
                    return None;
                }
                self.value(argument, CodeAs::Truth);
                Some(ArgumentPlan::Computed(computed_as(kind)))
            }
        }
    }

    fn variable_argument(&mut self, variable: &VariableText, kind: Kind, span: Span, function: &str) -> Option<ArgumentPlan> {
        let reference = self.resolve(variable)?;
        if kind == Kind::Variable {
            if reference.is_transformed() {
                self.error(span, format!("{function}() expects a variable without transformations here"));
                return None;
            }
            return Some(ArgumentPlan::Constant(Argument::Variable(reference)));
        }
        Some(ArgumentPlan::Read(reference, computed_as(kind)))
    }

    fn literal_argument(&mut self, text: &[u8], kind: Kind, span: Span, function: &str) -> Option<ArgumentPlan> {
        let constant = |argument| Some(ArgumentPlan::Constant(argument));
        match kind {
            Kind::Plain => constant(Argument::Text(Text::from(text))),
            Kind::Format => self.format_argument(text, As::Text, span),
            Kind::Integer | Kind::Flag if text.contains(&b'$') => self.format_argument(text, As::Integer, span),
            Kind::Integer => match parse_integer(text) {
                Some(number) => constant(Argument::Integer(number)),
                None => {
                    let text = String::from_utf8_lossy(text);
                    self.error(span, format!("{function}() expects a number here, not \"{text}\""));
                    None
                }
            },
            Kind::Flag => self.flag_argument(text, span, function),
            Kind::AttributeFlag => self.attribute_flag_argument(text, span),
            Kind::Regex => match Pattern::compile(text, Flags::ARGUMENT) {
                Ok(pattern) => constant(Argument::Regex(Arc::new(pattern))),
                Err(error) => {
                    self.error(span, error);
                    None
                }
            },
            Kind::Variable if text.is_empty() => constant(Argument::Text(Text::empty())),
            Kind::Variable => {
                let variable = VariableText { text: Text::from(text.trim_ascii()), span };
                if variable.text.first() != Some(&b'$') {
                    self.error(span, format!("{function}() expects one variable here, for example \"$var(x)\""));
                    return None;
                }
                self.variable_argument(&variable, kind, span, function)
            }
            Kind::Route(route_kind) => self.route_argument(text, route_kind, span),
            Kind::Substitution => match Substitution::parse(text, &Known(&*self.program.catalogue)) {
                Ok(substitution) => constant(Argument::Substitution(Arc::new(substitution))),
                Err(error) => {
                    self.error(span, error);
                    None
                }
            },
        }
    }

    fn format_argument(&mut self, text: &[u8], kind: As, span: Span) -> Option<ArgumentPlan> {
        match Format::parse(text, &Known(&*self.program.catalogue)) {
            Ok(format) => Some(match (format.constant(), format.single()) {
                (Some(text), _) => ArgumentPlan::Constant(match kind {
                    As::Integer => Argument::Integer(parse_integer(&text).unwrap_or(0)),
                    _ => Argument::Text(text),
                }),
                (None, Some(reference)) if kind == As::Integer => ArgumentPlan::Read(Arc::clone(reference), kind),
                _ => ArgumentPlan::Format(format, kind),
            }),
            Err(error) => {
                self.error(span, error);
                None
            }
        }
    }

    fn flag_argument(&mut self, text: &[u8], span: Span, function: &str) -> Option<ArgumentPlan> {
        let name = String::from_utf8_lossy(text).trim().to_string();
        let number = match self.flags.get(&name) {
            Some(number) => Some(i64::from(*number)),
            None if name.is_empty() => None,
            None => parse_integer(name.as_bytes()),
        };
        if number.is_none() {
            let help = did_you_mean(&name, self.flags.keys().map(String::as_str));
            self.error_with_help(span, format!("the flag `{name}` is not declared"), help);
        }
        let is_message_flag = matches!(function, "setflag" | "resetflag" | "isflagset");
        if is_message_flag && number.is_some_and(|number| !(0..=MESSAGE_FLAG_MAX).contains(&number)) {
            self.error(span, format!("bad flag value: message flags are 0 to {MESSAGE_FLAG_MAX}"));
            return None;
        }
        number.map(|number| ArgumentPlan::Constant(Argument::Integer(number)))
    }

    fn attribute_flag_argument(&mut self, text: &[u8], span: Span) -> Option<ArgumentPlan> {
        let name = String::from_utf8_lossy(text).trim().to_string();
        let number = self.attribute_flags.iter().position(|own| *own == name);
        if number.is_none() {
            let help = did_you_mean(&name, self.attribute_flags.iter().map(String::as_str));
            self.error_with_help(span, format!("the flag `{name}` is not declared by avpflags"), help);
        }
        let number = i64::try_from(number?).ok()?;
        Some(ArgumentPlan::Constant(Argument::Integer(number)))
    }

    /// "0" and "" mean no route. Kamailio starts with a name that does not exist, and nothing runs for it: so it is only
    /// warned of.
    fn route_argument(&mut self, text: &[u8], kind: RouteKind, span: Span) -> Option<ArgumentPlan> {
        if text.contains(&b'$') {
            return self.format_argument(text, As::Text, span);
        }
        let name = String::from_utf8_lossy(text).into_owned();
        if !name.is_empty() && name != "0" {
            let missing = self.missing_route(kind, &name, span);
            self.diagnostics.extend(missing.map(|missing| Diagnostic { severity: Severity::Warning, ..missing }));
        }
        Some(ArgumentPlan::Constant(Argument::Text(Text::from(text))))
    }
}

fn computed_as(kind: Kind) -> As {
    match kind {
        Kind::Integer | Kind::Flag | Kind::AttributeFlag => As::Integer,
        Kind::Regex => As::Regex,
        Kind::Substitution => As::Substitution,
        Kind::Format | Kind::Plain | Kind::Variable | Kind::Route(_) => As::Text,
    }
}
