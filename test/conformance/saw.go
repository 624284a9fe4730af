package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Saw is what a function or the backend got, which a client can't see.
type Saw struct {
	// Function is the function's name in the setup; it has to write its events
	// into its log, as functions/socket.mjs does. Without one it is the backend.
	Function string `yaml:"function"`
	// Marks are what is in the event or the request that is meant. The first one
	// has to be of this case alone.
	Marks []string `yaml:"marks"`
	// JSON and ExactJSON are about the event.
	JSON      any `yaml:"json"`
	ExactJSON any `yaml:"exactJson"`
	// Received is about the request.
	Received *Received `yaml:"received"`
	// Times is how many such events there must be, no more.
	Times int `yaml:"times"`
	// Never is for how many milliseconds there may be no such event or request.
	Never int `yaml:"never"`
}

// A Logged is a line in a log group.
type Logged struct {
	Group string `yaml:"group"`
	// Marks are what is in the line that is meant. The first one has to be of
	// this case alone.
	Marks []string `yaml:"marks"`
	Line  string   `yaml:"line"`
}

// saw waits for what was got and compares it.
func (r *run) saw(ctx context.Context, want *Saw) error {
	marks, err := r.marks(want.Marks)
	if err != nil {
		return err
	}
	if want.Times > 0 {
		return r.times(ctx, want, marks)
	}
	find := func() (string, error) { return r.world.Backend.Find(marks), nil }
	if want.Function != "" {
		name, err := produce("functions."+want.Function+".name", r.lookup)
		if err != nil {
			return err
		}
		find = func() (string, error) {
			line, err := r.line(ctx, "/aws/lambda/"+name, marks)
			if at := strings.IndexByte(line, '{'); at > 0 {
				line = line[at:] // behind what a runtime puts before it
			}
			return line, err
		}
	}
	if want.Never > 0 {
		select {
		case <-time.After(time.Duration(want.Never) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		got, err := find()
		if err == nil && got != "" {
			err = fmt.Errorf("there is one: %s", clip(got))
		}
		return err
	}
	got, err := r.awaited(ctx, marks, find)
	if err != nil {
		return err
	}
	m := &match{lookup: r.lookup, bound: r.bound}
	return m.check(&Expect{JSON: want.JSON, ExactJSON: want.ExactJSON, Received: want.Received}, &answer{line: "what was seen", body: []byte(got)})
}

// timesQuiet is how long nothing more may come once all that was expected is
// there.
const timesQuiet = 300 * time.Millisecond

// times waits for as many events or requests as there must be.
func (r *run) times(ctx context.Context, want *Saw, marks []string) error {
	count := func() (int, error) { return r.world.Backend.Count(marks), nil }
	if want.Function != "" {
		name, err := produce("functions."+want.Function+".name", r.lookup)
		if err != nil {
			return err
		}
		count = func() (int, error) {
			messages, err := r.events(ctx, "/aws/lambda/"+name, marks[0])
			n := 0
			for _, message := range messages {
				if hasAll(message, marks) {
					n++
				}
			}
			return n, err
		}
	}
	got := 0
	err := r.world.eventually(ctx, func() (bool, error) {
		var err error
		got, err = count()
		return got >= want.Times, err
	})
	if err == nil {
		select {
		case <-time.After(timesQuiet):
			got, err = count()
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil && got != want.Times || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("there are %d with %q, want %d", got, marks, want.Times)
	}
	return err
}

// logged waits for a line of a log group and compares it.
func (r *run) logged(ctx context.Context, want *Logged) error {
	group, err := produce("logGroups."+want.Group+".name", r.lookup)
	if err != nil {
		return err
	}
	marks, err := r.marks(want.Marks)
	if err != nil {
		return err
	}
	line, err := r.awaited(ctx, marks, func() (string, error) { return r.line(ctx, group, marks) })
	if err != nil {
		return err
	}
	m := &match{lookup: r.lookup, bound: r.bound}
	return m.text(want.Line, line)
}

func (r *run) marks(texts []string) ([]string, error) {
	var marks []string
	for _, text := range texts {
		mark, err := expand(text, r.lookup)
		if err != nil {
			return nil, err
		}
		marks = append(marks, mark)
	}
	return marks, nil
}

// awaited waits until something is found.
func (r *run) awaited(ctx context.Context, marks []string, find func() (string, error)) (string, error) {
	var got string
	err := r.world.eventually(ctx, func() (bool, error) {
		var err error
		got, err = find()
		return got != "", err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return "", fmt.Errorf("there is nothing with %q", marks)
	}
	return got, err
}

// line returns the line of a log group that has all marks, or "".
func (r *run) line(ctx context.Context, group string, marks []string) (string, error) {
	messages, err := r.events(ctx, group, marks[0])
	if err != nil {
		return "", err
	}
	for _, message := range messages {
		if hasAll(message, marks) {
			return strings.TrimSuffix(message, "\n"), nil
		}
	}
	return "", nil
}

func hasAll(text string, marks []string) bool {
	for _, mark := range marks {
		if !strings.Contains(text, mark) {
			return false
		}
	}
	return true
}

// Count returns how many requests have all marks.
func (b *Backend) Count(marks []string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, e := range b.echoes {
		if e.has(marks) {
			n++
		}
	}
	return n
}

func (e *Echo) has(marks []string) bool {
	return hasAll(e.Line+"\n"+strings.Join(e.Headers, "\n")+"\n\n"+e.Body, marks)
}

// Find returns the latest request with all marks, as an Echo in JSON, or "".
func (b *Backend) Find(marks []string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.echoes) - 1; i >= 0; i-- {
		e := b.echoes[i]
		if !e.has(marks) {
			continue
		}
		text, err := json.Marshal(e)
		if err == nil {
			return string(text)
		}
	}
	return ""
}

// keptEchoes is how many requests the backend remembers.
const keptEchoes = 2000

// keep remembers a request for Find.
func (b *Backend) keep(e *Echo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.echoes) == keptEchoes {
		b.echoes = append(b.echoes[:0], b.echoes[keptEchoes/2:]...)
	}
	b.echoes = append(b.echoes, e)
}
