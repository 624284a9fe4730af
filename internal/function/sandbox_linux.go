package function

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sandbox starts functions in namespaces of their own. The gateway starts itself again as the first process of the
// new namespaces (see supervise), which builds the file system, starts the function and watches over it.
type sandbox struct {
	executable string
	root       string // an empty folder to build file systems on; each in its own mount namespace
	asRoot     bool   // the gateway is root: functions get a UID of their own instead of a user namespace
	users      atomic.Uint32
}

// blueprint says how an isolated environment is built and what runs in it.
type blueprint struct {
	Root     string
	Task     string
	Runtime  string
	Layers   string
	Modules  string
	Binds    []string // other folders and files to show where they are
	TmpMB    int
	UID      uint32
	UserNS   bool // the function needs a user namespace inside the supervisor's
	Socket   bool // fd socketFD is the function's fd 3
	Path     string
	Args     []string
	Env      []string
	OnlyTest bool // build, then exit
}

const (
	// firstUID is the first of the UIDs that functions run under when the gateway is root, far from those in use.
	firstUID = 0x70000000
	userSpan = 1 << 20
	// insideUID is AWS's UID of functions.
	insideUID = 993

	configFD = 3
	reportFD = 4
	socketFD = 5
)

// newSandbox finds out whether functions can be isolated here, and if not, why.
func newSandbox(o Options, tempDir string) (*sandbox, string) {
	if o.Isolation == IsolationNone {
		return nil, "asked for"
	}
	if o.Executable == "" {
		return nil, "no program to set it up"
	}
	s := &sandbox{executable: o.Executable, root: filepath.Join(tempDir, "root"), asRoot: os.Geteuid() == 0}
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		return nil, err.Error()
	}
	if err := s.test(filepath.Join(tempDir, "runtime")); err != nil {
		o.Logger.Warn("functions are not isolated: the host refuses", slog.Any("error", err))
		return nil, "the host refuses: " + err.Error()
	}
	return s, ""
}

// test builds an environment once.
func (s *sandbox) test(runtimeDir string) error {
	cmd, files, err := s.command(&blueprint{Task: runtimeDir, Runtime: runtimeDir, TmpMB: 1, OnlyTest: true}, nil)
	if err != nil {
		return err
	}
	defer files.close()
	if err := cmd.Start(); err != nil {
		files.close()
		return err
	}
	// A supervisor that hangs is of no use; one that has ended can't be killed.
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	files.closeTheirs()
	sendErr := files.sendBlueprint()
	err = cmd.Wait()
	defer func() { _ = files.report.Close() }()
	if _, _, said := readReport(files.report); said != "" {
		return errors.New(said)
	}
	if err != nil {
		return err
	}
	return sendErr
}

// sandboxFiles are the pipes between the gateway and a supervisor.
type sandboxFiles struct {
	plan   []byte
	config *os.File // written by us
	report *os.File // read by us
	theirs []*os.File
}

func (f *sandboxFiles) closeTheirs() {
	for _, file := range f.theirs {
		_ = file.Close()
	}
	f.theirs = nil
}

func (f *sandboxFiles) close() {
	f.closeTheirs()
	_ = f.config.Close()
	_ = f.report.Close()
}

func (f *sandboxFiles) sendBlueprint() error {
	defer func() { _ = f.config.Close() }()
	_, err := f.config.Write(f.plan)
	return err
}

// command prepares a supervisor; its socket, if any, stays the caller's to close.
func (s *sandbox) command(b *blueprint, socket *os.File) (*exec.Cmd, *sandboxFiles, error) {
	b.Root = s.root
	b.Socket = socket != nil
	flags := uintptr(syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC)
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if s.asRoot {
		b.UID = firstUID + s.users.Add(1)%userSpan
	} else {
		b.UID, b.UserNS = insideUID, true
		flags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	attr.Cloneflags = flags
	plan, err := json.Marshal(b)
	if err != nil {
		return nil, nil, err
	}
	configRead, configWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		_ = configRead.Close()
		_ = configWrite.Close()
		return nil, nil, err
	}
	cmd := &exec.Cmd{
		Path: s.executable,
		Args: []string{reexecName},
		// It hardly does anything: one thread at a time and no collector are enough.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off"},
		ExtraFiles:  []*os.File{configRead, reportWrite},
		SysProcAttr: attr,
	}
	if socket != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, socket)
	}
	return cmd, &sandboxFiles{
		plan: plan, config: configWrite, report: reportRead, theirs: []*os.File{configRead, reportWrite},
	}, nil
}

// showFolders lists what of the host an interpreter needs to see besides the system's folders.
func showFolders(found *interpreter, home string, hidden ...string) []string {
	var binds []string
	for _, prefix := range found.prefixes {
		if prefix == "/" || isBelow(prefix, "/usr", "/bin", "/lib", "/lib64") {
			continue
		}
		// An interpreter that lies in the open (a home folder, or above what functions mustn't see) is shown alone.
		exposed := isBelow(home, prefix)
		for _, dir := range hidden {
			exposed = exposed || dir != "" && isBelow(dir, prefix)
		}
		if exposed {
			prefix = found.path
		}
		binds = append(binds, prefix)
	}
	return binds
}

// isBelow reports whether path is one of the folders or in one.
func isBelow(path string, folders ...string) bool {
	for _, folder := range folders {
		if path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/") {
			return true
		}
	}
	return false
}

// plainProcess makes a process that leads its own group and dies with the gateway.
func plainProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// What a supervisor reports: a status of wait, that the function's program can't be started, or that the environment
// can't be built.
const (
	reportStatus = 'S'
	reportExec   = 'X'
	reportBuild  = 'B'
)

// readReport reads a supervisor's report after its end; without one all results are zero.
func readReport(r *os.File) (status *syscall.WaitStatus, exec, build string) {
	if err := r.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return nil, "", ""
	}
	b := make([]byte, 1<<10)
	n, err := r.Read(b)
	switch {
	case err != nil || n == 0:
		return nil, "", ""
	case b[0] == reportStatus && n >= 5:
		s := syscall.WaitStatus(uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24)
		return &s, "", ""
	case b[0] == reportExec:
		return nil, string(b[1:n]), ""
	default:
		return nil, "", string(b[1:n])
	}
}

// noNewPrivileges keeps the calling thread's children from gaining any.
func noNewPrivileges() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
