package main

import (
	"strconv"
	"sync/atomic"
	"time"
)

// What a stretch of work took: on the clock, and of this process's processor time.
type cost struct{ wall, cpu time.Duration }

func costOf(work func()) (cost, error) {
	_, cpuBefore, err := cpuMicroseconds()
	if err != nil {
		return cost{}, err
	}
	start := time.Now()
	work()
	wall := time.Since(start)
	_, cpu, err := cpuMicroseconds()
	return cost{wall, time.Duration(cpu-cpuBefore) * time.Microsecond}, err
}

func sleepOnce(tasks int, length time.Duration) (spent cost, sum uint64, err error) {
	spent, err = costOf(func() {
		timeTasks(tasks, func(id int) {
			time.Sleep(length)
			atomic.AddUint64(&sum, uint64(id))
		})
	})
	return spent, sum, err
}

func runSleep(args []string) error {
	f := newFlags("sleep-10k", "tasks", "ms")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks, length := f.get("tasks"), time.Duration(f.get("ms"))*time.Millisecond
	if _, _, err := sleepOnce(tasks, length); err != nil {
		return err
	}
	spent, sum, err := sleepOnce(tasks, length)
	if err != nil {
		return err
	}
	metrics := map[string]float64{
		"ms":          spent.wall.Seconds() * 1e3,
		"us/task":     spent.wall.Seconds() * 1e6 / float64(tasks),
		"us-cpu/task": spent.cpu.Seconds() * 1e6 / float64(tasks),
	}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}

// The delays of all timers: the same pseudo-random numbers in every implementation.
func timerDelays(timers, leadMs, spreadMs int) []time.Duration {
	delays := make([]time.Duration, timers)
	random := uint32(1)
	for i := range delays {
		random = random*1664525 + 1013904223
		ms := leadMs + int(random>>16)%spreadMs
		delays[i] = time.Duration(ms) * time.Millisecond
	}
	return delays
}

// Arms all timers, stops every second one and waits for the rest.
func timersOnce(delays []time.Duration) (spent cost, fired, cancelled int64, err error) {
	armed := make([]*time.Timer, len(delays))
	left := int64(len(delays))
	over := make(chan struct{})
	settle := func(timers int64) {
		if atomic.AddInt64(&left, -timers) == 0 {
			close(over)
		}
	}
	fire := func() {
		atomic.AddInt64(&fired, 1)
		settle(1)
	}
	spent, err = costOf(func() {
		for i, delay := range delays {
			armed[i] = time.AfterFunc(delay, fire)
		}
		for i := 1; i < len(armed); i += 2 {
			if armed[i].Stop() {
				cancelled++
			}
		}
		settle(cancelled)
		<-over
	})
	return spent, fired, cancelled, err
}

func runTimers(args []string) error {
	f := newFlags("timers", "timers", "lead-ms", "spread-ms")
	if err := f.parse(args); err != nil {
		return err
	}
	delays := timerDelays(f.get("timers"), f.get("lead-ms"), f.get("spread-ms"))
	if _, _, _, err := timersOnce(delays); err != nil {
		return err
	}
	spent, fired, cancelled, err := timersOnce(delays)
	if err != nil {
		return err
	}
	metrics := map[string]float64{
		"ns-cpu/timer": float64(spent.cpu.Nanoseconds()) / float64(len(delays)),
	}
	notes := map[string]float64{"fired": float64(fired), "cancelled": float64(cancelled)}
	return printSample(metrics, strconv.FormatInt(fired+cancelled, 10), notes)
}
