package tunnel

import (
	"strings"
	"testing"
)

// TestDigestOfTheStandard: the examples of RFC 7616, sections 3.9.1 and 3.9.2, and of RFC 2617, section 3.5.
func TestDigestOfTheStandard(t *testing.T) {
	const both = `Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm=`
	cases := []struct {
		name, challenge, user, password, cnonce, uri, want string
	}{
		{"MD5", both + "MD5", "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "/dir/index.html", "8ca523f5e9506fed4657c9700eebdbec"},
		{"SHA-256", both + "SHA-256", "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "/dir/index.html", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{"MD5 of old", `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`, "Mufasa", "Circle Of Life", "0a4f113b", "/dir/index.html", "6629fae49393a05397450978507c4ef1"},
	}
	for _, c := range cases {
		d := newDigest(parseChallenges([]string{c.challenge})[0])
		if d == nil {
			t.Fatalf("%s: not taken", c.name)
		}
		d.cnonce = c.cnonce
		got := d.header(c.user, c.password, "GET", c.uri)
		if !strings.Contains(got, `response="`+c.want+`"`) || !strings.Contains(got, "nc=00000001") {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestDigestUserhash: RFC 7616, section 3.9.2, has the hash of this name.
func TestDigestUserhash(t *testing.T) {
	d := newDigest(parseChallenges([]string{`Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true`})[0])
	if d == nil || !d.userhash {
		t.Fatal("not taken")
	}
	got := d.header("Jäsøn Doe", "Secret, or not?", "GET", "/doe.json")
	if strings.Contains(got, "Doe") || !strings.Contains(got, "userhash=true") {
		t.Error(got)
	}
}

func TestDigestThatWeDoNotHave(t *testing.T) {
	for _, c := range []string{
		`Digest realm="a", nonce="b", algorithm=MD4`, `Digest realm="a", nonce="b", qop="auth-int"`,
		`Digest realm="a"`, "Digest realm=\"a\x01\", nonce=\"b\"", `Digest`,
	} {
		if d := newDigest(parseChallenges([]string{c})[0]); d != nil {
			t.Errorf("%s is answered with %s", c, d.header("u", "p", "CONNECT", "h:1"))
		}
	}
}

// TestNamesCannotLeaveTheirQuotes: neither the user's nor the proxy's.
func TestNamesCannotLeaveTheirQuotes(t *testing.T) {
	d := newDigest(parseChallenges([]string{`Digest realm="a\"b\\c", nonce="n"`})[0])
	if d.realm != `a"b\c` {
		t.Fatalf("realm %q", d.realm)
	}
	got := d.header(`x", uri="/`, "p", "CONNECT", "h:1")
	back := parseChallenges([]string{got})
	if len(back) != 1 || back[0].params["username"] != `x", uri="/` || back[0].params["realm"] != `a"b\c` || back[0].params["uri"] != "h:1" {
		t.Errorf("%s reads as %+v", got, back)
	}
}
