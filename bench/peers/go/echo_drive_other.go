//go:build !linux

package main

import (
	"net"
	"sync"
)

func newSocket(connection *net.TCPConn) (*net.TCPConn, error) { return connection, nil }

// Drives every client to its end, each from a goroutine of its own.
func driveAll(clients []*client) error {
	failures := make([]error, len(clients))
	var all sync.WaitGroup
	all.Add(len(clients))
	for i := range clients {
		go func(i int) {
			defer all.Done()
			failures[i] = drive(clients[i])
		}(i)
	}
	all.Wait()
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	return nil
}

func drive(c *client) error {
	for !c.done() {
		if err := c.send(); err != nil {
			return err
		}
		if err := c.receive(); err != nil {
			return err
		}
	}
	return nil
}
