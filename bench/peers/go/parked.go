package main

import (
	"strconv"
	"sync"
	"sync/atomic"
)

func runParked(args []string) error {
	f := newFlags("parked", "tasks")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks := f.get("tasks")

	var release []chan uint64
	var sum uint64
	var all sync.WaitGroup
	all.Add(tasks)
	bytes, _, err := parkTasks(tasks, func(parked *int64) {
		release = make([]chan uint64, tasks)
		for i := range release {
			wake := make(chan uint64, 1)
			release[i] = wake
			go func() {
				atomic.AddInt64(parked, 1)
				atomic.AddUint64(&sum, <-wake)
				all.Done()
			}()
		}
	})
	if err != nil {
		return err
	}

	for i, wake := range release {
		wake <- uint64(i)
	}
	all.Wait()
	metrics := map[string]float64{"bytes/task": bytes}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}
