package main

import (
	"bytes"
	"log/slog"
	"math"
	"testing"

	"gatehouse/internal/serve"
)

func TestFitConnections(t *testing.T) {
	for _, c := range []struct {
		name           string
		files          uint64
		all, perClient int // as set
		wantAll        int
		wantPerClient  int
		warned         bool
	}{
		{"plenty", math.MaxUint64, serve.MaxConnections, serve.MaxPerClient, serve.MaxConnections, serve.MaxPerClient, false},
		{"of a service", 524288, serve.MaxConnections, serve.MaxPerClient, 393216, serve.MaxPerClient, false},
		{"of a small service", 20000, serve.MaxConnections, serve.MaxPerClient, 15000, 7500, false},
		{"of a shell", 1024, serve.MaxConnections, serve.MaxPerClient, 768, 384, true},
		{"asked for more", 4096, 5000, 100, 3072, 100, true},
		{"asked for less", 4096, 3000, 3000, 3000, 3000, false},
		{"hardly any", 3, serve.MaxConnections, serve.MaxPerClient, 1, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			set := config{MaxConnections: c.all, MaxPerClient: c.perClient}
			all, perClient := set.fitConnections(c.files, slog.New(slog.NewTextHandler(&log, nil)))
			if all != c.wantAll || perClient != c.wantPerClient {
				t.Errorf("%d, %d of a client; want %d, %d", all, perClient, c.wantAll, c.wantPerClient)
			}
			if warned := log.Len() > 0; warned != c.warned {
				t.Errorf("logged %q", &log)
			}
		})
	}
}
