#!/usr/bin/env bash
# Runs the phases named on the command line, all of them even when one fails, and closes with a count.
# A phase is a function of this file. Nothing is skipped: what a phase needs and cannot have makes it fail.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

need() { tools/need.sh; }

format() {
  make tools || return
  local unformatted
  unformatted=$(git ls-files -z -- '*.go' | xargs -0 -r .cache/tools/gofumpt -l)
  [ -z "$unformatted" ] || { echo "not gofumpt-ed (make fmt mends it):"; echo "$unformatted"; return 1; }
}

lint() {
  make tools && go vet ./... && .cache/tools/staticcheck ./...
}

# What is below e2e has phases of its own. Bubbles run beside the others: by themselves their largest package, on its one
# processor, would keep the second one waiting.
go_() {
  local bubbles
  bubbles=$(go list $(git grep -l '"testing/synctest"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|'))
  in_bubbles $bubbles &
  local beside=$!
  go test -race -vet=off -p 2 -timeout 10m $(go list ./... | grep -v /e2e | grep -vxF "$bubbles")
  local others=$?
  wait $beside && return $others
}

# In go1.26 all timers of a synctest bubble share one context of the race detector, whichever thread runs them: two at once break
# it, and the test's process crashes now and then, in the detector itself. With one processor that is rare; then, and only then,
# what did not pass runs once more.
in_bubbles() {
  local log verdict
  log=$(mktemp)
  go test -race -vet=off -p 2 -timeout 15m -cpu 1 -parallel 4 "$@" 2>&1 | tee "$log"
  verdict=$?
  if [ $verdict != 0 ] && grep -q 'ThreadSanitizer: CHECK failed' "$log" && ! grep -q -e '--- FAIL' -e 'DATA RACE' "$log"; then
    echo "the race detector crashed; what did not pass runs again"
    go test -race -vet=off -p 2 -timeout 15m -cpu 1 -parallel 4 "$@"
    verdict=$?
  fi
  rm -f "$log"
  return $verdict
}

web() {
  make .cache/npm.stamp || return
  (cd dashboard/web && npm run --silent lint && npm run --silent check && npm run --silent test)
}

build() { make build; }

# TELEPATH_E2E makes a missing privilege or program an error instead of a skip.
e2e() { end_to_end $(go list ./e2e/... | grep -vE '/(fallback|nat)$'); }

# These have the machine for themselves: they measure times with several networks at once.
fallback() { end_to_end ./e2e/fallback; }

nat() { end_to_end ./e2e/nat; }

# What failed beside everything else runs once more by itself. A test that passes then is told of at the end, for it has a fault, too:
# it, or what it tests, does not stand a busy machine.
end_to_end() {
  local log verdict failed
  log=$(mktemp)
  run_end_to_end "$@" | tee "$log" | tools/brief.awk -v ledger="$ledger"
  verdict=$?
  failed=$(sed -n 's/^--- FAIL: \([^ ]*\) .*/\1/p' "$log" | sort -u | paste -sd'|')
  if [ $verdict != 0 ] && [ -n "$failed" ] && ! grep -qE '^panic: |\[build failed\]' "$log"; then
    echo "── by themselves: $failed"
    run_end_to_end -run "^($failed)\$" $(awk -F'\t' '/^FAIL\t/ { print $2 }' "$log") | tools/brief.awk -v ledger=/dev/null
    verdict=$?
    [ $verdict != 0 ] || unsteady+=" ${failed//|/ }"
  fi
  rm -f "$log"
  return $verdict
}

# Most of them wait most of the time.
run_end_to_end() { TELEPATH_E2E=require go test -count=1 -timeout 15m -parallel 4 -v "$@"; }

ledger=$(mktemp)
trap 'rm -f "$ledger"' EXIT
passed=0 failed=0 report="" unsteady=""
for phase in "$@"; do
  echo "── $phase"
  start=$SECONDS
  run=$phase
  [ "$phase" = go ] && run=go_
  if "$run"; then
    passed=$((passed + 1)) verdict=ok
  else
    failed=$((failed + 1)) verdict=FAILED
  fi
  report+=$(printf '%-8s %-7s %4d s' "$phase" "$verdict" $((SECONDS - start)))$'\n'
done

[ ! -s "$ledger" ] || { echo "── what failed, at first at least"; cat "$ledger"; }
printf '\n%s\n' "$report"
[ -z "$unsteady" ] || echo "passed only by themselves:$unsteady"
echo "phases: $passed passed, $failed failed"
[ "$failed" = 0 ]
