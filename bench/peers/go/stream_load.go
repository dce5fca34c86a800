package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"time"
)

// One connection of a load that is not of echoes. Returns the part of the checksum that is its own.
type session func(l *load, id, port int) (uint32, error)

func dial(port int) (*net.TCPConn, error) {
	connection, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}

// Sends every message, and has the server say how many bytes they were.
func sendAll(l *load, id, port int) (uint32, error) {
	connection, err := dial(port)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	for m := 0; m < l.messages; m++ {
		if _, err := connection.Write(l.message(id, m)); err != nil {
			return 0, err
		}
	}
	if err := connection.CloseWrite(); err != nil {
		return 0, err
	}
	var answer [8]byte
	if _, err := io.ReadFull(connection, answer[:]); err != nil {
		return 0, err
	}
	if total := binary.LittleEndian.Uint64(answer[:]); total != uint64(l.messages*l.bytes) {
		return 0, fmt.Errorf("connection %d: %d bytes arrived", id, total)
	}
	return 0, nil
}

// Asks for the messages, and receives them.
func receiveAll(l *load, id, port int) (uint32, error) {
	connection, err := dial(port)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	request := binary.LittleEndian.AppendUint32(nil, uint32(id))
	request = binary.LittleEndian.AppendUint32(request, uint32(l.messages))
	if _, err := connection.Write(request); err != nil {
		return 0, err
	}
	var crc uint32
	buffer := make([]byte, l.bytes)
	for m := 0; m < l.messages; m++ {
		if _, err := io.ReadFull(connection, buffer); err != nil {
			return 0, err
		}
		crc = crc32.Update(crc, crc32.IEEETable, buffer)
	}
	return crc, nil
}

// Opens a connection for each message, one after the other.
func connectEach(l *load, id, port int) (uint32, error) {
	var crc uint32
	buffer := make([]byte, l.bytes)
	for m := 0; m < l.messages; m++ {
		connection, err := dial(port)
		if err != nil {
			return 0, err
		}
		_, err = connection.Write(l.message(id, m))
		if err == nil {
			_, err = io.ReadFull(connection, buffer)
		}
		connection.Close()
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(buffer, l.message(id, m)) {
			return 0, fmt.Errorf("connection %d: message %d came back changed", id, m)
		}
		crc = crc32.Update(crc, crc32.IEEETable, buffer)
	}
	return crc, nil
}

func runSinkLoad(args []string) error    { return runSessions("tcp-sink-load", args, sendAll) }
func runSourceLoad(args []string) error  { return runSessions("tcp-source-load", args, receiveAll) }
func runConnectLoad(args []string) error { return runSessions("tcp-connect-load", args, connectEach) }

func runSessions(name string, args []string, run session) error {
	f := newFlags(name, "port", "connections", "bytes", "messages")
	if err := f.parse(args); err != nil {
		return err
	}
	l := newLoad(f.get("connections"), 1, f.get("bytes"), f.get("messages"))
	if l.connections < 1 || l.bytes < 1 || l.messages < 1 {
		return errors.New(name + ": every size must be at least 1")
	}
	_, cpuBefore, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	start := time.Now()
	crcs := make([]uint32, l.connections)
	failures := make([]error, l.connections)
	var all sync.WaitGroup
	all.Add(l.connections)
	for i := range crcs {
		go func(i int) {
			defer all.Done()
			crcs[i], failures[i] = run(l, i, f.get("port"))
		}(i)
	}
	all.Wait()
	elapsed := time.Since(start)
	_, cpu, err := cpuMicroseconds()
	if err := errors.Join(append(failures, err)...); err != nil {
		return err
	}

	count := l.connections * l.messages
	var sum uint32
	for _, crc := range crcs {
		sum += crc
	}
	metrics := map[string]float64{"messages/s": float64(count) / elapsed.Seconds()}
	notes := map[string]float64{"loadCpuShare": float64(cpu-cpuBefore) / 1e6 / elapsed.Seconds()}
	return printSample(metrics, fmt.Sprintf("%d:%08x", count*l.bytes, sum), notes)
}
