// Package urgent starts the programs that make a machine safe in front of all that is not urgent itself (sched(7), SCHED_RR, the
// lowest priority), where that is allowed: to root, with CAP_SYS_NICE, or with a limit RTPRIO of 1. Niceness is not enough: where
// others kept all processors, a program at -15 came to its first word after up to 1 s.
//
// What is started so must have little to do, and not for long: nothing but the kernel's own limit (sched_rt_runtime_us) takes a
// processor from it.
package urgent
