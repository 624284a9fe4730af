//go:build !linux

package function

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// sandbox exists on Linux only.
type sandbox struct{}

type sandboxFiles struct{ report *os.File }

func (*sandboxFiles) close()               {}
func (*sandboxFiles) closeTheirs()         {}
func (*sandboxFiles) sendBlueprint() error { return nil }

type blueprint struct {
	Task, Runtime, Layers, Modules string
	Binds                          []string
	TmpMB                          int
	Path                           string
	Args, Env                      []string
}

func newSandbox(o Options, _ string) (*sandbox, string) {
	if o.Isolation == IsolationNone {
		return nil, "asked for"
	}
	return nil, "isolation needs Linux"
}

func (*sandbox) command(*blueprint, *os.File) (*exec.Cmd, *sandboxFiles, error) {
	return nil, nil, errors.ErrUnsupported
}

func readReport(*os.File) (status *syscall.WaitStatus, exec, build string) { return nil, "", "" }

func showFolders(*interpreter, string, ...string) []string { return nil }

func supervise() {}

// plainProcess makes a process that leads its own group.
func plainProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
