package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// match runs the benchmark of the route tree, which is where its cost without
// the network can be seen.
func (b *bench) match(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkMatch$", "-benchmem", "-benchtime", "300ms", "gatehouse/internal/plan")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	b.title("Route match")
	b.row("", "time", "allocated", "allocations")
	found := false
	for line := range strings.Lines(string(out)) {
		if name, rest, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(name, "Benchmark") {
			_, name, _ = strings.Cut(strings.TrimSpace(name), "/")
			f := strings.Fields(rest)
			if len(f) < 7 {
				continue
			}
			found = true
			name, _, _ = strings.Cut(strings.TrimSpace(name), "-") // the number of cores
			b.row(strings.ReplaceAll(name, "_", " "), f[1]+" "+f[2], f[3]+" "+f[4], f[5])
		}
	}
	if !found {
		return errors.New("the benchmark printed no results")
	}
	return nil
}
