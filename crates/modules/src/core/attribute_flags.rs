//! Flags of attributes: `setavpflag`, `resetavpflag`, `isavpflagset` with names declared by `avpflags` (spec cfg-language 10.4).

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// The `$avp` an attribute of SER names: `$x`, `%x`, `x`, `s:x`, `i:5`, each with the class `f.` or none. None: another class,
/// which no `$avp` belongs to.
fn avp_name(attribute: &[u8]) -> Option<&[u8]> {
    let name = attribute.strip_prefix(b"$").or_else(|| attribute.strip_prefix(b"%")).unwrap_or(attribute);
    let name = match name.iter().position(|byte| *byte == b'.') {
        Some(1) if name.starts_with(b"f.") => name.get(2..)?,
        Some(at) if at <= 2 => return None,
        _ => name,
    };
    Some(name.strip_prefix(b"s:").unwrap_or(name))
}

/// The flags of the newest value; None: there is no such attribute or the flag is none.
fn flags<'a>(worker: &'a mut Worker, arguments: &[Argument]) -> Option<(&'a mut u32, u32)> {
    let attribute = arguments.first().map(Argument::text)?;
    let mask = u32::try_from(arguments.get(1)?.integer()).ok().and_then(|number| 1_u32.checked_shl(number))?;
    worker.run.attributes.avps.newest_flags(avp_name(&attribute)?).map(|flags| (flags, mask))
}

pub(super) fn set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some((flags, mask)) = flags(worker, arguments) else { return Flow::Code(-1) };
    *flags |= mask;
    Flow::Code(1)
}

/// Answers whether the flag is set afterwards, so always -1, as Kamailio does.
pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if let Some((flags, mask)) = flags(worker, arguments) {
        *flags &= !mask;
    }
    Flow::Code(-1)
}

pub(super) fn is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(flags(worker, arguments).is_some_and(|(flags, mask)| *flags & mask != 0))
}

#[cfg(test)]
mod tests {
    use super::avp_name;

    #[test]
    fn every_spelling_of_an_attribute_names_its_avp() {
        for spelling in ["$x", "%x", "x", "s:x", "$f.x", "f.s:x"] {
            assert_eq!(avp_name(spelling.as_bytes()), Some(&b"x"[..]), "{spelling}");
        }
        assert_eq!(avp_name(b"i:5"), Some(&b"i:5"[..]));
        assert_eq!(avp_name(b"$t.x"), None);
        assert_eq!(avp_name(b"$fu.x"), None);
    }
}
