package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A load is a stream of requests over kept-alive connections.
type load struct {
	addr        string
	tls         *tls.Config // nil for plain connections
	connections int
	duration    time.Duration
	// request appends the raw i-th request of a connection.
	request func(dst []byte, connection, i int) []byte
}

// A result is what a load saw.
type result struct {
	requests int
	elapsed  time.Duration
	p50, p99 time.Duration
}

// run sends requests, one at a time on each connection, until the duration is
// over. A status other than 200 is an error.
func (l *load) run(ctx context.Context) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		latencies []time.Duration
		failure   error
	)
	start := time.Now()
	for i := range l.connections {
		wg.Go(func() {
			seen, err := l.connection(ctx, i)
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, seen...)
			if err != nil && failure == nil {
				failure = err
			}
		})
	}
	wg.Wait()
	r := result{requests: len(latencies), elapsed: time.Since(start)}
	if failure != nil {
		return r, failure
	}
	if len(latencies) == 0 {
		return r, errors.New("no request was answered")
	}
	slices.Sort(latencies)
	r.p50, r.p99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	return r, nil
}

func (l *load) connection(ctx context.Context, n int) ([]time.Duration, error) {
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // the run is over
	if err := c.SetDeadline(time.Now().Add(l.duration + 30*time.Second)); err != nil {
		return nil, err
	}
	if l.tls != nil {
		c = tls.Client(c, l.tls)
	}
	seen := make([]time.Duration, 0, 1<<14)
	r := bufio.NewReaderSize(c, 8192)
	var request []byte
	for i := 0; ctx.Err() == nil; i++ {
		request = l.request(request[:0], n, i)
		start := time.Now()
		if _, err := c.Write(request); err != nil {
			return nil, err
		}
		if err := readResponse(r); err != nil {
			return nil, err
		}
		seen = append(seen, time.Since(start))
	}
	return seen, nil
}

// readResponse reads a response with a Content-Length, or in chunks.
func readResponse(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(status) < 12 || string(status[9:12]) != "200" {
		text := string(status)
		body := make([]byte, min(r.Buffered(), 600))
		_, err := io.ReadFull(r, body)
		return errors.Join(fmt.Errorf("answered %q %s", text, body), err)
	}
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(name) == 14 && bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case len(name) == 17 && bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = true
		}
	}
	for chunked {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := r.Discard(int(size) + 2); err != nil || size == 0 {
			return err
		}
	}
	_, err = r.Discard(length)
	return err
}

// get asks a host at an address for a path and returns the body of the answer,
// whose status has to be 200. An empty host is the address.
func get(ctx context.Context, addr, host, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = host
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s%s answered %s %s", host, path, res.Status, body)
	}
	return body, nil
}
