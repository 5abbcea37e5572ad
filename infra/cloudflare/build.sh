#!/bin/sh
# Builds Workers: functions/NAME/build/index.js and index_bg.wasm, which wrangler.toml names as `main`.
#
#   infra/cloudflare/build.sh [--dev] NAME...     some
#   infra/cloudflare/build.sh [--dev] all         all
#
# --dev builds fast and leaves the wasm large. Installs what is missing: the target of Rust, the tools of worker-build in
# $LATCHKEY_TOOLS (default: `tools` in cargo's target directory), the npm packages. LATCHKEY_PREBUILT=1 builds nothing:
# wrangler then takes what was built before.
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
[ -x node_modules/.bin/wrangler ] || npm ci --no-audit --no-fund --loglevel=error

# wrangler and wasm-opt want a recent Node: npm brings one.
export PATH="$root/node_modules/.bin:$PATH"
export WASM_BINDGEN_BIN="$tools/bin/wasm-bindgen"
export ESBUILD_BIN="$root/node_modules/.bin/esbuild"

# As worker-build has it: otherwise cargo would start again.
export WASM_BINDGEN_USE_JS_SYS=1
# All at once first: what functions share is compiled once, side by side. worker-build gets the same list: features differ
# from package to package, and with another list cargo would start again.
packages=
for name in "$@"; do packages="$packages --package $name"; done
# shellcheck disable=SC2086
cargo build --quiet --lib --target $TARGET --profile $profile $packages

for name in "$@"; do
    directory=functions/$name
    [ -d "$directory" ] || directory=tests/$name
    # shellcheck disable=SC2086
    (cd "$directory" && "$tools/bin/worker-build" --profile $profile --no-opt $packages)
    # worker-build's own call of wasm-opt keeps the names of all functions: a fifth of the upload. What is not put into its
    # one caller, and stands beside its like, compresses better: an eighth of the upload.
    if [ $profile = wasm ]; then
        wasm=$directory/build/index_bg.wasm
        wasm-opt -Oz --one-caller-inline-max-function-size=0 --reorder-functions-by-name --strip-debug --strip-producers \
            --enable-mutable-globals --enable-sign-ext --enable-nontrapping-float-to-int --enable-bulk-memory \
            --enable-multivalue --enable-reference-types --enable-exception-handling "$wasm" -o "$wasm"
    fi
done
