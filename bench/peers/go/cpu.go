package main

import "syscall"

// cpuMicroseconds is the processor time this process has used, in user mode and in all.
func cpuMicroseconds() (user, total int64, err error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, err
	}
	user = usage.Utime.Nano() / 1000
	return user, user + usage.Stime.Nano()/1000, nil
}
