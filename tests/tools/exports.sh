#!/usr/bin/env bash
# Claim: every name that a shared library shows begins with pdr_, so that it meets nobody else's.
# exports.sh LIBPERDURE.SO...
set -euo pipefail

only_ours() {
  local title=$1 names others
  names=$(awk 'NF >= 3 { print $3 }')
  [ -n "$names" ] || {
    echo "$title exports nothing"
    exit 1
  }
  others=$(grep -v '^pdr_' <<<"$names" || true)
  [ -z "$others" ] || {
    printf '%s exports names that are not ours:\n%s\n' "$title" "$others"
    exit 1
  }
}

for library in "$@"; do
  nm --dynamic --defined-only "$library" | only_ours "$library"
done
