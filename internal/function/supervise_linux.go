package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// supervise is the whole life of an isolated environment's first process: it builds the file system, starts the
// function, buries what it leaves behind and ends with it, which ends everything in the namespace.
// It leaves by syscall.Exit: under the race detector os.Exit would wait a second.
func supervise() {
	runtime.LockOSThread()
	report := os.NewFile(reportFD, "report")
	syscall.CloseOnExec(reportFD)
	fail := func(kind byte, err error) {
		_, _ = fmt.Fprintf(report, "%c%s", kind, err)
		syscall.Exit(1)
	}
	var b blueprint
	config := os.NewFile(configFD, "config")
	text, err := io.ReadAll(config)
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	_ = config.Close()
	if err != nil {
		fail(reportBuild, fmt.Errorf("blueprint: %w", err))
	}
	if err := b.build(); err != nil {
		fail(reportBuild, err)
	}
	if b.OnlyTest {
		if err := b.become(); err != nil {
			fail(reportBuild, err)
		}
		syscall.Exit(0)
	}
	child, err := b.start()
	if err != nil {
		fail(reportExec, err)
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fail(reportBuild, err)
		case pid == child:
			s := uint32(status)
			// Nobody is left to tell when this fails.
			_, _ = report.Write([]byte{reportStatus, byte(s), byte(s >> 8), byte(s >> 16), byte(s >> 24)})
			syscall.Exit(0)
		}
	}
}

// start runs the function as its own user.
func (b *blueprint) start() (pid int, err error) {
	null, err := os.Open("/dev/null")
	if err != nil {
		return 0, err
	}
	defer func() { _ = null.Close() }()
	if err := noNewPrivileges(); err != nil {
		return 0, fmt.Errorf("no new privileges: %w", err)
	}
	attr := &syscall.ProcAttr{
		Dir: "/var/task", Env: b.Env, Files: []uintptr{null.Fd(), 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true},
	}
	if b.Socket {
		attr.Files = append(attr.Files, socketFD)
	}
	if b.UserNS {
		attr.Sys.Cloneflags = syscall.CLONE_NEWUSER
		attr.Sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: int(b.UID), HostID: 0, Size: 1}}
		attr.Sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: int(b.UID), HostID: 0, Size: 1}}
	} else {
		attr.Sys.Credential = &syscall.Credential{Uid: b.UID, Gid: b.UID}
	}
	pid, err = syscall.ForkExec(b.Path, append([]string{b.Path}, b.Args...), attr)
	if err != nil {
		return 0, fmt.Errorf("fork/exec %s: %w", b.Path, err)
	}
	// The function's ends are its own: when it closes them, they are closed.
	_ = syscall.Close(1)
	_ = syscall.Close(2)
	if b.Socket {
		_ = syscall.Close(socketFD)
	}
	return pid, nil
}

// become tries whether functions can have a user of their own: not every container has those that they run as.
func (b *blueprint) become() error {
	if b.UserNS {
		return nil // in which any can be had
	}
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(int(b.UID)), syscall.Setuid(int(b.UID))); err != nil {
		return fmt.Errorf("user %d: %w", b.UID, err)
	}
	return nil
}

// build makes the file system that the function sees and moves into it.
func (b *blueprint) build() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", b.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=1m"); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	for _, step := range [...]func() error{
		b.system, b.settings, b.devices, b.own, b.temporary, b.processes, b.enter,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// system shows the host's programs and libraries.
func (b *blueprint) system() error {
	for _, dir := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/gnu"} {
		info, err := os.Lstat(dir)
		if err != nil {
			continue // not every system has each
		}
		if info.Mode()&os.ModeSymlink != 0 {
			to, err := os.Readlink(dir)
			if err == nil {
				err = os.Symlink(to, b.Root+dir)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := b.show(dir, dir); err != nil {
			return err
		}
	}
	for _, path := range b.Binds {
		if err := b.show(path, path); err != nil {
			return err
		}
	}
	return nil
}

func (b *blueprint) devices() error {
	if err := os.Mkdir(b.Root+"/dev", 0o755); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		to := b.Root + "/dev/" + name
		if err := os.WriteFile(to, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, to, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount /dev/%s: %w", name, err)
		}
	}
	for name, to := range map[string]string{"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"} {
		if err := os.Symlink("/proc/self/fd"+to, b.Root+"/dev/"+name); err != nil {
			return err
		}
	}
	return nil
}

// own shows the function's things at AWS's paths.
func (b *blueprint) own() error {
	things := [][2]string{{b.Task, "/var/task"}, {b.Runtime, "/var/runtime"}}
	layers, err := b.layers()
	if err != nil {
		return err
	}
	things = append(things, layers...)
	if b.Modules != "" {
		things = append(things, [2]string{b.Modules, modulesPath})
		// Where ES modules look, which know nothing of NODE_PATH.
		nodeModules := b.Modules
		if info, err := os.Stat(b.Modules + "/node_modules"); err == nil && info.IsDir() {
			nodeModules += "/node_modules"
		}
		things = append(things, [2]string{nodeModules, "/node_modules"})
	}
	for _, thing := range things {
		if err := b.show(thing[0], thing[1]); err != nil {
			return err
		}
	}
	return nil
}

// layers are shown at /opt: whole, unless the interpreter lies there, too, as it
// does on many CI machines. Then they stand beside it, piece by piece.
func (b *blueprint) layers() ([][2]string, error) {
	shared := slices.ContainsFunc(b.Binds, func(path string) bool { return isBelow(path, "/opt") })
	if b.Layers != "" && !shared {
		return [][2]string{{b.Layers, "/opt"}}, nil
	}
	if err := os.MkdirAll(b.Root+"/opt", 0o755); err != nil || b.Layers == "" {
		return nil, err
	}
	pieces, err := os.ReadDir(b.Layers)
	if err != nil {
		return nil, err
	}
	var things [][2]string
	for _, piece := range pieces {
		at := "/opt/" + piece.Name()
		if _, err := os.Lstat(b.Root + at); err == nil {
			return nil, fmt.Errorf("a layer and the host's interpreter both have %s", at)
		}
		things = append(things, [2]string{b.Layers + "/" + piece.Name(), at})
	}
	return things, nil
}

func (b *blueprint) temporary() error {
	if err := os.Mkdir(b.Root+"/tmp", 0o777); err != nil {
		return err
	}
	size := max(b.TmpMB, 1)
	err := unix.Mount("tmpfs", b.Root+"/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=1777,size=%dm", size))
	if err != nil {
		return fmt.Errorf("mount /tmp: %w", err)
	}
	return nil
}

func (b *blueprint) processes() error {
	if err := os.Mkdir(b.Root+"/proc", 0o555); err != nil {
		return err
	}
	if err := unix.Mount("proc", b.Root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// enter makes the new file system the only one.
func (b *blueprint) enter() error {
	if err := unix.Chdir(b.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's files: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return readOnly("/", false)
}

// show makes a folder or file of the host visible, to be read only.
func (b *blueprint) show(from, at string) error {
	to := b.Root + at
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		err = os.WriteFile(to, nil, 0o644)
	}
	// What lies in a folder that is shown already is there.
	if err != nil && !errors.Is(err, syscall.EROFS) {
		return err
	}
	if err != nil {
		if _, err := os.Stat(to); err == nil {
			return nil
		}
		return err
	}
	return b.bind(from, to)
}

func (b *blueprint) bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", from, err)
	}
	return readOnly(to, true)
}

// readOnly forbids writing to a mount, set-user-ID programs and devices in it.
func readOnly(path string, recursive bool) error {
	flags := uint(0)
	if recursive {
		flags = unix.AT_RECURSIVE
	}
	err := unix.MountSetattr(unix.AT_FDCWD, path, flags, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
	})
	if errors.Is(err, unix.ENOSYS) {
		// Before Linux 5.12; mounts within this one stay as they are.
		var fs unix.Statfs_t
		if err := unix.Statfs(path, &fs); err != nil {
			return err
		}
		const kept = unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME
		err = unix.Mount("", path, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|uintptr(fs.Flags)&kept, "")
	}
	if err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	return nil
}
