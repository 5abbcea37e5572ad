#!/bin/sh
# Deploys the Workers of the authorization server that wrangler.toml lists, those that others bind first. Needs
# `npx wrangler login` or CLOUDFLARE_API_TOKEN.
#
#   infra/cloudflare/deploy.sh [--config FILE] [ARGUMENT...]
#
# --config names the file of another deployment, which `cargo xtask generate --deployment … --out FILE` writes. Further
# arguments go to `wrangler deploy`.
#
# The environment has LATCHKEY_SECRET, and LATCHKEY_SECRET_PREVIOUS and LATCHKEY_PAIRWISE_SECRET where they exist. None of them is
# uploaded: `latchkey secret derive` makes the keys that each Worker needs, which become its secrets LATCHKEY_KEYS and
# LATCHKEY_KEYS_PREVIOUS. LATCHKEY names the command; without it, cargo runs it from this checkout. A Worker keeps
# LATCHKEY_KEYS_PREVIOUS while LATCHKEY_SECRET_PREVIOUS is not set, and loses it when that is set to nothing.
set -eu

: "${LATCHKEY_SECRET:?set it to 32 random bytes as base64url or hex; latchkey init makes one}"
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

config=wrangler.toml
if [ "${1:-}" = --config ]; then
    config=$2
    shift 2
fi
[ -f "$config" ] || { echo "$config does not exist: write it with cargo xtask generate" >&2; exit 2; }

# Builds all Workers at once and installs the tools. wrangler then uploads what was built.
infra/cloudflare/build.sh all
export LATCHKEY_PREBUILT=1
export PATH="$root/node_modules/.bin:$PATH"

secrets=$(mktemp)
trap 'rm -f "$secrets"' EXIT

# The Workers without keys come first, which only service bindings reach, then the owner of the Durable Objects. Deploy
# the guard and the sample API yourself, where your API is: wrangler deploy --env demo-api, then --env authorizer.
# generated: Workers, by `cargo xtask generate` from shared/manifest.
keyless="passwords saml"
keyed="records mail notify rotate account admin admin-users authorize backchannel configuration consent device discovery introspect login logout metadata par recovery register revoke token userinfo maintenance"
# end of Workers
for name in $keyless; do
    wrangler deploy --config "$config" --env "$name" "$@"
done
for name in $keyed; do
    ${LATCHKEY:-cargo run --quiet --package latchkey --} secret derive "$name" --json > "$secrets"
    wrangler deploy --config "$config" --env "$name" --secrets-file "$secrets" "$@"
    if [ "${LATCHKEY_SECRET_PREVIOUS-kept}" = "" ]; then
        echo '{"LATCHKEY_KEYS_PREVIOUS":null}' | wrangler secret bulk --config "$config" --env "$name"
    fi
done
