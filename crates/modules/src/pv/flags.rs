//! Flags as variables: message `$mf`, script `$sf`, branch `$bf`, as number, as hexadecimal, one by one.

use script::exports::{Index, Inner};
use script::value::{Value, parse_integer};

use super::answer::hexadecimal;
use crate::run::Run;
use crate::worker::Worker;

/// Which set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Message,
    Script,
    /// Of branch 0, the request itself.
    Branch,
}

fn get(run: &Run, set: Set) -> u32 {
    match set {
        Set::Message => run.flags,
        Set::Script => run.script_flags,
        Set::Branch => run.target.flags,
    }
}

fn slot(run: &mut Run, set: Set) -> &mut u32 {
    match set {
        Set::Message => &mut run.flags,
        Set::Script => &mut run.script_flags,
        Set::Branch => &mut run.target.flags,
    }
}

pub(super) fn number(worker: &Worker, set: Set) -> Value {
    super::answer::number(i64::from(get(&worker.run, set)))
}

pub(super) fn digits(worker: &Worker, set: Set) -> Value {
    hexadecimal(get(&worker.run, set))
}

/// Sets all flags; null clears them.
pub(super) fn write(worker: &mut Worker, set: Set, value: &Value) -> Result<(), String> {
    let number = value.to_integer();
    // A negative number is the 32-bit pattern it has in C.
    let flags = u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned)).map_err(|_| "not a set of 32 flags")?;
    *slot(&mut worker.run, set) = flags;
    Ok(())
}

fn mask(inner: &Inner) -> Option<u32> {
    parse_integer(inner.word()).and_then(crate::core::flags::bit)
}

/// One flag: 1 or 0.
pub(super) fn one(worker: &Worker, set: Set, inner: &Inner, _index: Option<Index>) -> Value {
    mask(inner).map_or(Value::Null, |mask| super::answer::number(i64::from(get(&worker.run, set) & mask != 0)))
}

/// Sets or clears one flag.
pub(super) fn write_one(worker: &mut Worker, set: Set, inner: &Inner, value: &Value) -> Result<(), String> {
    let mask = mask(inner).ok_or("not a flag (0..31)")?;
    let flags = slot(&mut worker.run, set);
    if value.to_integer() > 0 {
        *flags |= mask;
    } else {
        *flags &= !mask;
    }
    Ok(())
}
