//! Between the resolver and the proxy: its options from the core parameters, its answers as the proxy reads them.

use std::sync::Arc;
use std::time::Duration;

use modules::dns::Settings;
use modules::dns::record::{Data, Kind, Pointer, Record, Reply, Server};
use transport::resolver::{self, ResolverOptions};

/// `dns_retr_time`, `dns_retr_no`, `dns_servers_no`, `dns_use_search_list`.
pub fn options(settings: &Settings) -> ResolverOptions {
    ResolverOptions {
        retry_after: settings.retry_seconds.map(|seconds| Duration::from_secs(u64::from(seconds))),
        tries: settings.retries,
        servers_max: settings.servers_max.and_then(|servers| usize::try_from(servers).ok()),
        uses_search_list: settings.uses_search_list,
        servers: None,
    }
}

/// An answer of the resolver.
pub fn reply(answer: resolver::Answer) -> Reply {
    Reply { records: answer.records.into_iter().map(record).collect(), milliseconds: answer.milliseconds }
}

fn record(record: resolver::Record) -> Record {
    use resolver::Data as Received;
    let (kind, data) = match record.data {
        Received::Address(address) => (if address.is_ipv4() { Kind::A } else { Kind::Aaaa }, Data::Address(address)),
        Received::Server { priority, weight, port, target } => {
            (Kind::Srv, Data::Server(Server { priority, weight, port, target: Arc::from(target) }))
        }
        Received::Pointer { order, preference, flags, service, expression, replacement } => {
            let (flags, service, expression) = (Box::from(flags), Box::from(service), Box::from(expression));
            (Kind::Naptr, Data::Pointer(Pointer { order, preference, flags, service, expression, replacement: Arc::from(replacement) }))
        }
        Received::Alias(target) => (Kind::Cname, Data::Name(Arc::from(target))),
        Received::Name(target) => (Kind::Ptr, Data::Name(Arc::from(target))),
        Received::Text(texts) => (Kind::Txt, Data::Text(texts.into_iter().map(Vec::into_boxed_slice).collect())),
    };
    Record { owner: Arc::from(record.owner), kind, seconds: record.seconds, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_record_is_handed_on() {
        use resolver::Data as Received;
        let (flags, service, expression) = ("s".to_owned(), "SIP+D2U".to_owned(), String::new());
        let target = || "a.test".to_owned();
        let received = vec![
            (Received::Address([192, 0, 2, 1].into()), Kind::A),
            (Received::Address(std::net::Ipv6Addr::LOCALHOST.into()), Kind::Aaaa),
            (Received::Server { priority: 1, weight: 2, port: 3, target: target() }, Kind::Srv),
            (Received::Pointer { order: 1, preference: 2, flags, service, expression, replacement: target() }, Kind::Naptr),
            (Received::Alias(target()), Kind::Cname),
            (Received::Name(target()), Kind::Ptr),
            (Received::Text(vec![b"x".to_vec()]), Kind::Txt),
        ];
        let kinds: Vec<Kind> = received.iter().map(|(_, kind)| *kind).collect();
        let record = |(data, _)| resolver::Record { owner: "o.test".to_owned(), seconds: 9, data };
        let answer = resolver::Answer { ticket: 1, records: received.into_iter().map(record).collect(), milliseconds: 5 };
        let reply = reply(answer);
        assert_eq!(reply.milliseconds, 5);
        assert!(reply.records.iter().all(|record| &*record.owner == "o.test" && record.seconds == 9));
        assert_eq!(reply.records.iter().map(|record| record.kind).collect::<Vec<_>>(), kinds);
    }

    #[test]
    fn core_parameters_become_options() {
        let mut settings = Settings::default();
        assert_eq!(options(&settings).tries, None, "as resolv.conf says");
        for (name, value) in [("dns_retr_time", 2), ("dns_retr_no", 3), ("dns_servers_no", 1), ("dns_use_search_list", 0)] {
            assert!(settings.apply(name, value), "{name}");
        }
        let options = options(&settings);
        assert_eq!((options.retry_after, options.tries, options.servers_max), (Some(Duration::from_secs(2)), Some(3), Some(1)));
        assert!(!options.uses_search_list);
    }
}
