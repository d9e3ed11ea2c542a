package host

import (
	"errors"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/sensors"
)

// What a board's sensors can measure, in °C. Anything else is a sensor that is
// not connected: drivers report 0, -273 or 255 then, depending on their taste.
const (
	coldest = -55.0
	hottest = 150.0
)

// maxSensors bounds the streams of a machine with many sensors.
const maxSensors = 32

func collectTemperatures(time.Time) ([]measurement, error) {
	// An error names sensors that could not be read; the others are there nevertheless.
	read, err := sensors.SensorsTemperatures()
	out := temperatures(read)
	if len(out) > 0 {
		return out, nil
	}
	if err == nil {
		err = errors.New("it has no sensor that can be read")
	}
	return nil, err
}

func temperatures(read []sensors.TemperatureStat) []measurement {
	var out []measurement
	times := map[string]int{} // equal names: two processors, two disks
	for _, s := range read {
		times[s.SensorKey]++
		if s.Temperature == 0 || s.Temperature < coldest || s.Temperature > hottest || len(out) >= maxSensors {
			continue
		}
		name := s.SensorKey
		if n := times[s.SensorKey]; n > 1 {
			name = fmt.Sprintf("%s %d", name, n)
		}
		out = append(out, measurement{
			name: "temperature/" + name, label: name, group: "Temperature", unit: "°C",
			high: limit(s), value: round(s.Temperature, 1),
		})
	}
	return out
}

// limit is the upper end of a sensor's nominal range: what its driver calls critical, or high.
func limit(s sensors.TemperatureStat) float64 {
	for _, t := range []float64{s.Critical, s.High} {
		if t > 0 && t <= hottest {
			return t
		}
	}
	return 100
}
