package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func mutexOnce(tasks, locks, yieldEvery int) (time.Duration, uint64) {
	var lock sync.Mutex
	var counter uint64
	elapsed := timeTasks(tasks, func(int) {
		for i := 0; i < locks; i++ {
			lock.Lock()
			counter++
			if yieldEvery > 0 && i%yieldEvery == 0 {
				runtime.Gosched()
			}
			lock.Unlock()
		}
	})
	return elapsed, counter
}

func runMutex(args []string) error {
	f := newFlags("mutex", "tasks", "locks", "yield-every")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks, locks := f.get("tasks"), f.get("locks")
	return measure("ns/lock", tasks*locks, func() (time.Duration, uint64) {
		return mutexOnce(tasks, locks, f.get("yield-every"))
	})
}

// A value under a lock for many readers and one writer.
type shared struct {
	lock  sync.RWMutex
	value uint64
}

// How many reads found a value that was not older than the one before.
func (s *shared) read(reads, yieldEvery int) (good uint64) {
	var last uint64
	for i := 0; i < reads; i++ {
		s.lock.RLock()
		if s.value >= last {
			last = s.value
			good++
		}
		if yieldEvery > 0 && i%yieldEvery == 0 {
			runtime.Gosched()
		}
		s.lock.RUnlock()
	}
	return good
}

func (s *shared) write(writes int) {
	for i := 0; i < writes; i++ {
		s.lock.Lock()
		s.value++
		runtime.Gosched()
		s.lock.Unlock()
	}
}

func rwlockOnce(readers, reads, writes, yieldEvery int) (time.Duration, uint64) {
	var s shared
	var good uint64
	elapsed := timeTasks(readers+1, func(id int) {
		if id == readers {
			s.write(writes)
		} else {
			atomic.AddUint64(&good, s.read(reads, yieldEvery))
		}
	})
	return elapsed, s.value + good
}

func runRWLock(args []string) error {
	f := newFlags("rwlock", "readers", "reads", "writes", "yield-every")
	if err := f.parse(args); err != nil {
		return err
	}
	readers, reads, writes := f.get("readers"), f.get("reads"), f.get("writes")
	return measure("ns/op", readers*reads+writes, func() (time.Duration, uint64) {
		return rwlockOnce(readers, reads, writes, f.get("yield-every"))
	})
}

// One condition for both tasks: at most one of them waits, so Signal wakes the right one.
func conditionOnce(rounds int) (time.Duration, uint64) {
	var lock sync.Mutex
	changed := sync.NewCond(&lock)
	turn := 0
	elapsed := timeTasks(2, func(id int) {
		for i := 0; i < rounds; i++ {
			lock.Lock()
			for turn%2 != id {
				changed.Wait()
			}
			turn++
			changed.Signal()
			lock.Unlock()
		}
	})
	return elapsed, uint64(turn)
}

func runCondition(args []string) error {
	f := newFlags("condition", "rounds")
	if err := f.parse(args); err != nil {
		return err
	}
	rounds := f.get("rounds")
	return measure("ns/round", rounds, func() (time.Duration, uint64) {
		return conditionOnce(rounds)
	})
}
