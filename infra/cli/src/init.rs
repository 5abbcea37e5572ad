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

Every key of the server is derived from it: keep it where you keep passwords, and nowhere else.

Cloudflare  In a checkout, this deploys every Worker and gives each of them the secret:
              LATCHKEY_SECRET={secret} sh infra/cloudflare/deploy.sh
            To give it to one of them again:
              npx wrangler secret put LATCHKEY_SECRET --env token
AWS         `sam deploy` makes a secret of its own, the output SecretArn; to put this one in its place:
              aws secretsmanager put-secret-value --secret-id SECRET_ARN --secret-string {secret}
              sam deploy --parameter-overrides SecretVersion=2
            Another SecretVersion each time: without one the functions keep the secret that they have. When there are
            records already, add KeepPreviousSecret=true: how to change the secret is described in infra/docs/operations.md.
latchkey    client and user read it from the environment:
              export LATCHKEY_SECRET={secret}
              latchkey user add ada --url https://id.example.com"
        )
    });
    Ok(())
}
