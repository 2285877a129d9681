#!/usr/bin/env bash
# Claim: each public header compiles alone, in C11 without extensions and in C++.
# headers.sh INCLUDE CC
set -euo pipefail
include=$1
cc=$2
find "$include" -name '*.h' | while read -r header; do
  name=${header#"$include"/}
  echo "#include <$name>" | "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$include" -x c -
  echo "#include <$name>" | "${CXX:-c++}" -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$include" -x c++ -
done
