package codestore

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits bound what an archive may hold.
type Limits struct {
	// ArchiveBytes is the greatest size of an archive itself.
	ArchiveBytes int64
	// UnzippedBytes is the greatest sum of its files' sizes.
	UnzippedBytes int64
	// Entries is the greatest number of its files, directories and links.
	Entries int
}

// AWSLimits are Lambda's: 250 MB unzipped, in binary megabytes. Zips have no limit of
// their own but where they come in a call, so it is the same. The number of entries
// is our own guard.
func AWSLimits() Limits {
	return Limits{ArchiveBytes: 250 << 20, UnzippedBytes: 250 << 20, Entries: 200_000}
}

// maxNameBytes is what Linux allows of a path, and maxLinkBytes of a link.
const (
	maxNameBytes = 4095
	maxPartBytes = 255
	maxLinkBytes = 4095
)

// An entry is one checked entry of an archive.
type entry struct {
	file *zip.File
	name string // clean, relative, slash-separated
	mode fs.FileMode
	link string // the target of a symbolic link
}

// An archive is a zip file whose directory was checked. Its data was not: it is
// while it is unpacked or verified, against the same limits.
type archive struct {
	entries []entry
	limits  Limits
}

func readArchive(r io.ReaderAt, size int64, limits Limits) (*archive, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, refuse(NotAZip, "", err)
	}
	if len(zr.File) > limits.Entries {
		return nil, refuse(TooManyEntries, "", nil)
	}
	a := &archive{limits: limits}
	kinds := map[string]fs.FileMode{}
	var declared int64
	for _, f := range zr.File {
		e, err := checkEntry(f)
		if err != nil {
			return nil, err
		}
		if e.name == "." {
			continue // the root itself
		}
		if f.UncompressedSize64 > uint64(limits.UnzippedBytes) {
			return nil, refuse(TooLargeUnzipped, f.Name, nil)
		}
		if declared += int64(f.UncompressedSize64); declared > limits.UnzippedBytes {
			return nil, refuse(TooLargeUnzipped, f.Name, nil)
		}
		if err := claim(kinds, e, limits.Entries); err != nil {
			return nil, err
		}
		if e.mode&fs.ModeSymlink != 0 {
			if e.link, err = readLink(f, e.name); err != nil {
				return nil, err
			}
		}
		a.entries = append(a.entries, e)
	}
	if err := a.checkLinks(kinds); err != nil {
		return nil, err
	}
	for _, e := range a.entries {
		if !e.mode.IsDir() {
			return a, nil
		}
	}
	return nil, refuse(Empty, "", nil)
}

func checkEntry(f *zip.File) (entry, error) {
	e := entry{file: f, mode: f.Mode()}
	name := f.Name
	if strings.ContainsAny(name, "\x00\\") {
		// A backslash is a separator to the tools that wrote it and part of a name
		// to the runtime that reads it.
		return e, refuse(UnsafeName, f.Name, nil)
	}
	if name == "" || len(name) > maxNameBytes || strings.HasPrefix(name, "/") {
		return e, refuse(UnsafeName, f.Name, nil)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || len(part) > maxPartBytes {
			return e, refuse(UnsafeName, f.Name, nil)
		}
	}
	e.name = path.Clean(name)
	switch {
	case strings.HasSuffix(name, "/"):
		e.mode = fs.ModeDir | 0o755
	case e.mode.IsDir(), e.mode.IsRegular(), e.mode.Type() == fs.ModeSymlink:
	default:
		return e, refuse(UnsupportedEntry, f.Name, nil)
	}
	if e.name == "." && !e.mode.IsDir() {
		return e, refuse(UnsafeName, f.Name, nil)
	}
	if f.Flags&1 != 0 {
		return e, refuse(BadContent, f.Name, errors.New("encrypted"))
	}
	return e, nil
}

// claim notes an entry's name and those of the directories around it. A
// directory may be named any number of times, anything else once. Directories
// count against the limit too: a deep path makes many of them.
func claim(kinds map[string]fs.FileMode, e entry, limit int) error {
	for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
		kind, taken := kinds[dir]
		if taken && kind != fs.ModeDir {
			return refuse(DuplicateName, e.file.Name, nil)
		}
		if taken {
			break
		}
		kinds[dir] = fs.ModeDir
	}
	kind := e.mode.Type()
	if had, taken := kinds[e.name]; taken && (had != fs.ModeDir || kind != fs.ModeDir) {
		return refuse(DuplicateName, e.file.Name, nil)
	}
	kinds[e.name] = kind
	if len(kinds) > limit {
		return refuse(TooManyEntries, e.file.Name, nil)
	}
	return nil
}

func readLink(f *zip.File, name string) (string, error) {
	if f.UncompressedSize64 > maxLinkBytes {
		return "", refuse(UnsafeLink, f.Name, nil)
	}
	var b strings.Builder
	if _, err := copyEntry(&b, f, maxLinkBytes); err != nil {
		return "", err
	}
	link := b.String()
	if link == "" || path.IsAbs(link) || strings.ContainsRune(link, 0) {
		return "", refuse(UnsafeLink, f.Name, nil)
	}
	if target := path.Join(path.Dir(name), link); target == ".." || strings.HasPrefix(target, "../") {
		return "", refuse(UnsafeLink, f.Name, nil)
	}
	return link, nil
}

// checkLinks refuses links that lead through other links: where those end can't
// be judged by the text, as in a -> b/.. with b -> deep/deep.
func (a *archive) checkLinks(kinds map[string]fs.FileMode) error {
	for _, e := range a.entries {
		if e.mode.Type() != fs.ModeSymlink {
			continue
		}
		at := path.Dir(e.name)
		parts := strings.Split(e.link, "/")
		for i, part := range parts {
			if at = path.Join(at, part); at == ".." || strings.HasPrefix(at, "../") {
				return refuse(UnsafeLink, e.file.Name, nil)
			}
			// The last part may be a link itself, which was or will be judged.
			if i < len(parts)-1 && kinds[at] == fs.ModeSymlink {
				return refuse(UnsafeLink, e.file.Name, nil)
			}
		}
	}
	return nil
}

// copyEntry writes an entry's data, at most limit bytes of it, and checks its
// length and checksum.
func copyEntry(w io.Writer, f *zip.File, limit int64) (int64, error) {
	rc, err := f.Open()
	if err != nil {
		return 0, refuse(BadContent, f.Name, err)
	}
	defer rc.Close() //nolint:errcheck // only read
	sum := crc32.NewIEEE()
	data := &readError{r: io.LimitReader(rc, limit+1)}
	n, err := io.Copy(io.MultiWriter(w, sum), data)
	switch {
	case data.err != nil:
		return n, refuse(BadContent, f.Name, data.err)
	case err != nil:
		return n, err // ours: the disk
	case n > limit:
		return n, refuse(TooLargeUnzipped, f.Name, nil)
	case uint64(n) != f.UncompressedSize64, sum.Sum32() != f.CRC32:
		return n, refuse(BadContent, f.Name, zip.ErrChecksum)
	}
	return n, nil
}

// A readError tells errors of the archive from those of the disk written to.
type readError struct {
	r   io.Reader
	err error
}

func (r *readError) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// verify reads every file's data; the links were read before.
func (a *archive) verify() (unzipped int64, err error) {
	for _, e := range a.entries {
		if !e.mode.IsRegular() {
			continue
		}
		n, err := copyEntry(io.Discard, e.file, a.limits.UnzippedBytes-unzipped)
		if err != nil {
			return 0, err
		}
		unzipped += n
	}
	return unzipped, nil
}

// unpack writes the archive into an empty directory. Everything in it becomes
// readable by anyone, since functions run as other users, and executable where
// the archive says so. Links are made last, so that no file is written through
// one.
func (a *archive) unpack(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // only names
	left := a.limits.UnzippedBytes
	for _, e := range a.entries {
		name := filepath.FromSlash(e.name)
		if e.mode.IsDir() {
			err = root.MkdirAll(name, 0o755)
		} else {
			err = root.MkdirAll(filepath.Dir(name), 0o755)
		}
		if err != nil {
			return fmt.Errorf("unpack %q: %w", e.name, err)
		}
		if !e.mode.IsRegular() {
			continue
		}
		n, err := unpackFile(root, name, e, left)
		if err != nil {
			return err
		}
		left -= n
	}
	for _, e := range a.entries {
		if e.mode.Type() != fs.ModeSymlink {
			continue
		}
		if err := root.Symlink(e.link, filepath.FromSlash(e.name)); err != nil {
			return fmt.Errorf("unpack %q: %w", e.name, err)
		}
	}
	return nil
}

func unpackFile(root *os.Root, name string, e entry, limit int64) (int64, error) {
	mode := fs.FileMode(0o444)
	if e.mode.Perm()&0o111 != 0 {
		mode = 0o555
	}
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("unpack %q: %w", e.name, err)
	}
	n, err := copyEntry(w, e.file, limit)
	if err := errors.Join(err, w.Chmod(mode), w.Close()); err != nil {
		return n, err
	}
	return n, nil
}
