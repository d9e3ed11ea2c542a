package safety

import (
	"fmt"
	"os"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// The test binary is three programs: the tests, an operator, and a witness.
func TestMain(m *testing.M) {
	if !HasPart() {
		os.Exit(m.Run())
	}
	if err := TakePart(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestEachKindOnce(t *testing.T) {
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-e2e` as root")
	}
	if err := lab.Missing(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			r, err := Run(kind, 1, 1, t.Logf)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Judge(slack.Of(Promise)); err != nil {
				t.Error(err)
			}
		})
	}
}
