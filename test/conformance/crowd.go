package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Crowd is clients that send a request at the same time.
type Crowd struct {
	// Clients is how many there are.
	Clients int `yaml:"clients"`
	// Statuses are how many of them must get which status.
	Statuses map[int]int `yaml:"statuses"`
}

// crowd sends the step's request from many clients at once and counts the
// statuses that come.
func (r *run) crowd(ctx context.Context, s *Step) error {
	base, err := r.base(s)
	if err != nil {
		return err
	}
	text, err := expand(s.Request, r.lookup)
	if err == nil {
		text, err = r.signed(s, text, base.Host)
	}
	if err != nil {
		return err
	}
	config, err := r.config(s, base, text)
	if err != nil {
		return err
	}
	request := requestBytes(text, base.Host)
	answers := make([]*answer, s.Crowd.Clients)
	problems := make([]error, s.Crowd.Clients)
	var sent sync.WaitGroup
	for i := range answers {
		sent.Go(func() { answers[i], problems[i] = send(ctx, base, r.world.Address, config, request) })
	}
	sent.Wait()
	if err := errors.Join(problems...); err != nil {
		return err
	}
	got := map[int]int{}
	for _, a := range answers {
		got[a.status]++
	}
	if fmt.Sprint(got) != fmt.Sprint(s.Crowd.Statuses) {
		return fmt.Errorf("by status there are %v answers, want %v", got, s.Crowd.Statuses)
	}
	return nil
}
