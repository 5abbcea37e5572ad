//! `latchkey init`: the secret of a new deployment.

use crate::failure::Failure;
use crate::output::Output;
use jose::Secret;
use serde_json::json;

pub(crate) fn run(output: Output) -> Result<(), Failure> {
    let secret = Secret::generate().map_err(Failure::new)?.to_base64url();
    output.print(&json!({ "secret": secret }), || {
        format!(
            "\
LATCHKEY_SECRET={secret}

All keys are derived from it: keep it in a password store, and nowhere else.

Cloudflare   wrangler secret bulk reads it for each function, in one go:
               for name in admin authorize consent login logout metadata revoke rotate token userinfo; do
                 echo '{{\"LATCHKEY_SECRET\":\"{secret}\"}}' | npx wrangler secret bulk -e \"$name\"
               done
AWS          nothing to do: `sam deploy` makes a secret of its own. To choose this one instead, put it into the secret
             that the stack created, and deploy again:
               aws secretsmanager put-secret-value --secret-id NAME --secret-string '{secret}'
This command export LATCHKEY_SECRET={secret}
               latchkey user add ada --url https://YOUR-ORIGIN"
        )
    });
    Ok(())
}
