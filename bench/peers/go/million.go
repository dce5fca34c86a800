package main

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func runMillion(args []string) error {
	f := newFlags("million", "tasks")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks := f.get("tasks")

	gate := make(chan struct{})
	var sum uint64
	var all sync.WaitGroup
	all.Add(tasks)
	bytes, spawned, err := parkTasks(tasks, func(parked *int64) {
		for id := 0; id < tasks; id++ {
			go func(id uint64) {
				atomic.AddInt64(parked, 1)
				<-gate
				atomic.AddUint64(&sum, id)
				all.Done()
			}(uint64(id))
		}
	})
	if err != nil {
		return err
	}

	start := time.Now()
	close(gate)
	all.Wait()
	woken := time.Since(start)
	metrics := map[string]float64{
		"bytes/task": bytes,
		"ns/spawn":   float64(spawned.Nanoseconds()) / float64(tasks),
		"ns/wake":    float64(woken.Nanoseconds()) / float64(tasks),
	}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}
