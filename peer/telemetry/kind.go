package telemetry

import "fmt"

// Kind is what the samples of a stream are.
type Kind uint8

// The kinds, by their numbers in a payload's form.
const (
	Number Kind = iota // a finite float64
	Bool
	Text  // UTF-8
	Bytes // anything else
	kinds
)

var kindNames = [kinds]string{"number", "bool", "text", "bytes"}

// String returns the kind's name as stream descriptions show it.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// ParseKind is the inverse of String.
func ParseKind(name string) (Kind, bool) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), true
		}
	}
	return 0, false
}

// MarshalText implements encoding.TextMarshaler, so that JSON has the name.
func (k Kind) MarshalText() ([]byte, error) {
	if k >= kinds {
		return nil, fmt.Errorf("telemetry: no kind has the number %d", k)
	}
	return []byte(kindNames[k]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) error {
	parsed, ok := ParseKind(string(text))
	if !ok {
		return fmt.Errorf("telemetry: unknown kind %.32q: want number, bool, text or bytes", text)
	}
	*k = parsed
	return nil
}
