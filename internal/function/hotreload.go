package function

import (
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"strconv"
)

// fingerprint sums up a folder's files by name, size and time. Of folders that installers fill only the top counts:
// they are large, and an installer touches it.
func fingerprint(dir string) uint64 {
	h := fnv.New64a()
	var b []byte
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	// What can't be read counts as absent.
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		b = append(append(b[:0], path...), 0)
		b = strconv.AppendInt(b, info.ModTime().UnixNano(), 36)
		if !entry.IsDir() {
			b = strconv.AppendInt(append(b, ','), info.Size(), 36)
		}
		switch entry.Name() {
		case "__pycache__":
			return fs.SkipDir // written by the function itself
		case "node_modules", ".git":
			h.Write(b)
			return fs.SkipDir
		}
		if !entry.IsDir() {
			h.Write(b)
		}
		return nil
	})
	return h.Sum64()
}
