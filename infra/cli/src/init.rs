//! `latchkey init`: the secret of a new deployment.

use crate::failure::Failure;
use crate::output::Output;
use keys::Secret;
use serde_json::json;

pub(crate) fn run(output: Output) -> Result<(), Failure> {
    let secret = Secret::generate().map_err(Failure::new)?.to_base64url();
    output.print(&json!({ "secret": secret }), || {
        format!(
            "\
LATCHKEY_SECRET={secret}

All keys of the server are derived from this secret. Keep it in a password manager, and nowhere else.

Cloudflare  In a checkout, this deploys every Worker and gives each one the secret:
              LATCHKEY_SECRET={secret} sh infra/cloudflare/deploy.sh
            To give it to one Worker again:
              npx wrangler secret put LATCHKEY_SECRET --env token
AWS         `sam deploy` generates a secret; its output SecretArn names it. To replace it by this one:
              aws secretsmanager put-secret-value --secret-id SECRET_ARN --secret-string {secret}
              sam deploy --parameter-overrides SecretVersion=2
            Another SecretVersion each time: without one the functions keep the secret that they have. When there are
            records already, add KeepPreviousSecret=true: how to change the secret is described in infra/docs/operations.md.
latchkey    The commands client, user, keys and seed read it from the environment:
              export LATCHKEY_SECRET={secret}
              latchkey user add ada --url https://id.example.com"
        )
    });
    Ok(())
}
