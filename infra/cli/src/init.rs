//! `latchkey init`: the secret and the first admin key of a new deployment.

use crate::args::InitArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::private_key;
use keys::{AdminPrivateKey, Secret};
use serde_json::json;

pub(crate) fn run(args: &InitArgs, output: Output) -> Result<(), Failure> {
    let secret = Secret::generate().map_err(Failure::new)?.to_base64url();
    let key = AdminPrivateKey::generate().map_err(Failure::new)?;
    let file = match &args.out {
        Some(file) => file.clone(),
        None => private_key::file(args.host.as_deref())?,
    };
    private_key::write(&file, &key)?;
    let public = key.public().to_string();
    let answer = json!({ "secret": secret, "admin_key": public, "kid": key.public().id(), "admin_key_file": file });
    output.print(&answer, || {
        format!(
            "\
LATCHKEY_SECRET={secret}
LATCHKEY_ADMIN_KEY={public}

All keys of the server are derived from the secret. Keep it in a password manager, and nowhere else.
The admin key is the public half of the key with which you administer the deployment. It is no secret. The private half is
in {}: the latchkey command finds it there.

Cloudflare  In a checkout, write admin_key = \"{public}\" into
            infra/cloudflare/deployment.toml. This deploys every Worker and gives each one the secret:
              cargo xtask generate
              LATCHKEY_SECRET={secret} sh infra/cloudflare/deploy.sh
            To give the secret to one Worker again:
              npx wrangler secret put LATCHKEY_SECRET --env token
AWS         `sam deploy` generates a secret; its output SecretArn names it. It takes the admin key as a parameter:
              sam deploy --parameter-overrides AdminKey={public}
            To replace the secret by the one above:
              aws secretsmanager put-secret-value --secret-id SECRET_ARN --secret-string {secret}
              sam deploy --parameter-overrides SecretVersion=2
            Another SecretVersion each time: without one the functions keep the secret that they have. When there are
            records already, add KeepPreviousSecret=true: how to change the secret is described in infra/docs/operations.md.
latchkey    The commands client, user, keys, admin-key and seed sign their requests with the private half:
              latchkey user add ada --url https://id.example.com",
            file.display()
        )
    });
    Ok(())
}
