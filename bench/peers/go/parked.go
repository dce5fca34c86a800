package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

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

func runParked(args []string) error {
	f := newFlags("parked", "tasks")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks := f.get("tasks")
	runtime.GC()
	before, err := residentBytes()
	if err != nil {
		return err
	}

	release := make([]chan uint64, tasks)
	var parked int64
	var sum uint64
	var all sync.WaitGroup
	all.Add(tasks)
	for i := range release {
		wake := make(chan uint64, 1)
		release[i] = wake
		go func() {
			atomic.AddInt64(&parked, 1)
			atomic.AddUint64(&sum, <-wake)
			all.Done()
		}()
	}
	for atomic.LoadInt64(&parked) < int64(tasks) {
		runtime.Gosched()
	}
	after, err := residentBytes()
	if err != nil {
		return err
	}

	for i, wake := range release {
		wake <- uint64(i)
	}
	all.Wait()
	metrics := map[string]float64{"bytes/task": float64(after-before) / float64(tasks)}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}
