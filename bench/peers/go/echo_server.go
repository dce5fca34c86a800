package main

import (
	"io"
	"net"
	"os"
	"sync"
)

const readBytes = 4096

type cpuReport struct {
	CPUMicroseconds  int64  `json:"cpuMicroseconds"`
	UserMicroseconds int64  `json:"userMicroseconds"`
	Version          string `json:"version"`
}

// Prints {"port":N}, echoes until stdin ends and every connection is gone, then prints the
// processor time used since the port was printed.
func runEchoServer(args []string) error {
	if err := newFlags("tcp-echo-server").parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	userBefore, totalBefore, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := printLine(map[string]int{"port": port}); err != nil {
		return err
	}

	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
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
			echo(connection)
		}()
	}
	connections.Wait()

	user, total, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	return printLine(cpuReport{total - totalBefore, user - userBefore, version()})
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, readBytes)
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
