package function

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// process is one started program with everything that it prints.
type process struct {
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed once the process is gone and its status known
	status syscall.WaitStatus
	known  bool     // whether status could be had
	report *os.File // where an isolated process's supervisor writes its status; nil for plain ones

	cannotExec  string // why the supervisor couldn't start the function's program
	cannotBuild string // why it couldn't build the environment
}

// start runs cmd; print takes what it writes to stdout and stderr. wg counts the goroutines that watch it.
func start(cmd *exec.Cmd, report *os.File, print func([]byte), wg *sync.WaitGroup) (*process, error) {
	out, writeEnd, err := newOutput(print)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = writeEnd, writeEnd
	err = cmd.Start()
	_ = writeEnd.Close()
	if err != nil {
		out.close()
		return nil, err
	}
	p := &process{cmd: cmd, output: out, exited: make(chan struct{}), report: report}
	wg.Go(p.output.follow)
	wg.Go(p.wait)
	return p, nil
}

func (p *process) wait() {
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) {
		p.status, p.known = p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	}
	if p.report != nil {
		// The supervisor ends with the function; without a report it was killed.
		status, exec, build := readReport(p.report)
		if status != nil {
			p.status = *status
		}
		p.cannotExec, p.cannotBuild = exec, build
		_ = p.report.Close()
	}
	// Children that outlived it hold the pipe open.
	p.killGroup()
	p.output.drain()
	p.output.close()
	close(p.exited)
}

// kill ends the process and all it started; exited follows.
func (p *process) kill() {
	if p.gone() {
		return // its number may be another's by now
	}
	p.killGroup()
	_ = p.cmd.Process.Kill()
}

// killGroup signals the process group that the process leads.
func (p *process) killGroup() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// reason says how the process ended in the words of AWS's "Runtime exited ..." message.
func (p *process) reason() string {
	switch {
	case !p.known:
		return "without providing a reason"
	case p.status.Signaled():
		return "with error: signal: " + signalName(p.status.Signal())
	case p.status.ExitStatus() != 0:
		return fmt.Sprintf("with error: exit status %d", p.status.ExitStatus())
	default:
		return "without providing a reason"
	}
}

func signalName(s syscall.Signal) string { return s.String() }

// output is the pipe that a process prints to. Whoever holds mu reads: the goroutine that follows it, or an
// invocation that ends and wants all that was printed before.
type output struct {
	file  *os.File
	raw   syscall.RawConn
	print func([]byte)

	mu  sync.Mutex
	buf []byte

	takeNow func(fd uintptr)
}

func newOutput(print func([]byte)) (o *output, writeEnd *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		_ = r.Close()
		_ = w.Close()
		return nil, nil, err
	}
	o = &output{file: r, raw: raw, print: print, buf: make([]byte, 4<<10)}
	o.takeNow = func(fd uintptr) { o.take(fd) }
	return o, w, nil
}

// follow prints until the pipe is closed.
func (o *output) follow() {
	// The error is that of a closed file.
	_ = o.raw.Read(o.take)
}

// drain prints what is there.
func (o *output) drain() { _ = o.raw.Control(o.takeNow) }

// take reads until the pipe is empty (false) or ended (true).
func (o *output) take(fd uintptr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, err := syscall.Read(int(fd), o.buf)
		switch {
		case n > 0:
			o.print(o.buf[:n])
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		default:
			return true
		}
	}
}

func (o *output) close() { _ = o.file.Close() }
