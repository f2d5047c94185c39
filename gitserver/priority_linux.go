package gitserver

import "golang.org/x/sys/unix"

// lowPriority has the calling thread give way to others, at the processor and
// at the disk. It is a hint; errors do not matter.
func lowPriority() {
	const nice = 10
	// On Linux, this is one thread's; what the disk does for it follows.
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
}
