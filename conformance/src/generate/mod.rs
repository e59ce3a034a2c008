//! Small random configurations: every construct of the language in combinations nobody would write, one seed one configuration.

mod expression;
mod preprocessor;
mod random;
mod request;
mod statement;
mod transformation;

use random::Random;
use statement::Writer;

/// Every line a generated configuration logs begins with this.
pub const MARK: &str = "G-";
/// What it logs last, when the request that ends the run arrives.
pub const END: &str = "G-end";

/// Routes a generated configuration has beside the request route; a route calls only routes with a higher number.
const ROUTES: usize = 4;
/// Statements of the request route.
const STATEMENTS: usize = 24;

/// A configuration and the files it includes.
pub struct Generated {
    pub configuration: String,
    pub files: Vec<(String, String)>,
}

/// The configuration of a seed.
pub fn configuration(seed: u64) -> Generated {
    let mut writer = Writer::new(Random::new(seed));
    let files = preprocessor::definitions(&mut writer);
    for module in ["pv", "xlog", "textops", "textopsx", "siputils", "corex", "kex", "tm", "sl", "tmx"] {
        writer.line(&format!("loadmodule \"{module}\""));
    }
    writer.line("modparam(\"xlog\", \"buf_size\", 32768)");
    writer.line("modparam(\"pv\", \"shvset\", \"a=s:shared\")");
    writer.line("modparam(\"pv\", \"shvset\", \"n=i:7\")");
    writer.line("request_route {");
    writer.indented(|writer| {
        writer.line(&format!("if ($rm == \"INFO\") {{ xlog(\"L_ERR\", \"{END}\\n\"); exit; }}"));
        statement::beginning(writer);
        for _ in 0..STATEMENTS {
            statement::write(writer, 3);
        }
    });
    writer.line("}");
    for number in 1..=ROUTES {
        writer.line(&format!("route[R{number}] {{"));
        writer.enter_route(number);
        writer.indented(|writer| {
            for _ in 0..3 {
                statement::write(writer, 2);
            }
            statement::ending(writer);
        });
        writer.line("}");
    }
    Generated { configuration: writer.text, files }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_configuration() {
        assert_eq!(configuration(7).configuration, configuration(7).configuration);
        assert_ne!(configuration(7).configuration, configuration(8).configuration);
    }

    #[test]
    fn braces_are_balanced() {
        for seed in 0..50 {
            let text = configuration(seed).configuration;
            assert_eq!(text.matches("{\n").count(), text.lines().filter(|line| line.trim_start().starts_with('}')).count(), "{text}");
        }
    }
}
