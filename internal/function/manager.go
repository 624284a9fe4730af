package function

import (
	"context"
)

// Manager owns the environments of all functions.
type Manager struct {
	options Options
}

// New returns a manager. Close stops it.
func New(o Options) (*Manager, error) {
	return &Manager{options: o}, nil
}

// Isolated reports whether functions run in namespaces of their own, and if not, why.
func (m *Manager) Isolated() (isolated bool, reason string) {
	return false, "not built yet"
}

// Invoke runs one invocation to its end. The error is a *[Error] when the service couldn't run the function, or
// ctx's own: then the function, if it got the event, runs on until it answers or times out, as it does at AWS.
func (m *Manager) Invoke(ctx context.Context, spec *Spec, inv *Invocation) (*Result, error) {
	return nil, refusef(UnsupportedRuntime, "The runtime %s isn't supported.", spec.Runtime)
}

// Retire takes a version out of service: new invocations of it are refused, running ones finish.
func (m *Manager) Retire(specID string) {
}

// Close finishes what is in flight until ctx ends, then kills what is left. No process survives it.
func (m *Manager) Close(ctx context.Context) error {
	return nil
}
