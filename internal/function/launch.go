package function

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Where an isolated function finds its things: AWS's paths.
const (
	taskPath    = "/var/task"
	runtimePath = "/var/runtime"
	layersPath  = "/opt"
	modulesPath = "/var/lang/modules"
)

// program is what runs in an environment, with the host's folders that it sees.
type program struct {
	spec        *Spec
	interpreter *interpreter // nil for a custom runtime
	layers      string       // on the host; empty without layers
	path        string
	args        []string
	env         []string
	socket      *os.File // the process's fd 3; nil for a custom runtime
}

// launch starts the environment's process and connects its channel.
func (m *Manager) launch(e *environment) error {
	spec := e.spec
	p := &program{spec: spec}
	var err error
	version := strings.Replace(spec.Runtime, "provided.", "provided:", 1)
	switch {
	case runtimeName.MatchString(spec.Runtime):
		if p.interpreter, err = m.interpreters.lookFor(spec.Runtime); err != nil {
			return err
		}
		version = strings.TrimRight(spec.Runtime, "0123456789.x") + ":" + p.interpreter.versionString()
	case spec.Runtime == "provided.al2" || spec.Runtime == "provided.al2023":
	default:
		return refusef(UnsupportedRuntime, "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions.", spec.Runtime)
	}
	if p.layers, err = m.mergedLayers(spec); err != nil {
		return err
	}
	var credentials Credentials
	if spec.Credentials != nil {
		credentials = spec.Credentials()
		e.expires = credentials.Expires
	}
	var endpoints map[string]string
	if m.options.Endpoints != nil {
		endpoints = m.options.Endpoints()
	}
	at := m.foldersOf(p)
	variablesWith := func(runtimeAPI string) []string {
		return variables(spec, at, e.log.source, credentials, endpoints, runtimeAPI)
	}
	e.log.initStart(version)
	if p.interpreter == nil {
		return m.launchCustom(e, p, at, variablesWith)
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }()
	p.path, p.args, p.env, p.socket = p.interpreter.path, interpreterArgs(spec, at), variablesWith(""), theirs
	p.wrap(at)
	if err := m.startProcess(e, p); err != nil {
		_ = ours.Close()
		return err
	}
	e.channel = newManaged(ours, e.log, e.process.output.drain)
	return nil
}

// launchCustom starts a custom runtime behind a Runtime API of its own.
func (m *Manager) launchCustom(e *environment, p *program, at folders, variablesWith func(string) []string) error {
	exists := func(hostPath string) bool {
		info, err := os.Stat(hostPath)
		return err == nil && !info.IsDir()
	}
	onHost, err := findBootstrap(p.spec.CodeDir, p.layers, exists)
	if err != nil {
		return err
	}
	p.path = filepath.Join(at.task, "bootstrap")
	if filepath.Dir(onHost) != p.spec.CodeDir {
		p.path = filepath.Join(at.layers, "bootstrap")
	}
	api, err := newRuntimeAPI(m.options.Logger)
	if err != nil {
		return err
	}
	p.env = variablesWith(api.address())
	if err := m.startProcess(e, p); err != nil {
		api.close()
		return err
	}
	api.attach(e.process, e.meter)
	api.serve(&m.wg)
	e.channel = api
	return nil
}

// foldersOf returns the paths that a program sees.
func (m *Manager) foldersOf(p *program) folders {
	at := folders{task: p.spec.CodeDir, runtime: m.runtimeDir(), layers: p.layers, modules: m.options.ModulesDir}
	if p.interpreter != nil {
		at.interpreter = filepath.Dir(p.interpreter.path)
	}
	if m.sandbox != nil {
		at.isolated = true
		at.task, at.runtime = taskPath, runtimePath
	}
	if m.options.Authority != "" {
		at.authority = filepath.Join(at.runtime, authorityFile)
	}
	if m.hasBundle {
		at.bundle = filepath.Join(at.runtime, bundleFile)
	}
	if !at.isolated {
		return at
	}
	if at.layers != "" {
		at.layers = layersPath
	}
	if at.modules != "" {
		at.modules = modulesPath
	}
	return at
}

// startProcess starts a program, isolated where that is possible.
func (m *Manager) startProcess(e *environment, p *program) error {
	var err error
	if m.sandbox == nil {
		cmd := exec.Command(p.path, p.args...)
		cmd.Dir, cmd.Env, cmd.SysProcAttr = p.spec.CodeDir, p.env, plainProcess()
		if p.socket != nil {
			cmd.ExtraFiles = []*os.File{p.socket}
		}
		e.process, err = start(cmd, nil, e.log.print, &m.wg)
	} else {
		e.process, err = m.startIsolated(e, p)
	}
	if p.interpreter == nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)) {
		var errno syscall.Errno
		errors.As(err, &errno)
		return &entrypointError{message: "fork/exec " + taskPath + "/bootstrap: " + errno.Error()}
	}
	if err != nil {
		return err
	}
	e.meter = newMeter(e.process.cmd.Process.Pid, m.sandbox != nil)
	return nil
}

func (m *Manager) startIsolated(e *environment, p *program) (*process, error) {
	b := &blueprint{
		Task: p.spec.CodeDir, Runtime: m.runtimeDir(), Layers: p.layers, Modules: m.options.ModulesDir,
		TmpMB: p.spec.EphemeralStorageMB, Path: p.path, Args: p.args, Env: p.env,
	}
	if p.interpreter != nil {
		b.Binds = showFolders(p.interpreter, m.interpreters.home, m.tempDir, p.spec.CodeDir)
	}
	cmd, files, err := m.sandbox.command(b, p.socket)
	if err != nil {
		return nil, err
	}
	process, err := start(cmd, files.report, e.log.print, &m.wg)
	if err != nil {
		files.close()
		return nil, err
	}
	files.closeTheirs()
	// A supervisor that is gone says why itself.
	_ = files.sendBlueprint()
	return process, nil
}

// wrap puts the program that AWS_LAMBDA_EXEC_WRAPPER names, usually of a layer, before the interpreter.
func (p *program) wrap(at folders) {
	wrapper := p.spec.Environment["AWS_LAMBDA_EXEC_WRAPPER"]
	if wrapper == "" {
		return
	}
	if rest, ok := strings.CutPrefix(wrapper, layersPath+"/"); ok {
		wrapper = filepath.Join(at.layers, rest)
	} else if rest, ok := strings.CutPrefix(wrapper, taskPath+"/"); ok {
		wrapper = filepath.Join(at.task, rest)
	}
	p.args = append([]string{p.path}, p.args...)
	p.path = wrapper
}

// interpreterArgs are the arguments that run a bootstrap.
func interpreterArgs(spec *Spec, at folders) []string {
	if strings.HasPrefix(spec.Runtime, "python") {
		return []string{filepath.Join(at.runtime, "python.py")}
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
		_ = syscall.Close(fds[0])
		_ = syscall.Close(fds[1])
		return nil, nil, os.NewSyscallError("setnonblock", err)
	}
	return os.NewFile(uintptr(fds[0]), "function"), os.NewFile(uintptr(fds[1]), "function"), nil
}
