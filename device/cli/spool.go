package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/spool"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/settings"
)

// spoolFlags say what is kept on disk.
type spoolFlags struct {
	dir   string
	bytes size
	age   time.Duration
	share int

	durable      []string
	durableBytes size
}

// noSpool is the folder's name that means none.
const noSpool = "none"

func (s *spoolFlags) add(cmd *cobra.Command) {
	s.bytes = spool.DefaultBytes
	f := cmd.Flags()
	f.StringVar(&s.dir, "spool", "", "`folder` for what is kept for viewers who were not there (default \"spool\" in the folder of --data); none: keep nothing")
	f.Var(&s.bytes, "spool-bytes", "how much is kept, such as 64MiB or 2GiB; the oldest goes first")
	f.DurationVar(&s.age, "spool-age", spool.DefaultAge, "how long it is kept")
	f.IntVar(&s.share, "spool-share", peer.DefaultPastShare, "how much of a path kept data may take, in `%`: with more, it arrives sooner and live data waits longer")
	s.durableBytes = agent.DefaultDurableBytes
	f.StringArrayVar(&s.durable, "durable", nil, "`STREAM` (or a glob) of class event that refuses new values when there is no room, where others give up their oldest; may be repeated")
	f.Var(&s.durableBytes, "durable-bytes", "room for durable streams, on top of --spool-bytes")
}

// The bounds that make sense: below, nothing is there when it is wanted.
const (
	minSpoolBytes = 1 << 20
	minSpoolAge   = time.Minute
)

func (s *spoolFlags) config() (agent.Spool, error) {
	if s.bytes < minSpoolBytes {
		return agent.Spool{}, settings.Usagef("--spool-bytes %s: want at least %s, or --spool none", s.bytes.String(), "1MiB")
	}
	if s.age < minSpoolAge {
		return agent.Spool{}, settings.Usagef("--spool-age %v: want at least %v, or --spool none", s.age, minSpoolAge)
	}
	if s.share < 1 || s.share > 100 {
		return agent.Spool{}, settings.Usagef("--spool-share %d: want 1 to 100, in %%", s.share)
	}
	if s.durableBytes < minSpoolBytes {
		return agent.Spool{}, settings.Usagef("--durable-bytes %s: want at least %s", s.durableBytes.String(), "1MiB")
	}
	if s.dir == noSpool && len(s.durable) > 0 {
		return agent.Spool{}, settings.Usagef("--durable %s: nothing is kept with --spool none", s.durable[0])
	}
	return agent.Spool{
		Off: s.dir == noSpool, Dir: s.dir, Bytes: int64(s.bytes), Age: s.age, Share: s.share, Durable: s.durable, DurableBytes: int64(s.durableBytes),
	}, nil
}

// size is a flag for a number of bytes.
type size int64

// units of sizes, largest first. Those of ten have no place here: a disk's maker counts otherwise than its user.
var units = []struct {
	name  string
	bytes size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// String implements pflag.Value.
func (s *size) String() string {
	for _, u := range units {
		if *s != 0 && *s%u.bytes == 0 {
			return fmt.Sprint(int64(*s/u.bytes), u.name)
		}
	}
	return "0"
}

// maxSize is where a file system ends, about.
const maxSize = 1 << 50

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	for _, u := range units {
		digits, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > int64(maxSize/u.bytes) {
			break
		}
		*s = size(n) * u.bytes
		return nil
	}
	return fmt.Errorf("%.32q is not a size: want a number with KiB, MiB or GiB, such as 256MiB", text)
}

// Type implements pflag.Value.
func (s *size) Type() string { return "size" }
