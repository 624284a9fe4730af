package function

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// interpreter is a program of the host that runs a managed runtime's functions.
type interpreter struct {
	path     string // the program itself, symbolic links and version managers' wrappers resolved
	version  [3]int
	prefixes []string // folders that it needs besides the system's
}

// there reports whether the program still exists.
func (i *interpreter) there() bool {
	_, err := os.Stat(i.path)
	return err == nil
}

func (i *interpreter) versionString() string {
	return fmt.Sprintf("%d.%d.%d", i.version[0], i.version[1], i.version[2])
}

// family is a kind of managed runtime.
type family struct {
	name    string // of AWS's identifier: nodejs, python
	title   string
	install string // what to do when the host has none
	// programs lists the names to look for, the best first.
	programs []string
	// folders are patterns of folders where version managers put programs, relative to the home directory unless
	// absolute.
	folders []string
	// probe are arguments with which a program prints its real path, its version and its prefixes, one a line.
	probe []string
}

func nodeFamily() *family {
	return &family{
		name: "nodejs", title: "Node.js",
		install:  "install Node.js (Debian and Ubuntu: apt install nodejs; macOS: brew install node; or nodejs.org)",
		programs: []string{"node", "nodejs"},
		folders: []string{
			"/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", ".nvm/versions/node/*/bin", ".volta/tools/image/node/*/bin",
			".local/share/fnm/node-versions/*/installation/bin", ".asdf/installs/nodejs/*/bin",
			".local/share/mise/installs/node/*/bin",
		},
		probe: []string{"-p", "[process.execPath,process.versions.node,require('path').dirname(require('path').dirname(process.execPath))].join('\\n')"},
	}
}

func pythonFamily() *family {
	return &family{
		name: "python", title: "Python",
		install: "install Python 3 (Debian and Ubuntu: apt install python3; macOS: brew install python; or python.org)",
		programs: []string{
			"python3", "python3.15", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9",
			"python3.8",
		},
		folders: []string{
			"/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", ".pyenv/versions/*/bin", ".asdf/installs/python/*/bin",
			".local/share/mise/installs/python/*/bin", ".local/share/uv/python/*/bin",
		},
		probe: []string{"-I", "-S", "-c", "import sys,os;print(os.path.realpath(sys.executable));print('%d.%d.%d'%sys.version_info[:3]);print(sys.base_prefix);print(sys.base_exec_prefix)"},
	}
}

// runtimeName splits AWS's identifiers of managed runtimes: nodejs20.x, python3.12.
var runtimeName = regexp.MustCompile(`^(nodejs|python)(\d+)\.(x|\d+)$`)

// interpreters finds the host's interpreters, once for each family.
type interpreters struct {
	logger   *slog.Logger
	families []*family
	path     string // where programs are looked for, as in PATH
	home     string

	mu     sync.Mutex
	found  map[string][]*interpreter // by family, the newest first
	exact  map[string]*interpreter   // by runtime
	at     map[string]time.Time
	warned map[string]bool
}

func newInterpreters(logger *slog.Logger) *interpreters {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/nonexistent"
	}
	return &interpreters{
		logger: logger, families: []*family{nodeFamily(), pythonFamily()}, path: os.Getenv("PATH"), home: home,
		found: map[string][]*interpreter{}, exact: map[string]*interpreter{}, at: map[string]time.Time{}, warned: map[string]bool{},
	}
}

// lookFor returns the interpreter for a managed runtime: of the named version, else the newest that is newer, else the
// newest there is, with a warning.
func (in *interpreters) lookFor(runtime string) (*interpreter, error) {
	parts := runtimeName.FindStringSubmatch(runtime)
	if parts == nil {
		return nil, refusef(UnsupportedRuntime, "The runtime %q can't be run here.", runtime)
	}
	var want [2]int
	want[0], _ = strconv.Atoi(parts[2]) // digits
	exact := 1
	if parts[3] != "x" {
		want[1], _ = strconv.Atoi(parts[3])
		exact = 2
	}
	i := slices.IndexFunc(in.families, func(f *family) bool { return f.name == parts[1] })
	f := in.families[i]

	in.mu.Lock()
	defer in.mu.Unlock()
	if one := in.exact[runtime]; one != nil {
		if one.there() {
			return one, nil
		}
		delete(in.exact, runtime)
	}
	// One that was replaced since, by a version manager say, must be looked for again.
	in.found[f.name] = slices.DeleteFunc(in.found[f.name], func(one *interpreter) bool { return !one.there() })
	// A program that has the version in its name saves asking all the others.
	if exact == 2 {
		for _, one := range in.ask(f, in.candidates(f, []string{parts[1] + parts[2] + "." + parts[3]})) {
			if slices.Equal(one.version[:2], want[:]) {
				in.exact[runtime] = one
				return one, nil
			}
		}
	}
	// What wasn't there may have been installed meanwhile.
	if len(in.found[f.name]) == 0 && time.Since(in.at[f.name]) > 2*time.Second {
		in.found[f.name] = in.ask(f, in.candidates(f, f.programs))
		in.at[f.name] = time.Now()
	}
	all := in.found[f.name]
	if len(all) == 0 {
		return nil, refusef(InterpreterMissing, "The runtime %s needs %s on this machine, and there is none: %s.",
			runtime, f.title, f.install)
	}
	for _, one := range all {
		if slices.Equal(one.version[:exact], want[:exact]) {
			return one, nil
		}
	}
	newest := all[0]
	if slices.Compare(newest.version[:2], want[:]) < 0 && !in.warned[runtime] {
		in.warned[runtime] = true
		in.logger.Warn("no interpreter as new as the runtime, using an older one",
			slog.String("runtime", runtime), slog.String("interpreter", newest.path),
			slog.String("version", newest.versionString()))
	}
	return newest, nil
}

// candidates lists the programs of the given names in the folders of a family, the likeliest first.
func (in *interpreters) candidates(f *family, programs []string) []string {
	var paths []string
	seen := map[string]bool{}
	add := func(path string) {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || seen[real] {
			return
		}
		if info, err := os.Stat(real); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return
		}
		seen[real] = true
		paths = append(paths, path)
	}
	folders := filepath.SplitList(in.path)
	for _, pattern := range f.folders {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(in.home, pattern)
		}
		// The patterns are well-formed.
		matches, _ := filepath.Glob(pattern)
		folders = append(folders, matches...)
	}
	for _, folder := range folders {
		if !filepath.IsAbs(folder) {
			continue // a relative folder would mean a program of whoever's folder we happen to be in
		}
		for _, program := range programs {
			add(filepath.Join(folder, program))
		}
	}

	return paths
}

// ask returns those of the candidates that answer, the newest first.
func (in *interpreters) ask(f *family, paths []string) []*interpreter {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answers := make([]*interpreter, len(paths))
	var wg sync.WaitGroup
	free := make(chan struct{}, 4)
	for i, path := range paths {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			answers[i] = ask(ctx, f, path)
		})
	}
	wg.Wait()

	var all []*interpreter
	for _, one := range answers {
		if one != nil && !slices.ContainsFunc(all, func(o *interpreter) bool { return o.path == one.path }) {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b *interpreter) int { return slices.Compare(b.version[:], a.version[:]) })
	return all
}

// programName is what an interpreter's own file is called, as opposed to a version manager's stand-in.
var programName = regexp.MustCompile(`^(node|nodejs|python3(\.\d+)?)$`)

// askVersion asks a program that is surely the interpreter itself for its version, which takes a tenth of the time
// that running code in it takes.
func askVersion(ctx context.Context, path string) *interpreter {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || !programName.MatchString(filepath.Base(real)) || !isELF(real) {
		return nil
	}
	cmd := exec.CommandContext(ctx, real, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	one := &interpreter{path: real, prefixes: []string{filepath.Dir(filepath.Dir(real))}}
	if n, _ := fmt.Sscanf(string(out), "v%d.%d.%d", &one.version[0], &one.version[1], &one.version[2]); n == 3 {
		return one
	}
	if n, _ := fmt.Sscanf(string(out), "Python %d.%d.%d", &one.version[0], &one.version[1], &one.version[2]); n == 3 {
		return one
	}
	return nil
}

func isELF(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var magic [4]byte
	_, err = io.ReadFull(f, magic[:])
	return err == nil && string(magic[:]) == "\x7fELF"
}

// ask runs a candidate; nil when it isn't one.
func ask(ctx context.Context, f *family, path string) *interpreter {
	if one := askVersion(ctx, path); one != nil {
		return one
	}
	cmd := exec.CommandContext(ctx, path, f.probe...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < 3 || !filepath.IsAbs(lines[0]) {
		return nil
	}
	one := &interpreter{path: lines[0], prefixes: lines[2:]}
	for i, part := range strings.SplitN(lines[1], ".", 3) {
		if one.version[i], err = strconv.Atoi(part); err != nil {
			return nil
		}
	}
	return one
}
