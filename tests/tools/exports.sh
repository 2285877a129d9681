#!/usr/bin/env bash
# Claim: the libraries' names begin with pdr_, so that they meet nobody else's; the shared one shows nothing else.
# exports.sh LIBPERDURE.SO LIBPERDURE.A
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

nm --dynamic --defined-only "$1" | only_ours "$1"
nm --extern-only --defined-only "$2" | only_ours "$2"
