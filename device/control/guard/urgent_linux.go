package guard

import (
	"os"
	"strconv"
	"syscall"
)

// niceness is the priority that the guard asks for: it has next to nothing to do, and that at once.
const niceness = -15

// urgent puts this process, and what it starts, in front of others on a busy machine, where that is allowed. Each thread has a
// priority of its own here; threads and processes to come have that of who starts them.
func urgent() {
	_ = os.WriteFile("/proc/self/autogroup", []byte(strconv.Itoa(niceness)), 0) // a session is a group of its own to the scheduler
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness) // without the right to, it is as it was
		}
	}
}
