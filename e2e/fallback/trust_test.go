package fallback

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// trustInChromium puts an authority where Chromium looks for those that a machine's owner has added.
func (c *cell) trustInChromium(t *testing.T, ca string) {
	t.Helper()
	db := filepath.Join(c.Dir, ".pki", "nssdb")
	must(t, os.MkdirAll(db, 0o700))
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "box", "-t", "C,,", "-i", ca},
	} {
		out, err := exec.Command("certutil", append([]string{"-d", "sql:" + db}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("certutil %v: %v: %s", args, err, out)
		}
	}
}
