package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// A run is one case on its way.
type run struct {
	world *World
	scene *scene
	// bound are the values that the case has met.
	bound map[string]string
}

// Run runs a case of a file whose setup the scene is. The error tells all
// differences between what came and what AWS would have answered.
func (c *Case) Run(ctx context.Context, s *scene) error {
	if c.Private {
		s = newScene(s.world, s.title, s.setup, s.outer)
	}
	r := &run{world: s.world, scene: newScene(s.world, s.title, c.Setup, s), bound: map[string]string{}}
	for i, step := range c.Steps {
		if err := r.step(ctx, step); err != nil {
			if len(c.Steps) > 1 {
				return fmt.Errorf("step %d, %s: %w", i+1, step.title(), err)
			}
			return fmt.Errorf("%s: %w", step.title(), err)
		}
	}
	return nil
}

// title is the first line of what a step does.
func (s *Step) title() string {
	if s.Call != "" {
		return s.Call
	}
	line, _, _ := strings.Cut(s.Request, "\n")
	return clip(line)
}

func (r *run) lookup(name string) (string, bool, error) {
	if v, ok := r.bound[name]; ok {
		return v, true, nil
	}
	return r.scene.lookup(name)
}

func (r *run) step(ctx context.Context, s *Step) error {
	got, err := r.ask(ctx, s)
	if err != nil {
		return err
	}
	if s.Call != "" && (s.Expect == nil || s.Expect.Status == 0 && s.Expect.Error == "") && got.status >= 300 {
		return fmt.Errorf("the call failed: %s", got)
	}
	if s.Expect == nil {
		return nil
	}
	if id := got.first("apigw-requestid"); id != "" {
		r.bound["requestId"] = id
	}
	m := &match{lookup: r.lookup, bound: r.bound}
	if err := m.check(s.Expect, got); err != nil {
		return err
	}
	if s.Expect.Log != nil {
		return r.log(ctx, m, s.Expect.Log)
	}
	return nil
}

// ask sends the request or calls the operation.
func (r *run) ask(ctx context.Context, s *Step) (*answer, error) {
	if s.Call != "" {
		with, err := expandMembers(s.With, r.lookup)
		if err != nil {
			return nil, err
		}
		if _, given := with["apiId"]; !given && r.world.Client.Takes(s.Call, "apiId") {
			if with["apiId"], err = produce(s.API, r.lookup); err != nil {
				return nil, err
			}
		}
		got, err := r.world.Client.Call(ctx, s.Call, with)
		if err == nil && (s.Call == "CreateApi" || s.Call == "ImportApi") {
			r.adopt(got)
		}
		return got, err
	}
	text, err := expand(s.Request, r.lookup)
	if err != nil {
		return nil, err
	}
	endpoint, err := produce(s.API+".endpoint", r.lookup)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if s.HTTP2 {
		return sendHTTP2(ctx, base, r.world.Address, text)
	}
	return send(ctx, base, r.world.Address, requestBytes(text, base.Host))
}

// adopt sees to it that an API that a case made is removed at the end.
func (r *run) adopt(got *answer) {
	var api struct{ APIID string }
	if json.Unmarshal(got.body, &api) == nil && api.APIID != "" {
		r.world.later("DeleteApi", Members{"apiId": api.APIID})
	}
}

// log waits for the access log's line of the last request, which has the
// request id in it, and compares it.
func (r *run) log(ctx context.Context, m *match, want *Log) error {
	id := r.bound["requestId"]
	if id == "" {
		return errors.New("the answer has no request id to find the log's line by")
	}
	group, err := produce("logGroups."+want.Group+".name", r.lookup)
	if err != nil {
		return err
	}
	var line string
	err = eventually(ctx, func() (bool, error) {
		var page struct{ Events []struct{ Message string } }
		if err := r.world.make(ctx, "logs:FilterLogEvents", Members{"logGroupName": group, "filterPattern": `"` + id + `"`}, &page); err != nil {
			return false, err
		}
		for _, e := range page.Events {
			if strings.Contains(e.Message, id) {
				line = e.Message
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("no line of request %s in log group %s: %w", id, group, err)
	}
	if err := m.text(want.Line, line); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}
