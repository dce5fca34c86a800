package main

import (
	"fmt"
	"io"
	"net"
	"syscall"
)

// A socket outside Go's own poller. Go tries every read first and waits when that fails, which
// costs the generator one system call a message and would make it the limit of the measurement.
type socket struct{ fd int }

func newSocket(connection *net.TCPConn) (*socket, error) {
	file, err := connection.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := connection.Close(); err != nil {
		return nil, err
	}
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		return nil, err
	}
	return &socket{fd}, syscall.SetNonblock(fd, true)
}

func (s *socket) Read(buffer []byte) (int, error) {
	n, err := syscall.Read(s.fd, buffer)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// What is in flight on one connection always fits into the socket's buffers.
func (s *socket) Write(buffer []byte) (int, error) {
	n, err := syscall.Write(s.fd, buffer)
	if err == nil && n < len(buffer) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (s *socket) Close() error { return syscall.Close(s.fd) }

// Drives every client to its end from one epoll loop.
func driveAll(clients []*client) error {
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		return err
	}
	defer syscall.Close(epoll)
	for i, c := range clients {
		fd := c.socket.(*socket).fd
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			return err
		}
	}
	for _, c := range clients {
		if err := c.send(); err != nil {
			return err
		}
	}
	return loop(epoll, clients)
}

func loop(epoll int, clients []*client) error {
	events := make([]syscall.EpollEvent, 256)
	for open := len(clients); open > 0; {
		ready, err := syscall.EpollWait(epoll, events, -1)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		for _, event := range events[:ready] {
			c := clients[event.Fd]
			if c.done() {
				return fmt.Errorf("connection %d: more came back than was sent", c.id)
			}
			if err := c.receive(); err != nil {
				return err
			}
			if c.done() {
				open--
			} else if err := c.send(); err != nil {
				return err
			}
		}
	}
	return nil
}
