package function

import "syscall"

type sandbox struct{}

func newSandbox(o Options, tempDir string) (*sandbox, string) { return nil, "not built yet" }

// plainProcess makes a process that leads its own group and dies with the gateway.
func plainProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
