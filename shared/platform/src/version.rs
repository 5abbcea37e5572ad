//! The version of the program: for `/health` and for the log line of the start.

use serde::Serialize;
use serde_json::json;
use types::Timestamp;

/// Name, version and commit, as `/health` and the log show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BuildInfo<'a> {
    /// The name of the product.
    pub name: &'static str,
    /// The function that answers; `None` for the deployment as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<&'a str>,
    /// The version of the workspace (Semantic Versioning).
    pub version: &'static str,
    /// The commit that the program was built from, with `-dirty` if files were changed. The scripts that build for a
    /// deployment set it (`LATCHKEY_COMMIT`). Other builds have none, so that a commit does not compile everything again.
    pub commit: Option<&'static str>,
}

impl<'a> BuildInfo<'a> {
    /// Returns what is known of this program.
    pub const fn new(function: Option<&'a str>) -> Self {
        let (version, commit) = (env!("CARGO_PKG_VERSION"), option_env!("LATCHKEY_COMMIT"));
        Self { name: "latchkey", function, version, commit }
    }
}

/// Returns the log line that a function writes when an instance starts.
pub fn start_line(function: &str, now: Timestamp) -> String {
    json!({ "at": now.as_millis(), "function": function, "started": BuildInfo::new(None) }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_line_names_function_and_version() {
        let line: Value = serde_json::from_str(&start_line("token", Timestamp::from_millis(5))).unwrap();
        assert_eq!(line["function"], "token");
        assert_eq!(line["at"], 5);
        assert_eq!(line["started"]["name"], "latchkey");
        assert_eq!(line["started"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
