package main

import (
	"context"
	"io"
	"net/http"
)

const greeting = "Hello, world!\n"

// Answers /hello; the protocol is in bench/server-run.ts.
func runHTTPServer(args []string) error {
	if err := newFlags("http-server").parse(args); err != nil {
		return err
	}
	listener, report, err := listen()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(response, greeting)
	})
	server := http.Server{Handler: mux}
	idle := make(chan error, 1)
	go func() {
		untilInputEnds(&report)
		idle <- server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	if err := <-idle; err != nil {
		return err
	}
	return report()
}
