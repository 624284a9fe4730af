package main

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"time"
)

// freeAddr returns a loopback address that was free a moment ago, for programs
// that can't choose one themselves.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// spawnQuiet starts a command that doesn't say when it listens, and tries its
// address until it does.
func spawnQuiet(cmd *exec.Cmd, addr string) (*process, error) {
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, addr: addr, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the state tells how it ended
	}()
	for range 6000 {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return p, c.Close()
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("ended before it listened: %s\n%s", cmd.ProcessState, errs.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("didn't listen on %s within a minute", addr)
}
