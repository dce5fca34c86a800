package main

import (
	"sync/atomic"
	"time"
)

func pingPongOnce(pairs, rounds int) (time.Duration, uint64) {
	done := make(chan uint64)
	start := time.Now()
	for pair := 0; pair < pairs; pair++ {
		ping, pong := make(chan uint64, 1), make(chan uint64, 1)
		go func() {
			var value uint64
			for i := 0; i < rounds; i++ {
				ping <- value + 1
				value = <-pong
			}
			done <- value
		}()
		go func() {
			for i := 0; i < rounds; i++ {
				pong <- <-ping + 1
			}
		}()
	}
	var sum uint64
	for pair := 0; pair < pairs; pair++ {
		sum += <-done
	}
	return time.Since(start), sum
}

func runPingPong(args []string) error {
	f := newFlags("ping-pong", "rounds")
	if err := f.parse(args); err != nil {
		return err
	}
	rounds := f.get("rounds")
	return measure("ns/round", rounds, func() (time.Duration, uint64) {
		return pingPongOnce(1, rounds)
	})
}

func runPingPong100(args []string) error {
	f := newFlags("ping-pong-100", "pairs", "rounds")
	if err := f.parse(args); err != nil {
		return err
	}
	pairs, rounds := f.get("pairs"), f.get("rounds")
	return measure("ns/round", pairs*rounds, func() (time.Duration, uint64) {
		return pingPongOnce(pairs, rounds)
	})
}

// Producer number id of many sends every many-th item.
func produce(channel chan<- uint64, id, many, items int) {
	for item := id; item < items; item += many {
		channel <- uint64(item)
	}
}

func fanInOnce(producers, items, buffer int) (time.Duration, uint64) {
	channel := make(chan uint64, buffer)
	result := make(chan uint64)
	start := time.Now()
	go func() {
		var sum uint64
		for i := 0; i < items; i++ {
			sum += <-channel
		}
		result <- sum
	}()
	for id := 0; id < producers; id++ {
		go produce(channel, id, producers, items)
	}
	sum := <-result
	return time.Since(start), sum
}

func runFanIn(args []string) error {
	f := newFlags("fan-in", "producers", "items", "buffer")
	if err := f.parse(args); err != nil {
		return err
	}
	items := f.get("items")
	return measure("ns/item", items, func() (time.Duration, uint64) {
		return fanInOnce(f.get("producers"), items, f.get("buffer"))
	})
}

func fanOutOnce(consumers, items, buffer int) (time.Duration, uint64) {
	channel := make(chan uint64, buffer)
	var total uint64
	elapsed := timeTasks(consumers+1, func(id int) {
		if id == consumers {
			produce(channel, 0, 1, items)
			close(channel)
			return
		}
		var sum uint64
		for item := range channel {
			sum += item
		}
		atomic.AddUint64(&total, sum)
	})
	return elapsed, total
}

func runFanOut(args []string) error {
	f := newFlags("fan-out", "consumers", "items", "buffer")
	if err := f.parse(args); err != nil {
		return err
	}
	items := f.get("items")
	return measure("ns/item", items, func() (time.Duration, uint64) {
		return fanOutOnce(f.get("consumers"), items, f.get("buffer"))
	})
}
