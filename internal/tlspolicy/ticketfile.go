package tlspolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ticketContext says what is sealed in the file of ticket keys.
var ticketContext = []byte("keys of TLS session tickets")

// read returns the keys of the file. One that others can read is none: what it
// seals they may have seen.
func (t *Tickets) read() ([]ticketKey, error) {
	keys, err := t.readFile()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !t.failed {
		t.failed = true
		t.Log.Warn("the keys of session tickets can't be read and are made anew", "file", t.File, "error", err)
	}
	return keys, err
}

func (t *Tickets) readFile() (keys []ticketKey, err error) {
	info, err := os.Stat(t.File)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others can read it (mode %04o)", info.Mode().Perm())
	}
	sealed, err := os.ReadFile(t.File)
	if err != nil {
		return nil, err
	}
	plain, err := t.Sealer.Open(sealed, ticketContext)
	if err != nil {
		return nil, err
	}
	return keys, json.Unmarshal(plain, &keys)
}

// write puts the keys into the file, whole or not at all. Without it, they end
// with the process.
func (t *Tickets) write(keys []ticketKey) {
	err := t.writeFile(keys)
	if err != nil && !t.failed {
		t.Log.Warn("the keys of session tickets can't be kept: a restart ends sessions", "file", t.File, "error", err)
	}
	t.failed = err != nil
}

func (t *Tickets) writeFile(keys []ticketKey) error {
	plain, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	sealed, err := t.Sealer.Seal(plain, ticketContext)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(t.File), "."+filepath.Base(t.File)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when it was renamed
	_, err = f.Write(sealed)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), t.File)
}
