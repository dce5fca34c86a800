package main

import (
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// The work of one task of the switch scenario: rounds yields with the loop depth frames below the
// task's entry, and one addition per frame on the way back so that no frame can be left out.
type switcher struct {
	id     int
	rounds int
	shared *switchState
}

// Plain fields: one processor runs both goroutines, and the count may be off by a preemption.
type switchState struct {
	last  int // which task ran last
	turns int // how often the task changed: proves that the yields did switch
}

//go:noinline
func (s *switcher) descend(depth int) uint64 {
	if depth > 0 {
		return s.descend(depth-1) + 1
	}
	var sum uint64
	for i := 0; i < s.rounds; i++ {
		if s.shared.last != s.id {
			s.shared.last = s.id
			s.shared.turns++
		}
		sum += uint64(i)
		runtime.Gosched()
	}
	return sum
}

func switchOnce(depth, rounds int) (ns float64, checksum uint64, turns int) {
	state := &switchState{last: -1}
	results := make(chan uint64, 2)
	start := time.Now()
	for id := 0; id < 2; id++ {
		s := &switcher{id, rounds, state}
		go func() { results <- s.descend(depth) }()
	}
	checksum = <-results + <-results
	return float64(time.Since(start).Nanoseconds()), checksum, state.turns
}

func runSwitch(args []string) error {
	f := newFlags("switch", "depth", "rounds")
	if err := f.parse(args); err != nil {
		return err
	}
	depth, rounds := f.get("depth"), f.get("rounds")
	switchOnce(depth, rounds)
	ns, checksum, turns := switchOnce(depth, rounds)

	// About one yield in thirty runs the same goroutine again (the scheduler looks at its global
	// queue first every 61st time), and so does a preemption.
	if turns < 2*rounds*9/10 {
		return fmt.Errorf("switch: only %d of %d yields switched", turns, 2*rounds)
	}
	metrics := map[string]float64{"ns/switch": ns / float64(2*rounds)}
	notes := map[string]float64{"turns": float64(turns)}
	return printSample(metrics, strconv.FormatUint(checksum, 10), notes)
}

// One batch at a time: spawn all of it, then join all of it.
func spawnOnce(tasks, batch int) (ns float64, sum uint64) {
	results := make([]uint64, batch)
	joins := make([]chan struct{}, batch)
	start := time.Now()
	for first := 0; first < tasks; first += batch {
		size := batch
		if tasks-first < size {
			size = tasks - first
		}
		for slot := 0; slot < size; slot++ {
			join := make(chan struct{})
			joins[slot] = join
			go func(slot int) {
				results[slot] = uint64(first + slot)
				close(join)
			}(slot)
		}
		for slot := 0; slot < size; slot++ {
			<-joins[slot]
			sum += results[slot]
		}
	}
	return float64(time.Since(start).Nanoseconds()), sum
}

func runSpawn(args []string) error {
	f := newFlags("spawn", "tasks", "batch")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks, batch := f.get("tasks"), f.get("batch")
	if batch == 0 {
		return fmt.Errorf("spawn: -batch is 0")
	}
	spawnOnce(tasks, batch)
	ns, sum := spawnOnce(tasks, batch)
	metrics := map[string]float64{"ns/task": ns / float64(tasks)}
	return printSample(metrics, strconv.FormatUint(sum, 10), nil)
}
