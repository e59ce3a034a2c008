//! The thread behind the resolver: one question after the other goes out, all that wait at one time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Resolver as Client, TokioResolver, system_conf};
use tokio::sync::mpsc::UnboundedReceiver;

use super::wire::{self, Record};
use super::{Question, ResolverOptions, Shared};
use crate::error::TransportError;
use crate::limits::{RESOLVER_SERVERS_MAX, RESOLVER_TRIES_MAX};

/// What the thread needs.
pub struct Service {
    runtime: tokio::runtime::Runtime,
    asking: Asking,
}

/// How questions are asked. Cloned for each.
#[derive(Clone)]
struct Asking {
    client: TokioResolver,
    retry_after: Duration,
    tries: u32,
    uses_search_list: bool,
}

impl Service {
    pub fn new(options: &ResolverOptions) -> Result<Service, TransportError> {
        let setup = |step| move |source| TransportError::Setup { step, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(setup("make the resolver's runtime"))?;
        let (config, mut chosen) = configuration(options);
        if let Some(retry_after) = options.retry_after {
            chosen.timeout = retry_after;
        }
        let (retry_after, tries) = (chosen.timeout, options.tries.unwrap_or_else(|| u32::try_from(chosen.attempts).unwrap_or(1)));
        let client = {
            let _inside = runtime.enter();
            let mut builder = Client::builder_with_config(config, TokioRuntimeProvider::default());
            *builder.options_mut() = chosen;
            builder.build().map_err(|error| setup("set the resolver up")(std::io::Error::other(error.to_string())))?
        };
        let tries = tries.clamp(1, RESOLVER_TRIES_MAX);
        Ok(Service { runtime, asking: Asking { client, retry_after, tries, uses_search_list: options.uses_search_list } })
    }

    /// Answers questions until the asking side is gone.
    pub fn run(self, mut questions: UnboundedReceiver<Question>, shared: &Arc<Shared>) {
        let Service { runtime, asking } = self;
        runtime.block_on(async {
            while let Some(question) = questions.recv().await {
                let (asking, shared) = (asking.clone(), Arc::clone(shared));
                tokio::spawn(async move {
                    let begin = Instant::now();
                    let (question, asked) = (question.clone(), question);
                    // In a task of its own: should the client fault on an answer, whoever asked still gets one.
                    let records = tokio::spawn(async move { asking.ask(&asked).await }).await.unwrap_or_default();
                    let milliseconds = u32::try_from(begin.elapsed().as_millis()).unwrap_or(u32::MAX);
                    shared.answer(&question, &records, milliseconds);
                });
            }
        });
        // A question under way may wait for a silent server: nobody waits for it any more.
        runtime.shutdown_background();
    }
}

impl Asking {
    /// The records of an answer; none when there are none or nobody answers in `retry_after` × `tries`.
    async fn ask(&self, (name, kind): &Question) -> Vec<Record> {
        let Ok(mut wanted) = Name::from_ascii(name) else { return Vec::new() };
        if !self.uses_search_list {
            wanted.set_fqdn(true);
        }
        for _ in 0..self.tries {
            let lookup = self.client.lookup(wanted.clone(), RecordType::from(*kind));
            match tokio::time::timeout(self.retry_after, lookup).await {
                Ok(Ok(found)) => return wire::records(&found, name),
                Ok(Err(NetError::Dns(_))) => return Vec::new(),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Vec::new()
    }
}

/// Name servers and options: given, or the system's; without a readable `/etc/resolv.conf` the name server of this machine.
fn configuration(options: &ResolverOptions) -> (ResolverConfig, ResolverOpts) {
    let (mut config, mut chosen) = match &options.servers {
        Some(servers) => {
            (ResolverConfig::from_name_servers(servers.iter().map(|server| name_server(*server)).collect()), ResolverOpts::default())
        }
        None => system_conf::read_system_conf().unwrap_or_else(|_| {
            let own = SocketAddr::from(([127, 0, 0, 1], 53));
            (ResolverConfig::from_name_servers(vec![name_server(own)]), ResolverOpts::default())
        }),
    };
    let servers: Vec<NameServerConfig> =
        config.name_servers().iter().take(options.servers_max.unwrap_or(RESOLVER_SERVERS_MAX).min(RESOLVER_SERVERS_MAX)).cloned().collect();
    config.name_servers = servers;
    // All are asked at once: a silent one costs no time.
    chosen.num_concurrent_reqs = config.name_servers().len().max(1);
    chosen.cache_size = 0;
    chosen.preserve_intermediates = true;
    chosen.use_hosts_file = if options.servers.is_some() { ResolveHosts::Never } else { ResolveHosts::Always };
    (config, chosen)
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    server.connections = std::mem::take(&mut server.connections).into_iter().map(at_port).collect();
    server
}
