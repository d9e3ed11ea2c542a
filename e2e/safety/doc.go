// Package safety takes away what a hand on a machine depends on, again and again, and has the machine's own book judge: an
// actuator of programs, each a process of its own, that write down when they ran and what they did.
//
// Calls are cut off and the agent is killed in them: none may run twice, none late, and `unknown` may be said only of what nobody
// can know. The better of two paths dies in silence: nothing may stop. Everything dies, or the agent does, or heartbeats come
// late: all is safe within the promised time. Two operators contend while they come and go: never two holders.
//
// `make test` runs each kind once, `make soak PARTS=control` as often as the goals name.
package safety
