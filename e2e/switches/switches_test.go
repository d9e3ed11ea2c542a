package switches

import (
	"os"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
)

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
			t.Log(r.Verdict)
			if err := r.Judge(); err != nil {
				t.Error(err)
			}
		})
	}
}
