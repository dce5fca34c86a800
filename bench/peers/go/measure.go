package main

import (
	"strconv"
	"sync"
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
