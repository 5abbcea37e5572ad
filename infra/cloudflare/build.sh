#!/bin/sh
# Builds Workers: functions/NAME/build/index.js and index_bg.wasm. wrangler.toml names the first as `main`.
#
#   infra/cloudflare/build.sh [--dev] NAME...     builds these functions
#   infra/cloudflare/build.sh [--dev] all         builds every function
#
# --dev builds fast and does not shrink the wasm. The script installs what is missing: the Rust target, the tools of
# worker-build in $LATCHKEY_TOOLS (default: `tools` in cargo's target directory), and the npm packages.
# With LATCHKEY_PREBUILT=1 the script does nothing: wrangler then deploys what was built before.
set -eu

WASM_BINDGEN=0.2.129
WORKER_BUILD=0.8.7
TARGET=wasm32-unknown-unknown

[ "${LATCHKEY_PREBUILT:-}" = 1 ] && exit 0
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

profile=wasm
if [ "${1:-}" = --dev ]; then
    profile=wasm-dev
    shift
fi
[ $# -gt 0 ] || { echo "usage: $0 [--dev] NAME... | all" >&2; exit 2; }
if [ "$1" = all ]; then
    set --
    for manifest in functions/*/Cargo.toml; do
        set -- "$@" "$(basename "$(dirname "$manifest")")"
    done
fi

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
tools=${LATCHKEY_TOOLS:-$CARGO_TARGET_DIR/tools}
tool() { # program, package, version
    case "$("$tools/bin/$1" --version 2>/dev/null || true)" in
        *"$3"*) ;;
        *) CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked --root "$tools" --target-dir "$tools/build" "$2" --version "$3" ;;
    esac
}
[ -d "$(rustc --print target-libdir --target $TARGET)" ] || rustup target add $TARGET
tool wasm-bindgen wasm-bindgen-cli $WASM_BINDGEN
tool worker-build worker-build $WORKER_BUILD
rm -rf "$tools/build"
# infra/xtask/src/tools.rs compares the same copy of the lock file.
stamp=node_modules/.latchkey-lock
if ! cmp -s package-lock.json $stamp; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json $stamp
fi

# wrangler and wasm-opt need a recent Node, which comes as an npm package.
export PATH="$root/node_modules/.bin:$PATH"
export WASM_BINDGEN_BIN="$tools/bin/wasm-bindgen"
export ESBUILD_BIN="$root/node_modules/.bin/esbuild"

# `/health` and the log line of the start name the commit. The dirty mark says that files differ from it. Builds for tests
# name none, so that a commit does not compile everything again.
if [ $profile = wasm ]; then
    LATCHKEY_COMMIT="${LATCHKEY_COMMIT:-$(git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null || true)}"
    [ -z "$LATCHKEY_COMMIT" ] || export LATCHKEY_COMMIT
fi

# worker-build sets this variable. Without it here, cargo would build everything again.
export WASM_BINDGEN_USE_JS_SYS=1
# Build all packages in one call first, so that shared crates are compiled once and in parallel. worker-build gets the
# same list of packages: with another list cargo would select other features and build again.
packages=
for name in "$@"; do packages="$packages --package $name"; done
# shellcheck disable=SC2086
cargo build --quiet --lib --target $TARGET --profile $profile $packages

for name in "$@"; do
    directory=functions/$name
    [ -d "$directory" ] || directory=tests/$name
    # shellcheck disable=SC2086
    (cd "$directory" && "$tools/bin/worker-build" --profile $profile --no-opt $packages)
    # worker-build's own call of wasm-opt keeps the names of all functions, which are a fifth of the upload. Functions that
    # are not inlined into their one caller and stand next to similar ones compress better: this saves an eighth.
    if [ $profile = wasm ]; then
        wasm=$directory/build/index_bg.wasm
        wasm-opt -Oz --one-caller-inline-max-function-size=0 --reorder-functions-by-name --strip-debug --strip-producers \
            --enable-mutable-globals --enable-sign-ext --enable-nontrapping-float-to-int --enable-bulk-memory \
            --enable-multivalue --enable-reference-types --enable-exception-handling "$wasm" -o "$wasm"
    fi
done
