//! Variables that have a value while the configuration is read: `$def`, `$env` and constants (spec cfg-language 2.5, 5.2).

use crate::lexer::Lexer;
use crate::value::parse_integer;

impl Lexer<'_> {
    /// The text with its variables replaced; `Err` names the one that has no value yet.
    pub(crate) fn static_text(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            out.extend_from_slice(rest.get(..at).unwrap_or(b""));
            rest = rest.get(at..).unwrap_or(b"");
            let (length, value) = self.static_variable(rest)?;
            out.extend_from_slice(&value);
            rest = rest.get(length..).unwrap_or(b"");
        }
        out.extend_from_slice(rest);
        Ok(out)
    }

    /// Length and value of the variable `text` begins with.
    fn static_variable(&self, text: &[u8]) -> Result<(usize, Vec<u8>), String> {
        if text.starts_with(b"$$") {
            return Ok((2, b"$".to_vec()));
        }
        let is_wrapped = text.get(1) == Some(&b'(');
        let name_start = if is_wrapped { 2 } else { 1 };
        let after = text.get(name_start..).unwrap_or(b"");
        let name_length = after.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let name = String::from_utf8_lossy(after.get(..name_length).unwrap_or(b"")).into_owned();
        let after_name = after.get(name_length..).unwrap_or(b"");
        let mut inner = "";
        let mut length = name_start + name_length;
        if after_name.first() == Some(&b'(') {
            let end = after_name.iter().position(|byte| *byte == b')').ok_or_else(|| "a `)` is missing".to_string())?;
            inner = std::str::from_utf8(after_name.get(1..end).unwrap_or(b"")).unwrap_or("").trim();
            length += end + 1;
        }
        if is_wrapped {
            if text.get(length) != Some(&b')') {
                return Err(format!("`${name}` cannot have an index or a transformation while the configuration is read"));
            }
            length += 1;
        }
        let define = |name: &str| self.defines.text(name).map(|text| text.map_or(b"1".to_vec(), |text| text.to_vec()));
        let environment = |name: &str| self.files.environment(name).map(String::into_bytes);
        let value = match name.as_str() {
            "def" => define(inner).unwrap_or_default(),
            "defv" => define(inner).map(|text| unquoted(&text).to_vec()).unwrap_or_default(),
            "defs" => define(inner).map(|text| [b"\"", unquoted(&text), b"\""].concat()).unwrap_or_default(),
            "defn" => number(define(inner)),
            "env" => environment(inner).unwrap_or_default(),
            "envn" => number(environment(inner)),
            "true" => b"1".to_vec(),
            "null" => Vec::new(),
            _ => {
                return Err(format!("`${name}` has no value while the configuration is read"));
            }
        };
        Ok((length, value))
    }
}

fn number(text: Option<Vec<u8>>) -> Vec<u8> {
    text.and_then(|text| parse_integer(&text)).unwrap_or(0).to_string().into_bytes()
}

/// The text without one pair of quotes around it.
pub(crate) fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}
