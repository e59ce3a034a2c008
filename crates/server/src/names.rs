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
