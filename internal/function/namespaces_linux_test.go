package function

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaceProbe is argv[0] of a process that finds out whether the host allows
// what isolation is made of.
const namespaceProbe = "gatehouse-test-namespaces"

// hostIsolates is why the host can't isolate functions, nil if it can. It shares
// nothing with the code under test, which could otherwise excuse itself.
var hostIsolates = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "gatehouse-namespaces")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(dir) }()
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{namespaceProbe, dir, strconv.Itoa(os.Geteuid())}, SysProcAttr: attr}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// probeNamespaces is the probe's whole life: a file system of its own, with the
// host's devices and its own processes, that it moves into.
func probeNamespaces(args []string) {
	if len(args) < 2 {
		os.Exit(0) // the namespace of users could be had
	}
	dir := args[0]
	uid, err := strconv.Atoi(args[1])
	must := func(what string, err error) {
		if err != nil {
			fmt.Print(what, ": ", err)
			os.Exit(1)
		}
	}
	must("the host's user", err)
	must("private mounts", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must("tmpfs", unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	for _, name := range []string{"/proc", "/usr"} {
		must(name, os.Mkdir(dir+name, 0o755))
	}
	must("device", os.WriteFile(dir+"/null", nil, 0o600))
	must("device", unix.Mount("/dev/null", dir+"/null", "", unix.MS_BIND, ""))
	must("bind", unix.Mount("/usr", dir+"/usr", "", unix.MS_BIND|unix.MS_REC, ""))
	if err := unix.MountSetattr(unix.AT_FDCWD, dir+"/usr", unix.AT_RECURSIVE, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
	}); !errors.Is(err, unix.ENOSYS) {
		must("read only", err)
	}
	if uid > 0 { // Functions run in a further namespace of users.
		must("users", (&exec.Cmd{Path: "/proc/self/exe", Args: []string{namespaceProbe}, SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: firstUID, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: firstUID, Size: 1}},
		}}).Run())
	}
	must("proc", unix.Mount("proc", dir+"/proc", "proc", 0, ""))
	must("chdir", unix.Chdir(dir))
	must("pivot root", unix.PivotRoot(".", "."))
	if os.Getpid() != 1 {
		must("pid", fmt.Errorf("%d in a namespace of its own", os.Getpid()))
	}
	if uid == 0 { // Not every container has the users that functions run as.
		must("another user", errors.Join(syscall.Setgroups(nil), syscall.Setresgid(firstUID, firstUID, firstUID), syscall.Setresuid(firstUID, firstUID, firstUID)))
	}
	os.Exit(0)
}
