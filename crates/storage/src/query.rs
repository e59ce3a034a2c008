//! What a script's statement gives (`sqlops`, `avpops`, tables of `htable`).

/// One value of a result, as the database types it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Integer(i64),
    Real(f64),
    /// Text, dates and blobs.
    Text(Vec<u8>),
}

/// Rows of a SELECT; a statement without result has no columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResult {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// Rows changed by INSERT, UPDATE or DELETE.
    pub affected: u64,
}

/// How much a result may hold; a longer one is an error.
#[derive(Clone, Copy, Debug)]
pub struct QueryBounds {
    pub rows_max: usize,
    pub bytes_max: usize,
}
