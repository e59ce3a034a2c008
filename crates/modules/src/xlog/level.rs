//! Names of log levels and of syslog facilities.

/// A level given by name or number. As in Kamailio the letter behind `L_` decides; `L_CRIT2` has a level of its own.
pub fn level(text: &[u8]) -> Option<i32> {
    let text = text.trim_ascii();
    match text.strip_prefix(b"L_") {
        Some(b"CRIT2") => Some(-3),
        Some(name) => Some(match name.first()? {
            b'A' => -5,
            b'B' => -4,
            b'C' => -2,
            b'E' => -1,
            b'W' => 0,
            b'N' => 1,
            b'I' => 2,
            b'D' => 3,
            _ => return None,
        }),
        None => std::str::from_utf8(text).ok()?.parse::<i32>().ok().map(|level| level.clamp(-5, 3)),
    }
}

/// The number of a syslog facility (RFC 5424 §6.2.1).
pub fn facility(text: &[u8]) -> Option<u8> {
    const NAMES: &[&str] = &["KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP"];
    let name = text.strip_prefix(b"LOG_")?;
    if let Some(position) = NAMES.iter().position(|own| own.as_bytes() == name) {
        return u8::try_from(position).ok();
    }
    match name.strip_prefix(b"LOCAL")? {
        [digit @ b'0'..=b'7'] => Some(16 + digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_and_numbers() {
        assert_eq!(level(b"L_ERR"), Some(-1));
        assert_eq!(level(b"L_DBG"), Some(3));
        assert_eq!(level(b"-2"), Some(-2));
        assert_eq!(level(b"99"), Some(3));
        assert_eq!(level(b"L_CRIT2"), Some(-3));
        assert_eq!(level(b"L_X"), None);
        assert_eq!(level(b"ERR"), None);
    }

    #[test]
    fn facilities_have_their_syslog_numbers() {
        assert_eq!(facility(b"LOG_DAEMON"), Some(3));
        assert_eq!(facility(b"LOG_LOCAL3"), Some(19));
        assert_eq!(facility(b"LOG_LOCAL8"), None);
        assert_eq!(facility(b"daemon"), None);
    }
}
