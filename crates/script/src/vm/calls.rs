//! Calls, routes, assignments, loops and switches of the machine.

use super::evaluate::write;
use super::machine::{Machine, RouteFrame, Step};
use super::{ERROR, Ended, Finish, arguments};
use crate::bytecode::{ArgumentPlan, Program, RouteId, SwitchLabel};
use crate::exports::{Flow, Host};
use crate::value::Value;

impl Machine {
    pub(super) fn assign<H: Host>(&mut self, program: &Program<H>, host: &mut H, at: u32) -> Step {
        let value = self.pop();
        let Some(reference) = program.references.get(at as usize) else { return Step::Failed };
        self.code = match write(host, reference, value) {
            Ok(()) => 1,
            Err(error) => {
                let text = format!("{} was not assigned: {error}", reference.text());
                host.log(ERROR, &program.place_of(self.position - 1), &text);
                -1
            }
        };
        Step::Next
    }

    pub(super) fn call<H: Host>(&mut self, program: &Program<H>, host: &mut H, at: u32) -> Step {
        let Some(site) = program.calls.get(at as usize) else { return Step::Failed };
        if let Some(is_needless) = site.function.is_needless
            && is_needless(host, &mut site.plans.iter().map(ArgumentPlan::constant))
        {
            self.stacks.values.truncate(self.stacks.values.len().saturating_sub(site.computed));
            return self.called(host, 1, site.is_core);
        }
        let flow = match &site.constants {
            Some(constants) => (site.function.call)(host, constants),
            None => {
                let mut arguments = std::mem::take(&mut self.stacks.arguments);
                let evaluated = arguments::evaluate(program, host, site, &mut self.stacks.values, &mut arguments);
                let flow = match evaluated {
                    Ok(()) => (site.function.call)(host, &arguments),
                    Err(error) => {
                        let text = format!("{}: {error}", site.function.name);
                        host.log(ERROR, &program.place_of(self.position - 1), &text);
                        Flow::Code(-1)
                    }
                };
                arguments.clear();
                self.stacks.arguments = arguments;
                flow
            }
        };
        match flow {
            Flow::Code(code) => self.called(host, i64::from(code), site.is_core),
            Flow::Wait => {
                self.waits_for_core = site.is_core;
                Step::Wait
            }
        }
    }

    /// A function has answered.
    pub(super) fn called<H: Host>(&mut self, host: &mut H, code: i64, is_core: bool) -> Step {
        self.code = code;
        if !is_core {
            host.set_return_code(code);
        }
        if code == 0 { Step::Done(Finish { code, how: Ended::Exit }) } else { Step::Next }
    }

    pub(super) fn enter<H: Host>(&mut self, program: &Program<H>, host: &mut H, route: RouteId, blocks: u16) -> Step {
        let outer = self.stacks.frames.last().map_or(0, |frame| frame.depth);
        let depth = outer.saturating_add(u32::from(blocks)).saturating_add(1);
        let Some(target) = program.routes.get(route.0 as usize) else { return Step::Failed };
        if depth > self.limits.depth_max {
            let text = format!("route({}) was not run: routes and blocks nested more than {} deep", target.name, self.limits.depth_max);
            host.log(ERROR, &program.place_of(self.position - 1), &text);
            self.code = -1;
            host.set_return_code(-1);
            return Step::Next;
        }
        self.stacks.frames.push(RouteFrame {
            return_to: self.position,
            values: self.stacks.values.len(),
            guards: self.stacks.guards.len(),
            depth,
        });
        self.code = 1;
        self.jump(target.start)
    }

    pub(super) fn leave_route<H: Host>(&mut self, host: &mut H, code: i64) -> Step {
        let Some(frame) = self.stacks.frames.pop() else {
            return Step::Done(Finish { code, how: Ended::Return });
        };
        self.stacks.values.truncate(frame.values);
        self.stacks.guards.truncate(frame.guards);
        self.position = frame.return_to;
        self.code = code;
        host.set_return_code(code);
        Step::Next
    }

    pub(super) fn round<H: Host>(&mut self, program: &Program<H>, host: &mut H, address: u32) -> Step {
        let most = i64::from(self.limits.while_loops_max);
        let rounds = match self.stacks.values.last_mut() {
            Some(Value::Integer(rounds)) => {
                *rounds += 1;
                *rounds
            }
            _ => return Step::Failed,
        };
        if most > 0 && rounds > most {
            host.log(ERROR, &program.place_of(self.position - 1), &format!("while was ended after {most} rounds"));
            self.code = -1;
            return self.jump(address);
        }
        Step::Next
    }

    pub(super) fn switch<H: Host>(&mut self, program: &Program<H>, at: u32) -> Step {
        let subject = self.pop();
        self.code = 1;
        let Some(table) = program.switches.get(at as usize) else { return Step::Failed };
        let found = if table.is_integer {
            let number = subject.to_integer();
            table.cases.iter().find(|(label, _)| matches!(label, SwitchLabel::Integer(wanted) if *wanted == number))
        } else {
            let text = subject.to_text();
            table.cases.iter().find(|(label, _)| match label {
                SwitchLabel::Integer(_) => false,
                SwitchLabel::Text(wanted) => *wanted == text,
                SwitchLabel::Pattern(pattern) => pattern.is_match(&text),
            })
        };
        self.jump(found.map_or(table.otherwise, |(_, address)| *address))
    }
}
