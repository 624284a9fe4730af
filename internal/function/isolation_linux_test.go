package function

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// isolated returns a manager that isolates, or skips the test where the host refuses.
func isolated(t *testing.T, o Options) *Manager {
	t.Helper()
	m := newManager(t, o)
	needIsolation(t, m)
	return m
}

func TestIsolation(t *testing.T) {
	m := isolated(t, Options{})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the gateway"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := nodeSpec(t, "index.js", `
const fs = require('fs'), os = require('os'), cp = require('child_process');
const attempt = (f) => { try { return f() } catch (e) { return e.code ?? String(e) } };
exports.handler = async (e) => ({
	secret: attempt(() => fs.readFileSync(e.secret, 'utf8')),
	gateway: attempt(() => process.kill(e.gateway, 0)),
	processes: fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).length,
	init: attempt(() => fs.readFileSync('/proc/1/environ', 'utf8').length),
	uid: process.getuid(),
	user: os.userInfo().username,
	groups: process.getgroups().filter((g) => g !== process.getgid()).length,
	capabilities: fs.readFileSync('/proc/self/status', 'utf8').match(/CapEff:\s*0*([0-9a-f]*)\n/)[1],
	privileges: fs.readFileSync('/proc/self/status', 'utf8').match(/NoNewPrivs:\s*(\d)/)[1],
	task: attempt(() => fs.writeFileSync('/var/task/x', '')),
	usr: attempt(() => fs.writeFileSync('/usr/x', '')),
	root: attempt(() => fs.writeFileSync('/x', '')),
	tmp: attempt(() => fs.writeFileSync('/tmp/x', 'mine')),
	tmpFiles: fs.readdirSync('/tmp'),
	full: attempt(() => fs.writeFileSync('/tmp/full', Buffer.alloc(3 << 20))),
	mount: attempt(() => cp.execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' }) && 'done') !== 'done' || 'possible',
	folders: fs.readdirSync('/').filter((n) => !['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'nix', 'gnu'].includes(n)),
	cwd: process.cwd(),
	settings: ['shadow', 'fstab', 'ssh', 'machine-id', 'default', 'ssl/private'].filter((n) => fs.existsSync('/etc/' + n)),
	users: fs.readFileSync('/etc/passwd', 'utf8').trim().split('\n').length + fs.readFileSync('/etc/group', 'utf8').trim().split('\n').length,
	names: attempt(() => fs.readFileSync('/etc/hosts', 'utf8').includes('localhost')),
	etc: attempt(() => fs.writeFileSync('/etc/passwd', '')),
	null: fs.readFileSync('/dev/null', 'utf8'),
})`)
	s.EphemeralStorageMB = 2
	event := fmt.Sprintf(`{"secret":%q,"gateway":%d}`, secret, os.Getpid())
	r := invoke(t, m, s, event)
	var got map[string]any
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("%v: %s", err, r.Payload)
	}
	for name, want := range map[string]any{
		"secret": "ENOENT", "gateway": "ESRCH", "init": "EACCES", "user": "sbx_user1051", "groups": 0.0,
		"capabilities": "", "privileges": "1", "task": "EROFS", "usr": "EROFS", "root": "EROFS", "full": "ENOSPC",
		"mount": true, "cwd": "/var/task", "null": "", "tmpFiles": "[x]", "processes": "2",
		"settings": "[]", "users": "4", "names": true, "etc": "EROFS",
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	if uid := got["uid"].(float64); uid == 0 || os.Getuid() == 0 && uid < firstUID {
		t.Errorf("uid: got %v", uid)
	}
	for _, folder := range got["folders"].([]any) {
		switch folder {
		case "dev", "opt", "proc", "tmp", "var":
		default:
			t.Logf("also visible: /%v", folder) // an interpreter outside the system's folders
			if names, err := os.ReadDir("/" + folder.(string)); err == nil && len(names) > 40 {
				t.Errorf("/%v is the host's", folder)
			}
		}
	}
}

// What a function leaves running ends with its environment.
func TestNothingIsLeftBehind(t *testing.T) { inBothModes(t, testNothingIsLeftBehind) }

func testNothingIsLeftBehind(t *testing.T, m *Manager) {
	marker := "gatehouse-left-" + strconv.Itoa(os.Getpid())
	s := nodeSpec(t, "index.js", `
const cp = require('child_process');
exports.handler = async (e) => {
	cp.spawn('sh', ['-c', 'sleep 300; : `+marker+`'], { stdio: 'ignore' }).unref();
	if (e.exit) process.exit(1);
	return 1;
}`)
	answers(t, invoke(t, m, s, `{}`), `1`)
	if running(marker) == 0 {
		t.Fatal("the child isn't there: the test proves nothing")
	}
	invoke(t, m, s, `{"exit":true}`)
	waitFor(t, "children to end", func() bool { return running(marker) == 0 })
}

// running counts the host's processes with a text in their arguments.
func running(marker string) int {
	n := 0
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && strings.Contains(string(b), marker) {
			n++
		}
	}
	return n
}

// Even a gateway that is killed leaves no process of a function.
func TestDiesWithTheGateway(t *testing.T) {
	for _, isolation := range []Isolation{IsolationNone, IsolationAuto} {
		t.Run(string(isolation), func(t *testing.T) {
			marker := "gatehouse-orphan-" + strconv.Itoa(os.Getpid())
			s := nodeSpec(t, "index.js", `exports.handler = async () => { process.title = '`+marker+`'; return 'up' }`)
			cmd := &exec.Cmd{
				Path: "/proc/self/exe", Args: []string{gatewayForTest, string(isolation), s.CodeDir, t.TempDir()}, Env: os.Environ(),
				SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if line != "\"up\"\n" {
				t.Errorf("got %q, %v", line, err)
			}
			if running(marker) != 1 {
				t.Error("the function's process isn't there: the test proves nothing")
			}
			cmd.Process.Kill()
			// It was killed: its status says only that.
			_ = cmd.Wait()
			waitFor(t, "the function to end", func() bool { return running(marker) == 0 })
		})
	}
}

// In a container whose root is no other user there are none for functions to run as: they run without isolation.
func TestRootWithoutOtherUsers(t *testing.T) {
	s := nodeSpec(t, "index.js", `exports.handler = async () => 'up'`)
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{gatewayForTest, string(IsolationAuto), s.CodeDir, t.TempDir()}, Env: os.Environ(),
		SysProcAttr: &syscall.SysProcAttr{
			Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		},
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("a namespace of users can't be had here: %v", err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "\"up\"\n" {
		t.Errorf("got %q, %v", line, err)
	}
	cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
}

func TestIsolationCannotBeHad(t *testing.T) {
	m, err := New(Options{Executable: "/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if ok, reason := m.Isolated(); ok || reason == "" {
		t.Errorf("got %v %q", ok, reason)
	}
}

// A folder that can't be shown is the host's fault, not the function's.
func TestUnbuildableEnvironment(t *testing.T) {
	m := isolated(t, Options{})
	s := nodeSpec(t, "index.js", `exports.handler = async () => 1`)
	s.CodeDir += "/nonexistent"
	_, err := m.Invoke(t.Context(), s, &Invocation{})
	var refused *Error
	if !errors.As(err, &refused) || refused.Kind != StartFailed {
		t.Errorf("got %v", err)
	}
}

// Starting and stopping environments leaves no descriptor open.
func TestDescriptorsAreClosed(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(names)
	}
	round := func() {
		m, err := New(Options{Executable: "/proc/self/exe"})
		if err != nil {
			t.Fatal(err)
		}
		s := nodeSpec(t, "index.js", `exports.handler = async (e) => { if (e.exit) process.exit(1); return 1 }`)
		invoke(t, m, s, `{}`)
		invoke(t, m, s, `{"exit":1}`)
		invoke(t, m, customSpec(t), `{}`)
		m.Close(t.Context())
	}
	round()
	before := count()
	for range 3 {
		round()
	}
	if after := count(); after > before {
		t.Errorf("descriptors: %d before, %d after", before, after)
	}
}
