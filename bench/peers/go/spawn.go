package main

import (
	"sync"
	"time"
)

// The number of leaves below this node.
func leaves(depth int) uint64 {
	if depth == 0 {
		return 1
	}
	var left, right uint64
	var children sync.WaitGroup
	children.Add(2)
	go func() {
		left = leaves(depth - 1)
		children.Done()
	}()
	go func() {
		right = leaves(depth - 1)
		children.Done()
	}()
	children.Wait()
	return left + right
}

func runSpawnTree(args []string) error {
	f := newFlags("spawn-tree", "depth")
	if err := f.parse(args); err != nil {
		return err
	}
	depth := f.get("depth")
	tasks := 2<<depth - 1
	return measure("ns/task", tasks, func() (time.Duration, uint64) {
		var sum uint64
		elapsed := timeTasks(1, func(int) { sum = leaves(depth) })
		return elapsed, sum
	})
}

// The sum of this task's number and of all after it.
func chain(id, tasks int) uint64 {
	if id+1 == tasks {
		return uint64(id)
	}
	next := make(chan uint64)
	go func() { next <- chain(id+1, tasks) }()
	return uint64(id) + <-next
}

func runTaskChain(args []string) error {
	f := newFlags("task-chain", "tasks")
	if err := f.parse(args); err != nil {
		return err
	}
	tasks := f.get("tasks")
	return measure("ns/task", tasks, func() (time.Duration, uint64) {
		var sum uint64
		elapsed := timeTasks(1, func(int) { sum = chain(0, tasks) })
		return elapsed, sum
	})
}
