//! The export of Auth0 with password hashes, which its support delivers: one user on each line.

use super::{ImportedUser, Refused, add_claims, add_mark, lines, text};
use crate::args::ImportName;
use serde_json::{Map, Value};

pub(super) fn read(export: &str, name: ImportName) -> Vec<Result<ImportedUser, Refused>> {
    let lines = export.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match serde_json::from_str::<Value>(line) {
            Ok(entry) if entry.is_object() => Ok(user(&entry, name)),
            _ => Err(lines::refused(index, "is not a JSON object")),
        })
        .collect()
}

fn user(entry: &Value, name: ImportName) -> ImportedUser {
    let mut claims = Map::new();
    add_claims(
        &mut claims,
        entry,
        &[
            ("email", "email"),
            ("name", "name"),
            ("given_name", "given_name"),
            ("family_name", "family_name"),
            ("nickname", "nickname"),
            ("picture", "picture"),
            ("phone_number", "phone_number"),
        ],
    );
    add_mark(&mut claims, entry, ("email_verified", "email_verified"));
    add_mark(&mut claims, entry, ("phone_verified", "phone_number_verified"));
    // `_id` is the identifier of the database connection; tokens of Auth0 have it with this prefix.
    let id = text(entry, "_id").or_else(|| entry.get("_id").and_then(|id| text(id, "$oid")));
    let subject = text(entry, "user_id").map(str::to_owned).or_else(|| id.map(|id| format!("auth0|{id}")));
    let (username, email) = (text(entry, "username"), text(entry, "email"));
    let username = name.of(username, email, subject.as_deref());
    let password_hash = text(entry, "passwordHash").or_else(|| text(entry, "password_hash")).map(str::to_owned);
    let disabled = entry.get("blocked").and_then(Value::as_bool).unwrap_or(false);
    ImportedUser { username, subject, claims, password_hash, disabled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_user() {
        let export = r#"{"_id":{"$oid":"60425dc43519d90068f82973"},"email_verified":false,"email":"test2@example.com","passwordHash":"$2b$10$Z6hUTEEeoJXN5/AmSm/4.eZ75RYgFVriQM9LPhNEC7kbAbS/VAaJ2","password_set_date":{"$date":"2021-03-05T16:35:16.775Z"},"tenant":"dev-rwsbs6ym","connection":"Username-Password-Authentication","_tmp_is_unique":true}

[]"#;
        let [user, refused] = read(export, ImportName::Auto).try_into().unwrap();
        let user = user.unwrap();
        assert_eq!(user.problem(), None);
        assert_eq!(
            (user.username.as_str(), user.subject.as_deref()),
            ("test2@example.com", Some("auth0|60425dc43519d90068f82973"))
        );
        assert_eq!(
            Value::Object(user.claims),
            serde_json::json!({ "email": "test2@example.com", "email_verified": false })
        );
        assert_eq!(refused.unwrap_err().user, "line 3");
    }
}
