//! Script flags and properties of a dialog: `dlg_setflag` and its relatives, `dlg_set_property` (spec dialog 4).

use ::dialog::Attribute;
use ::dialog::flags::internal_flag;
use ::dialog::view::AttributeValue;
use script::exports::{Argument, Flow};

use super::context;
use crate::worker::Worker;

/// Bit of the flag in the first argument, 0 to 31.
fn bit(worker: &mut Worker, arguments: &[Argument]) -> Option<u32> {
    let number = arguments.first().and_then(Argument::number);
    let bit = number.and_then(|number| 1u32.checked_shl(u32::try_from(number).ok()?));
    if bit.is_none() {
        let given = arguments.first().map(Argument::text).unwrap_or_default();
        worker.log(-1, "dialog", &format!("flag \"{given}\" is not a number between 0 and 31"));
    }
    bit
}

/// `dlg_setflag(flag)`.
pub(super) fn set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, arguments, true)
}

/// `dlg_resetflag(flag)`.
pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, arguments, false)
}

fn change(worker: &mut Worker, arguments: &[Argument], is_set: bool) -> Flow {
    let Some(bit) = bit(worker, arguments) else { return Flow::Code(-1) };
    let (set, clear) = if is_set { (bit, 0) } else { (0, bit) };
    let flags = &mut worker.run.dialog.context.flags;
    *flags = (*flags & !clear) | set;
    if let Some(dialog) = context::context_dialog(worker) {
        worker.node.dialogs.set_script_flags(worker.now, dialog, set, clear);
    }
    Flow::Code(1)
}

/// `dlg_isflagset(flag)`: of the dialog if there is one, else of the context.
pub(super) fn is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(bit) = bit(worker, arguments) else { return Flow::Code(-1) };
    let word = match context::context_dialog(worker) {
        Some(dialog) => match worker.node.dialogs.attribute(dialog, Attribute::ScriptFlags) {
            Some(Some(AttributeValue::Number(word))) => u32::try_from(word).unwrap_or(0),
            _ => 0,
        },
        None => worker.run.dialog.context.flags,
    };
    Flow::from(word & bit != 0)
}

/// `dlg_set_property(name)`.
pub(super) fn set_property(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change_property(worker, arguments, true)
}

/// `dlg_reset_property(name)`.
pub(super) fn reset_property(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change_property(worker, arguments, false)
}

fn change_property(worker: &mut Worker, arguments: &[Argument], is_set: bool) -> Flow {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    let Some(bit) = property(&name) else {
        worker.log(-1, "dialog", &format!("unknown property value [{name}]"));
        return Flow::Code(-1);
    };
    let (set, clear) = if is_set { (bit, 0) } else { (0, bit) };
    let properties = &mut worker.run.dialog.context.properties;
    *properties = (*properties & !clear) | set;
    if let Some(dialog) = context::context_dialog(worker) {
        worker.node.dialogs.set_internal_flags(worker.now, dialog, set, clear);
    }
    Flow::Code(1)
}

fn property(name: &[u8]) -> Option<u8> {
    match name {
        b"ka-src" => Some(internal_flag::KEEPALIVE_CALLER),
        b"ka-dst" => Some(internal_flag::KEEPALIVE_CALLEE),
        b"timeout-noreset" => Some(internal_flag::TIMER_NO_RESET),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_case_sensitive() {
        assert_eq!(property(b"ka-src"), Some(internal_flag::KEEPALIVE_CALLER));
        assert_eq!(property(b"KA-SRC"), None);
    }
}
