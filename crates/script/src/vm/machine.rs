//! The machine: its stacks and the instructions that compute and jump.

use super::evaluate::read;
use super::{ERROR, Ended, Finish, Frame, Run, TEXT_BYTES_MAX, core_match, operate};
use crate::bytecode::{CodeAs, Instruction, LeaveBy, Program, RouteId};
use crate::exports::{Argument, Host, RunLimits};
use crate::regex::{Flags, Pattern};
use crate::syntax::ast::{BinaryOperator, RouteKind, UnaryOperator};
use crate::value::Value;

#[derive(Clone, Copy, Debug)]
pub(super) struct RouteFrame {
    pub(super) return_to: usize,
    pub(super) values: usize,
    pub(super) guards: usize,
    pub(super) depth: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct GuardFrame {
    pub(super) target: u32,
    pub(super) values: usize,
    pub(super) frames: usize,
}

/// What a machine works on; kept after a run, so that the next one needs no memory.
#[derive(Debug, Default)]
pub struct Stacks {
    pub(super) values: Vec<Value>,
    pub(super) frames: Vec<RouteFrame>,
    pub(super) guards: Vec<GuardFrame>,
    pub(super) arguments: Vec<Argument>,
}

impl Stacks {
    fn clear(&mut self) {
        let Stacks { values, frames, guards, arguments } = self;
        values.clear();
        frames.clear();
        guards.clear();
        arguments.clear();
    }
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) position: usize,
    /// The code of the last action executed in the current route.
    pub(super) code: i64,
    pub(super) stacks: Stacks,
    pub(super) limits: RunLimits,
    pub(super) steps: u64,
    /// Is the function that waits a core function?
    pub(super) waits_for_core: bool,
}

/// What one instruction led to.
pub(super) enum Step {
    Next,
    /// The expression failed.
    Failed,
    Wait,
    Done(Finish),
}

impl Machine {
    pub(super) fn execute<H: Host>(mut self, program: &Program<H>, host: &mut H) -> Run {
        match self.go_on(program, host) {
            Some(finish) => self.finish(host, finish),
            None => Run::Parked(Frame(Box::new(self))),
        }
    }

    /// The run is over; its stacks are for the next one.
    pub(super) fn finish<H: Host>(mut self, host: &mut H, finish: Finish) -> Run {
        self.stacks.clear();
        host.keep_stacks(self.stacks);
        Run::Done(finish)
    }

    /// None: a function waits.
    fn go_on<H: Host>(&mut self, program: &Program<H>, host: &mut H) -> Option<Finish> {
        loop {
            let Some(instruction) = program.code.get(self.position).copied() else {
                return Some(Finish { code: self.code, how: Ended::Return });
            };
            if self.steps == 0 {
                let text = format!("the script was ended after {} steps", self.limits.steps_max);
                host.log(ERROR, &program.place_of(self.position), &text);
                return Some(Finish { code: -1, how: Ended::Exit });
            }
            self.steps -= 1;
            host.reached(self.position as u32);
            self.position += 1;
            match self.step(program, host, instruction) {
                Step::Next => {}
                Step::Failed => self.fail(program, host),
                Step::Wait => return None,
                Step::Done(finish) => return Some(finish),
            }
        }
    }

    pub(super) fn pop(&mut self) -> Value {
        self.stacks.values.pop().unwrap_or_default()
    }

    pub(super) fn push(&mut self, value: Value) -> Step {
        self.stacks.values.push(value);
        Step::Next
    }

    fn push_bool(&mut self, is_true: bool) -> Step {
        self.push(Value::Integer(i64::from(is_true)))
    }

    /// The truth rule of `if` and `while`.
    fn holds(&self, number: i64) -> bool {
        if self.limits.return_mode == 0 { number > 0 } else { number != 0 }
    }

    pub(super) fn jump(&mut self, address: u32) -> Step {
        self.position = address as usize;
        Step::Next
    }

    fn jump_unless(&mut self, is_true: bool, address: u32) -> Step {
        if !is_true {
            self.position = address as usize;
        }
        Step::Next
    }

    fn step<H: Host>(&mut self, program: &Program<H>, host: &mut H, instruction: Instruction) -> Step {
        match instruction {
            Instruction::Constant(at) => {
                let value = program.constants.get(at as usize).cloned().unwrap_or_default();
                self.push(value)
            }
            Instruction::Integer(number) => self.push(Value::Integer(number)),
            Instruction::Null => self.push(Value::Null),
            Instruction::Read(at) => {
                let value = program.references.get(at as usize).map(|reference| read(host, reference));
                self.push(value.unwrap_or_default())
            }
            Instruction::Select(at) => {
                let name = program.constants.get(at as usize).map(Value::to_text).unwrap_or_default();
                let value = host.select(&name);
                self.push(value)
            }
            Instruction::Code(CodeAs::Raw) => self.push(Value::Integer(self.code)),
            Instruction::Code(CodeAs::Truth) if self.limits.return_mode == 1 => self.push(Value::Integer(self.code)),
            Instruction::Code(CodeAs::Truth) => self.push_bool(self.code > 0),
            Instruction::Pop => {
                self.pop();
                Step::Next
            }
            Instruction::Unary(operator) => self.unary(operator),
            Instruction::Binary(operator) => {
                let right = self.pop();
                self.binary(program, host, operator, &right)
            }
            Instruction::BinaryConstant(operator, at) => match program.constants.get(at as usize) {
                Some(right) => self.binary(program, host, operator, right),
                None => Step::Failed,
            },
            Instruction::Matches(at) => {
                let left = self.pop();
                let pattern = program.patterns.get(at as usize);
                self.push_bool(pattern.is_some_and(|pattern| operate::matches(&left, pattern)))
            }
            Instruction::CoreMatch(at) => {
                let Some(matcher) = program.matchers.get(at as usize) else { return Step::Failed };
                let right = if core_match::is_computed(matcher) { Some(self.pop()) } else { None };
                let is_match = core_match::holds(host, matcher, right.as_ref(), &|| program.place_of(self.position - 1));
                self.push_bool(is_match)
            }
            Instruction::Defined(at) => {
                let is_null = program.references.get(at as usize).is_none_or(|reference| read(host, reference).is_null());
                self.push_bool(!is_null)
            }
            Instruction::DefinedTop => {
                let value = self.pop();
                self.push_bool(!value.is_null())
            }
            Instruction::AndJump(address) => match self.pop().to_integer() {
                0 => {
                    self.jump(address);
                    self.push_bool(false)
                }
                _ => Step::Next,
            },
            Instruction::JumpUnlessInteger(address) => {
                if !self.stacks.values.last().is_some_and(Value::is_integer) {
                    self.jump(address);
                }
                Step::Next
            }
            Instruction::OrJump(address) => match self.pop().to_integer() {
                0 => Step::Next,
                _ => {
                    self.jump(address);
                    self.push_bool(true)
                }
            },
            Instruction::Boolean => {
                let value = self.pop();
                self.push_bool(value.to_integer() != 0)
            }
            other => self.control(program, host, other),
        }
    }

    /// The instructions that move through the program.
    fn control<H: Host>(&mut self, program: &Program<H>, host: &mut H, instruction: Instruction) -> Step {
        match instruction {
            Instruction::Jump(address) => self.jump(address),
            Instruction::JumpUnless(address) => {
                let condition = self.pop().to_integer();
                self.jump_unless(self.holds(condition), address)
            }
            Instruction::Branch(address) => {
                let condition = self.pop().to_integer();
                self.code = 1;
                self.jump_unless(self.holds(condition), address)
            }
            Instruction::BranchOnCode(address) => {
                // A call counts as 1 or 0 unless return_mode is 1 (spec cfg-language 9.3).
                let is_true = if self.limits.return_mode == 1 { self.code != 0 } else { self.code > 0 };
                self.code = 1;
                self.jump_unless(is_true, address)
            }
            Instruction::SetCode(code) => {
                self.code = code;
                Step::Next
            }
            Instruction::Write(at) => self.assign(program, host, at),
            Instruction::Call(at) => self.call(program, host, at),
            Instruction::ClearReturnCode => {
                host.set_return_code(0);
                Step::Next
            }
            Instruction::Route(route, blocks) => self.enter(program, host, RouteId(route), blocks),
            Instruction::RouteByName(blocks) => {
                let name = self.pop().to_text();
                match program.route(RouteKind::Request, &name) {
                    Some(route) => self.enter(program, host, route, blocks),
                    None => {
                        let place = program.place_of(self.position - 1);
                        host.log(ERROR, &place, &format!("route({name}): there is no such route"));
                        self.code = -1;
                        Step::Next
                    }
                }
            }
            Instruction::Leave(by) => {
                let code = self.pop().to_integer();
                match by {
                    LeaveBy::Return if code == 0 => Step::Done(Finish { code, how: Ended::Exit }),
                    LeaveBy::Return => self.leave_route(host, code),
                    LeaveBy::Exit => Step::Done(Finish { code, how: Ended::Exit }),
                    LeaveBy::Drop => Step::Done(Finish { code, how: Ended::Drop }),
                }
            }
            Instruction::EndRoute => self.leave_route(host, self.code),
            Instruction::LoopBegin => self.push(Value::Integer(0)),
            Instruction::LoopRound(address) => self.round(program, host, address),
            Instruction::LoopEnd => {
                self.pop();
                Step::Next
            }
            Instruction::Switch(at) => self.switch(program, at),
            Instruction::Guard(target) => {
                self.stacks.guards.push(GuardFrame { target, values: self.stacks.values.len(), frames: self.stacks.frames.len() });
                Step::Next
            }
            Instruction::Unguard => {
                self.stacks.guards.pop();
                Step::Next
            }
            _ => Step::Failed,
        }
    }

    /// An expression failed: the statement around it goes on at its guard.
    fn fail<H: Host>(&mut self, program: &Program<H>, host: &mut H) {
        self.code = -1;
        match self.stacks.guards.pop() {
            Some(guard) if guard.frames == self.stacks.frames.len() => {
                self.stacks.values.truncate(guard.values);
                self.position = guard.target as usize;
            }
            Some(guard) => self.stacks.guards.push(guard),
            None => host.log(ERROR, &program.place_of(self.position - 1), "an expression failed"),
        }
    }

    fn unary(&mut self, operator: UnaryOperator) -> Step {
        let value = self.pop();
        self.push(operate::unary(operator, value))
    }

    fn binary<H: Host>(&mut self, program: &Program<H>, host: &mut H, operator: BinaryOperator, right: &Value) -> Step {
        let left = self.pop();
        if operator == BinaryOperator::Matches {
            return match Pattern::dynamic(&right.to_text(), Flags::OPERATOR) {
                Ok(pattern) => self.push_bool(operate::matches(&left, &pattern)),
                Err(error) => {
                    host.log(ERROR, &program.place_of(self.position - 1), &error);
                    self.push_bool(false)
                }
            };
        }
        if operator == BinaryOperator::Add && operate::is_sum_too_long(&left, right) {
            let text = format!("a text longer than {TEXT_BYTES_MAX} bytes was not extended");
            host.log(ERROR, &program.place_of(self.position - 1), &text);
            return self.push(left);
        }
        match operate::binary(operator, left, right) {
            Some(value) => self.push(value),
            None => {
                host.log(ERROR, &program.place_of(self.position - 1), "division by zero");
                Step::Failed
            }
        }
    }
}
