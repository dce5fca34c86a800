package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sort"
	"time"
)

// The load that every echo server gets. Message m of connection c is the slice of the pattern
// starting at (c*131 + m*31) mod 256, so neighbours differ and a lost or doubled message shows.
// bench/tcp.ts computes the expected checksum from the same rule.
type load struct {
	connections, inFlight, bytes, messages int
	pattern                                []byte
}

func newLoad(connections, inFlight, bytes, messages int) *load {
	pattern := make([]byte, 256+bytes)
	for i := range pattern {
		pattern[i] = byte(i*7 + 3)
	}
	return &load{connections, inFlight, bytes, messages, pattern}
}

func (l *load) message(connection, message int) []byte {
	start := (connection*131 + message*31) & 255
	return l.pattern[start : start+l.bytes]
}

// One connection. The drivers in echo_drive_*.go decide when it sends and receives.
type client struct {
	load      *load
	id        int
	socket    io.ReadWriteCloser
	sent      int
	received  int
	in, out   []byte
	filled    int         // bytes of in that hold a part of a message
	sentAt    []time.Time // ring, by message number modulo the messages in flight
	latencies []time.Duration
	crc       uint32
}

// Sends as many messages as may be in flight, in one write.
func (c *client) send() error {
	l := c.load
	out := c.out[:0]
	now := time.Now()
	for c.sent < l.messages && c.sent-c.received < l.inFlight {
		c.sentAt[c.sent%l.inFlight] = now
		out = append(out, l.message(c.id, c.sent)...)
		c.sent++
	}
	if len(out) == 0 {
		return nil
	}
	_, err := c.socket.Write(out)
	return err
}

// Reads once and checks every message that is complete.
func (c *client) receive() error {
	l := c.load
	n, err := c.socket.Read(c.in[c.filled:])
	if err != nil {
		return fmt.Errorf("connection %d after %d messages: %w", c.id, c.received, err)
	}
	c.filled += n
	used := 0
	now := time.Now()
	for c.filled-used >= l.bytes {
		if !bytes.Equal(c.in[used:used+l.bytes], l.message(c.id, c.received)) {
			return fmt.Errorf("connection %d: message %d came back changed", c.id, c.received)
		}
		c.latencies = append(c.latencies, now.Sub(c.sentAt[c.received%l.inFlight]))
		c.received++
		used += l.bytes
	}
	c.crc = crc32.Update(c.crc, crc32.IEEETable, c.in[:used])
	c.filled = copy(c.in, c.in[used:c.filled])
	return nil
}

func (c *client) done() bool { return c.received == c.load.messages }

func runEchoLoad(args []string) error {
	f := newFlags("tcp-echo-load", "port", "connections", "in-flight", "bytes", "messages")
	if err := f.parse(args); err != nil {
		return err
	}
	l := newLoad(f.get("connections"), f.get("in-flight"), f.get("bytes"), f.get("messages"))
	if l.connections < 1 || l.inFlight < 1 || l.bytes < 1 || l.messages < 1 {
		return errors.New("tcp-echo-load: every size must be at least 1")
	}
	clients, err := connectAll(l, f.get("port"))
	if err != nil {
		return err
	}

	_, cpuBefore, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := driveAll(clients); err != nil {
		return err
	}
	elapsed := time.Since(start)
	_, cpu, err := cpuMicroseconds()
	if err != nil {
		return err
	}

	return reportLoad(l, clients, elapsed, time.Duration(cpu-cpuBefore)*time.Microsecond)
}

func connectAll(l *load, port int) ([]*client, error) {
	clients := make([]*client, l.connections)
	for i := range clients {
		connection, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return nil, err
		}
		socket, err := newSocket(connection.(*net.TCPConn))
		if err != nil {
			return nil, err
		}
		clients[i] = &client{
			load:      l,
			id:        i,
			socket:    socket,
			in:        make([]byte, l.inFlight*l.bytes),
			out:       make([]byte, 0, l.inFlight*l.bytes),
			sentAt:    make([]time.Time, l.inFlight),
			latencies: make([]time.Duration, 0, l.messages),
		}
	}
	return clients, nil
}

func reportLoad(l *load, clients []*client, elapsed, cpu time.Duration) error {
	var latencies []time.Duration
	var crcs uint32
	for _, c := range clients {
		c.socket.Close()
		latencies = append(latencies, c.latencies...)
		crcs += c.crc
	}
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	count := len(latencies)
	microseconds := func(permille int) float64 {
		return float64(latencies[(count-1)*permille/1000].Nanoseconds()) / 1000
	}
	metrics := map[string]float64{
		"messages/s": float64(count) / elapsed.Seconds(),
		"us-p50":     microseconds(500),
		"us-p99":     microseconds(990),
	}
	// Near 1, the generator is the limit, and messages/s says little about the server.
	notes := map[string]float64{"loadCpuShare": cpu.Seconds() / elapsed.Seconds()}
	return printSample(metrics, fmt.Sprintf("%d:%08x", count*l.bytes, crcs), notes)
}
