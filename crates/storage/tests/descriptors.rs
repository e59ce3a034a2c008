//! Connections that came and went, well or badly, leave no descriptors and no threads. A process of its own, where nobody else
//! opens any.

use std::time::Duration;

use database_servers::{Product, start_or_skip};
use storage::backend::ConnectOptions;
use storage::query::QueryBounds;
use storage::{Backend, ErrorKind, StorageError, Url};

fn open(url: &Url, call_timeout: Duration) -> Result<Box<dyn Backend>, StorageError> {
    storage::connect(url, ConnectOptions { connect_timeout: Duration::from_secs(10), call_timeout, may_create: false, fetch_rows: 0 })
}

fn ask(backend: &mut dyn Backend) -> Result<(), StorageError> {
    backend.query(b"SELECT 1", QueryBounds { rows_max: 1, bytes_max: 100 }).map(drop)
}

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn connections_leave_nothing_behind() {
    for product in [Product::Postgres, Product::Mariadb] {
        let Some(mut server) = start_or_skip(product) else { continue };
        let url = Url::parse(&server.url()).unwrap();
        let long = Duration::from_secs(10);
        ask(&mut *open(&url, long).unwrap()).unwrap();
        let before = (count("/proc/self/fd"), count("/proc/self/task"));
        for _ in 0..30 {
            ask(&mut *open(&url, long).unwrap()).unwrap();
        }
        let mut lost: Vec<Box<dyn Backend>> = (0..5).map(|_| open(&url, Duration::from_millis(100)).unwrap()).collect();
        server.freeze().unwrap();
        for backend in &mut lost {
            assert_eq!(ask(&mut **backend).unwrap_err().kind, ErrorKind::Away);
        }
        assert_eq!((count("/proc/self/fd"), count("/proc/self/task")), before, "a lost connection is closed at once");
        server.thaw().unwrap();
        let mut interrupted: Vec<Box<dyn Backend>> = (0..5).map(|_| open(&url, long).unwrap()).collect();
        server.stop().unwrap();
        for backend in &mut interrupted {
            assert_eq!(ask(&mut **backend).unwrap_err().kind, ErrorKind::Away);
        }
        for _ in 0..100 {
            assert_eq!(open(&url, long).err().unwrap().kind, ErrorKind::Away);
        }
        drop((lost, interrupted));
        assert_eq!((count("/proc/self/fd"), count("/proc/self/task")), before, "{product}");
    }
}
