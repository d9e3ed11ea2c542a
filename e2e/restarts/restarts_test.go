package restarts

import (
	"os"
	"testing"
)

// few is how many rounds there are in `make test`; `make soak` has 150.
const few = 2

func TestRestarts(t *testing.T) {
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs: run `make test-e2e`")
	}
	r, err := Run(few, 1, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Judge(); err != nil {
		t.Error(err)
	}
}
