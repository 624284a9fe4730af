package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A settings is what the flags say.
type settings struct {
	gatehouse   string
	sections    []string
	duration    time.Duration
	rounds      int
	connections int
	sockets     []int
	domains     int
	keys        string
	profile     string
}

// sections are what can be measured, in the order it is.
var sections = [...]struct {
	name string
	run  func(*bench, context.Context) error
	// named sections run only when they are asked for.
	named bool
}{
	{name: "proxy", run: (*bench).proxy},
	{name: "match", run: (*bench).match},
	{name: "function", run: (*bench).function},
	{name: "start", run: (*bench).start},
	{name: "memory", run: (*bench).memory},
	{name: "openapi", run: (*bench).openAPI},
	{name: "websocket", run: (*bench).websocket, named: true},
	{name: "auth", run: (*bench).auth, named: true},
	{name: "tls", run: (*bench).tls, named: true},
}

func main() {
	var s settings
	role := flag.String("role", "", "run as a child in this role (for the program's own use)")
	only := flag.String("sections", "", "comma-separated sections to run: proxy, match, function, start, memory, openapi, websocket, auth, tls (default all but the last three)")
	flag.StringVar(&s.gatehouse, "gatehouse", "bin/gatehouse", "the gatehouse binary")
	flag.DurationVar(&s.duration, "duration", 1500*time.Millisecond, "length of one measurement")
	flag.IntVar(&s.rounds, "rounds", 4, "measurements of each subject; the best one counts")
	flag.IntVar(&s.connections, "connections", 32, "connections of the load generator")
	sockets := flag.String("sockets", "1000,10000,19000", "numbers of idle WebSocket connections, ascending")
	flag.IntVar(&s.domains, "domains", 10_000, "custom domain names of the section tls")
	flag.StringVar(&s.keys, "keys", "ecdsa,rsa", "kinds of keys of the section tls")
	flag.StringVar(&s.profile, "profile", "", "write a CPU profile of the data plane under load to this file, and measure nothing else")
	flag.Parse()
	if *only != "" {
		s.sections = strings.Split(*only, ",")
	}
	for text := range strings.SplitSeq(*sockets, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: -sockets:", err)
			os.Exit(2)
		}
		s.sockets = append(s.sockets, n)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *role != "":
		err = runRole(ctx, *role, flag.Args())
	case s.profile != "":
		err = profile(ctx, s)
	default:
		err = run(ctx, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run: its settings and where it prints.
type bench struct {
	settings
	dir string // for the files of peers; removed at the end
	out *tabwriter.Writer
}

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := os.RemoveAll(dir); err == nil {
			err = removeErr
		}
	}()
	b := &bench{settings: s, dir: dir, out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	for _, section := range sections {
		if !slices.Contains(s.sections, section.name) && (len(s.sections) > 0 || section.named) {
			continue
		}
		if err := section.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
		if err := b.out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// title starts a table.
func (b *bench) title(format string, args ...any) {
	fmt.Fprintf(b.out, "\n"+format+"\n", args...) //nolint:errcheck // a tabwriter keeps its error for Flush
}

// row prints the cells of one line.
func (b *bench) row(cells ...any) {
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(b.out, "\t") //nolint:errcheck // a tabwriter keeps its error for Flush
		}
		fmt.Fprint(b.out, c) //nolint:errcheck // a tabwriter keeps its error for Flush
	}
	fmt.Fprintln(b.out) //nolint:errcheck // a tabwriter keeps its error for Flush
}

// micros prints a duration in microseconds.
func micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1e3) }

// millis prints a duration in milliseconds.
func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Nanoseconds())/1e6) }

// ratio prints how many times b goes into a.
func ratio(a, b time.Duration) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ×", float64(a)/float64(b))
}
