//go:build !linux

package function

import "syscall"

// sandbox exists on Linux only.
type sandbox struct{}

func newSandbox(o Options, _ string) (*sandbox, string) {
	if o.Isolation == IsolationNone {
		return nil, "asked for"
	}
	return nil, "isolation needs Linux"
}

// plainProcess makes a process that leads its own group.
func plainProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
