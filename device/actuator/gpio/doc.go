// Package gpio is the actuator that moves pins of the board: lines of /dev/gpiochip*, which are on or off, and the pulses of
// /sys/class/pwm. It is for Linux, which has these.
//
// A line belongs to the process that asked for it. Nobody else can set it, not even while that process is stopped, and what it
// does when the process is gone is up to the line's driver; a PWM goes on for ever. So pins belong to a process of their own, the
// agent's program once more (Main with "hold"), and the agent feeds it through a pipe, a JSON object a line:
//
//	{"id": 1, "set": {"speed": 0.5}}      set these axes, by their names: {"id": 1, "applied": {"speed": 0.5}}
//	{"id": 2, "safe": true}               bring everything to where it is safe: {"id": 2}
//	{"id": 3, "call": "horn"}             when the pulse is over: {"id": 3}
//	{"id": 4, "call": "lamp", "on": true}
//	{"cancel": 3}                         end that pulse
//
// An answer may say {"id": 3, "failed": "…"} instead; the first, without an id, says that all pins are held and safe. When the
// pipe ends it makes everything safe, and ends.
//
// It listens at a Unix socket, too, in a folder where only the agent's user may enter: who connects has everything made safe, and
// reads "safe" when it is. That is how the guard reaches it (Main with "safe") while the agent is stopped. If it does not
// answer there it is killed; if it is gone, the pins are taken and made safe in its place.
package gpio
