package rig

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/telepath-iot/telepath/e2e/authority"
	"github.com/telepath-iot/telepath/e2e/lab"
)

// StartTLSServer is StartServer with a certificate of a test's authority for a name or an address, which all programs that are
// started from now on trust, and reach it under. It returns the authority's file beside the server.
func (r *Rig) StartTLSServer(on *lab.Host, name string, at netip.AddrPort, args ...string) (server *Server, ca string, err error) {
	own, err := authority.New("Test Authority")
	if err != nil {
		return nil, "", err
	}
	if err := own.Files(r.Dir, name); err != nil {
		return nil, "", err
	}
	args = append(args, "--allow-host", name, "--tls-cert", filepath.Join(r.Dir, "fullchain.pem"), "--tls-key", filepath.Join(r.Dir, "privkey.pem"))
	server, err = r.StartServer(on, at.String(), args...)
	if err != nil {
		return nil, "", err
	}
	ca = filepath.Join(r.Dir, "ca.pem")
	r.URL = fmt.Sprintf("https://%s:%d", name, at.Port())
	r.Env = []string{"SSL_CERT_FILE=" + ca}
	return server, ca, nil
}

// TrustInChromium puts an authority where Chromium looks for those that a machine's owner has added.
func (r *Rig) TrustInChromium(ca string) error {
	db := filepath.Join(r.Dir, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "test", "-t", "C,,", "-i", ca},
	} {
		out, err := exec.Command("certutil", append([]string{"-d", "sql:" + db}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("certutil %v: %w: %s", args, err, out)
		}
	}
	return nil
}
