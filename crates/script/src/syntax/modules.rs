//! `loadmodule` and `modparam` with their checks against what modules declare (spec cfg-language 5).

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::exports::ParameterKind;
use crate::lexer::token::{TokenKind, word_number};
use crate::preprocess::Manner;
use crate::regex::{Flags, Pattern};
use crate::source::Span;
use crate::syntax::ast::{Literal, LoadModule, ModuleParameter};
use crate::syntax::parser::{Parsed, Parser};
use crate::value::{Text, parse_integer};

/// The module's name in a path: without folders and `.so`.
pub(crate) fn module_name(path: &str) -> &str {
    let base = path.rsplit_once('/').map_or(path, |(_, base)| base);
    base.strip_suffix(".so").unwrap_or(base)
}

impl Parser<'_> {
    /// `loadmodule "name"` in its forms.
    pub(crate) fn load_module(&mut self, evaluates: bool) -> Parsed<()> {
        let start = self.next().span;
        let has_parentheses = self.take("(");
        let (path, place) = self.expect_text("the name of a module")?;
        let path = if evaluates { self.evaluated(path, place)? } else { path };
        let mut is_repeatable = false;
        if has_parentheses {
            if self.take(",") {
                let (options, _) = self.expect_text("options")?;
                is_repeatable = options.contains(&b'o');
            }
            self.expect(")", "after the name of the module")?;
        }
        let path = String::from_utf8_lossy(&path).into_owned();
        let span = self.span_since(start);
        self.add_module(module_name(&path), is_repeatable, span, place);
        Ok(())
    }

    /// Notes a module as loaded, or says why not.
    pub(crate) fn add_module(&mut self, name: &str, is_repeatable: bool, span: Span, place: Span) {
        if self.configuration.modules.iter().any(|module| module.name == name) {
            if !is_repeatable {
                self.error(place, format!("attempting to load the same module twice: `{name}`"));
            }
            return;
        }
        if !self.modules.module_exists(name) {
            let help = did_you_mean(name, self.modules.known_modules());
            self.report(Diagnostic::error(place, format!("could not find module `{name}`")).with_help_if(help));
            self.missing_modules.insert(name.to_string());
        } else {
            self.configuration.modules.push(LoadModule { name: name.to_string(), span });
        }
        self.lexer.add_define(&format!("MOD_{name}"), None, Manner::Keep, span);
    }

    /// `loadpath "..."`: modules are built in, so there is nothing to do.
    pub(crate) fn module_path(&mut self) -> Parsed<()> {
        self.next();
        self.take("=");
        self.expect_text("a module path").map(|_| ())
    }

    fn evaluated(&mut self, text: Vec<u8>, place: Span) -> Parsed<Vec<u8>> {
        match self.lexer.static_text(&text) {
            Ok(text) => Ok(text),
            Err(reason) => Err(self.error(place, reason)),
        }
    }

    /// `modparam("module", "name", value)`
    pub(crate) fn module_parameter(&mut self, evaluates: bool) -> Parsed<()> {
        let start = self.next().span;
        self.expect("(", "after `modparam`")?;
        let (module, module_place) = self.parameter_text("the name of a module", evaluates)?;
        self.expect(",", "after the name of the module")?;
        let (name, name_place) = self.parameter_text("the name of a parameter", evaluates)?;
        self.expect(",", "after the name of the parameter")?;
        let value_place = self.peek().span;
        let value = self.parameter_value(evaluates)?;
        let value_place = self.span_since(value_place);
        self.expect(")", "after the value of the parameter")?;
        let span = self.span_since(start);
        for module in self.matching_modules(&module, module_place) {
            self.add_parameter(&module, &name, value.clone(), [span, name_place, value_place]);
        }
        Ok(())
    }

    fn parameter_text(&mut self, what: &str, evaluates: bool) -> Parsed<(String, Span)> {
        let (text, place) = self.expect_text(what)?;
        let text = if evaluates { self.evaluated(text, place)? } else { text };
        Ok((String::from_utf8_lossy(&text).into_owned(), place))
    }

    fn parameter_value(&mut self, evaluates: bool) -> Parsed<Literal> {
        let is_negative = self.take("-");
        let token = self.peek().clone();
        let value = match &token.kind {
            TokenKind::Integer(number, _) => Literal::Integer(if is_negative { -number } else { *number }),
            TokenKind::Word(word) if word_number(word).is_some() && !is_negative => Literal::Integer(word_number(word).unwrap_or(0)),
            TokenKind::Text(bytes) if !is_negative => {
                let bytes = if evaluates { self.evaluated(bytes.clone(), token.span)? } else { bytes.clone() };
                Literal::Text(Text::from(bytes))
            }
            TokenKind::Variable(bytes) if evaluates && !is_negative => {
                let bytes = self.evaluated(bytes.clone(), token.span)?;
                match parse_integer(&bytes).filter(|_| !bytes.is_empty()) {
                    Some(number) => Literal::Integer(number),
                    None => Literal::Text(Text::from(bytes)),
                }
            }
            TokenKind::Variable(_) => {
                let help = "put it in quotes when the module takes a variable's name; use `modparamx` to evaluate it now";
                let message = "the value of `modparam` is a constant";
                return Err(self.report(Diagnostic::error(token.span, message).with_help(help)));
            }
            _ => return Err(self.unexpected("a number or a text in quotes")),
        };
        self.next();
        Ok(value)
    }

    /// The loaded modules that the expression names as a whole, ignoring case.
    fn matching_modules(&mut self, expression: &str, place: Span) -> Vec<String> {
        let loaded: Vec<String> = self.configuration.modules.iter().map(|module| module.name.clone()).collect();
        if loaded.iter().any(|name| name == expression) {
            return vec![expression.to_string()];
        }
        let pattern = Pattern::compile(format!("^({expression})$").as_bytes(), Flags::OPERATOR);
        let Ok(pattern) = pattern else {
            self.error(place, format!("`{expression}` is no valid expression for module names"));
            return Vec::new();
        };
        let matching: Vec<String> = loaded.iter().filter(|name| pattern.is_match(name.as_bytes())).cloned().collect();
        if matching.is_empty() && !self.missing_modules.iter().any(|name| pattern.is_match(name.as_bytes())) {
            let help = if self.modules.module_exists(expression) {
                Some(format!("write `loadmodule \"{expression}.so\"` before it"))
            } else {
                did_you_mean(expression, loaded.iter().map(String::as_str).chain(self.modules.known_modules()))
            };
            self.report(Diagnostic::error(place, format!("No module matching {expression} found")).with_help_if(help));
        }
        matching
    }

    /// Checks one value against the module's table and keeps it.
    pub(crate) fn add_parameter(&mut self, module: &str, name: &str, value: Literal, [span, name_place, value_place]: [Span; 3]) {
        let Some(kind) = self.modules.parameter(module, name) else {
            let help = did_you_mean(name, self.modules.parameters(module));
            let message = format!("parameter `{name}` not found in module `{module}`");
            self.report(Diagnostic::error(name_place, message).with_help_if(help));
            return;
        };
        let Some(value) = self.parameter_of_kind(kind, module, name, value, value_place) else {
            return;
        };
        let (module, name) = (module.to_string(), name.to_string());
        self.configuration.module_parameters.push(ModuleParameter { module, name, value, span });
    }

    fn parameter_of_kind(&mut self, kind: ParameterKind, module: &str, name: &str, value: Literal, place: Span) -> Option<Literal> {
        match (kind, value) {
            (ParameterKind::Integer, Literal::Text(text)) => match parse_integer(&text).filter(|_| !text.is_empty()) {
                Some(number) => {
                    self.warn(place, format!("parameter `{name}` of module `{module}` is a number: write it without quotes"));
                    Some(Literal::Integer(number))
                }
                None => {
                    self.error(place, format!("parameter `{name}` of type <string> not found in module `{module}`: it is a number"));
                    None
                }
            },
            (ParameterKind::Text | ParameterKind::Texts, Literal::Integer(number)) => {
                let message = format!("parameter `{name}` of type <integer> not found in module `{module}`: it is a text");
                self.report(Diagnostic::error(place, message).with_help(format!("write \"{number}\"")));
                None
            }
            (ParameterKind::Flag, Literal::Text(text)) => self.flag_parameter(&text, place),
            (_, value) => Some(value),
        }
    }

    /// `N`, `name` or `name:N`; declares the name.
    fn flag_parameter(&mut self, text: &[u8], place: Span) -> Option<Literal> {
        let text = String::from_utf8_lossy(text).into_owned();
        if let Ok(number) = text.parse() {
            return Some(Literal::Integer(number));
        }
        let (name, number) = match text.split_once(':') {
            Some((name, digits)) => match digits.trim().parse::<i64>() {
                Ok(number) => (name.trim(), Some((number, place))),
                Err(_) => {
                    self.error(place, format!("bad flag value `{digits}`"));
                    return None;
                }
            },
            None => (text.trim(), None),
        };
        let known = self.configuration.flags.iter().find(|flag| flag.name == name).map(|flag| flag.number);
        let number = match known {
            Some(number) => Some(number),
            None => self.declare_flag(name, number, place),
        };
        number.map(|number| Literal::Integer(i64::from(number)))
    }
}
