package kept

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
)

func needLab(t *testing.T) {
	t.Helper()
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("end-to-end tests start the built programs in network namespaces: run `make test-e2e` as root")
	}
	if err := lab.Missing(); err != nil {
		t.Fatal(err)
	}
}

func TestPartition(t *testing.T) {
	needLab(t)
	length := 10 * time.Second
	if n, err := strconv.Atoi(os.Getenv("TELEPATH_PARTITION_SECONDS")); err == nil {
		length = time.Duration(n) * time.Second
	}
	p, err := Part(length, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.Verdict)
	if err := p.Judge(); err != nil {
		t.Error(err)
	}
}

// `make soak` kills two hundred times.
func TestKills(t *testing.T) {
	needLab(t)
	t.Parallel()
	k, err := Kill(10, 1, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(k.Verdict)
	if err := k.Judge(); err != nil {
		t.Error(err)
	}
}

func TestDisks(t *testing.T) {
	needLab(t)
	for _, d := range Disks {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			o, err := Harm(d, t.Logf)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(o.Verdict)
			if err := o.Judge(); err != nil {
				t.Error(err)
			}
		})
	}
}
