package auth

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func open(t *testing.T, dir string) *Auth {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func token(t *testing.T, dir string, role Role) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "tokens", string(role)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestTokensAreMadeOnceAndPrivate(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	seen := map[string]bool{}
	for _, role := range Roles {
		info, err := os.Stat(filepath.Join(dir, "tokens", string(role)))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: mode %v, %v", role, info.Mode(), err)
		}
		seen[token(t, dir, role)] = true
	}
	if len(seen) != len(Roles) {
		t.Fatal("two roles share a token")
	}
	again := open(t, dir)
	for _, role := range Roles {
		if id, ok := again.Check(token(t, dir, role)); !ok || id.Role != role {
			t.Errorf("token of %s is worth %v after a restart", role, id)
		}
	}
}

func TestReadableTokenIsRefusedWithRemedy(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	path := filepath.Join(dir, "tokens", "admin")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Fatalf("error without remedy: %v", err)
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "tokens", "viewer"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Fatal("a six-letter token was accepted")
	}
}

func TestWrongProofs(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	session, _ := a.NewSession(Operator)
	other, _ := open(t, t.TempDir()).NewSession(Admin)
	for _, proof := range []string{
		"", "x", token(t, dir, Viewer) + "x", token(t, dir, Viewer)[1:],
		other, "s1.", "s1..", "s1.admin.99999999999.", session + "x",
		strings.Replace(session, "operator", "admin", 1),
	} {
		if id, ok := a.Check(proof); ok {
			t.Errorf("%q is worth %v", proof, id)
		}
	}
}

func TestSessionSurvivesRestartAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		session, expires := open(t, dir).NewSession(Operator)
		a := open(t, dir)
		if id, ok := a.Check(session); !ok || id.Role != Operator || !id.Expires.Equal(expires) {
			t.Fatalf("after a restart: %v %v", id, ok)
		}
		time.Sleep(SessionLife + time.Second)
		if _, ok := a.Check(session); ok {
			t.Fatal("an old session is still good")
		}
	})
}

func TestCodeWorksOnceAndForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, t.TempDir())
		first, _ := a.NewCode(Operator)
		if len(first)*5 < 80 {
			t.Fatalf("code %q has fewer than 80 bits", first)
		}
		if role, ok := a.Redeem(strings.ToUpper(first) + "\n"); !ok || role != Operator {
			t.Fatalf("fresh code: %v %v", role, ok)
		}
		if _, ok := a.Redeem(first); ok {
			t.Fatal("a code worked twice")
		}
		late, _ := a.NewCode(Operator)
		time.Sleep(CodeLife)
		if _, ok := a.Redeem(late); ok {
			t.Fatal("an old code worked")
		}
	})
}

func TestFiveWrongTriesPerNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, t.TempDir())
		bad, same, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("10.0.0.1")
		for range maxWrong {
			if _, ok := a.Try(bad); !ok {
				t.Fatal("refused too early")
			}
		}
		if again, ok := a.Try(same); ok || again <= 0 {
			t.Fatal("the same /64 may still try")
		}
		if _, ok := a.Try(other); !ok {
			t.Fatal("another network is refused too")
		}
		time.Sleep(wrongWindow)
		if _, ok := a.Try(bad); !ok {
			t.Fatal("refused for ever")
		}
	})
}

// TestRightProofsCostNothing: however often one logs in, beside those who fail.
func TestRightProofsCostNothing(t *testing.T) {
	a, addr := open(t, t.TempDir()), netip.MustParseAddr("10.0.0.1")
	for i := range 10 * maxWrong {
		if _, ok := a.Try(addr); !ok {
			t.Fatalf("refused after %d", i)
		}
		a.Right(addr)
	}
	if n := len(a.tries.by); n != 0 {
		t.Errorf("%d addresses are remembered", n)
	}
	for range maxWrong - 1 {
		a.Try(addr)
	}
	if _, ok := a.Try(addr); !ok {
		t.Fatal("the last try was refused")
	}
	a.Right(addr)
	if _, ok := a.Try(addr); !ok {
		t.Fatal("a try was not given back")
	}
}

// TestTriesAtOnce: tries that overlap are no more than tries in a row.
func TestTriesAtOnce(t *testing.T) {
	a, addr := open(t, t.TempDir()), netip.MustParseAddr("10.0.0.1")
	var granted atomic.Int32
	var tries sync.WaitGroup
	for range 20 * maxWrong {
		tries.Go(func() {
			if _, ok := a.Try(addr); ok {
				granted.Add(1)
			}
		})
	}
	tries.Wait()
	if n := granted.Load(); n != maxWrong {
		t.Errorf("%d tries were granted, want %d", n, maxWrong)
	}
}

func TestAddressTableIsBounded(t *testing.T) {
	a := open(t, t.TempDir())
	for i := range 2 * maxAddresses {
		a.Try(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if n := len(a.tries.by); n > maxAddresses {
		t.Fatalf("%d addresses are remembered", n)
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		has, needs Role
		want       bool
	}{
		{Viewer, Viewer, true},
		{Viewer, Operator, false},
		{Admin, Viewer, true},
		{Operator, Admin, false},
		{Device, Viewer, false},
		{Admin, Device, false},
		{Device, Device, true},
		{"", Viewer, false},
	} {
		if got := c.has.Includes(c.needs); got != c.want {
			t.Errorf("%q includes %q: %v", c.has, c.needs, got)
		}
	}
}
