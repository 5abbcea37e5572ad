#!/bin/sh
# Deploys every Worker of the server in wrangler.toml, the one that owns the objects first. Needs `npx wrangler login` or
# CLOUDFLARE_API_TOKEN. Further arguments go to `wrangler deploy`.
#
# LATCHKEY_SECRET, from the environment, goes to each Worker as a secret; so do LATCHKEY_SECRET_PREVIOUS and
# LATCHKEY_PAIRWISE_SECRET where they are set. A secret that a Worker has stays when its variable is not set.
# LATCHKEY_SECRET_PREVIOUS= (set, and empty) takes the previous one away.
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
printf '{"LATCHKEY_SECRET":"%s"' "$LATCHKEY_SECRET" > "$secrets"
[ -z "${LATCHKEY_SECRET_PREVIOUS:-}" ] || printf ',"LATCHKEY_SECRET_PREVIOUS":"%s"' "$LATCHKEY_SECRET_PREVIOUS" >> "$secrets"
[ -z "${LATCHKEY_PAIRWISE_SECRET:-}" ] || printf ',"LATCHKEY_PAIRWISE_SECRET":"%s"' "$LATCHKEY_PAIRWISE_SECRET" >> "$secrets"
printf '}' >> "$secrets"

wrangler deploy --env records "$@"
for main in functions/*/build/index.js; do
    name=${main#functions/}
    name=${name%%/*}
    # The gateway and the sample API are for you to deploy, where your API is: wrangler deploy --env demo-api, then authorizer.
    case $name in records | authorizer | demo-api) continue ;; esac
    wrangler deploy --env "$name" --secrets-file "$secrets" "$@"
    if [ "${LATCHKEY_SECRET_PREVIOUS-kept}" = "" ]; then
        echo '{"LATCHKEY_SECRET_PREVIOUS":null}' | wrangler secret bulk --env "$name"
    fi
done
