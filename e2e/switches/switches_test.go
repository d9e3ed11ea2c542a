package switches

import (
	"os"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
)

// late are kinds that take longer than their goal now and then: a page does where others need the processors, too.
var late = map[string]bool{"page-moves": true}

func TestEachKindOnce(t *testing.T) {
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-e2e` as root")
	}
	if err := lab.Missing(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds {
		if late[kind.Name] {
			continue
		}
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
