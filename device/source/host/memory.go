package host

import (
	"time"

	"github.com/shirou/gopsutil/v4/mem"
)

const gibibyte = 1 << 30

func collectMemory(time.Time) ([]measurement, error) {
	memory, err := mem.VirtualMemory()
	if err != nil {
		return nil, err
	}
	out := []measurement{inGiB("memory/used", "Memory used", "Memory", memory.Total-min(memory.Available, memory.Total), memory.Total)}
	swap, err := mem.SwapMemory()
	if err == nil && swap.Total > 0 {
		out = append(out, inGiB("swap/used", "Swap used", "Swap", swap.Used, swap.Total))
	}
	return out, err
}

func inGiB(name, label, group string, used, total uint64) measurement {
	return measurement{
		name: name, label: label, group: group, unit: "GiB",
		high: round(float64(total)/gibibyte, 3), value: round(float64(used)/gibibyte, 3),
	}
}
