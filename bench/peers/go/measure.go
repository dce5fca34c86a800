package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Does the work of a scenario once.
type work func() (elapsed time.Duration, checksum uint64)

// Prints what one of the operations cost. The work is done once before, as a warm-up.
func measure(metric string, operations int, once work) error {
	once()
	elapsed, checksum := once()
	metrics := map[string]float64{metric: float64(elapsed.Nanoseconds()) / float64(operations)}
	return printSample(metrics, strconv.FormatUint(checksum, 10), nil)
}

// The time from the first spawn to the end of the last task.
func timeTasks(tasks int, body func(id int)) time.Duration {
	var all sync.WaitGroup
	all.Add(tasks)
	start := time.Now()
	for id := 0; id < tasks; id++ {
		go func(id int) {
			body(id)
			all.Done()
		}(id)
	}
	all.Wait()
	return time.Since(start)
}

// Resident bytes of this process. smaps_rollup is exact; VmRSS may lag behind by some pages.
func residentBytes() (int, error) {
	sources := []struct{ path, key string }{
		{"/proc/self/smaps_rollup", "Rss:"},
		{"/proc/self/status", "VmRSS:"},
	}
	for _, source := range sources {
		text, err := os.ReadFile(source.path)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(text), "\n") {
			fields := strings.Fields(line)
			if len(fields) >= 2 && fields[0] == source.key {
				kibibytes, err := strconv.Atoi(fields[1])
				return kibibytes * 1024, err
			}
		}
	}
	return 0, fmt.Errorf("no resident size in /proc/self")
}

// Lets spawn start the tasks, each of which counts itself as parked just before it waits. Returns how
// much memory a task takes, and how long it took until all were parked.
func parkTasks(tasks int, spawn func(parked *int64)) (bytes float64, took time.Duration, err error) {
	runtime.GC()
	before, err := residentBytes()
	if err != nil {
		return 0, 0, err
	}
	var parked int64
	start := time.Now()
	spawn(&parked)
	for atomic.LoadInt64(&parked) < int64(tasks) {
		runtime.Gosched()
	}
	took = time.Since(start)
	after, err := residentBytes()
	return float64(after-before) / float64(tasks), took, err
}
