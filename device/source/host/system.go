package host

import (
	"errors"
	"time"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/process"
)

func collectLoad(time.Time) ([]measurement, error) {
	avg, err := load.Avg()
	if err != nil {
		return nil, err
	}
	average := func(name, label string, value float64) measurement {
		return measurement{name: name, label: label, group: "Load", value: round(value, 2)}
	}
	return []measurement{
		average("load/1", "Load, 1 min", avg.Load1),
		average("load/5", "Load, 5 min", avg.Load5),
		average("load/15", "Load, 15 min", avg.Load15),
	}, nil
}

func collectUptime(time.Time) ([]measurement, error) {
	seconds, err := host.Uptime()
	if err != nil {
		return nil, err
	}
	return []measurement{{name: "uptime", label: "Uptime", group: "Uptime", unit: "h", value: round(float64(seconds)/3600, 3)}}, nil
}

func collectProcesses(time.Time) ([]measurement, error) {
	pids, err := process.Pids()
	if err != nil {
		return nil, err
	}
	return []measurement{{name: "processes", label: "Processes", group: "Processes", value: float64(len(pids))}}, nil
}

var errEmpty = errors.New("the system says nothing")

// orEmpty names the failure of a call that returned nothing without an error.
func orEmpty(err error) error {
	if err == nil {
		return errEmpty
	}
	return err
}
