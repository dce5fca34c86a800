package main

import (
	"bufio"
	"net"
	"os"
)

type cpuReport struct {
	CPUMicroseconds  int64  `json:"cpuMicroseconds"`
	UserMicroseconds int64  `json:"userMicroseconds"`
	Version          string `json:"version"`
}

// Listens on loopback, prints {"port":N}, and returns what prints the processor time used since then. The
// protocol of the servers is in bench/server-run.ts.
func listen() (listener net.Listener, report func() error, err error) {
	listener, err = net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	report, err = announce(map[string]any{"port": port})
	return listener, report, err
}

// Prints the line, and returns what prints the processor time used since then.
func announce(line map[string]any) (report func() error, err error) {
	userBefore, totalBefore, err := cpuMicroseconds()
	if err != nil {
		return nil, err
	}
	report = func() error {
		user, total, err := cpuMicroseconds()
		if err != nil {
			return err
		}
		return printLine(cpuReport{total - totalBefore, user - userBefore, version()})
	}
	return report, printLine(line)
}

// Reads standard input to its end; each line is answered, and the report counts from there on.
func untilInputEnds(report *func() error) {
	input := bufio.NewReader(os.Stdin)
	for {
		if _, err := input.ReadString('\n'); err != nil {
			return
		}
		*report, _ = announce(map[string]any{"warm": true})
	}
}
