//! The text that defines a table: `name=>size=8;autoexpire=7200;initval=0`.

use script::value::{Text, Value, parse_integer};

/// A parsed definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub name: Text,
    /// Nominal number of slots.
    pub slots: usize,
    /// Seconds; 0 never.
    pub expire: u64,
    /// A write starts the expiry anew.
    pub renews_expiry: bool,
    pub initial: Value,
    pub database_table: Text,
    pub database_mode: i64,
    /// Columns of its own (`cols`): the key, then those that make the value. Empty: those of the parameters.
    pub columns: Vec<Text>,
    /// Between the columns of a value (`coldelim`).
    pub delimiter: u8,
    /// Stands for NULL in such a value (`colnull`); None: `*`.
    pub null_text: Option<Text>,
    pub replicates: bool,
}

/// Slots for a `size`: up to 1 gives 8, up to 31 is a power of two, beyond is 2^14.
fn slots(size: i64) -> usize {
    match size {
        ..=1 => 8,
        2..=31 => 1_usize << size,
        _ => 1 << 14,
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}

/// Parses a definition; the error says what is wrong.
pub(super) fn parse(text: &[u8]) -> Result<Definition, String> {
    let (name, attributes) = match memchr::memmem::find(text, b"=>") {
        Some(at) => (text.get(..at).unwrap_or(b""), text.get(at.saturating_add(2)..).unwrap_or(b"")),
        None => (text, &b""[..]),
    };
    let name = name.trim_ascii();
    if name.is_empty() {
        return Err("the table has no name".to_owned());
    }
    let mut definition = Definition {
        name: Text::from(name),
        slots: slots(0),
        expire: 0,
        renews_expiry: true,
        initial: Value::Null,
        database_table: Text::empty(),
        database_mode: 0,
        columns: Vec::new(),
        delimiter: b',',
        null_text: None,
        replicates: false,
    };
    for attribute in attributes.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|attribute| !attribute.is_empty()) {
        let at = attribute
            .iter()
            .position(|byte| *byte == b'=')
            .ok_or_else(|| format!("{} has no value", String::from_utf8_lossy(attribute)))?;
        let key = attribute.get(..at).unwrap_or(b"").trim_ascii();
        let value = attribute.get(at.saturating_add(1)..).unwrap_or(b"").trim_ascii();
        apply(&mut definition, key, value)?;
    }
    Ok(definition)
}

fn apply(definition: &mut Definition, key: &[u8], value: &[u8]) -> Result<(), String> {
    let number = || parse_integer(value).ok_or_else(|| format!("{} is not a number", String::from_utf8_lossy(value)));
    match key {
        b"size" => definition.slots = slots(number()?),
        b"autoexpire" => definition.expire = u64::try_from(number()?).map_err(|_| "autoexpire is negative".to_owned())?,
        b"updateexpire" => definition.renews_expiry = number()? != 0,
        b"initval" => {
            definition.initial = match parse_integer(value) {
                Some(number) if !value.is_empty() => Value::Integer(number),
                _ => Value::text(unquoted(value)),
            };
        }
        b"dbtable" => definition.database_table = Text::from(unquoted(value)),
        b"dbmode" => definition.database_mode = number()?,
        b"dmqreplicate" => definition.replicates = number()? != 0,
        b"cols" => {
            definition.columns = unquoted(value).split(|byte| *byte == b',').map(|name| Text::from(name.trim_ascii())).collect();
            if definition.columns.len() < 2 {
                return Err("cols names no column for the value".to_owned());
            }
        }
        b"coldelim" => definition.delimiter = unquoted(value).first().copied().ok_or("coldelim is empty")?,
        b"colnull" => definition.null_text = Some(Text::from(unquoted(value))),
        other => return Err(format!("unknown attribute {}", String::from_utf8_lossy(other))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read() {
        let definition = parse(b"a=>size=4;autoexpire=7200;initval=0;updateexpire=0;").expect("a definition");
        assert_eq!(&*definition.name, b"a");
        assert_eq!((definition.slots, definition.expire, definition.renews_expiry), (16, 7200, false));
        assert_eq!(definition.initial, Value::Integer(0));
        assert_eq!(parse(b"a=>initval=\"x\"").expect("a definition").initial, Value::text("x"));
        assert_eq!(parse(b"a").expect("a definition").slots, 8);
    }

    #[test]
    fn sizes_are_powers_of_two_within_a_bound() {
        assert_eq!((slots(0), slots(1), slots(2), slots(14), slots(32)), (8, 8, 4, 16_384, 16_384));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [&b"=>size=4"[..], b"a=>size=x", b"a=>foo=1", b"a=>size", b""] {
            assert!(parse(bad).is_err());
        }
    }
}
