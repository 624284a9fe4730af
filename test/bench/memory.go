package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// fewRoutes and manyRoutes are the sizes whose difference is what routes cost.
const (
	fewRoutes  = 10
	manyRoutes = 10_000
)

// memory measures what one route more takes up, in a gateway that has just
// started, and how long routes take to create.
func (b *bench) memory(ctx context.Context) error {
	const nowhere = "127.0.0.1:1"
	var created time.Duration
	oneByOne := func(routes int) createAPI {
		return func(ctx context.Context, config aws.Config) error {
			begin := time.Now()
			_, err := proxyAPI{backend: nowhere, routes: routes, live: true}.create(ctx, config)
			created = time.Since(begin)
			return err
		}
	}
	imported := func(ctx context.Context, config aws.Config) error {
		_, err := importDeployed(ctx, config, jsonDocument(nowhere, manyRoutes))
		return err
	}

	b.title("Memory of routes, each with a throttle and metrics of its own, a second after the start")
	b.row("", "resident", "heap", "resident per route", "heap per route")
	few, err := b.footprint(ctx, oneByOne(fewRoutes))
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("%d routes", fewRoutes), megabytes(few.resident), megabytes(few.heap))
	for _, s := range []struct {
		name   string
		create createAPI
	}{
		{"of one integration", oneByOne(manyRoutes)},
		{"with an integration each", imported},
	} {
		many, err := b.footprint(ctx, s.create)
		if err != nil {
			return fmt.Errorf("%d routes %s: %w", manyRoutes, s.name, err)
		}
		const more = manyRoutes - fewRoutes
		b.row(fmt.Sprintf("%d routes %s", manyRoutes, s.name), megabytes(many.resident), megabytes(many.heap),
			fmt.Sprintf("%d B", (many.resident-few.resident)/more), fmt.Sprintf("%d B", (many.heap-few.heap)/more))
	}
	b.row(fmt.Sprintf("creating %d, each live at once, 8 calls at a time", manyRoutes), fmt.Sprintf("%.1f s", created.Seconds()), millis(created/manyRoutes)+" each")
	return nil
}

// A createAPI creates an API in a gateway that has a log group for it.
type createAPI func(ctx context.Context, config aws.Config) error

// A footprint is what memory a process has, in bytes: resident, and what its
// heap holds.
type footprint struct{ resident, heap int64 }

// footprint creates an API and starts the gateway anew.
func (b *bench) footprint(ctx context.Context, create createAPI) (f footprint, err error) {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return f, err
	}
	g, err := b.startGatewayOn(data)
	if err != nil {
		return f, err
	}
	config := awsConfig(g.addr)
	if err = createLogGroup(ctx, config); err == nil {
		err = create(ctx, config)
	}
	g.stop()
	if err != nil {
		return f, err
	}
	if g, err = b.startGatewayOn(data); err != nil {
		return f, err
	}
	defer g.stop()
	time.Sleep(time.Second) // what memory settles at is what is asked
	if f.resident, err = g.memory(); err != nil {
		return f, err
	}
	f.heap, err = heap(ctx, g.addr)
	return f, err
}

// heap returns the bytes of a gateway's heap, from its metrics page.
func heap(ctx context.Context, addr string) (int64, error) {
	page, err := get(ctx, addr, "", "/_gatehouse/metrics")
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "go_memstats_heap_alloc_bytes "); ok {
			n, err := strconv.ParseFloat(value, 64)
			return int64(n), err
		}
	}
	return 0, fmt.Errorf("the metrics page of %s has no heap", addr)
}
