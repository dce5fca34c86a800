package main

import (
	"runtime"
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
	runtime.GC()
	before, err := residentBytes()
	if err != nil {
		return err
	}

	gate := make(chan struct{})
	var parked int64
	var sum uint64
	var all sync.WaitGroup
	start := time.Now()
	all.Add(tasks)
	for id := 0; id < tasks; id++ {
		go func(id uint64) {
			atomic.AddInt64(&parked, 1)
			<-gate
			atomic.AddUint64(&sum, id)
			all.Done()
		}(uint64(id))
	}
	for atomic.LoadInt64(&parked) < int64(tasks) {
		runtime.Gosched()
	}
	spawned := time.Since(start)

	after, err := residentBytes()
	if err != nil {
		return err
	}
	start = time.Now()
	close(gate)
	all.Wait()
	woken := time.Since(start)

	metrics := map[string]float64{
		"bytes/task": float64(after-before) / float64(tasks),
		"ns/spawn":   float64(spawned.Nanoseconds()) / float64(tasks),
		"ns/wake":    float64(woken.Nanoseconds()) / float64(tasks),
	}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}
