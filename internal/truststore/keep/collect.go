package keep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// unfinishedPrefix begins the names of files that become copies.
const unfinishedPrefix = "new-"

// Collect removes the copies that named doesn't have and that it didn't have for
// some time in the life of this keeper, nor were fetched meanwhile; it returns how
// many. The time is for those who fetched one and are about to name it, or who back
// up the files after what names them. Zero is for when nobody can be: at the start.
//
// named isn't called where there are no copies.
func (k *Keeper) Collect(unused time.Duration, named func() (map[string]bool, error)) (removed int, err error) {
	files, err := os.ReadDir(k.Dir)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	names, err := named()
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now, still := k.Clock(), map[string]time.Time{}
	for _, f := range files {
		name, isCopy := strings.CutSuffix(f.Name(), copySuffix)
		if !isCopy && !strings.HasPrefix(name, unfinishedPrefix) || isCopy && names[name] {
			continue
		}
		since, known := k.unused[name]
		if !known {
			since = now
		}
		if now.Sub(since) < unused {
			still[name] = since
			continue
		}
		if err := os.Remove(filepath.Join(k.Dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, fmt.Errorf("remove a truststore that nobody uses: %w", err)
		}
		removed++
	}
	k.unused = still
	return removed, nil
}
