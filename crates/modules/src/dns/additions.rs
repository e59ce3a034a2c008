//! Records given by hand: `dns_cache` of corex, whose lines `dns_file` holds too (spec proxy-core 11.8).

use std::net::IpAddr;
use std::sync::Arc;

use sip::time::Time;

use super::State;
use super::cache::AddError;
pub use super::cache::Addition;
use super::record::{Data, Kind, Question, Server, canonical};
use super::settings::Settings;
use crate::sockets::parse_address;

/// Flags of a record given by hand.
const NO_SUCH_NAME: i64 = 1;
const PERMANENT: i64 = 2;

impl Addition {
    /// An address record. None: the name or the address cannot be one.
    pub fn address(name: &str, kind: Kind, address: &str, seconds: u32, flags: i64) -> Option<Addition> {
        let data = match (kind, parse_address(address.as_bytes())) {
            (Kind::A, Some(address @ IpAddr::V4(_))) | (Kind::Aaaa, Some(address @ IpAddr::V6(_))) => Data::Address(address),
            _ if flags & NO_SUCH_NAME != 0 => return Some(Addition::missing(Question::new(name, kind)?, seconds, flags)),
            _ => return None,
        };
        Some(Addition::with(Question::new(name, kind)?, data, seconds, flags))
    }

    /// An SRV record. None: a name cannot be one, or a number does not fit.
    pub fn server(name: &str, numbers: [i64; 3], target: &str, seconds: u32, flags: i64) -> Option<Addition> {
        let [priority, weight, port] = numbers;
        let number = |number: i64| u16::try_from(number).ok();
        let server = Server { priority: number(priority)?, weight: number(weight)?, port: number(port)?, target: canonical(target)? };
        Some(Addition::with(Question::new(name, Kind::Srv)?, Data::Server(server), seconds, flags))
    }

    fn with(question: Question, data: Data, seconds: u32, flags: i64) -> Addition {
        if flags & NO_SUCH_NAME != 0 {
            return Addition::missing(question, seconds, flags);
        }
        Addition { question, data: Some(data), seconds, is_permanent: flags & PERMANENT != 0 }
    }

    fn missing(question: Question, seconds: u32, flags: i64) -> Addition {
        Addition { question, data: None, seconds, is_permanent: flags & PERMANENT != 0 }
    }

    /// `type=A;name=host.test;addr=192.0.2.1;ttl=60;flags=2`; SRV also takes `priority`, `weight` and `port`, and its target
    /// as `addr`. Unknown names are passed over, as in Kamailio.
    pub fn parse(text: &str) -> Result<Addition, String> {
        let fault = |what: &str| Err(format!("dns_cache record `{text}`: {what}"));
        let (mut kind, mut name, mut address) = (None, "", "");
        let (mut seconds, mut flags, mut numbers) = (0_i64, 0_i64, [0_i64; 3]);
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').map_or((pair, ""), |(key, value)| (key.trim(), value.trim()));
            let number = || value.parse::<i64>().map_err(|_| format!("dns_cache record `{text}`: invalid {key} `{value}`"));
            match key.to_ascii_lowercase().as_str() {
                "type" => kind = Kind::from_word(value.as_bytes()),
                "name" => name = value,
                "addr" => address = value,
                "ttl" => seconds = number()?,
                "flags" => flags = number()?,
                "priority" => numbers[0] = number()?,
                "weight" => numbers[1] = number()?,
                "port" => numbers[2] = number()?,
                _ => {}
            }
        }
        let seconds = u32::try_from(seconds).unwrap_or(0);
        let addition = match kind {
            Some(kind @ (Kind::A | Kind::Aaaa)) => Addition::address(name, kind, address, seconds, flags),
            Some(Kind::Srv) => Addition::server(name, numbers, address, seconds, flags),
            _ => return fault("its type must be A, AAAA or SRV"),
        };
        addition.map_or_else(|| fault("its name, address or numbers cannot be used"), Ok)
    }
}

impl State {
    /// With the records of `dns_cache`. The error names the record.
    pub fn start(module_settings: &crate::settings::Settings) -> Result<State, String> {
        let state = State::default();
        let read = |text: &script::value::Text| Addition::parse(&text.to_string());
        let additions = module_settings.texts("corex", "dns_cache").iter().map(read).collect::<Result<Vec<_>, _>>()?;
        state.add_all(&additions)?;
        Ok(state)
    }

    /// Adds a record by hand.
    pub fn add(&self, addition: Addition, settings: &Settings, now: Time) -> Result<(), AddError> {
        self.write().add(addition, settings, now)
    }

    /// Adds the records that the configuration gives; their time begins with the proxy's.
    fn add_all(&self, additions: &[Addition]) -> Result<(), String> {
        let roomy = Settings { cache_bytes: usize::MAX, ..Settings::default() };
        for addition in additions {
            let name = Arc::clone(&addition.question.name);
            self.add(addition.clone(), &roomy, Time(0)).map_err(|error| match error {
                AddError::Permanent => format!("dns_cache: {name} has permanent records, so this one has to have flags=2 too"),
                AddError::Full => format!("dns_cache: no room for {name}"),
            })?;
        }
        Ok(())
    }
}

/// The records in the text of a `dns_file`: one a line, `#` begins a comment.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_corex_writes_them() {
        let addition = Addition::parse("type=A;name=Foo.test;addr=127.0.0.5;ttl=100;flags=2;bogus=1").unwrap();
        assert_eq!(&*addition.question.name, "foo.test");
        assert!(addition.is_permanent);
        assert_eq!(addition.data, Some(Data::Address("127.0.0.5".parse().unwrap())));
        let server = Addition::parse("type=srv;name=_sip._udp.foo.test;addr=a.test;ttl=9;priority=1;weight=2;port=5061").unwrap();
        let expected = Server { priority: 1, weight: 2, port: 5061, target: Arc::from("a.test") };
        assert_eq!(server.data, Some(Data::Server(expected)));
        assert!(Addition::parse("type=AAAA;name=foo.test;addr=[::1];ttl=10").is_ok());
        assert_eq!(Addition::parse("type=A;name=foo.test;addr=127.0.0.5;flags=1").unwrap().data, None);
    }

    #[test]
    fn a_bad_record_says_what_is_wrong() {
        for (text, reason) in [
            ("type=CNAME;name=foo.test;addr=b.test", "type must be"),
            ("nonsense", "type must be"),
            ("type=A;name=foo.test;addr=127.0.0.x", "cannot be used"),
            ("type=A;name=foo.test", "cannot be used"),
            ("type=AAAA;name=foo.test;addr=127.0.0.1", "cannot be used"),
            ("type=A;name=;addr=127.0.0.1", "cannot be used"),
            ("type=SRV;name=a.test;addr=b.test;port=70000", "cannot be used"),
            ("type=A;name=foo.test;addr=1.2.3.4;ttl=x", "invalid ttl `x`"),
        ] {
            let error = Addition::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_has_one_record_a_line() {
        let text = "# comment\ntype=A;name=a.test;addr=1.2.3.4 # why\n\n  type=A;name=b.test;addr=1.2.3.5  \n";
        assert_eq!(lines(text).collect::<Vec<_>>(), ["type=A;name=a.test;addr=1.2.3.4", "type=A;name=b.test;addr=1.2.3.5"]);
    }
}
