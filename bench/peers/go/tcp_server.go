package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

const (
	echoBytes   = 4096
	streamBytes = 64 * 1024
)

// What a server does with each connection; bench/tcp.ts has the same list.
var services = []func(net.Conn){echo, sink, source}

// Serves until stdin has ended and every connection is gone; the protocol is in bench/server-run.ts.
func runTCPServer(args []string) error {
	f := newFlags("tcp-server", "service")
	if err := f.parse(args); err != nil {
		return err
	}
	if f.get("service") >= len(services) {
		return fmt.Errorf("tcp-server: there is no service %d", f.get("service"))
	}
	serve := services[f.get("service")]
	listener, report, err := listen()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		untilInputEnds(&report)
		listener.Close()
	}()
	var connections sync.WaitGroup
	for {
		connection, err := listener.Accept()
		if err != nil {
			break // the listener was closed: stdin has ended
		}
		connections.Add(1)
		go func() {
			defer connections.Done()
			defer connection.Close()
			serve(connection)
		}()
	}
	connections.Wait()
	<-ended
	return report()
}

func echo(connection net.Conn) {
	buffer := make([]byte, echoBytes)
	for {
		n, err := connection.Read(buffer)
		if n > 0 {
			if _, err := connection.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Counts what comes until the end, and answers with the count.
func sink(connection net.Conn) {
	buffer := make([]byte, streamBytes)
	var total uint64
	for {
		n, err := connection.Read(buffer)
		total += uint64(n)
		if err != nil {
			break
		}
	}
	_, _ = connection.Write(binary.LittleEndian.AppendUint64(nil, total))
}

// Is asked for a number of chunks, and sends them.
func source(connection net.Conn) {
	var request [8]byte
	if _, err := io.ReadFull(connection, request[:]); err != nil {
		return
	}
	id, chunks := binary.LittleEndian.Uint32(request[:]), binary.LittleEndian.Uint32(request[4:])
	pattern := newLoad(1, 1, streamBytes, 1)
	for chunk := 0; chunk < int(chunks); chunk++ {
		if _, err := connection.Write(pattern.message(int(id), chunk)); err != nil {
			return
		}
	}
}
