package wire

// Retry says when a refused or closed client tries again (section 6.6).
type Retry string

// The retry policies.
const (
	RetryNow     Retry = "now"     // full jitter up to 1 s; backoff from the third failure in a row on
	RetryBackoff Retry = "backoff" // with jitter, 0.25 s doubling to 10 s
	RetrySlow    Retry = "slow"    // after 30 s
	RetryNever   Retry = "never"   // until the configuration changes
)

// Code is why the server refused or closed something.
type Code struct {
	Number int // WebSocket close code 4000 + Number
	Name   string
	Retry  Retry
	HTTP   int // status where it is answered before an upgrade; 0: never
}

// Codes is the one table of section 6.6, by number.
var Codes = [...]Code{
	{0, "draining", RetryNow, 503},
	{1, "unauthorized", RetryNever, 401},
	{2, "forbidden", RetryNever, 403},
	{3, "malformed", RetryBackoff, 400},
	{4, "too-large", RetryBackoff, 413},
	{5, "name-taken", RetrySlow, 409},
	{6, "taken-over", RetrySlow, 409},
	{7, "rate-limited", RetryBackoff, 429},
	{8, "too-many", RetryBackoff, 503},
	{9, "timeout", RetryBackoff, 408},
	{10, "version", RetryNever, 426},
	{11, "silent", RetryNow, 0},
	{12, "unknown-device", RetryBackoff, 404},
	{13, "ambiguous", RetryNever, 409},
	{14, "bad-origin", RetryNever, 403},
	{15, "bad-signature", RetryNever, 401},
	{16, "offline", RetrySlow, 404},
	{17, "internal", RetryBackoff, 500},
	{18, "unknown-link", RetryNow, 404},
	{19, "no-upgrade", RetryBackoff, 426},
}

// CodeByName finds a code; an unknown name counts as "internal".
func CodeByName(name string) Code {
	for _, c := range Codes {
		if c.Name == name {
			return c
		}
	}
	return Codes[17]
}

// CloseCode is the WebSocket close code.
func (c Code) CloseCode() int { return 4000 + c.Number }

// CodeByClose finds a code by a WebSocket close code.
func CodeByClose(status int) (Code, bool) {
	if n := status - 4000; n >= 0 && n < len(Codes) {
		return Codes[n], true
	}
	return Code{}, false
}
