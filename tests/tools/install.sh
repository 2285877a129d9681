#!/usr/bin/env bash
# Claim: what `cmake --install` leaves can be moved, found by pkg-config and by find_package, linked shared and static, run.
# install.sh BUILD CC
set -euo pipefail
build=$1
cc=$2
user=$(cd "$(dirname "${BASH_SOURCE[0]}")/install" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

says_installed() { [ "$("$@")" = installed ] || {
  echo "$* did not say 'installed'"
  exit 1
}; }

cmake --install "$build" --prefix "$work/first" >/dev/null
# A moved tree must still know its own place.
mv "$work/first" "$work/moved"
prefix=$work/moved
lib=$(dirname "$(find "$prefix" -name libperdure.so)")
export PKG_CONFIG_PATH=$lib/pkgconfig

echo 'pkg-config, shared'
"$cc" -std=c11 "$user/user.c" -o "$work/shared" $(pkg-config --cflags --libs perdure)
says_installed env LD_LIBRARY_PATH="$lib" "$work/shared"
readelf -d "$work/shared" | grep 'NEEDED.*libperdure\.so\.0' >/dev/null || {
  echo 'the shared program does not name libperdure.so.0'
  exit 1
}

echo 'pkg-config, static'
"$cc" -std=c11 "$user/user.c" -o "$work/static" $(pkg-config --cflags --libs perdure-static)
says_installed "$work/static"

echo 'the command, embedded'
for kind in perdure-command perdure-command-static; do
  "$cc" -std=c11 "$user/command.c" -o "$work/command" $(pkg-config --cflags --libs "$kind")
  env LD_LIBRARY_PATH="$lib" "$work/command" --version | grep "^command $(pkg-config --modversion perdure)$" >/dev/null || {
    echo "a program that embeds the command by $kind does not tell its version"
    exit 1
  }
done

echo 'manual pages and completion'
for file in man/man1/perdure.1 man/man1/perdure-store-dump.1 bash-completion/completions/perdure zsh/site-functions/_perdure \
  fish/vendor_completions.d/perdure.fish; do
  [ -s "$prefix/share/$file" ] || {
    echo "share/$file is not installed"
    exit 1
  }
done

echo 'find_package'
cmake -S "$user" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" >"$work/configure" || {
  cat "$work/configure"
  exit 1
}
cmake --build "$work/build" >"$work/built" || {
  cat "$work/built"
  exit 1
}
says_installed "$work/build/with_shared"
says_installed "$work/build/with_static"
"$work/build/command_shared" help init | grep '^usage: command_shared init' >/dev/null
"$work/build/command_static" help init | grep '^usage: command_static init' >/dev/null

echo 'version'
[ "$(pkg-config --modversion perdure)" = "$(sed -n 's/.*PACKAGE_VERSION "\(.*\)".*/\1/p' "$lib/cmake/perdure/perdureConfigVersion.cmake" | head -n 1)" ] || {
  echo 'pkg-config and CMake tell different versions'
  exit 1
}
