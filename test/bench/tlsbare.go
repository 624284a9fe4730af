package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strconv"
)

// roleBareTLS is a server that shakes hands by crypto/tls and does nothing else:
// what handshakes cost in Go at least.
const roleBareTLS = "bare-tls"

// bareTLS serves the certificates of domains that are in a directory.
func bareTLS(ctx context.Context, l net.Listener, dir, domains string) error {
	n, err := strconv.Atoi(domains)
	if err != nil {
		return err
	}
	certificates := make(map[string]*tls.Certificate, n)
	for i := range n {
		name := domainName(i)
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
		if err != nil {
			return err
		}
		pair.Leaf = nil // nobody asks for it
		certificates[name] = &pair
	}
	config := &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c := certificates[hello.ServerName]; c != nil {
			return c, nil
		}
		return nil, errors.New("no such domain")
	}}
	return serveUntil(ctx, l, func(l net.Listener) error {
		for {
			nc, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				c := tls.Server(nc, config)
				_, _ = io.Copy(io.Discard, c) // shakes hands first; the client tells how it ended
				_ = c.Close()
			}()
		}
	})
}
