package tunnel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseChallenges(t *testing.T) {
	cases := []struct {
		headers []string
		want    string
	}{
		{[]string{`Basic realm="squid"`}, "basic map[realm:squid]"},
		{[]string{`Basic`}, "basic map[]"},
		{[]string{`Basic realm="a, b", charset="UTF-8"`}, "basic map[charset:UTF-8 realm:a, b]"},
		{[]string{`Negotiate`, `NTLM`, `Basic realm="x"`}, "negotiate map[]; ntlm map[]; basic map[realm:x]"},
		{[]string{`Negotiate TlRMTVNTUAABAAAA==, Basic realm="x"`}, "negotiate map[]; basic map[realm:x]"},
		{[]string{`Digest realm="x", nonce="n", qop="auth", stale=true, Basic realm="x"`}, "digest map[nonce:n qop:auth realm:x stale:true]; basic map[realm:x]"},
		{[]string{`DIGEST Realm = "x" , NONCE=n`}, "digest map[nonce:n realm:x]"},
		{[]string{`Basic realm="unended`}, "basic map[]"},
		{[]string{`, ,`, ``, `"quoted"`, `=`}, ""},
		{[]string{`Basic realm="q\"uo\\te"`}, `basic map[realm:q"uo\te]`},
	}
	for _, c := range cases {
		var got []string
		for _, ch := range parseChallenges(c.headers) {
			got = append(got, fmt.Sprintf("%s %v", ch.scheme, ch.params))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%q: %s", c.headers, diff)
		}
	}
}

// FuzzChallenges: whatever a proxy says, reading it ends, is bounded, and what we answer is one line.
func FuzzChallenges(f *testing.F) {
	f.Add(`Basic realm="a", Digest realm="b", nonce="c", qop="auth", algorithm=SHA-256-sess`)
	f.Add(`Negotiate abc==, NTLM`)
	f.Add(`Digest realm="\"\\", nonce="x", opaque="y", userhash=true, stale=TRUE`)
	f.Add(`Digest realm="`)
	f.Fuzz(func(t *testing.T, header string) {
		list := parseChallenges([]string{header, header})
		if len(list) > maxChallenges {
			t.Fatalf("%d challenges", len(list))
		}
		for _, c := range list {
			if len(c.params) > maxParams || c.scheme == "" {
				t.Fatalf("%+v", c)
			}
		}
		m, _ := choose(list)
		if m == nil {
			return
		}
		if got := m.authorize(`u"\`, "p", "h:1"); !clean(got) {
			t.Fatalf("%q", got)
		}
	})
}
