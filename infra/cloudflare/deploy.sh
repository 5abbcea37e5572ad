#!/bin/sh
# Deploys every Worker of the server in wrangler.toml, the one that owns the objects first. LATCHKEY_SECRET, from the environment, goes
# to each as a secret. Needs `npx wrangler login` or CLOUDFLARE_API_TOKEN. Further arguments go to `wrangler deploy`.
set -eu

: "${LATCHKEY_SECRET:?set it to 32 random bytes as base64url or hex; latchkey init makes one}"
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

# Builds all of them at once, and installs the tools: wrangler then takes what is there.
infra/cloudflare/build.sh all
export LATCHKEY_PREBUILT=1
export PATH="$root/node_modules/.bin:$PATH"

secrets=$(mktemp)
trap 'rm -f "$secrets"' EXIT
printf '{"LATCHKEY_SECRET":"%s"}' "$LATCHKEY_SECRET" > "$secrets"

wrangler deploy --env records "$@"
for main in functions/*/build/index.js; do
    name=${main#functions/}
    name=${name%%/*}
    # The gateway and the sample API are for you to deploy, where your API is: wrangler deploy --env demo-api, then authorizer.
    case $name in records | authorizer | demo-api) continue ;; esac
    wrangler deploy --env "$name" --secrets-file "$secrets" "$@"
done
