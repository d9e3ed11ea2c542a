package cli

// controlTree is how it is written.
type controlTree struct {
	Name      string      `yaml:"name"`
	Deadman   string      `yaml:"dead-man"`
	Age       string      `yaml:"age"`
	Simulated bool        `yaml:"simulated"`
	Exec      *execTree   `yaml:"exec"`
	Stdout    *stdoutTree `yaml:"stdout"`
	GPIO      *gpioTree   `yaml:"gpio"`
}

type stdoutTree struct {
	Answers bool         `yaml:"answers"` // they are read from standard input
	Guard   []string     `yaml:"guard"`
	Standby bool         `yaml:"standby"` // so is guard started: ahead
	Axes    []axisTree   `yaml:"axes"`
	Methods []methodTree `yaml:"methods"`
}

type execTree struct {
	Safe    []string     `yaml:"safe"`
	Standby bool         `yaml:"standby"` // so is safe started: ahead
	Axes    []axisTree   `yaml:"axes"`
	Methods []methodTree `yaml:"methods"`
}

type gpioTree struct {
	Axes    []pinAxisTree   `yaml:"axes"`
	Methods []pinMethodTree `yaml:"methods"`
}

type pinAxisTree struct {
	axisTree
	Pin       string   `yaml:"pin"`
	PWM       string   `yaml:"pwm"`
	ActiveLow bool     `yaml:"active-low"`
	Frequency string   `yaml:"frequency"`
	Pulse     []string `yaml:"pulse"` // at min and at max
}

type pinMethodTree struct {
	methodTree
	Pin       string `yaml:"pin"`
	ActiveLow bool   `yaml:"active-low"`
	Pulse     string `yaml:"pulse"`
}

type axisTree struct {
	Name    string   `yaml:"name"`
	Label   string   `yaml:"label"`
	Unit    string   `yaml:"unit"`
	Min     float64  `yaml:"min"`
	Max     float64  `yaml:"max"`
	Slew    float64  `yaml:"slew"`
	Neutral float64  `yaml:"neutral"`
	Stream  string   `yaml:"stream"`
	Set     []string `yaml:"set"`
}

type methodTree struct {
	Name   string   `yaml:"name"`
	Label  string   `yaml:"label"`
	Help   string   `yaml:"help"`
	Params any      `yaml:"params"` // as JSON, in its order, from the tree
	Result any      `yaml:"result"`
	Role   string   `yaml:"role"`
	Rate   float64  `yaml:"rate"`
	Lease  bool     `yaml:"lease"`
	Danger bool     `yaml:"danger"`
	Limit  string   `yaml:"limit"`
	Run    []string `yaml:"run"`
}
