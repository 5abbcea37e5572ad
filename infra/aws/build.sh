#!/bin/sh
# Builds Lambda functions: target/lambda/NAME/bootstrap, which template.yaml names as `CodeUri`.
#
#   infra/aws/build.sh NAME...           builds these functions
#   infra/aws/build.sh all               builds every function
#   infra/aws/build.sh --here NAME...    builds for the processor of this machine: target/lambda-here/NAME/bootstrap
#
# The functions are for arm64 and are linked statically; infra/decisions/static-functions.md has the reason. The script
# installs what is missing: the Rust target; cargo-lambda and zig, its C compiler and linker, from PyPI into $LATCHKEY_TOOLS
# (default: `tools` in cargo's target directory). With LATCHKEY_PREBUILT=1 it does nothing: what was built before is used.
set -eu

CARGO_LAMBDA=1.9.2
ZIG=0.17.1

[ "${LATCHKEY_PREBUILT:-}" = 1 ] && exit 0
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

processor=aarch64
into=target/lambda
if [ "${1:-}" = --here ]; then
    processor=$(uname -m | sed 's/^arm64$/aarch64/')
    into=target/lambda-here
    shift
fi
[ $# -gt 0 ] || { echo "usage: $0 [--here] NAME... | all" >&2; exit 2; }
if [ "$1" = all ]; then
    set --
    for main in functions/*/src/main.rs; do
        name=${main#functions/}
        set -- "$@" "${name%%/*}"
    done
fi

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
tools=${LATCHKEY_TOOLS:-$CARGO_TARGET_DIR/tools}/lambda-$CARGO_LAMBDA-$ZIG
if [ ! -x "$tools/bin/cargo-lambda" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "cargo-lambda==$CARGO_LAMBDA" "ziglang==$ZIG"
fi
export PATH="$tools/bin:$PATH"
target=$processor-unknown-linux-musl
[ -d "$(rustc --print target-libdir --target "$target")" ] || rustup target add "$target"

# `/health` and the log line of the start name the commit. The dirty mark says that files differ from it.
LATCHKEY_COMMIT="${LATCHKEY_COMMIT:-$(git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null || true)}"
[ -z "$LATCHKEY_COMMIT" ] || export LATCHKEY_COMMIT

# Without it, zig would link a static program for one fixed address.
export RUSTFLAGS="-C link-arg=-pie"
build() {
    [ $# -eq 0 ] || cargo lambda build --release --target "$target" --lambda-dir "$root/$into" "$@"
}
# Functions without the table are built in a call of their own. Otherwise shared crates would be built with features that only
# the client of the table needs.
# Of the function with the client of SES the same is true.
with_table=
with_mail=
without_table=
for name in "$@"; do
    if [ "$name" = mail ]; then
        with_mail="--package $name --bin $name"
    elif grep -q '^provider' "functions/$name/Cargo.toml"; then
        with_table="$with_table --package $name --bin $name"
    else
        without_table="$without_table --package $name --bin $name"
    fi
done
# shellcheck disable=SC2086
build $with_table
# shellcheck disable=SC2086
build $with_mail
# shellcheck disable=SC2086
build $without_table
