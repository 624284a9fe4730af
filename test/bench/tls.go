package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fewDomains is how many domains a small server has; settings say how many the
// large one has.
const fewDomains = 10

// domainName is the i-th custom domain name.
func domainName(i int) string { return fmt.Sprintf("d%d.bench.test", i) }

// tls compares what it costs to serve custom domain names, each with a
// certificate of its own, with nginx and the same certificates.
func (b *bench) tls(ctx context.Context) error {
	back, err := child("backend")
	if err != nil {
		return err
	}
	defer back.stop()
	for kind := range strings.SplitSeq(b.keys, ",") {
		if err := b.tlsOf(ctx, kind, back.addr); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := b.out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// tlsOf compares them with keys of one kind.
func (b *bench) tlsOf(ctx context.Context, kind, backend string) error {
	progress("making %d certificates (%s)", b.domains, kind)
	certificates, err := makeCertificates(kind, b.domains)
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	created, err := b.fill(ctx, data, backend, certificates)
	if err != nil {
		return err
	}
	many, err := b.startPair(data, backend, certificates)
	if err != nil {
		return err
	}
	defer many.stop()
	smallData, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	if _, err := b.fill(ctx, smallData, backend, certificates[:fewDomains]); err != nil {
		return err
	}
	few, err := b.startPair(smallData, backend, certificates[:fewDomains])
	if err != nil {
		return err
	}
	defer few.stop()

	subjects := []*tlsSubject{
		{name: "nginx", process: few.nginx, domains: fewDomains},
		{name: "gatehouse", process: few.gateway, domains: fewDomains},
		{name: "bare crypto/tls", process: few.bare, domains: fewDomains},
		{name: "nginx", process: many.nginx, domains: b.domains},
		{name: "gatehouse", process: many.gateway, domains: b.domains},
		{name: "bare crypto/tls", process: many.bare, domains: b.domains},
	}
	if err := b.handshakes(ctx, kind, subjects); err != nil {
		return err
	}

	b.title("Custom domain names with a certificate each, %s: start to the first handshake, and memory", kind)
	b.row("", "domains", "ready after", "CPU time then", "memory", "its own of it", "own per domain", "after the handshakes", "its own of it", "own per domain")
	for _, s := range []struct {
		name      string
		few, many *started
	}{{"nginx", few.ofNginx, many.ofNginx}, {"gatehouse", few.ofGateway, many.ofGateway}} {
		for _, of := range []*started{s.few, s.many} {
			if of.after, err = of.process.residence(); err != nil {
				return err
			}
		}
		per := func(many, few residence) string {
			return fmt.Sprintf("%d B", (many.own-few.own)/int64(b.domains-fewDomains))
		}
		b.row(s.name, fewDomains, millis(s.few.took), millis(s.few.cpu),
			megabytes(s.few.memory.all), megabytes(s.few.memory.own), "", megabytes(s.few.after.all), megabytes(s.few.after.own))
		b.row(s.name, b.domains, millis(s.many.took), millis(s.many.cpu),
			megabytes(s.many.memory.all), megabytes(s.many.memory.own), per(s.many.memory, s.few.memory),
			megabytes(s.many.after.all), megabytes(s.many.after.own), per(s.many.after, s.few.after))
	}
	b.row("gatehouse: importing, creating and mapping one", b.domains, millis(created/time.Duration(b.domains))+" each", fmt.Sprintf("%.1f s in all", created.Seconds()))

	var https []subject
	for _, s := range subjects {
		if s.process == few.bare || s.process == many.bare {
			continue // it answers nothing
		}
		https = append(https, subject{
			name: fmt.Sprintf("%s over TLS, %d domains", s.name, s.domains), process: s.process, host: domainName(0), routes: 1, note: "access log",
			tls: &tls.Config{ServerName: domainName(0), InsecureSkipVerify: true},
		})
	}
	return b.compare(ctx, https)
}

// A pair is a gateway and an nginx with the same domains, and beside them a server
// that shakes hands and does nothing else.
type pair struct {
	gateway, nginx     *process
	bare               *process
	ofGateway, ofNginx *started
}

// A started is what a start took, and the memory then and after the load.
type started struct {
	process       *process
	took, cpu     time.Duration
	memory, after residence
}

// startPair starts a gateway that has its domains in its data directory, and an
// nginx with the same ones.
func (b *bench) startPair(data, backend string, certificates []certificate) (p pair, err error) {
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	progress("starting both with %d domains", len(certificates))
	last := domainName(len(certificates) - 1)
	begin := time.Now()
	if p.gateway, err = b.startGatewayOn(data, throttled()...); err != nil {
		return p, err
	}
	if p.ofGateway, err = afterStart(p.gateway, last, begin); err != nil {
		return p, err
	}
	config, addr, err := b.nginxDomains(backend, certificates)
	if err != nil {
		return p, err
	}
	begin = time.Now()
	if p.nginx, err = startNginx(config, addr); err != nil {
		return p, err
	}
	if p.ofNginx, err = afterStart(p.nginx, last, begin); err != nil {
		return p, err
	}
	p.bare, err = child(roleBareTLS, filepath.Dir(config), strconv.Itoa(len(certificates)))
	return p, err
}

func (p pair) stop() {
	p.gateway.stop()
	p.nginx.stop()
	p.bare.stop()
}

// afterStart waits for the first handshake and for memory to settle.
func afterStart(p *process, name string, begin time.Time) (*started, error) {
	c, err := tls.Dial("tcp", p.addr, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	s := &started{process: p, took: time.Since(begin)}
	if err := c.Close(); err != nil {
		return nil, err
	}
	if s.cpu, err = p.cpu(); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // what memory settles at is what is asked
	s.memory, err = p.residence()
	return s, err
}

// progress tells whoever waits what is being done.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
