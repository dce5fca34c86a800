package main

import "time"

// Fixed, because a select statement spells its channels out.
const selectChannels = 8

func selectFrom(channels *[selectChannels]chan uint64, items int) (sum uint64) {
	for i := 0; i < items; i++ {
		select {
		case item := <-channels[0]:
			sum += item
		case item := <-channels[1]:
			sum += item
		case item := <-channels[2]:
			sum += item
		case item := <-channels[3]:
			sum += item
		case item := <-channels[4]:
			sum += item
		case item := <-channels[5]:
			sum += item
		case item := <-channels[6]:
			sum += item
		case item := <-channels[7]:
			sum += item
		}
	}
	return sum
}

func selectOnce(items, buffer int) (time.Duration, uint64) {
	var channels [selectChannels]chan uint64
	for id := range channels {
		channels[id] = make(chan uint64, buffer)
	}
	result := make(chan uint64)
	start := time.Now()
	go func() { result <- selectFrom(&channels, items) }()
	for id, channel := range channels {
		go produce(channel, id, selectChannels, items)
	}
	sum := <-result
	return time.Since(start), sum
}

func runSelect(args []string) error {
	f := newFlags("select", "items", "buffer")
	if err := f.parse(args); err != nil {
		return err
	}
	items := f.get("items")
	return measure("ns/item", items, func() (time.Duration, uint64) {
		return selectOnce(items, f.get("buffer"))
	})
}
