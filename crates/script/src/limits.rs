//! Named bounds of everything a configuration file or a running script can make grow.

/// Files that may include one another at the same time.
pub const INCLUDE_DEPTH_MAX: usize = 32;
/// Files read for one configuration.
pub const FILES_MAX: usize = 1024;
/// Bytes read for one configuration.
pub const SOURCE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Defines that may be expanded inside one another.
pub const DEFINE_DEPTH_MAX: usize = 64;
/// Expansions of defines in one configuration.
pub const EXPANSIONS_MAX: usize = 100_000;
/// Defines alive at once.
pub const DEFINES_MAX: usize = 16_384;
/// Substitution rules.
pub const SUBSTITUTIONS_MAX: usize = 1024;
/// Bytes that substitution rules may make of one text.
pub const SUBSTITUTED_BYTES_MAX: usize = 1024 * 1024;
/// Open `#!ifdef` blocks.
pub const CONDITIONALS_MAX: usize = 512;
/// Tokens of one configuration after expansion.
pub const TOKENS_MAX: usize = 8_000_000;
/// Parentheses, operators of one side and blocks inside one another.
pub const NESTING_MAX: usize = 100;
/// `else if` arms of one `if`.
pub const ELSE_IF_MAX: usize = 500;
/// Binary operators in one row.
pub const OPERATORS_MAX: usize = 1000;
/// Arguments of one call.
pub const ARGUMENTS_MAX: usize = 32;
/// Addresses a port range of one socket may open.
pub const PORT_RANGE_MAX: u16 = 1024;
/// Messages kept of each severity; later ones are only counted.
pub const DIAGNOSTICS_MAX: usize = 100;
