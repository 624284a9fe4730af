package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of the CPU times in /proc: Linux fixes it for programs
// at a hundredth of a second.
const clockTick = 10 * time.Millisecond

// A process is a child whose CPU time is measured.
type process struct {
	cmd  *exec.Cmd
	addr string // where it listens
	done chan struct{}
}

// child starts this program in a role. The child prints its address first.
func child(role string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return spawn(exec.Command(self, append([]string{"-role", role}, args...)...), func(line string) string { return line })
}

// spawn starts a command and waits for the line in which it says where it
// listens.
func spawn(cmd *exec.Cmd, address func(line string) string) (*process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var errs strings.Builder
	if cmd.Stderr == nil {
		cmd.Stderr = &errs
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	found := make(chan string, 1)
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if a := address(lines.Text()); a != "" {
				select {
				case found <- a:
				default:
				}
			}
		}
		_ = cmd.Wait() // the state tells how it ended
	}()
	select {
	case p.addr = <-found:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("%s ended before it listened: %s\n%s", cmd.Path, cmd.ProcessState, errs.String())
	case <-time.After(30 * time.Second):
		p.stop()
		return nil, fmt.Errorf("%s didn't listen within 30 s", cmd.Path)
	}
}

// stop ends the process, gently first.
func (p *process) stop() {
	if p == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return
	}
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		if err := p.cmd.Process.Kill(); err == nil {
			<-p.done
		}
	}
}

// cpu returns the CPU time that a process and its descendants have used.
func (p *process) cpu() (time.Duration, error) {
	pids, err := p.family()
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, pid := range pids {
		spent, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		total += spent
	}
	return total, nil
}

// family is a process and its descendants.
func (p *process) family() ([]int, error) {
	pids := []int{p.cmd.Process.Pid}
	for i := 0; i < len(pids); i++ {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pids[i]))
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pids[i], t.Name()))
			if err != nil {
				continue // the thread has ended
			}
			for f := range strings.FieldsSeq(string(children)) {
				if child, err := strconv.Atoi(f); err == nil {
					pids = append(pids, child)
				}
			}
		}
	}
	return pids, nil
}

// cpuOf returns utime + stime of one process, with those of the children it
// has waited for.
func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold anything; the fields follow the last one.
	_, after, ok := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), ") ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 15 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	var ticks int64
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// memory returns the resident memory of a process in bytes.
func (p *process) memory() (int64, error) {
	return memoryLine(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "VmRSS:")
}

// A residence is what is resident of a process and its descendants, in bytes:
// all of it, and what is no file's, as programs are. What several have in common
// counts once.
type residence struct{ all, own int64 }

func (p *process) residence() (r residence, err error) {
	pids, err := p.family()
	if err != nil {
		return r, err
	}
	for _, pid := range pids {
		file := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
		all, err := memoryLine(file, "Pss:")
		if err != nil {
			return r, err
		}
		own, err := memoryLine(file, "Pss_Anon:")
		if err != nil {
			return r, err
		}
		r.all, r.own = r.all+all, r.own+own
	}
	return r, nil
}

// memoryLine returns the bytes that a line of a file in /proc gives in kB.
func memoryLine(file, name string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}

// announce tells the parent where a child listens.
func announce(addr string) { fmt.Println(addr) }
