#!/usr/bin/awk -f
# Of `go test -v`: keeps the verdict of each test at the top and of packages, and whatever a failed test said; drops the chatter of
# those that passed. What failed goes into the file `ledger`, too, to be told once more at the end.
function tell(text) { printf "%s", text; fflush() }
/^=== (RUN|CONT|NAME|PAUSE)/ { name = $3; next }
/^ *--- (PASS|SKIP)/ { if (/^-/) tell($0 "\n"); delete said[$3]; name = ""; next }
/^ *--- FAIL/ { text = said[$3] $0 "\n"; tell(text); failures = failures text; delete said[$3]; name = ""; next }
/^(ok|PASS)/ { if (/^ok/) tell($0 "\n"); next }
/^(FAIL|\?)/ { if (/^FAIL\t/) tell($0 "\n"); next }
/^(panic:|fatal error:|SIG|# )/ { panics = 1 }
panics { tell($0 "\n"); failures = failures $0 "\n"; next }
name == "" { tell($0 "\n"); next }
{ said[name] = said[name] $0 "\n" }
END {
	for (test in said) if (panics) tell("── " test " said\n" said[test])
	if (failures != "") printf "%s", failures >> ledger
}
