package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

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
	err = r.world.eventually(ctx, func() (bool, error) {
		messages, err := r.events(ctx, group, id)
		for _, message := range messages {
			if strings.Contains(message, id) {
				line = message
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		return fmt.Errorf("no line of request %s in log group %s: %w", id, group, err)
	}
	if err := m.text(want.Line, line); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// executionLogGroup is the log group that a stage's executions are told to.
func executionLogGroup(api, stage string) string {
	return "API-Gateway-Execution-Logs_" + api + "/" + stage
}

// executionLog waits until the execution log of a stage has all lines of the
// last request and compares them.
func (r *run) executionLog(ctx context.Context, m *match, api string, want *ExecutionLog) error {
	id := r.bound["requestId"]
	if id == "" {
		return errors.New("the answer has no request id to find the log's lines by")
	}
	apiID, err := produce(api, r.lookup)
	if err != nil {
		return err
	}
	group := executionLogGroup(apiID, want.Stage)
	prefix := "(" + id + ") "
	var lines []string
	var problem error
	err = r.world.eventually(ctx, func() (bool, error) {
		page, err := r.events(ctx, group, id)
		if err != nil {
			return false, err
		}
		lines = lines[:0]
		for _, message := range page {
			if text, ok := strings.CutPrefix(message, prefix); ok {
				lines = append(lines, text)
			}
		}
		problem = m.logLines(want, lines)
		return problem == nil, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("execution log %s: %w\nthe lines of the request:\n%s", group, problem, clip(strings.Join(lines, "\n")))
	}
	return err
}

// events are the messages of a log group that an id is in; a group that isn't
// there yet has none.
func (r *run) events(ctx context.Context, group, id string) ([]string, error) {
	a, err := r.world.Client.Call(ctx, "logs:FilterLogEvents", Members{"logGroupName": group, "filterPattern": `"` + id + `"`})
	if err != nil {
		return nil, err
	}
	if errorCode(a) == "ResourceNotFoundException" {
		return nil, nil
	}
	var page struct{ Events []struct{ Message string } }
	if err := a.decode(&page); err != nil {
		return nil, fmt.Errorf("logs:FilterLogEvents: %w", err)
	}
	var messages []string
	for _, e := range page.Events {
		messages = append(messages, e.Message)
	}
	return messages, nil
}

// logLines compares the lines of an execution log.
func (m *match) logLines(want *ExecutionLog, got []string) error {
	if want.Exact && len(got) != len(want.Lines) {
		return fmt.Errorf("got %d lines, want %d", len(got), len(want.Lines))
	}
	return m.lines(want.Lines, got)
}
