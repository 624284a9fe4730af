package function

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

// meter measures the memory of an environment's processes.
type meter struct {
	root       int  // the process that was started
	supervised bool // root only watches over the function's own process, its child
	peak       atomic.Int64

	mu    sync.Mutex
	statm *os.File // of the function's main process
	buf   [128]byte
}

func newMeter(root int, supervised bool) *meter { return &meter{root: root, supervised: supervised} }

// max samples the main process and returns the most that was ever measured, in MB rounded up.
func (m *meter) max() int {
	m.mu.Lock()
	if m.statm == nil {
		m.open()
	}
	if m.statm != nil {
		if n, err := m.statm.ReadAt(m.buf[:], 0); n > 0 || err == nil {
			resident, _ := pages(m.buf[:n])
			m.note(resident)
		}
	}
	m.mu.Unlock()
	return int((m.peak.Load() + 1<<20 - 1) >> 20)
}

func (m *meter) open() {
	pid := m.root
	if m.supervised {
		children := childrenOf(pid)
		if len(children) == 0 {
			return
		}
		pid = children[0]
	}
	// A process that has just ended isn't measured any more.
	if f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/statm"); err == nil {
		m.statm = f
	}
}

func (m *meter) note(bytes int64) {
	for {
		peak := m.peak.Load()
		if bytes <= peak || m.peak.CompareAndSwap(peak, bytes) {
			return
		}
	}
}

// private returns the bytes of memory that all processes of the environment hold for themselves. Pages of files are
// left out: the kernel takes them back when it needs to.
func (m *meter) private() int64 {
	var resident, private int64
	var walk func(pid int)
	walk = func(pid int) {
		if !m.supervised || pid != m.root {
			if b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm"); err == nil {
				r, shared := pages(b)
				resident += r
				private += r - shared
			}
		}
		for _, child := range childrenOf(pid) {
			walk(child)
		}
	}
	walk(m.root)
	m.note(resident)
	return private
}

func (m *meter) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.statm != nil {
		_ = m.statm.Close()
		m.statm = nil
	}
}

// pages reads resident and file-backed bytes out of a statm line.
func pages(statm []byte) (resident, shared int64) {
	fields := bytes.Fields(statm)
	if len(fields) < 3 {
		return 0, 0
	}
	size := int64(os.Getpagesize())
	r, _ := strconv.ParseInt(string(fields[1]), 10, 64) // the kernel writes numbers
	s, _ := strconv.ParseInt(string(fields[2]), 10, 64)
	return r * size, s * size
}

// childrenOf lists the children of all of a process's threads.
func childrenOf(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return nil // it has ended
	}
	var children []int
	for _, task := range tasks {
		b, err := os.ReadFile(dir + "/" + task.Name() + "/children")
		if err != nil {
			continue
		}
		for _, field := range bytes.Fields(b) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}
