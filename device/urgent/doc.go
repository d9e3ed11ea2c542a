// Package urgent runs the programs that make a machine safe. Two things keep such a program from acting in time on a processor that
// others keep, and neither is the program's own:
//
// It waits until it is its turn. Start has it come in front of all that is not urgent itself (sched(7), SCHED_RR, the lowest
// priority), where that is allowed: to root, with CAP_SYS_NICE, or with a limit RTPRIO of 1. Niceness is not enough: where others
// kept all processors, a program at -15 came to its first word after up to 1 s. What is started so must have little to do, and not
// for long: nothing but the kernel's own limit (sched_rt_runtime_us) takes a processor from it.
//
// And it waits for the kernel, whatever its priority, while it is loaded: mapping a library takes a lock of the library's file, and
// who has that lock may be a thread that is not urgent and gets no processor. Programs that were loaded so, on processors that
// others kept, took 1.1 s now and then. A Program that stands by is loaded beforehand.
package urgent
