package comeback

import (
	"fmt"
	"os"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
)

// few is how many come back in `make test`; `make soak` has 500.
const few = 30

func TestMain(m *testing.M) {
	if IsLoad() {
		if err := Load(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestComeback(t *testing.T) {
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-e2e` as root")
	}
	if err := lab.Missing(); err != nil {
		t.Fatal(err)
	}
	r, err := Run(few, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	if err := r.Judge(); err != nil {
		t.Error(err)
	}
}
