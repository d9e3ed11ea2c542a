package line

import (
	"bytes"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// FuzzLine: whatever a line is, what comes out of it can be published as it is.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		`{"stream":"a","value":1.5,"t":946684800,"class":"live","unit":"m"}`,
		`{"stream":"b","value":"text","t":"2000-01-01T00:00:00Z"}`,
		`{"describe":"a","unit":"m","range":[0,1],"period":"1s","deadline":1,"kind":"number","class":"event"}`,
		`[{"bn":"x/","bt":1,"bu":"m","bv":2,"bver":10,"n":"a","u":"V","v":1,"t":-1},{"vs":"x"},{"vb":true},{"vd":"aGk"},{"s":1}]`,
		`[[[`, `{"stream":{}}`, `"`, "\xff",
	} {
		f.Add([]byte(line))
	}
	now := time.Unix(946684800, 0)
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return
		}
		c, errs := Parse(line, now)
		if line[0] != '[' && len(errs) == 0 && c.Description == nil && len(c.Readings) != 1 {
			t.Fatal("neither read nor refused")
		}
		if len(errs) > 0 && line[0] != '[' && (c.Description != nil || len(c.Readings) > 0) {
			t.Fatal("read and refused")
		}
		for _, r := range c.Readings {
			checkReading(t, r, now)
		}
	})
}

func checkReading(t *testing.T, r Reading, now time.Time) {
	if err := wire.CheckName(r.Stream, wire.MaxStreamName); err != nil {
		t.Fatal(err)
	}
	if err := r.Value.Check(); err != nil {
		t.Fatal(err)
	}
	if skew := time.UnixMicro(r.T).Sub(now); skew.Abs() > maxSkew {
		t.Fatal("time", r.T)
	}
}
