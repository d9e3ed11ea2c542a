#!/usr/bin/awk -f
# Of `go test -v`: keeps verdicts, packages and whatever a failed test said; drops the chatter of tests that passed.
/^=== RUN|^=== PAUSE|^=== CONT|^=== NAME/ { next }
/^ *--- (PASS|SKIP)/ { print; held = ""; next }
/^ *--- FAIL/ { printf "%s", held; print; held = ""; failing = 1; next }
/^(ok|FAIL|PASS|panic:|\?)/ { if (/^(FAIL|panic)/) printf "%s", held; print; held = ""; failing = /^panic/; next }
failing { print; fflush(); next }
{ held = held $0 "\n" }
END { printf "%s", (failing ? held : "") }
