package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/control/sts"
	"gatehouse/internal/integrate"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// fakeTrust says what the test says and counts how often it was asked.
type fakeTrust struct {
	ok    bool
	err   error
	asked int
	// subject are the policies of every role, became how often one was assumed.
	subject    *policy.Subject
	became     int
	generation uint64
}

func (f *fakeTrust) GatewayCaller(_ context.Context, roleARN string) (sts.Caller, error) {
	f.became++
	return sts.Caller{
		Caller: policy.Caller{
			Account: accountOf(roleARN), RoleARN: roleARN,
			ARN: "arn:aws:sts::" + accountOf(roleARN) + ":assumed-role/" + roleName(roleARN) + "/s",
		},
		Subject: f.subject,
	}, f.err
}

func (f *fakeTrust) Generation() uint64 { return f.generation }

func (f *fakeTrust) CanAssume(_ context.Context, _, service string) (bool, error) {
	f.asked++
	return f.ok && service == gatewayService, f.err
}

func TestAssumption(t *testing.T) {
	x := &plan.Exchange{Stage: &plan.Stage{API: &plan.API{ID: "abc", AccountID: "123456789012"}}, Route: &plan.Route{Key: "GET /"}, Start: time.Unix(100, 0)}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	trust := &fakeTrust{}
	const role = "arn:aws:iam::123456789012:role/r"

	strict := newAssumption(trust, role, true, logger)
	var refused *integrate.RoleError
	for range 3 {
		if err := strict.check(x); !errors.As(err, &refused) || refused.RoleARN != role {
			t.Fatalf("%v", err)
		}
	}
	if trust.asked != 1 {
		t.Errorf("asked %d times", trust.asked)
	}
	trust.ok = true
	x.Start = x.Start.Add(assumptionKept)
	if err := strict.check(x); err != nil || trust.asked != 2 {
		t.Errorf("%v after %d questions", err, trust.asked)
	}
	trust.err = errors.New("no store")
	x.Start = x.Start.Add(assumptionKept)
	if err := strict.check(x); !errors.Is(err, trust.err) {
		t.Errorf("%v", err)
	}
	if log.Len() != 0 {
		t.Errorf("logged %s", &log)
	}

	*trust = fakeTrust{}
	lenient := newAssumption(trust, role, false, logger)
	for range 3 {
		if err := lenient.check(x); err != nil {
			t.Error(err)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, role) {
		t.Errorf("logged %s", got)
	}
}
