package host

import (
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// maxCores bounds the streams that a big machine makes: its total says the rest.
const maxCores = 32

// processor knows the times of the last measurement; use is what they grew by.
type processor struct {
	total cpu.TimesStat
	cores []cpu.TimesStat
}

func (p *processor) collect(time.Time) ([]measurement, error) {
	total, err := cpu.Times(false)
	if err != nil || len(total) == 0 {
		return nil, fmt.Errorf("read processor times: %w", orEmpty(err))
	}
	var out []measurement
	if percent, ok := busy(p.total, total[0]); ok {
		out = append(out, measurement{name: "cpu", label: "Processor", group: "Processor", unit: "%", high: 100, value: percent})
	}
	p.total = total[0]
	cores, err := cpu.Times(true)
	if err != nil {
		return out, err
	}
	return append(out, p.collectCores(cores[:min(len(cores), maxCores)])...), nil
}

func (p *processor) collectCores(cores []cpu.TimesStat) []measurement {
	last := p.cores
	p.cores = cores
	if len(last) != len(cores) {
		return nil // the first time, or a core was switched on or off
	}
	var out []measurement
	for i := range cores {
		if percent, ok := busy(last[i], cores[i]); ok {
			out = append(out, measurement{
				name: fmt.Sprintf("cpu/%d", i), label: fmt.Sprintf("Core %d", i),
				group: "Processor cores", unit: "%", high: 100, value: percent,
			})
		}
	}
	return out
}

// busy is the share of time, in percent, in which a processor worked between
// two readings. Waiting for a disk is not work.
func busy(from, to cpu.TimesStat) (float64, bool) {
	all := sum(to) - sum(from)
	// Sums of fractions: where nothing was idle, the difference may be a hair below 0.
	idle := max(to.Idle-from.Idle, 0) + max(to.Iowait-from.Iowait, 0)
	if from.CPU == "" || all <= 0 {
		return 0, false
	}
	return round(100*(all-min(idle, all))/all, 1), true
}

// sum leaves out guest times, which Linux counts in user times already.
func sum(t cpu.TimesStat) float64 {
	return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
}
