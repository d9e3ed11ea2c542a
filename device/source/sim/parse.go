package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Limits of the configuration.
const (
	maxRate    = 100_000 // samples a second of a stream
	maxStreams = wire.MaxStreams
)

// Parse reads "rate=100,size=100,streams=1,class=live,wave=sine,deadline=250ms", all of it optional.
func Parse(text string) (Config, error) {
	var c Config
	if text == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		if err := c.set(key, value); err != nil {
			return c, fmt.Errorf("source sim: %w", err)
		}
	}
	return c, nil
}

func (c *Config) set(key, value string) (err error) {
	switch key {
	case "rate":
		c.Rate, err = strconv.ParseFloat(value, 64)
		return check(err == nil && c.Rate >= 0.001 && c.Rate <= maxRate, key, value, "a number from 0.001 to 100000 (samples a second)")
	case "size":
		c.Size, err = strconv.Atoi(value)
		return check(err == nil && (c.Size == 0 || c.Size >= MinSize && c.Size <= MaxSize), key, value, "0 (numbers) or 20 to 8192 (bytes)")
	case "streams":
		c.Streams, err = strconv.Atoi(value)
		return check(err == nil && c.Streams >= 1 && c.Streams <= maxStreams, key, value, "1 to 256")
	case "class":
		c.Class, _ = wire.ParseClass(value)
		return check(c.Class == wire.Live || c.Class == wire.Event, key, value, "live or event")
	case "wave":
		return c.setWave(value)
	case "deadline":
		c.Deadline, err = time.ParseDuration(value)
		return check(err == nil && c.Deadline > 0, key, value, "a duration such as 250ms")
	}
	return fmt.Errorf("unknown option %q: want rate, size, streams, class, wave or deadline", key)
}

func (c *Config) setWave(value string) error {
	for w, name := range waveNames {
		if name == value {
			c.Wave = Wave(w)
			return nil
		}
	}
	return check(false, "wave", value, strings.Join(waveNames[:], ", "))
}

func check(ok bool, key, value, want string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s=%q: want %s", key, value, want)
}
