package function

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// launch starts the environment's process and connects its channel.
func (m *Manager) launch(e *environment) error {
	spec := e.spec
	managedRuntime := runtimeName.MatchString(spec.Runtime)
	var found *interpreter
	var err error
	version := strings.Replace(spec.Runtime, "provided.", "provided:", 1)
	switch {
	case managedRuntime:
		if found, err = m.interpreters.lookFor(spec.Runtime); err != nil {
			return err
		}
		version = strings.TrimRight(spec.Runtime, "0123456789.x") + ":" + found.versionString()
	case spec.Runtime == "provided.al2" || spec.Runtime == "provided.al2023" || spec.Runtime == "provided":
	default:
		return refusef(UnsupportedRuntime, "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions.", spec.Runtime)
	}
	var credentials Credentials
	if spec.Credentials != nil {
		credentials = spec.Credentials()
		e.expires = credentials.Expires
	}
	endpointURL := ""
	if m.options.EndpointURL != nil {
		endpointURL = m.options.EndpointURL()
	}
	layers, err := m.mergedLayers(spec)
	if err != nil {
		return err
	}
	e.log.initStart(version)

	if !managedRuntime {
		return fmt.Errorf("custom runtimes: %w", syscall.ENOSYS)
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	at := folders{task: spec.CodeDir, runtime: m.runtimeDir(), layers: layers, modules: m.options.ModulesDir}
	env := variables(spec, at, e.log.source, credentials, endpointURL, "")
	cmd := exec.Command(found.path, interpreterArgs(spec, at)...)
	cmd.Dir = at.task
	cmd.Env = env
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = plainProcess()
	e.process, err = start(cmd, nil, e.log.print, &m.wg)
	if err != nil {
		ours.Close()
		return err
	}
	e.meter = newMeter(e.process.cmd.Process.Pid, false)
	e.channel = newManaged(ours, e.log, e.process.output.drain)
	return nil
}

// interpreterArgs are the arguments that run a bootstrap.
func interpreterArgs(spec *Spec, at folders) []string {
	if strings.HasPrefix(spec.Runtime, "python") {
		return []string{"-u", filepath.Join(at.runtime, "python.py")}
	}
	args := []string{filepath.Join(at.runtime, "node.cjs")}
	if spec.MemoryMB > 0 {
		args = append([]string{
			fmt.Sprintf("--max-semi-space-size=%d", max(1, spec.MemoryMB*5/100)),
			fmt.Sprintf("--max-old-space-size=%d", spec.MemoryMB*90/100),
		}, args...)
	}
	return args
}

// socketPair returns a connected pair: ours for the poller, theirs blocking, for the process.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		syscall.Close(fds[0])
		syscall.Close(fds[1])
		return nil, nil, os.NewSyscallError("setnonblock", err)
	}
	return os.NewFile(uintptr(fds[0]), "function"), os.NewFile(uintptr(fds[1]), "function"), nil
}

