//! Statements (spec cfg-language 7, 10.1).

use super::{Compiler, Scope, index};
use crate::bytecode::{CodeAs, Instruction, LeaveBy, SwitchLabel, SwitchTable};
use crate::exports::Host;
use crate::regex::{Flags, Pattern};
use crate::source::Span;
use crate::syntax::ast::{Case, CaseLabel, Expression, ExpressionKind, Leave, Statement, StatementKind, VariableText};

impl<H: Host> Compiler<H> {
    pub(super) fn statements(&mut self, body: &[Statement]) {
        for statement in body {
            self.span = statement.span;
            self.nested(statement.span, |compiler| compiler.statement(statement));
        }
    }

    /// The statements of a nested block.
    fn block(&mut self, body: &[Statement]) {
        self.blocks = self.blocks.saturating_add(1);
        self.statements(body);
        self.blocks = self.blocks.saturating_sub(1);
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Call(call) => {
                let is_guarded = call.arguments.iter().any(Self::may_fail);
                self.guarded(is_guarded, |compiler| compiler.call(call, true));
            }
            StatementKind::Assign { target, value } => {
                self.guarded(Self::may_fail(value), |compiler| compiler.assignment(target, value));
            }
            StatementKind::If { condition, then, otherwise } => self.branch(condition, then, otherwise),
            StatementKind::While { condition, body } => self.repetition(condition, body),
            StatementKind::Switch { subject, cases } => self.switch(subject, cases, statement.span),
            StatementKind::Leave { how, code } => self.leave(*how, code.as_ref()),
            StatementKind::Empty => {}
        }
    }

    /// Work whose failure goes on with the next statement, the last code being -1.
    fn guarded(&mut self, is_guarded: bool, work: impl FnOnce(&mut Self)) {
        if !is_guarded {
            work(self);
            return;
        }
        let guard = self.emit(Instruction::Guard(0));
        work(self);
        self.emit(Instruction::Unguard);
        self.patch(guard);
    }

    /// Evaluates and writes; the last code says whether it worked.
    pub(super) fn assignment(&mut self, target: &VariableText, value: &Expression) {
        let reference = self.reference(target);
        if let Some(found) = reference.and_then(|at| self.program.references.get(at as usize))
            && let Err(error) = found.check_writable()
        {
            self.error(target.span, error);
        }
        self.value(value, CodeAs::Raw);
        if let Some(at) = reference {
            self.emit(Instruction::Write(at));
        }
    }

    fn branch(&mut self, condition: &Expression, then: &[Statement], otherwise: &[Statement]) {
        let is_guarded = Self::may_fail(condition);
        let guard = is_guarded.then(|| self.emit(Instruction::Guard(0)));
        let decision = match &condition.kind {
            // The code is at hand; in return_mode 0 both readings have the same truth.
            ExpressionKind::Call(call) if !is_guarded => {
                self.call(call, false);
                Instruction::BranchOnCode(0)
            }
            _ => {
                self.integer(condition);
                Instruction::Branch(0)
            }
        };
        if is_guarded {
            self.emit(Instruction::Unguard);
        }
        let decision = self.emit(decision);
        self.block(then);
        if otherwise.is_empty() {
            self.patch(decision);
        } else {
            let over = self.emit(Instruction::Jump(0));
            self.patch(decision);
            if let Some(guard) = guard {
                self.patch(guard);
            }
            self.block(otherwise);
            self.patch(over);
            return;
        }
        if let Some(guard) = guard {
            self.patch(guard);
        }
    }

    fn repetition(&mut self, condition: &Expression, body: &[Statement]) {
        self.emit(Instruction::SetCode(1));
        self.emit(Instruction::LoopBegin);
        let top = self.here();
        let is_guarded = Self::may_fail(condition);
        let guard = is_guarded.then(|| self.emit(Instruction::Guard(0)));
        self.integer(condition);
        if is_guarded {
            self.emit(Instruction::Unguard);
        }
        let done = self.emit(Instruction::JumpUnless(0));
        let round = self.emit(Instruction::LoopRound(0));
        self.scopes.push(Scope { breaks: Vec::new() });
        self.block(body);
        self.emit(Instruction::Jump(top));
        for at in [Some(done), Some(round), guard].into_iter().flatten() {
            self.patch(at);
        }
        self.end_scope();
        self.emit(Instruction::LoopEnd);
    }

    /// Lets every `break` of the innermost scope come here.
    pub(super) fn end_scope(&mut self) {
        for at in self.scopes.pop().map(|scope| scope.breaks).unwrap_or_default() {
            self.patch(at);
        }
    }

    fn switch(&mut self, subject: &Expression, cases: &[Case], span: Span) {
        if cases.is_empty() {
            self.warning(span, "a switch without cases");
        }
        let is_integer = !cases.iter().any(|case| matches!(case.label, CaseLabel::Text(_) | CaseLabel::Regex(_)));
        if !is_integer && cases.iter().any(|case| matches!(case.label, CaseLabel::Integer(_))) {
            self.error(span, "the cases of a switch are all integers or all strings");
        }
        if cases.iter().filter(|case| matches!(case.label, CaseLabel::Default)).count() > 1 {
            self.error(span, "more than one `default` in a switch");
        }
        for (number, case) in cases.iter().enumerate() {
            let is_same = |other: &Case| match (&other.label, &case.label) {
                (CaseLabel::Integer(other), CaseLabel::Integer(own)) => other == own,
                (CaseLabel::Text(other), CaseLabel::Text(own)) => other == own,
                _ => false,
            };
            if cases.iter().take(number).any(is_same) {
                self.error(case.span, "this case stands in the switch already");
            }
        }
        let guard = Self::may_fail(subject).then(|| self.emit(Instruction::Guard(0)));
        if is_integer {
            self.integer(subject);
        } else {
            self.value(subject, CodeAs::Truth);
        }
        if guard.is_some() {
            self.emit(Instruction::Unguard);
        }
        let number = index(self.program.switches.len());
        self.program.switches.push(SwitchTable { cases: Vec::new(), otherwise: 0, is_integer });
        self.emit(Instruction::Switch(number));
        self.scopes.push(Scope { breaks: Vec::new() });
        let mut table = Vec::new();
        let mut otherwise = None;
        for case in cases {
            let here = self.here();
            match &case.label {
                CaseLabel::Integer(label) => table.push((SwitchLabel::Integer(*label), here)),
                CaseLabel::Text(label) => table.push((SwitchLabel::Text(label.clone()), here)),
                CaseLabel::Regex(label) => match Pattern::compile(label, Flags::CASE) {
                    Ok(pattern) => table.push((SwitchLabel::Pattern(pattern), here)),
                    Err(error) => self.error(case.span, error),
                },
                CaseLabel::Default => otherwise = Some(here),
            }
            self.block(&case.body);
        }
        let end = self.here();
        self.end_scope();
        if let Some(guard) = guard {
            self.patch(guard);
        }
        if let Some(made) = self.program.switches.get_mut(number as usize) {
            made.cases = table;
            made.otherwise = otherwise.unwrap_or(end);
        }
    }

    fn leave(&mut self, how: Leave, code: Option<&Expression>) {
        let (by, default) = match how {
            Leave::Break => {
                self.emit(Instruction::SetCode(0));
                match self.scopes.is_empty() {
                    true => {
                        self.emit(Instruction::EndRoute);
                    }
                    false => {
                        let at = self.emit(Instruction::Jump(0));
                        if let Some(scope) = self.scopes.last_mut() {
                            scope.breaks.push(at);
                        }
                    }
                }
                return;
            }
            Leave::Return => (LeaveBy::Return, 1),
            Leave::Exit => (LeaveBy::Exit, 1),
            Leave::Drop => (LeaveBy::Drop, 0),
        };
        match code {
            None => {
                self.emit(Instruction::Integer(default));
            }
            Some(expression) if Self::may_fail(expression) => {
                let guard = self.emit(Instruction::Guard(0));
                self.integer(expression);
                self.emit(Instruction::Unguard);
                let over = self.emit(Instruction::Jump(0));
                self.patch(guard);
                self.emit(Instruction::Integer(-1));
                self.patch(over);
            }
            Some(expression) => self.integer(expression),
        }
        self.emit(Instruction::Leave(by));
    }
}
