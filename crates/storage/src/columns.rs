//! The columns of the table `dialog` as one declaration: name, parameter, type (spec dialog 8.1).

/// What a column holds, with its length in MySQL and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// `INT(10) UNSIGNED`, `INTEGER`.
    Integer,
    /// `VARCHAR(n)`.
    Text(u16),
}

/// One column of the table `dialog`, in the order of Kamailio's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Column {
    HashEntry,
    HashId,
    CallId,
    FromUri,
    FromTag,
    ToUri,
    ToTag,
    CallerCseq,
    CalleeCseq,
    CallerRouteSet,
    CalleeRouteSet,
    CallerContact,
    CalleeContact,
    CallerSocket,
    CalleeSocket,
    State,
    StartTime,
    Timeout,
    ScriptFlags,
    InternalFlags,
    TimeoutRouteName,
    RequestUri,
    ExtraData,
}

impl Column {
    /// What is declared of it.
    pub fn declared(self) -> &'static Declaration {
        &DECLARATIONS[self as usize]
    }
}

/// What is declared of a column.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Which one.
    pub column: Column,
    /// The name in a table made by Kamailio.
    pub name: &'static str,
    /// The parameter of the module `dialog` that renames it; none: it cannot be renamed.
    pub parameter: Option<&'static str>,
    /// What it holds.
    pub kind: ColumnType,
    /// NULL is allowed.
    pub may_be_null: bool,
    /// `DEFAULT 0`.
    pub defaults_to_zero: bool,
}

/// How many columns a row has, the primary key `id` not counted.
pub const COLUMNS: usize = 23;

const fn plain(column: Column, name: &'static str, parameter: &'static str, kind: ColumnType) -> Declaration {
    Declaration { column, name, parameter: Some(parameter), kind, may_be_null: false, defaults_to_zero: false }
}

const fn nullable(declaration: Declaration) -> Declaration {
    Declaration { may_be_null: true, ..declaration }
}

const fn zero(declaration: Declaration) -> Declaration {
    Declaration { defaults_to_zero: true, ..declaration }
}

const fn fixed(declaration: Declaration) -> Declaration {
    Declaration { parameter: None, ..declaration }
}

use ColumnType::{Integer, Text};

/// Every column, in the order of [`Column`].
pub const DECLARATIONS: [Declaration; COLUMNS] = [
    plain(Column::HashEntry, "hash_entry", "h_entry_column", Integer),
    plain(Column::HashId, "hash_id", "h_id_column", Integer),
    plain(Column::CallId, "callid", "call_id_column", Text(255)),
    plain(Column::FromUri, "from_uri", "from_uri_column", Text(255)),
    plain(Column::FromTag, "from_tag", "from_tag_column", Text(128)),
    plain(Column::ToUri, "to_uri", "to_uri_column", Text(255)),
    plain(Column::ToTag, "to_tag", "to_tag_column", Text(128)),
    plain(Column::CallerCseq, "caller_cseq", "from_cseq_column", Text(20)),
    plain(Column::CalleeCseq, "callee_cseq", "to_cseq_column", Text(20)),
    nullable(plain(Column::CallerRouteSet, "caller_route_set", "from_route_column", Text(512))),
    nullable(plain(Column::CalleeRouteSet, "callee_route_set", "to_route_column", Text(512))),
    plain(Column::CallerContact, "caller_contact", "from_contact_column", Text(255)),
    plain(Column::CalleeContact, "callee_contact", "to_contact_column", Text(255)),
    plain(Column::CallerSocket, "caller_sock", "from_sock_column", Text(64)),
    plain(Column::CalleeSocket, "callee_sock", "to_sock_column", Text(64)),
    plain(Column::State, "state", "state_column", Integer),
    plain(Column::StartTime, "start_time", "start_time_column", Integer),
    zero(plain(Column::Timeout, "timeout", "timeout_column", Integer)),
    zero(plain(Column::ScriptFlags, "sflags", "sflags_column", Integer)),
    fixed(zero(plain(Column::InternalFlags, "iflags", "", Integer))),
    nullable(plain(Column::TimeoutRouteName, "toroute_name", "toroute_name_column", Text(32))),
    fixed(plain(Column::RequestUri, "req_uri", "", Text(255))),
    nullable(fixed(plain(Column::ExtraData, "xdata", "", Text(512)))),
];

/// The columns of the table `dialog_vars`: default name, parameter, type.
pub const VARIABLE_COLUMNS: [(&str, &str, ColumnType); 4] = [
    ("hash_entry", "vars_h_entry_column", Integer),
    ("hash_id", "vars_h_id_column", Integer),
    ("dialog_key", "vars_key_column", Text(128)),
    ("dialog_value", "vars_value_column", Text(512)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_stand_in_the_order_of_the_columns() {
        for (place, declaration) in DECLARATIONS.iter().enumerate() {
            assert_eq!(declaration.column as usize, place, "{}", declaration.name);
            assert_eq!(declaration.parameter.is_none(), ["iflags", "req_uri", "xdata"].contains(&declaration.name));
        }
    }
}
